// SPDX-License-Identifier: MIT
// A linked library's constructor runs before a preloaded library's, and registers fork handlers first.
#include "outside.h"

const char* library_word(void);

int main(void) {
    SAY("library: %s\n", library_word());
    for (int round = 0; round < 3; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            _exit(churn(1000) ? 5 : 6);
        }
        SAY("child ended: %d\n", end_of(child));
    }
    return 0;
}
