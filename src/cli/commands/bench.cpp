// SPDX-License-Identifier: MIT
//
// `hotlane bench load`: measures the library under a load of buffers, and prints the result beside published
// figures.
#include "cli/commands/commands.h"
#include "cli/commands/load.h"
#include "cli/launch/library.h"
#include "cli/launch/program.h"
#include "text/units.h"

#include "hotlane/hotlane.h"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <stdexcept>
#include <thread>
#include <unistd.h>

namespace hotlane::cli {

namespace {

/// The arguments as typed, so that they can be passed on when the command restarts itself.
struct LoadArguments {
    std::string duration = "5s";
    unsigned workers = std::max(std::thread::hardware_concurrency(), 1U);
    std::vector<std::string> sizes = {"2K", "4K", "8K", "16K", "32K", "64K"};
    uint64_t writes = 1;
};

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) {
        all += (all.empty() ? "" : ",") + part;
    }
    return all;
}

using StatsFunction = decltype(&hotlane_stats);

/// Returns the function hotlane_stats of the preloaded library, or null when none is preloaded.
StatsFunction library_stats() {
    return reinterpret_cast<StatsFunction>(dlsym(RTLD_DEFAULT, "hotlane_stats"));
}

hotlane_statistics counters(StatsFunction stats) {
    hotlane_statistics now{};
    stats(&now, sizeof now);
    return now;
}

/// Executes the same command with the library preloaded, because the command is not linked with it. Throws
/// std::runtime_error when that fails.
[[noreturn]] void start_again_on_hotlane(const LoadArguments& typed) {
    const std::string library = find_library();
    const char* preloaded = getenv("LD_PRELOAD");
    if (preloaded != nullptr && std::string{preloaded}.starts_with(library)) {
        throw std::runtime_error{"bench: the loader did not preload " + library};
    }
    setenv("LD_PRELOAD", preload_list(library, preloaded).c_str(), 1);
    setenv("HOTLANE_STATS", "off", 0);
    std::string arguments[] = {"hotlane",
                               "bench",
                               "load",
                               "--duration=" + typed.duration,
                               "--workers=" + std::to_string(typed.workers),
                               "--sizes=" + joined(typed.sizes),
                               "--ops-per-buffer=" + std::to_string(typed.writes)};
    execv("/proc/self/exe", pointers_to(arguments).data());
    throw std::runtime_error{std::string{"bench: cannot restart with hotlane preloaded: "} + strerror(errno)};
}

LoadOptions options_of(const LoadArguments& typed) {
    LoadOptions options;
    options.workers = typed.workers;
    options.writes = typed.writes;
    (void)parse_duration(typed.duration, options.duration_ns);  // the command line parser has checked it
    for (const std::string& size : typed.sizes) {
        uint64_t bytes = 0;
        (void)parse_size(size, bytes);
        options.sizes.push_back(bytes);
    }
    return options;
}

void print_figure(Writer& out, std::string_view what, std::string_view figure, std::string_view reference) {
    out.left(what, 26).right(figure, 14).right(reference, 18).text("\n");
}

/// Returns what `write` writes, so that it can be aligned.
template <typename Write>
std::string formatted(Write&& write) {
    char text[64];
    Writer out{text, sizeof text};
    write(out);
    return {text, out.bytes_written()};
}

std::string fixed(double value, unsigned decimals) {
    return formatted([&](Writer& out) { out.fixed(value, decimals); });
}

void print_latencies(Writer& out, std::string_view what, const Histogram& readings, double ns_per_tick) {
    constexpr double kShares[] = {0.5, 0.9, 0.99, 0.999};
    std::vector<uint64_t> ticks;
    for (const double share : kShares) {
        ticks.push_back(readings.percentile(share));
    }
    ticks.push_back(readings.greatest());
    out.left(what, 15).right("ticks", 7);
    for (const uint64_t reading : ticks) {
        out.right(std::to_string(reading), 11);
    }
    out.text("\n").spaces(15).right("ns", 7);
    for (const uint64_t reading : ticks) {
        out.right(fixed(static_cast<double>(reading) * ns_per_tick, 1), 11);
    }
    out.text("\n");
}

