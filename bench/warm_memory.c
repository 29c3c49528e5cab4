// SPDX-License-Identifier: MIT
// Touches memory and returns it, so that the host of a virtual machine has pages ready when the next program
// needs them. Otherwise a program would pay for the state that the previous one left behind.
//
// usage: warm_memory MEBIBYTES
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int main(int argc, char** argv) {
    const size_t bytes = argc == 2 ? strtoul(argv[1], NULL, 10) << 20 : 0;
    if (bytes == 0) {
        fprintf(stderr, "usage: warm_memory MEBIBYTES\n");
        return 2;
    }
    char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "warm_memory: %s\n", strerror(errno));
        return 1;
    }
    madvise(memory, bytes, MADV_HUGEPAGE);
    for (size_t i = 0; i < bytes; i += 4096) {
        memory[i] = 1;
    }
    return 0;
}
