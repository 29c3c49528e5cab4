# SPDX-License-Identifier: MIT
"""Numbers with a target: memory returned, bounds kept, the cost of calls. Each row has one number of one program, its
target, and a test of hotlane's result."""
import dataclasses
import typing

from .catalogue import Case


@dataclasses.dataclass(frozen=True)
class Row:
    """A row. `met` is called with hotlane's number and with those of the others by name."""

    what: str
    case: Case
    figure: str
    unit: str
    target: str
    met: typing.Callable


SMALL_MIB = 64  # what programs that measure single calls need


def at_most(limit):
    return lambda ours, others: ours <= limit


def at_most_best(factor):
    return lambda ours, others: ours <= factor * min(others.values())


def at_most_over_glibc(more):
    return lambda ours, others: "glibc" in others and ours <= others["glibc"] + more


def both(first, second):
    return lambda ours, others: first(ours, others) and second(ours, others)


def memory_rows(build, scale):
    def case(name, program, *arguments, environment=()):
        command = (str(build / "bench" / program), *arguments, "--scale", str(scale))
        return Case(name, command, "memory", environment=environment)

    release = case("release", "memory_release")
    idle = case("release_idle", "memory_release", "--idle", "1", environment=(("HOTLANE_BACKGROUND_THREAD", "1"),))
    sequential = case("threads_sequential", "memory_threads_sequential")
    alive = case("threads_alive", "memory_threads_alive")
    one_pair = case("producer_consumer", "memory_producer_consumer")
    four_pairs = case("producer_consumer_4", "memory_producer_consumer", "--pairs", "4")
    phases = case("phases", "memory_phases")
    large = case("large_blocks", "large_blocks", "--replacements", "2000")
    one_block = case("threads_one_block", "memory_threads_one_block")
    asleep = case("threads_asleep", "memory_threads_asleep")
    short = Case(
        "short_process",
        (str(build / "bench" / "memory_short_process"), str(max(1, int(500 * scale)))),
        "memory",
    )
    best = "the best of the others"
    return [
        Row("1 GiB freed, a request now and then: RSS left", release, "left_percent", "%", "≤ 5", at_most(5)),
        Row("1 GiB freed, idle: RSS left", idle, "left_percent", "%", "≤ 5", at_most(5)),
        Row("10,000 threads in turn: growth after 100", sequential, "growth_mib", "MiB", "≤ 1", at_most(1)),
        Row("10,000 threads in turn: time", sequential, "seconds", "s", f"≤ {best}", at_most_best(1)),
        Row(
            "1,000 threads alive: RSS of each",
            alive,
            "kib_per_thread",
            "KiB",
            "≤ glibc + 24",
            at_most_over_glibc(24),
        ),
        Row("producer and consumer: growth after 1 s", one_pair, "growth_mib", "MiB", "≤ 1", at_most(1)),
        Row("producer and consumer: time", one_pair, "seconds", "s", f"≤ {best}", at_most_best(1)),
        Row("four pairs: growth after 1 s", four_pairs, "growth_mib", "MiB", "≤ 1", at_most(1)),
        Row("four pairs: time", four_pairs, "seconds", "s", f"≤ {best}", at_most_best(1)),
        Row(
            "phases of 64 B, 1 KiB, 48 KiB: peak to payload",
            phases,
            "peak_ratio",
            "×",
            "≤ 1.15",
            at_most(1.15),
        ),
        Row("5–25 MiB blocks: time", large, "seconds", "s", f"≤ 1.1 × {best}", at_most_best(1.1)),
        Row("short process: start and exit", short, "microseconds", "µs", f"≤ {best}", at_most_best(1)),
        Row("short process: page faults", short, "faults", "", "≤ glibc + 25", at_most_over_glibc(25)),
        Row("short process: peak RSS", short, "peak_kib", "KiB", "≤ glibc + 512", at_most_over_glibc(512)),
        Row(
            "3,000 threads, 1 MiB each: faults of each",
            one_block,
            "faults_per_thread",
            "",
            "≤ 10",
            at_most(10),
        ),
        Row("3,000 threads asleep: longest call of another", asleep, "longest_us", "µs", "≤ 1,000", at_most(1000)),
    ]


PATTERNS = {
    "tight": ("a pair in a loop", 1),
    "burst_reversed": ("32 at once, freed in reverse", 1),
    "burst_in_order": ("32 at once, freed in order", 1),
    "mixed": ("mixed sizes, 256 live", 1.02),
    "two_sizes": ("two sizes in turn", 1.02),
    "random": ("a pair of a random size", 1.02),
    "sized_delete": ("new and sized delete", 1),
}


def pattern_rows(build, scale):
    case = Case("patterns", (str(build / "bench" / "patterns"), "--scale", str(scale)), "latency", memory_mib=SMALL_MIB)
    return [
        Row(
            what,
            case,
            f"{name}.pair",
            "ticks",
            f"≤ {'' if factor == 1 else f'{factor} × '}the best of the others",
            at_most_best(factor),
        )
        for name, (what, factor) in PATTERNS.items()
    ]


def latency_rows(build, scale):
    def case(name, program):
        command = (str(build / "bench" / program), "--scale", str(scale))
        return Case(name, command, "latency", memory_mib=SMALL_MIB)

    floor, latency = case("floor", "floor"), case("latency", "latency")
    static = case("floor_static", "floor_static_{}")
    best = "the best of the others"
    rows = [
        Row("two empty calls through the PLT", floor, "empty_ticks", "ticks", "", None),
        Row("malloc+free pair of 64 bytes", floor, "pair_ticks", "ticks", f"≤ {best}", at_most_best(1)),
        Row("the pair to the empty calls", floor, "ratio", "×", "≤ 1.12", at_most(1.12)),
        Row("linked statically: two empty calls", static, "empty_ticks", "ticks", "", None),
        Row(
            "linked statically: the pair",
            static,
            "pair_ticks",
            "ticks",
            f"≤ 8, ≤ {best}",
            both(at_most(8), at_most_best(1)),
        ),
        Row("step of the counter", latency, "empty.step", "ticks", "", None),
    ]
    rows.append(
        Row("one empty call: typical over empty", latency, "empty_call.over_typical", "ticks", "", None)
    )
    for call in ("malloc", "free"):
        rows += [
            Row(
                f"{call}, a hit: typical over empty",
                latency,
                f"{call}.over_typical",
                "ticks",
                "≤ 8",
                at_most(8),
            ),
            Row(f"{call}, a hit: p50 over empty", latency, f"{call}.over_p50", "ticks", "≤ 8", at_most(8)),
            Row(f"{call}, a hit: p99 over empty", latency, f"{call}.over_p99", "ticks", "≤ 8", at_most(8)),
        ]
    for figure in ("p50", "p99", "p99.9", "max"):
        wanted = (f"≤ {best}", at_most_best(1)) if figure == "p99.9" else ("", None)
        rows.append(
            Row(f"mixed sizes, free+malloc: {figure}", latency, f"mixed_pair.{figure}", "ticks", *wanted)
        )
    return pattern_rows(build, scale) + rows
