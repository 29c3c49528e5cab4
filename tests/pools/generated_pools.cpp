// SPDX-License-Identifier: MIT
//
// A service with generated pools: each message gets a buffer of its class, the classes have their capacities, and a
// frame is read with the header that the contract describes.
#include "../examples/expect.h"
#include "polygon_adapter_pools.hpp"

#include <cstring>
#include <string_view>
#include <unistd.h>
#include <vector>

static_assert(SwapEvent::type_id == 1 && SwapEvent::max_size == 84 && SwapEvent::buffer_class == 128);
static_assert(PoolStateUpdate::max_size == 20 + 20 + 4 + 400 + 84 && PoolStateUpdate::buffer_class == 1024);
static_assert(hotlane::message<Notice> && std::string_view{Notice::name} == "Notice");

namespace {

void every_message_has_its_class() {
    polygon_adapter_pools pools;
    EXPECT(pools.name() == "polygon-adapter" && pools.messages().size() == 3);
    auto swap = pools.get<SwapEvent>();
    auto update = pools.get<PoolStateUpdate>();
    auto notice = pools.get<Notice>();
    auto some = pools.get(85);
    EXPECT(swap && swap->size() == 84 && swap->capacity() == 128);
    EXPECT(update && update->size() == 528 && update->capacity() == 1024);
    EXPECT(notice && notice->capacity() == 1024);
    EXPECT(some && some->size() == 85 && some->capacity() == 128);
    std::memset(notice->data(), 1, notice->size());
}

void capacities_are_those_of_the_budget() {
    hotlane::service_pools pools = hotlane::from_service("polygon-adapter");
    constexpr std::size_t kBudget = 128 * 1024;
    std::vector<hotlane::buffer> buffers;
    for (std::size_t i = 0; i < kBudget / SwapEvent::buffer_class; ++i) {
        auto buffer = pools.get(SwapEvent::max_size);
        EXPECT(buffer);
        buffers.push_back(std::move(*buffer));
    }
    EXPECT(pools.get(SwapEvent::max_size));  // from the next larger class
}

void a_frame_is_read() {
    int ends[2];
    EXPECT(pipe(ends) == 0);
    const unsigned char sent[] = {1, 0, 3, 0, 0, 0, 'a', 'b', 'c'};  // type 1, length 3
    EXPECT(write(ends[1], sent, sizeof sent) == static_cast<ssize_t>(sizeof sent));
    polygon_adapter_pools pools;
    const hotlane::frame_format format{pools.service().header, pools.messages()};
    hotlane::frame_reader reader{format, pools.set()};
    const hotlane::frame frame = reader.read(ends[0]);
    EXPECT(frame && frame.type == SwapEvent::type_id && frame.length == 3);
    EXPECT(std::memcmp(frame.value.data(), "abc", 3) == 0 &&
           frame.value.capacity() == SwapEvent::buffer_class);
}

}  // namespace

int main() {
    every_message_has_its_class();
    capacities_are_those_of_the_budget();
    a_frame_is_read();
}
