// SPDX-License-Identifier: MIT
// pthread_atfork: prepare handlers run in the opposite order of their registration, the others in the same
// order. All of them may allocate many objects, here 5,000 each.
#include "outside.h"

static char story[2000];

#define HANDLER(name, text)                                                                                  \
    static void name(void) {                                                                                 \
        strcat(story, churn(5000) ? text : "memory is not fine");                                            \
        strcat(story, ", ");                                                                                 \
    }

HANDLER(prepare_first, "first prepare")
HANDLER(prepare_second, "second prepare")
HANDLER(prepare_third, "third prepare")
HANDLER(parent_first, "first parent")
HANDLER(parent_second, "second parent")
HANDLER(child_first, "first child")
HANDLER(child_second, "second child")

int main(void) {
    SAY("registered: %d\n", pthread_atfork(prepare_first, parent_first, child_first));
    SAY("registered: %d\n", pthread_atfork(prepare_second, parent_second, child_second));
    SAY("registered: %d\n", pthread_atfork(prepare_third, NULL, NULL));
    void* inherited = memset(malloc(5000), 7, 5000);
    const pid_t child = fork();
    if (child == 0) {
        SAY("in the child: %sinherited %d\n", story, ((char*)inherited)[4999]);
        free(inherited);
        _exit(churn(1000) ? 3 : 4);
    }
    SAY("child ended: %d\n", end_of(child));
    SAY("in the parent: %s\n", story);
    free(inherited);
    return 0;
}
