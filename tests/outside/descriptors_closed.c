// SPDX-License-Identifier: MIT
// Every descriptor is closed, and data files become descriptors 0, 1 and 2. Only the program may write to
// them.
#include "outside.h"

#include <fcntl.h>

static long size_of(int file) { return (long)lseek(file, 0, SEEK_END); }

int main(void) {
    const char* scratch = getenv("SCRATCH");
    const int answer = fcntl(STDOUT_FILENO, F_DUPFD, 200);
    if (!scratch || chdir(scratch) != 0) {
        return 1;
    }
    close_range(0, 199, 0);
    const int files[3] = {open("a", O_RDWR | O_CREAT, 0600), open("b", O_RDWR | O_CREAT, 0600),
                          open("c", O_RDWR | O_CREAT, 0600)};
    int kept = churn(5000);
    free(opaque(malloc(SIZE_MAX / 4)));
    const pid_t child = fork();
    if (child == 0) {
        exit(churn(1000) ? 0 : 1);
    }
    kept &= end_of(child) == 0;
    dprintf(answer, "descriptors %d %d %d, memory is fine: %d\n", files[0], files[1], files[2], kept);
    dprintf(answer, "written to them: %ld %ld %ld\n", size_of(0), size_of(1), size_of(2));
    close_range(0, 199, 0);
    dprintf(answer, "memory is fine: %d\n", churn(5000));
    return 0;
}
