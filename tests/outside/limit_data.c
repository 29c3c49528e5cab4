// SPDX-License-Identifier: MIT
// RLIMIT_DATA is set while the program runs, with room for 200 MiB.
#include "outside.h"

#include <sys/resource.h>

int main(void) {
    SAY("before: %d\n", churn(2000));
    const struct rlimit limit = {200UL << 20, 200UL << 20};
    SAY("setrlimit: %d\n", setrlimit(RLIMIT_DATA, &limit));
    char* block = (char*)malloc(100 << 20);
    SAY("100 MiB: %d\n", block && memset(block, 1, 100 << 20) == block);
    errno = 0;
    const int got = opaque(malloc(300 << 20)) != NULL;
    SAY("300 MiB: %d, errno is ENOMEM: %d\n", got, errno == ENOMEM);
    free(block);
    SAY("after: %d\n", churn(5000));
    return 0;
}
