// SPDX-License-Identifier: MIT
//
// The C++ header alone, as C++20.
#include "hotlane/hotlane.hpp"

int main() { return hotlane::get(64).size() == 64 ? 0 : 1; }
