// SPDX-License-Identifier: MIT
// A library whose constructor calls the program, which waits there for another thread. Opened by
// guard_beside_loader.c.
void let_the_other_go_on(void);

__attribute__((constructor)) static void wait_in_constructor(void) { let_the_other_go_on(); }
