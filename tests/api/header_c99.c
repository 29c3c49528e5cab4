/* SPDX-License-Identifier: MIT
 * The C header alone, as C99. */
#include "hotlane/hotlane.h"

int main(void) { return hotlane_version()[0] == '\0'; }