bool print_result(const LoadArguments& typed, const LoadResult& result, const hotlane_statistics& before,
                  const hotlane_statistics& after) {
    const auto operations = static_cast<double>(result.operations);
    const uint64_t allocations = after.allocations - before.allocations;
    const uint64_t misses = after.misses - before.misses;
    const double hit_rate =
        allocations == 0 ? 1 : static_cast<double>(allocations - misses) / static_cast<double>(allocations);
    Writer out{STDOUT_FILENO};
    out.text("workers ").number(typed.workers).text(", sizes ").text(joined(typed.sizes));
    out.text(", writes to each buffer ").number(typed.writes).text(", seconds ");
    out.fixed(static_cast<double>(result.wall_ns) / 1e9, 2).text("\n\n");
    print_figure(out, "", "this run", "a Go pool, there");
    print_figure(out, "operations per second",
                 fixed(operations * 1e3 / static_cast<double>(result.wall_ns), 2) + " M", "16.35 M");
    print_figure(out, "hit rate", fixed(std::floor(hit_rate * 1e7) / 1e5, 5) + " %", "100 %");
    print_figure(out, "get and put, worker's time",
                 fixed(static_cast<double>(result.processor_ns) / operations, 1) + " ns", "40 to 85 ns each");
    out.text("\n").spaces(22);
    for (const char* share : {"p50", "p90", "p99", "p99.9", "max"}) {
        out.right(share, 11);
    }
    out.text("\n");
    print_latencies(out, "get", result.gets, result.ns_per_tick);
    print_latencies(out, "put", result.puts, result.ns_per_tick);
    print_latencies(out, "empty reading", result.empty, result.ns_per_tick);
    out.text("\n").number(allocations).text(" allocations, ").number(misses).text(" of them misses, ");
    out.number(after.fallback_allocations - before.fallback_allocations)
        .text(" by the fallback. An operation is a get, the writes and a put;\n"
              "a latency has an empty reading in it.\n");
    return out.flush();
}

int load(const LoadArguments& typed) {
    const StatsFunction stats = library_stats();
    if (stats == nullptr) {
        start_again_on_hotlane(typed);
    }
    const LoadOptions options = options_of(typed);
    const hotlane_statistics before = counters(stats);
    const LoadResult result = run_load(options);
    return print_result(typed, result, before, counters(stats)) ? 0 : kFailed;
}

std::string not_a_time(const std::string& text) {
    uint64_t ns = 0;
    return parse_duration(text, ns) && ns != 0 ? "" : "\"" + text + "\" is not a time, such as 5s";
}

std::string not_a_size(const std::string& text) {
    uint64_t bytes = 0;
    const bool valid = parse_size(text, bytes) && bytes >= sizeof(uint64_t) && bytes <= GiB;
    return valid ? "" : "\"" + text + "\" is not a size from 8 to 1G, such as 64K";
}

}  // namespace

void add_bench(CLI::App& app, Invocation& invocation) {
    CLI::App* bench = app.add_subcommand("bench", "Measure the library on this machine");
    bench->require_subcommand(1);
    CLI::App* command =
        bench->add_subcommand("load", "Allocate, write and free buffers, and print the speed");
    auto typed = std::make_shared<LoadArguments>();
    command->add_option("--duration", typed->duration, "How long (5s)")->type_name("TIME")->check(not_a_time);
    command->add_option("--workers", typed->workers, "Threads (one per processor)")
        ->type_name("COUNT")
        ->check(CLI::Range(1, 4096));
    command->add_option("--sizes", typed->sizes, "Sizes of buffers, equally likely (2K,4K,8K,16K,32K,64K)")
        ->type_name("SIZE,...")
        ->delimiter(',')
        ->check(not_a_size);
    command->add_option("--ops-per-buffer", typed->writes, "Writes to each buffer (1)")->type_name("COUNT");
    command->callback([typed, &invocation] { invocation.status = load(*typed); });
}

}  // namespace hotlane::cli
