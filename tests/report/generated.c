/* SPDX-License-Identifier: MIT
 *
 * Generates functions at run time, and calls malloc through them. Native functions without frame pointers stand between
 * them. Prints where the functions are, as lines of a perf map.
 *
 *   generated N   allocates N objects of 1000 bytes: main, outer (generated, with a frame pointer), native_middle,
 *                 inner (generated, without one), native_leaf, malloc
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef void function(void);

static unsigned char* code;
static size_t used;
static void* volatile kept[1000];
static size_t kept_count;
static function* inner;
static volatile int left;

__attribute__((noinline)) void native_leaf(void) {
    kept[kept_count++] = malloc(1000);
    __asm__ volatile("");
}

__attribute__((noinline)) void native_middle(void) {
    volatile char frame[200];
    frame[left] = 1;
    inner();
    __asm__ volatile("" : : "r"(frame) : "memory");
}

static void add(const void* bytes, size_t count) {
    memcpy(code + used, bytes, count);
    used += count;
}

/* A function that calls another. Beginning and end are machine code. */
static function* generate(const char* name, const char* begin, function* callee, const char* end) {
    function* start;
    void* const at = code + used;
    const uintptr_t address = (uintptr_t)callee;
    const size_t before = used;
    add(begin, strlen(begin));
    add("\x48\xb8", 2); /* movabs $callee, %rax */
    add(&address, sizeof address);
    add("\xff\xd0", 2); /* call *%rax */
    add(end, strlen(end));
    printf("%lx %zx %s\n", (unsigned long)(uintptr_t)at, used - before, name);
    memcpy(&start, &at, sizeof start);
    return start;
}

int main(int count, char** arguments) {
    function* outer;
    left = count > 1 ? atoi(arguments[1]) : 1;
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        return 1;
    }
    /* sub $8, %rsp ... add $8, %rsp; ret */
    inner = generate("py::inner:/srv/app.py", "\x48\x83\xec\x08", native_leaf, "\x48\x83\xc4\x08\xc3");
    /* push %rbp; mov %rsp, %rbp; sub $16, %rsp ... nop; leave; ret */
    outer = generate("JS:~outer /srv/app.js:7:15", "\x55\x48\x89\xe5\x48\x83\xec\x10", native_middle,
                     "\x90\xc9\xc3");
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) != 0) {
        return 1;
    }
    while (left > 0) {
        outer();
        --left;
    }
    return 0;
}
