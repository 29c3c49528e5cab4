// SPDX-License-Identifier: MIT
//
// The functions of os.h, which refuse or call the real ones. The real ones are compiled under another name
// for this. Because unit tests link this file, the linker leaves out the core's own os.cpp.
#include "fake_os.h"

// The real functions: src/platform/os.cpp, compiled with the same definition.
#define os real_os
#include "platform/os.h"
#undef os
#include "platform/time/tsc.h"

#include <algorithm>
#include <atomic>
#include <mutex>

namespace hotlane {

namespace {

using fake_os::Call;
constexpr size_t kCalls = static_cast<size_t>(Call::count);

struct Rules {
    std::atomic<uint64_t> calls[kCalls];
    std::atomic<uint64_t> all_calls;
    std::atomic<uint64_t> fail_at[kCalls];  // number of the call that fails, counted from 1; 0: none
    std::atomic<uint64_t> fail_at_of_all;
    std::atomic<bool> fail_always[kCalls];
    std::atomic<size_t> memory_limit;
    std::atomic<size_t> address_limit;
    std::atomic<bool> places_ignored;
    std::atomic<bool> clock_stopped;
    std::atomic<uint64_t> now_ns;
    std::atomic<bool> barriers_fail;
    std::atomic<unsigned> processor;
    std::atomic<unsigned> cpu_count;  // 0: the real number
    std::atomic<size_t> page_size;
    std::atomic<void (*)()> after_barrier;
};
Rules rules;
std::atomic<size_t> memory_in_use;  // granted and not given back, independent of the rules
std::atomic<size_t> addresses_in_use;
std::mutex purged_lock;
std::vector<fake_os::PurgedRun> purged;

bool refused(Call call) {
    const auto kind = static_cast<size_t>(call);
    const uint64_t number = ++rules.calls[kind];
    const uint64_t number_of_all = ++rules.all_calls;
    return rules.fail_always[kind] || number == rules.fail_at[kind] || number_of_all == rules.fail_at_of_all;
}

bool begins_page(const void* p) { return address_of(p) % rules.page_size == 0; }

bool charge(std::atomic<size_t>& used, size_t limit, size_t bytes) {
    if ((used += bytes) > limit) {
        used -= bytes;
        return false;
    }
    return true;
}

}  // namespace

namespace fake_os {

void reset() {
    for (size_t kind = 0; kind < kCalls; ++kind) {
        rules.calls[kind] = 0;
        rules.fail_at[kind] = 0;
        rules.fail_always[kind] = false;
    }
    rules.all_calls = 0;
    rules.fail_at_of_all = 0;
    rules.memory_limit = SIZE_MAX;
    rules.address_limit = SIZE_MAX;
    rules.places_ignored = false;
    rules.clock_stopped = false;
    rules.barriers_fail = false;
    rules.processor = 0;
    rules.cpu_count = 0;
    rules.page_size = real_os::page_size();
    rules.after_barrier = nullptr;
    const std::lock_guard guard(purged_lock);
    purged.clear();
}

uint64_t calls(Call call) { return rules.calls[static_cast<size_t>(call)]; }
uint64_t all_calls() { return rules.all_calls; }

void fail_nth(Call call, uint64_t n) {
    const auto kind = static_cast<size_t>(call);
    rules.fail_at[kind] = n == 0 ? 0 : rules.calls[kind] + n;
}
void fail_nth_of_all(uint64_t n) { rules.fail_at_of_all = n == 0 ? 0 : rules.all_calls + n; }
void fail_always(Call call, bool fail) { rules.fail_always[static_cast<size_t>(call)] = fail; }
void set_page_size(size_t bytes) { rules.page_size = bytes; }
void run_on(unsigned processor) { rules.processor = processor; }
void set_cpu_count(unsigned count) { rules.cpu_count = count; }
void limit_memory(size_t bytes) { rules.memory_limit = bytes; }
void limit_addresses(size_t bytes) { rules.address_limit = bytes; }
void ignore_places(bool ignore) { rules.places_ignored = ignore; }
size_t reserved_bytes() { return addresses_in_use; }

void stop_clock() {
    rules.now_ns = real_os::monotonic_ns();
    rules.clock_stopped = true;
}
void advance_clock(uint64_t ns) { rules.now_ns += ns; }

void fail_barriers(bool fail) { rules.barriers_fail = fail; }
void after_barrier(void (*hook)()) { rules.after_barrier = hook; }

std::vector<PurgedRun> purged_runs() {
    const std::lock_guard guard(purged_lock);
    return purged;
}

namespace {
// Sets the rules to no limits before main and before the first call to the system.
const bool rules_at_start = (reset(), true);
}  // namespace

}  // namespace fake_os

namespace os {

size_t page_size() { return rules.page_size; }

void* reserve(size_t bytes, size_t alignment) {
    if (refused(Call::reserve) || !charge(addresses_in_use, rules.address_limit, bytes)) {
        return nullptr;
    }
    void* p = real_os::reserve(bytes, std::max<size_t>(alignment, rules.page_size));
    if (p == nullptr) {
        addresses_in_use -= bytes;
    }
    return p;
}

Reservation reserve_at(uintptr_t at, size_t bytes) {
    if (refused(Call::reserve) || !charge(addresses_in_use, rules.address_limit, bytes)) {
        return Reservation::refused;
    }
    const bool ignored = rules.places_ignored || !begins_page(pointer_to(at));
    const auto reserved = ignored ? Reservation::occupied : real_os::reserve_at(at, bytes);
    addresses_in_use -= reserved == Reservation::granted ? 0 : bytes;
    return reserved;
}

void unreserve(void* p, size_t bytes) {
    addresses_in_use -= bytes;
    real_os::unreserve(p, bytes);
}

bool commit(void* p, size_t bytes) {
    if (refused(Call::commit) || !charge(memory_in_use, rules.memory_limit, bytes)) {
        return false;
    }
    const bool granted = begins_page(p) && real_os::commit(p, bytes);
    memory_in_use -= granted ? 0 : bytes;
    return granted;
}

bool block(void* p, size_t bytes) {
    return !refused(Call::block) && begins_page(p) && real_os::block(p, bytes);
}

void* map(size_t bytes) {
    if (refused(Call::map) || !charge(memory_in_use, rules.memory_limit, bytes)) {
        return nullptr;
    }
    void* p = rules.page_size == real_os::page_size() ? real_os::map(bytes)
                                                      : real_os::reserve(bytes, rules.page_size);
    if (p != nullptr && !real_os::commit(p, bytes)) {
        real_os::unmap(p, bytes);
        p = nullptr;
    }
    memory_in_use -= p != nullptr ? 0 : bytes;
    return p;
}

void unmap(void* p, size_t bytes) {
    memory_in_use -= bytes;
    real_os::unmap(p, bytes);
}

bool purge(void* p, size_t bytes) {
    if (refused(Call::purge) || !begins_page(p) || !real_os::purge(p, bytes)) {
        return false;
    }
    const std::lock_guard guard(purged_lock);
    purged.push_back({address_of(p), bytes});
    return true;
}

uint64_t monotonic_ns() { return rules.clock_stopped ? rules.now_ns.load() : real_os::monotonic_ns(); }
uint64_t coarse_ns() { return rules.clock_stopped ? rules.now_ns.load() : real_os::coarse_ns(); }

unsigned processor() { return rules.processor; }

bool barrier_all_threads() {
    if (rules.barriers_fail || !real_os::barrier_all_threads()) {
        return false;
    }
    if (void (*hook)() = rules.after_barrier) {
        hook();
    }
    return true;
}

// ---- passed on --------------------------------------------------------------------------------------------

void advise_huge(void* p, size_t bytes, bool huge) { real_os::advise_huge(p, bytes, huge); }
size_t memory_limit() { return std::min<size_t>(rules.memory_limit, rules.address_limit); }
uint64_t random_word() { return real_os::random_word(); }
size_t peak_rss_bytes() { return real_os::peak_rss_bytes(); }
unsigned cpu_count() { return rules.cpu_count != 0 ? rules.cpu_count.load() : real_os::cpu_count(); }
int process_id() { return real_os::process_id(); }
uint32_t thread_id() { return real_os::thread_id(); }
bool thread_is_leaving() { return real_os::thread_is_leaving(); }
const char* environment(const char* name) { return real_os::environment(name); }
bool is_privileged() { return real_os::is_privileged(); }
bool in_shared_object() { return real_os::in_shared_object(); }
void program_path(char* out, size_t capacity) { real_os::program_path(out, capacity); }
void remember_program_name() { real_os::remember_program_name(); }
void program_name(char* out, size_t capacity) { real_os::program_name(out, capacity); }
uint64_t descriptor_identity(int fd) { return real_os::descriptor_identity(fd); }
bool write_all(int fd, const char* bytes, size_t count) { return real_os::write_all(fd, bytes, count); }
real_os::FileStatus file_status(const char* path) { return real_os::file_status(path); }
int create_file(const char* path, unsigned permissions) { return real_os::create_file(path, permissions); }
void set_permissions(int fd, unsigned permissions) { real_os::set_permissions(fd, permissions); }
int open_device(const char* path) { return real_os::open_device(path); }
bool read_link(const char* path, char* out, size_t capacity) {
    return real_os::read_link(path, out, capacity);
}
int duplicate(int fd) { return real_os::duplicate(fd); }
const char* error_text() { return real_os::error_text(); }
uint64_t random_number() { return real_os::random_number(); }
real_os::FileStatus descriptor_status(int fd) { return real_os::descriptor_status(fd); }
int open_for_reading(const char* path) { return real_os::open_for_reading(path); }
long read_some(int fd, char* out, size_t capacity) { return real_os::read_some(fd, out, capacity); }
size_t resident_bytes() { return real_os::resident_bytes(); }
long read_file(const char* path, char* out, size_t capacity) {
    return real_os::read_file(path, out, capacity);
}
long read_pieces(int fd, void* first, size_t first_bytes, void* second, size_t second_bytes) {
    return real_os::read_pieces(fd, first, first_bytes, second, second_bytes);
}
bool copy_file(const char* path, int fd) { return real_os::copy_file(path, fd); }
bool on_signal(int number, void (*handler)(int)) { return real_os::on_signal(number, handler); }
uint64_t block_signals() { return real_os::block_signals(); }
void restore_signals(uint64_t mask) { real_os::restore_signals(mask); }
bool has_threads() { return real_os::has_threads(); }
void lock_open_files() { real_os::lock_open_files(); }
void unlock_open_files() { real_os::unlock_open_files(); }
void reset_open_files() { real_os::reset_open_files(); }
uint64_t real_time_ns() { return real_os::real_time_ns(); }
bool close_file(int fd) { return real_os::close_file(fd); }
bool rename_file(const char* from, const char* to) { return real_os::rename_file(from, to); }
bool remove_file(const char* path) { return real_os::remove_file(path); }
void wait_on(const uint32_t* word, uint32_t while_equal) { real_os::wait_on(word, while_equal); }
void wake_one(const uint32_t* word) { real_os::wake_one(word); }
void sleep_ns(uint64_t duration) { real_os::sleep_ns(duration); }
void pause_briefly() { real_os::pause_briefly(); }
unsigned thread_count() { return real_os::thread_count(); }
bool is_only_thread_left() { return real_os::is_only_thread_left(); }
bool start_thread(void (*body)()) { return real_os::start_thread(body); }
void announce_barriers() { real_os::announce_barriers(); }
[[noreturn]] void abort_process() { real_os::abort_process(); }

}  // namespace os

}  // namespace hotlane

// ---- the clock once more ----------------------------------------------------------------------------------

namespace hotlane::ticks {

void set_up() {}
uint64_t now() { return os::monotonic_ns(); }
uint64_t to_ns(uint64_t difference) { return difference; }

}  // namespace hotlane::ticks
