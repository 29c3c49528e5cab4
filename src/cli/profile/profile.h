// SPDX-License-Identifier: MIT
//
// A heap profile with symbols: one dump, the sum of several, or a difference.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace hotlane::cli {

/// Addition and subtraction that saturate instead of overflowing, because a dump may contain any numbers.
int64_t add_clamped(int64_t a, int64_t b);
int64_t subtract_clamped(int64_t a, int64_t b);

/// Estimates of what was allocated at one place or at many. The numbers are signed, because a difference may
/// be negative. `bytes` counts the sizes of the objects' classes, `requested` what the program asked for.
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
    Amount peak;  // what was live when the live bytes of the process were highest
    Amount cumulative;
    Count temporary;                   // freed within a millisecond
    Count remote;                      // freed by another thread
    std::map<int, int64_t> lifetimes;  // log2 of nanoseconds -> number of objects

    AllocationTotals& operator+=(const AllocationTotals& other);
    AllocationTotals operator-() const;
    /// Returns whether all numbers are 0. Lifetimes are ignored, because they follow from the others.
    bool is_zero() const;
};

/// A point of the timeline. The counts are those since the process started; the bytes are the most since the
/// point before.
struct TimePoint {
    int64_t at_ns = 0;  // since ProfileOrigin::begin_ns
    int64_t live_bytes = 0;
    int64_t resident_bytes = 0;
    int64_t requests = 0;
    int64_t misses = 0;
};

/// The header of a dump. A sum has that of its first dump, with the numbers that can be added.
struct ProfileOrigin {
    int64_t format = 0;  // of hotlane's dumps; 0: written by another allocator
    std::string program;
    int64_t process = 0;
    int64_t time_ns = 0;      // since 1970
    int64_t duration_ns = 0;  // since profiling started
    int64_t begin_ns = 0;     // when profiling started for the first time, since 1970
    int64_t peak_ns = 0;      // time of the peak, since begin_ns
    std::string reason;       // exit, signal, interval, call
    int64_t sequence = 0;
    int64_t series = 0;  // the same in all dumps of a process; 0: unknown
    int64_t period = 1;  // mean bytes between samples; 1: every allocation
    std::string unwind;
    int64_t samples = 0;
    int64_t lost_samples = 0;
    bool difference = false;  // another profile was subtracted
    bool has_peak = false;    // AllocationTotals::peak is known
    bool requested = false;   // bytes are those that the program asked for, not those of size classes
};

/// Invariant: no two functions, frames or stacks are equal, every index is valid, and all text is safe to
/// show (shown_text.h) and of limited length.
class Profile {
  public:
    struct SizeClass {
        int64_t hits = 0;
        int64_t misses = 0;
        int64_t puts = 0;
    };
    struct Library {
        std::string path;
        uint64_t start = 0;  // its address in the first dump that contains it
        uint64_t end = 0;
        uint64_t bias = 0;       // that address minus the address in the file
        std::string build_id{};  // hexadecimal; empty: unknown
        std::string name() const { return path.substr(path.rfind('/') + 1); }
    };
    struct Function {
        std::string name;
        std::string file;      // empty: unknown
        uint32_t library = 0;  // 0: the unnamed library, for code that is in no file
        auto operator<=>(const Function&) const = default;
    };
    struct Frame {
        uint32_t function = 0;
        int64_t line = 0;      // 0: unknown
        uint64_t address = 0;  // of the call, relative to the library's file
        bool inlined = false;  // inlined into the next frame, which has the same address
        auto operator<=>(const Frame&) const = default;
    };
    /// What the dump tells apart within a stack (HOTLANE_PROFILE_TAGS).
    struct Tags {
        int64_t object_size = 0;  // 0: any
        std::string thread{};     // its name; empty: any
        bool empty() const { return object_size == 0 && thread.empty(); }
        auto operator<=>(const Tags&) const = default;
    };
    struct Stack {
        std::vector<uint32_t> frames;  // leaf first, at least one
        size_t site = 0;               // index in `frames` of the allocation site, see site_of()
        AllocationTotals totals;
        std::map<Tags, AllocationTotals> by_tags{};  // the part of the totals that has tags
    };

