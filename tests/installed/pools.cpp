// SPDX-License-Identifier: MIT
//
// A program with pools that were generated from a contract while it was built. Built and run by check_installed.py.
#include <cstdio>
#include <polygon_adapter_pools.hpp>

int main() {
    messages::polygon_adapter_pools pools;
    auto swap = pools.get<messages::SwapEvent>();
    const bool is_ours = swap && swap->capacity() == messages::SwapEvent::buffer_class;
    std::puts(is_ours ? "all of malloc is hotlane's" : "the pools did not serve");
    return is_ours ? 0 : 1;
}
