// SPDX-License-Identifier: MIT
//
// What a fuzz target is, and how it takes its decisions off the bytes that it is given.
// Knows nothing of any target.
// Used by every target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// libFuzzer's name for it. Called once for each input; ends the process where something is wrong.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data,
                                      size_t size);  // NOLINT(readability-identifier-naming)

namespace hotlane::fuzz {

/// Reads forward; past the end everything is 0.
class Input {
  public:
    Input(const uint8_t* data, size_t size) : data_{data}, size_{size} {}
    bool at_end() const { return size_ == 0; }
    uint8_t byte() { return size_ == 0 ? uint8_t{0} : (--size_, *data_++); }
    /// Less than `below`, which is at most 65,536.
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

/// Whether or not assertions are compiled in.
inline void require(bool condition, const char* what) {
    if (!condition) {
        fprintf(stderr, "required: %s\n", what);
        abort();
    }
}

}  // namespace hotlane::fuzz
