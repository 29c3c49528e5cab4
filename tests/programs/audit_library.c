// SPDX-License-Identifier: MIT
// An audit library that wants to hear of every binding: the loader runs it before the program's libraries
// have TLS. Knows nothing of the program. Named by LD_AUDIT for ordinary programs, see meson.build.
#include <link.h>
#include <stdint.h>

unsigned la_version(unsigned version) { return version < LAV_CURRENT ? version : LAV_CURRENT; }

unsigned la_objopen(struct link_map* map, Lmid_t namespace, uintptr_t* cookie) {
    (void)map;
    (void)namespace;
    (void)cookie;
    return LA_FLG_BINDTO | LA_FLG_BINDFROM;
}
