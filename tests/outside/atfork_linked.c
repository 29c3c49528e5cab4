// SPDX-License-Identifier: MIT
// The constructor of a linked library runs before that of a preloaded library, so it registers its fork
// handlers first.
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
