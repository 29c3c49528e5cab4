/* SPDX-License-Identifier: MIT
 *
 * Allocates forty large buffers and frees them, again and again: five times what a thread keeps of their class. */
#include <stdlib.h>

int main(void) {
    enum { kBuffers = 40, kBytes = 32768, kRounds = 2000 };
    void* buffers[kBuffers];
    for (int round = 0; round < kRounds; ++round) {
        for (int i = 0; i < kBuffers; ++i) {
            buffers[i] = malloc(kBytes);
            if (buffers[i] == NULL) {
                return 1;
            }
        }
        for (int i = 0; i < kBuffers; ++i) {
            free(buffers[i]);
        }
    }
    return 0;
}
