// SPDX-License-Identifier: MIT
// The program maps memory at addresses of its choice, moves the program break itself, and unmaps only its own
// mappings.
#include "outside.h"

#include <sys/mman.h>

int main(void) {
    int mapped = 0, unmapped = 0;
    char* maps[64] = {NULL};
    SAY("before: %d\n", churn(500));
    for (int i = 1; i < 40; ++i) {
        maps[i] = (char*)mmap((void*)((uintptr_t)i << 40), 1 << 20, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (maps[i] == (char*)((uintptr_t)i << 40)) {
            memset(maps[i], i, 1 << 20);
            ++mapped;
        }
    }
    char* first = (char*)sbrk(1 << 20);
    memset(first, 99, 1 << 20);
    const int kept = churn(10000);
    char* second = (char*)sbrk(4096);
    memset(second, 98, 4096);
    SAY("mapped %d, break moved up: %d, memory is fine: %d\n", mapped, second >= first + (1 << 20), kept);
    for (int i = 1; i < 40; ++i) {
        unmapped += maps[i][0] == i && maps[i][(1 << 20) - 1] == i && munmap(maps[i], 1 << 20) == 0;
    }
    SAY("unmapped: %d, break kept: %d\n", unmapped, first[0] == 99 && first[(1 << 20) - 1] == 99);
    // Neighbours of memory that malloc mapped: the kernel places these side by side.
    for (int i = 0; i < 200; ++i) {
        void* block = malloc(1 << 20);
        char* map = (char*)mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        memset(block, 1, 1 << 20);
        map = (char*)mremap(map, 65536, 131072, MREMAP_MAYMOVE);
        map[131071] = 1;
        free(block);
        munmap(map, 131072);
    }
    SAY("memory is fine: %d\n", churn(10000));
    return 0;
}
