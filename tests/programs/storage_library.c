// SPDX-License-Identifier: MIT
// A library with thread-local storage that is allocated at first use, as in every library that is opened
// late. Opened by fork_beside_create.c.
static __thread char storage[2900];

void* use_storage(void);
void* use_storage(void) { return storage; }
