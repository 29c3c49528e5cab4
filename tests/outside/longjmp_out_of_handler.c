// SPDX-License-Identifier: MIT
// A handler may leave by siglongjmp if it did not interrupt an unsafe function. Here it leaves after a fault
// in the program's own code, on its own stack, again and again, with objects allocated before and after.
#include "outside.h"

#include <setjmp.h>
#include <sys/mman.h>

static sigjmp_buf out;
static void on_fault(int signal_number) { siglongjmp(out, signal_number); }

int main(void) {
    stack_t stack = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_fault, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &action, NULL);
    char* object = (char*)aligned_alloc(4096, 3 * 4096);
    volatile int faults = 0, kept = 1;
    for (volatile int i = 0; i < 200; ++i) {
        char* volatile before = (char*)malloc(1000);
        memset(before, i % 100, 1000);
        mprotect(object + 4096, 4096, PROT_NONE);
        if (sigsetjmp(out, 1) == 0) {
            object[5000] = 1;
        } else {
            ++faults;
        }
        mprotect(object + 4096, 4096, PROT_READ | PROT_WRITE);
        object[5000] = 2;
        kept = kept && churn(20) && before[999] == i % 100;
        free(before);
    }
    free(object);
    SAY("faults: %d, memory is fine: %d\n", faults, kept && churn(5000));
    return 0;
}
