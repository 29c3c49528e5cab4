// SPDX-License-Identifier: MIT
//
// Includes only the C++ header, as C++20.
#include "hotlane/hotlane.hpp"

int main() { return hotlane::get(64).size() == 64 ? 0 : 1; }
