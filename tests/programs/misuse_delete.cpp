// SPDX-License-Identifier: MIT
// Trap: the mistakes of misuse.c through operator delete, in every form, where a size invites the allocator
// to trust it. The table in meson.build has the expected messages.
#include "check.h"

#include <new>

int main(int count, char** arguments) {
    CHECK(count == 2, "usage: misuse_delete plain|sized|array|aligned");
    alignas(64) char object[256];
    const char form = arguments[1][0];
    if (form == 'p') {
        operator delete(opaque(object));
    } else if (form == 's') {
        operator delete(opaque(object), sizeof object);
    } else if (std::strcmp(arguments[1], "array") == 0) {
        operator delete[](opaque(object));
    } else {
        operator delete (opaque(object), std::align_val_t{64});
    }
    return 0;
}
