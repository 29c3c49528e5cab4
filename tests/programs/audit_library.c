// SPDX-License-Identifier: MIT
// An audit library that asks for every binding. The loader runs it before the program's libraries have TLS.
// LD_AUDIT names it for ordinary programs, see meson.build.
#include <link.h>
#include <stdint.h>

unsigned la_version(unsigned version) { return version < LAV_CURRENT ? version : LAV_CURRENT; }

unsigned la_objopen(struct link_map* map, Lmid_t namespace, uintptr_t* cookie) {
    (void)map;
    (void)namespace;
    (void)cookie;
    return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
