// SPDX-License-Identifier: MIT
// The two empty functions of the floor, declared for C and C++. They must not be inlined anywhere, so their
// definitions are in a library of their own.
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void* empty_take(size_t bytes);
void empty_release(void* object);

#ifdef __cplusplus
}
#endif
