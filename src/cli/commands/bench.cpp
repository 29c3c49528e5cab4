// SPDX-License-Identifier: MIT
//
// `hotlane bench load`: measures the library under a load of buffers, and prints the result beside published
// figures.
#include "cli/commands/commands.h"
#include "cli/commands/load.h"
#include "cli/launch/library.h"
#include "cli/launch/program.h"
#include "text/units.h"

#include "hotlane/buffer_pool.hpp"

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <nlohmann/json.hpp>
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
    std::string level;  // a name of kLevels; empty: the sizes, and one buffer held at a time
    bool json = false;
};

struct Level {
    const char* name;
    hotlane::pool_shape shape;
};
constexpr Level kLevels[] = {{"low", hotlane::load::low},
                             {"medium", hotlane::load::medium},
                             {"high", hotlane::load::high},
                             {"extreme", hotlane::load::extreme}};

const Level* find_level(const std::string& name) {
    const auto* const found = std::find_if(std::begin(kLevels), std::end(kLevels),
                                           [&](const Level& level) { return name == level.name; });
    return found != std::end(kLevels) ? found : nullptr;
}

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
                               typed.level.empty() ? "--sizes=" + joined(typed.sizes)
                                                   : "--level=" + typed.level,
                               "--ops-per-buffer=" + std::to_string(typed.writes),
                               typed.json ? "--json" : "--json=false"};
    execv("/proc/self/exe", pointers_to(arguments).data());
    throw std::runtime_error{std::string{"bench: cannot restart with hotlane preloaded: "} + strerror(errno)};
}

