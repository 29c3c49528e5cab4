// SPDX-License-Identifier: MIT
// No descriptor may be opened and no thread started: malloc needs neither and goes on working.
#include "outside.h"

#include <fcntl.h>
#include <sys/resource.h>

static void* allocate(void* unused) { return churn(500) ? (void*)&allocate : unused; }

int main(void) {
    be_nobody();
    struct rlimit files, none = {0, 0};
    getrlimit(RLIMIT_NOFILE, &files);
    none.rlim_max = files.rlim_max;
    SAY("no files: %d\n", setrlimit(RLIMIT_NOFILE, &none));
    errno = 0;
    const int opened = open("/dev/null", O_RDONLY);
    SAY("open: %d, EMFILE: %d\n", opened, errno == EMFILE);
    SAY("memory is fine: %d\n", churn(5000));
    SAY("fopen: %d\n", fopen("/dev/null", "r") != NULL);
    setrlimit(RLIMIT_NOFILE, &files);
    FILE* file = fopen("/dev/null", "r");
    SAY("fopen: %d\n", file != NULL && fclose(file) == 0);

    const struct rlimit one = {1, 1};
    pthread_t thread;
    SAY("no threads: %d\n", setrlimit(RLIMIT_NPROC, &one));
    SAY("pthread_create: %d\n", pthread_create(&thread, NULL, allocate, NULL) == EAGAIN);
    SAY("memory is fine: %d\n", churn(5000));
    return 0;
}
