// SPDX-License-Identifier: MIT
// mlockall of an ordinary user: what the process has is a few MiB, below the usual limit.
#include "outside.h"

#include <sys/mman.h>
#include <sys/resource.h>

int main(void) {
    const struct rlimit limit = {64UL << 20, 64UL << 20};
    setrlimit(RLIMIT_MEMLOCK, &limit);
    be_nobody();
    SAY("before: %d\n", churn(500));
    SAY("mlockall of what there is: %d\n", mlockall(MCL_CURRENT));
    SAY("after: %d\n", churn(500));
    SAY("munlockall: %d\n", munlockall());
    SAY("mlockall of the future: %d\n", mlockall(MCL_CURRENT | MCL_FUTURE));
    SAY("after: %d\n", churn(500));
    return 0;
}