LoadOptions options_of(const LoadArguments& typed) {
    LoadOptions options;
    options.workers = typed.workers;
    options.writes = typed.writes;
    (void)parse_duration(typed.duration, options.duration_ns);  // the command line parser has checked it
    if (const Level* level = find_level(typed.level)) {
        options.sizes = {level->shape.size};
        options.held = level->shape.capacity;
        return options;
    }
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

/// What was measured, and what the library counted meanwhile.
struct Measured {
    LoadResult result;
    uint64_t allocations = 0;
    uint64_t misses = 0;
    uint64_t fallback_allocations = 0;

    double hit_rate() const {
        return allocations == 0
                   ? 1
                   : static_cast<double>(allocations - misses) / static_cast<double>(allocations);
    }
    double operations_per_second() const {
        return static_cast<double>(result.operations) * 1e9 / static_cast<double>(result.wall_ns);
    }
    double ns_per_operation() const {
        return static_cast<double>(result.processor_ns) / static_cast<double>(result.operations);
    }
};

void print_heading(Writer& out, const LoadArguments& typed, const LoadOptions& options,
                   const Measured& measured) {
    out.text("workers ").number(typed.workers);
    if (typed.level.empty()) {
        out.text(", sizes ").text(joined(typed.sizes));
    } else {
        out.text(", level ").text(typed.level).text(": ").number(options.held).text(" buffers of ");
        write_size(out, options.sizes[0]);
    }
    out.text(", writes to each buffer ").number(typed.writes).text(", seconds ");
    out.fixed(static_cast<double>(measured.result.wall_ns) / 1e9, 2).text("\n\n");
}

bool print_result(const LoadArguments& typed, const LoadOptions& options, const Measured& measured) {
    Writer out{STDOUT_FILENO};
    print_heading(out, typed, options, measured);
    print_figure(out, "", "this run", "a Go pool, there");
    print_figure(out, "operations per second", fixed(measured.operations_per_second() / 1e6, 2) + " M",
                 "16.35 M");
    print_figure(out, "hit rate", fixed(std::floor(measured.hit_rate() * 1e7) / 1e5, 5) + " %", "100 %");
    print_figure(out, "get and put, worker's time", fixed(measured.ns_per_operation(), 1) + " ns",
                 "40 to 85 ns each");
    out.text("\n").spaces(22);
    for (const char* share : {"p50", "p90", "p99", "p99.9", "max"}) {
        out.right(share, 11);
    }
    out.text("\n");
    const LoadResult& result = measured.result;
    print_latencies(out, "get", result.gets, result.ns_per_tick);
    print_latencies(out, "put", result.puts, result.ns_per_tick);
    print_latencies(out, "empty reading", result.empty, result.ns_per_tick);
    out.text("\n").number(measured.allocations).text(" allocations, ").number(measured.misses);
    out.text(" of them misses, ").number(measured.fallback_allocations);
    out.text(" by the fallback. An operation is a get, the writes and a put;\n"
             "a latency has an empty reading in it.\n");
    return out.flush();
}

nlohmann::ordered_json latencies(const Histogram& readings, double ns_per_tick) {
    const auto ns = [=](uint64_t ticks) { return static_cast<double>(ticks) * ns_per_tick; };
    return {{"p50", ns(readings.percentile(0.5))},
            {"p90", ns(readings.percentile(0.9))},
            {"p99", ns(readings.percentile(0.99))},
            {"p99.9", ns(readings.percentile(0.999))},
            {"max", ns(readings.greatest())}};
}

/// Writes one document. Keys may be added under the same version.
bool print_json(const LoadArguments& typed, const LoadOptions& options, const Measured& measured) {
    const LoadResult& result = measured.result;
    const nlohmann::ordered_json document = {
        {"format", "hotlane-bench-load"},
        {"version", 1},
        {"level", typed.level.empty() ? nlohmann::ordered_json{} : nlohmann::ordered_json(typed.level)},
        {"workers", typed.workers},
        {"sizes", options.sizes},
        {"held", options.held},
        {"writes_per_buffer", typed.writes},
        {"seconds", static_cast<double>(result.wall_ns) / 1e9},
        {"operations", result.operations},
        {"operations_per_second", measured.operations_per_second()},
        {"ns_per_operation", measured.ns_per_operation()},
        {"allocations", measured.allocations},
        {"misses", measured.misses},
        {"fallback_allocations", measured.fallback_allocations},
        {"hit_rate", measured.hit_rate()},
        {"latency_ns",
         {{"get", latencies(result.gets, result.ns_per_tick)},
          {"put", latencies(result.puts, result.ns_per_tick)},
          {"empty", latencies(result.empty, result.ns_per_tick)}}}};
    Writer out{STDOUT_FILENO};
    out.text(document.dump(2)).text("\n");
    return out.flush();
}

int load(const LoadArguments& typed) {
    const StatsFunction stats = library_stats();
    if (stats == nullptr) {
        start_again_on_hotlane(typed);
    }
    const LoadOptions options = options_of(typed);
    const hotlane_statistics before = counters(stats);
    Measured measured;
    measured.result = run_load(options);
    const hotlane_statistics after = counters(stats);
    measured.allocations = after.allocations - before.allocations;
    measured.misses = after.misses - before.misses;
    measured.fallback_allocations = after.fallback_allocations - before.fallback_allocations;
    return (typed.json ? print_json : print_result)(typed, options, measured) ? 0 : kFailed;
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

std::string not_a_level(const std::string& text) {
    return find_level(text) != nullptr ? "" : "\"" + text + "\" is not low, medium, high or extreme";
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
    CLI::Option* sizes =
        command
            ->add_option("--sizes", typed->sizes, "Sizes of buffers, equally likely (2K,4K,8K,16K,32K,64K)")
            ->type_name("SIZE,...")
            ->delimiter(',')
            ->check(not_a_size);
    command->add_option("--level", typed->level, "Buffers held at once: low, medium, high, extreme")
        ->type_name("LEVEL")
        ->check(not_a_level)
        ->excludes(sizes);
    command->add_option("--ops-per-buffer", typed->writes, "Writes to each buffer (1)")->type_name("COUNT");
    command->add_flag("--json", typed->json, "Print one JSON document");
    command->callback([typed, &invocation] { invocation.status = load(*typed); });
}

}  // namespace hotlane::cli
