// SPDX-License-Identifier: MIT
//
// The interface of a fuzz target, and how it derives decisions from its input bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// The name that libFuzzer requires. Called once for each input. Ends the process if something is wrong.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace hotlane::fuzz {

/// Reads forward. Past the end every byte is 0.
class Input {
  public:
    Input(const uint8_t* data, size_t size) : data_{data}, size_{size} {}
    bool at_end() const { return size_ == 0; }
    uint8_t byte() { return size_ == 0 ? uint8_t{0} : (--size_, *data_++); }
    /// A number less than `below`, which is at most 65,536.
    size_t number(size_t below) { return (byte() | static_cast<size_t>(byte()) << 8U) % below; }
    std::string_view rest() const { return {reinterpret_cast<const char*>(data_), size_}; }
    /// Up to `most` bytes.
    std::string_view take(size_t most) {
        const std::string_view taken = rest().substr(0, most);
        data_ += taken.size();
        size_ -= taken.size();
        return taken;
    }

  private:
    const uint8_t* data_;
    size_t size_;
};

/// Like assert(), but in every build.
inline void require(bool condition, const char* what) {
    if (!condition) {
        fprintf(stderr, "required: %s\n", what);
        abort();
    }
}

}  // namespace hotlane::fuzz