    /// An earlier dump of the same process: what changed since the moment before it.
    struct Moment {
        int64_t at_ns = 0;  // since ProfileOrigin::begin_ns
        int64_t sequence = 0;
        std::string reason;
        std::map<size_t, AllocationTotals> changes;  // by index of the stack
    };

    /// What is compared with: an earlier dump, or the sum of several.
    struct Base {
        ProfileOrigin origin;
        std::map<int64_t, SizeClass> classes;       // by object size
        std::map<size_t, AllocationTotals> totals;  // by index of the stack
        std::map<size_t, std::map<Tags, AllocationTotals>> by_tags;
    };

    ProfileOrigin origin;
    std::map<int64_t, SizeClass> classes;  // by object size
    std::vector<TimePoint> timeline;       // in order of time; empty for a sum
    std::vector<Moment> moments;           // in order of time
    std::optional<Base> base;              // not subtracted yet

    const std::vector<Library>& libraries() const { return libraries_; }
    const std::vector<Function>& functions() const { return functions_; }
    const std::vector<Frame>& frames() const { return frames_; }
    const std::vector<Stack>& stacks() const { return stacks_; }

    const Function& function_of(uint32_t frame) const { return functions_[frames_[frame].function]; }
    const Library& library_of(uint32_t frame) const { return libraries_[function_of(frame).library]; }

    /// Each function returns the index of the value, which is added if it is new. Libraries are compared by
    /// path.
    uint32_t add_library(const Library& library);
    uint32_t add_function(const Function& function);
    uint32_t add_frame(const Frame& frame);
    /// Adds the totals to the stack with the same frames, which is returned.
    Stack& add_stack(const std::vector<uint32_t>& frames, const AllocationTotals& totals);
    /// The same for totals with tags.
    void add_stack(const std::vector<uint32_t>& frames, const AllocationTotals& totals, const Tags& tags);

    /// Add or subtract the totals of `other`. Stacks are equal when their functions, lines and addresses are.
    void add(const Profile& other);
    void subtract(const Profile& other);

    /// Adds the totals of `other` to the base. Stacks that only the base has are added with totals of zero.
    void add_base(const Profile& other);
    /// Subtracts the base, if there is one. From then on, the profile is a difference.
    void subtract_base();

    /// Says which functions allocate on behalf of their callers; they are no sites. By default these are the
    /// functions of is_wrapper() (function_name.h).
    using IsWrapper = std::function<bool(const Function& function, const Library& library)>;
    void set_wrappers(IsWrapper is_wrapper);

    /// From now on, bytes are those that the program requested. Temporary and remote bytes stay as they are.
    void count_requested_bytes();

    /// Adds the earlier profile of the same process as a moment. Moments are added in order of time, and after
    /// every stack.
    void add_moment(const Profile& earlier);

    AllocationTotals total() const;
    /// Removes the stacks for which `wanted` is false. Functions and frames stay.
    template <typename Predicate>
    void keep(Predicate wanted) {
        std::vector<Stack> before;
        before.swap(stacks_);
        stack_index_.clear();
        std::map<size_t, size_t> kept;  // old index -> new one
        for (size_t i = 0; i < before.size(); ++i) {
            if (wanted(before[i])) {
                kept[i] = stacks_.size();
                add_stack(before[i].frames, before[i].totals).by_tags = std::move(before[i].by_tags);
            }
        }
        renumber_totals(kept);
    }

  private:
    std::vector<uint32_t> frames_of(const Profile& other);
    /// Returns our frames of a stack. `ours` is what frames_of() returned.
    static std::vector<uint32_t> renumbered(const Stack& stack, const std::vector<uint32_t>& ours);
    void renumber_totals(const std::map<size_t, size_t>& kept);
    /// Returns the index of the first frame that belongs neither to an allocator or wrapper nor to the C++ library. If
    /// there is none, returns the first one that does not belong to an allocator, or else 0.
    size_t site_of(const std::vector<uint32_t>& frames) const;

    IsWrapper is_wrapper_;  // empty: the default
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
