// SPDX-License-Identifier: MIT
//
// A profile in memory: who allocated what, by functions and lines; one dump, the sum of several or a
// difference. Knows nothing of dumps, of symbols, nor of how a profile is shown. Filled by the symboliser;
// read by the table and by every export.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace hotlane::cli {

/// What numbers of a profile are added with: they stay at the limits instead of overflowing, for a dump may
/// say anything.
int64_t add_clamped(int64_t a, int64_t b);
int64_t subtract_clamped(int64_t a, int64_t b);

/// Of one place, or of many. All estimates of the truth, not samples. Signed: a difference may be negative.
/// Bytes are what the objects take up, the size of their classes; requested is what the program asked for.
struct AllocationTotals {
    struct Amount {
        int64_t objects = 0;
        int64_t bytes = 0;
        int64_t requested = 0;
        int64_t slack() const { return subtract_clamped(bytes, requested); }
        bool operator==(const Amount&) const = default;
    };
    struct Count {
        int64_t objects = 0;
        int64_t bytes = 0;
        bool operator==(const Count&) const = default;
    };

    Amount live;
    Amount cumulative;
    Count temporary;                   // freed within a millisecond; reports show the objects
    Count remote;                      // freed by another thread
    std::map<int, int64_t> lifetimes;  // log2 of nanoseconds -> objects that lived so long

    AllocationTotals& operator+=(const AllocationTotals& other);
    AllocationTotals operator-() const;
    /// Lifetimes aside: they follow from the others.
    bool is_zero() const;
};

/// One dump's, or of several: of the first where they cannot be added.
struct ProfileOrigin {
    std::string program;
    int64_t process = 0;
    int64_t time_ns = 0;      // since 1970
    int64_t duration_ns = 0;  // since profiling started
    std::string reason;       // exit, signal, interval, call
    int64_t sequence = 0;
    int64_t series = 0;  // the same in all dumps of a process; 0: not known
    int64_t period = 1;  // mean bytes between samples; 1: every allocation
    std::string unwind;
    int64_t samples = 0;
    int64_t lost_samples = 0;
    bool difference = false;  // something was taken away
};

/// Invariant: no two functions, frames or stacks are equal, every index is valid, and all text can be shown
/// (shown_text.h) and is bounded.
class Profile {
  public:
    struct SizeClass {
        int64_t hits = 0;
        int64_t misses = 0;
        int64_t puts = 0;
    };
    struct Library {
        std::string path;
        uint64_t start = 0;  // where the first dump that has it had it mapped
        uint64_t end = 0;
        uint64_t bias = 0;  // of that mapping: what is added to an address in the file
        std::string name() const { return path.substr(path.rfind('/') + 1); }
    };
    struct Function {
        std::string name;
        std::string file;      // empty: not known
        uint32_t library = 0;  // 0 is the library without a name, for what lies in no file
        auto operator<=>(const Function&) const = default;
    };
    struct Frame {
        uint32_t function = 0;
        int64_t line = 0;      // 0: not known
        uint64_t address = 0;  // of the call, as in the library's file; the same in every process
        bool inlined = false;  // into the next frame, which has the same address
        auto operator<=>(const Frame&) const = default;
    };
    struct Stack {
        std::vector<uint32_t> frames;  // leaf first, never empty
        size_t site = 0;               // place in `frames` of the one that allocates, see site_of
        AllocationTotals totals;
    };

    ProfileOrigin origin;
    std::map<int64_t, SizeClass> classes;  // by object size

    const std::vector<Library>& libraries() const { return libraries_; }
    const std::vector<Function>& functions() const { return functions_; }
    const std::vector<Frame>& frames() const { return frames_; }
    const std::vector<Stack>& stacks() const { return stacks_; }

    const Function& function_of(uint32_t frame) const { return functions_[frames_[frame].function]; }
    const Library& library_of(uint32_t frame) const { return libraries_[function_of(frame).library]; }

    /// Each returns the index, of what was there if it was. A library is known by its path.
    uint32_t add_library(const Library& library);
    uint32_t add_function(const Function& function);
    uint32_t add_frame(const Frame& frame);
    /// Adds to the stack with the same frames.
    void add_stack(const std::vector<uint32_t>& frames, const AllocationTotals& totals);

    /// Adds what `other` holds, or takes it away: stacks are the same when their functions, lines and
    /// addresses are.
    void add(const Profile& other);
    void subtract(const Profile& other);

    AllocationTotals total() const;
    /// Keeps the stacks for which `wanted` holds; functions and frames stay.
    template <typename Predicate>
    void keep(Predicate wanted) {
        std::vector<Stack> before;
        before.swap(stacks_);
        stack_index_.clear();
        for (const Stack& stack : before) {
            if (wanted(stack)) {
                add_stack(stack.frames, stack.totals);
            }
        }
    }

  private:
    void add_stacks(const Profile& other, bool negative);
    /// The first frame that is neither an allocator's nor the C++ library's; if all are, the first that is no
    /// allocator's; if all are that, the first.
    size_t site_of(const std::vector<uint32_t>& frames) const;

    std::vector<Library> libraries_{Library{}};
    std::vector<Function> functions_;
    std::vector<Frame> frames_;
    std::vector<Stack> stacks_;
    std::map<std::string, uint32_t> library_index_{{"", 0}};
    std::map<Function, uint32_t> function_index_;
    std::map<Frame, uint32_t> frame_index_;
    std::map<std::vector<uint32_t>, size_t> stack_index_;
};

}  // namespace hotlane::cli
