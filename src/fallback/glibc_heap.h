// SPDX-License-Identifier: MIT
//
// Blocks of glibc's own malloc that come to us all the same: of a library opened with RTLD_DEEPBIND, of libc
// itself. Must not know hotlane's tiers. Reads foreign memory only in ways that cannot fault. Called by
// allocator on the rare path of a pointer that is nobody's.
#pragma once

#include "base/base.h"

namespace hotlane::glibc_heap {

/// Whether `p` is what glibc's malloc returned for a block that is (by its looks) still allocated. False
/// always where glibc's malloc is not in the process: in a static program.
bool is_chunk(const void* p);

/// glibc's own functions. Only for pointers of which is_chunk() said so.
void release(void* p);
size_t usable_size(const void* p);
void* reallocate(void* p, size_t bytes);

}  // namespace hotlane::glibc_heap
