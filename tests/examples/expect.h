// SPDX-License-Identifier: MIT
//
// An assertion for the examples that is checked in every build.
#pragma once

#include <cstdio>
#include <cstdlib>

#define EXPECT(condition)                                                                                    \
    ((condition) ? (void)0                                                                                   \
                 : (std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition), std::exit(1)))
