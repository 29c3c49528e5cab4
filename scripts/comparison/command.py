# SPDX-License-Identifier: MIT
"""The command line of scripts/compare: selects what to measure, measures it, and writes the results."""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from . import allocators as allocators_of
from . import accounting, catalogue, packages, peaks, redis, results, runner, scaling, suite, targets, written
from .errors import ComparisonError
from .progress import Progress

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
QUICK_SCALE = 0.2
MOST_WARM_MIB = max(catalogue.MEMORY_MIB.values())


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="scripts/compare",
        description="Runs programs under hotlane, glibc and Debian's jemalloc, tcmalloc and "
        "mimalloc, interleaved, and prints time, memory and page faults of each beside the best peer's.",
    )
    parser.add_argument(
        "libraries",
        nargs="*",
        metavar="NAME=PATH[,VARIABLE=VALUE]...",
        help="further allocators to preload, with variables for them; a name that begins with hotlane is not "
        "taken for a peer, and compared with hotlane itself",
    )
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program under each allocator (5)")
    parser.add_argument("--quick", action="store_true", help="one round of a fifth of the work: a first look")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the work of every program (1)")
    parser.add_argument("--only", metavar="REGEX", default="", help="only the programs whose name matches")
    parser.add_argument(
        "--memory",
        action="store_true",
        help="memory that comes back, bounds that hold, and where resident bytes are at the peak, instead",
    )
    parser.add_argument("--latency", action="store_true", help="pairs in seven patterns, and single calls beside the floor, instead")
    parser.add_argument(
        "--scaling",
        action="store_true",
        help="how often and for how long hotlane holds its locks, and what a model makes of it for up to 64 cores, instead",
    )
    parser.add_argument(
        "--profilers",
        action="store_true",
        help="one program (or --only) without a profiler and with, instead: hotlane's own at its default "
        "distance between samples and at every request, heaptrack",
    )
    parser.add_argument(
        "--peak", action="store_true", help="the most live bytes of three programs, as hotlane and heaptrack find them, instead"
    )
    parser.add_argument(
        "--readme", action="store_true", help="write the results into README.md and bench/README.md, and the chart"
    )
    parser.add_argument("--no-programs", action="store_true", help="leave out the real programs")
    parser.add_argument(
        "--without", metavar="NAMES", default="", help="allocators to leave out, with commas between"
    )
    parser.add_argument(
        "--limit", type=float, default=180, help="seconds after which a run counts as failed (180)"
    )
    parser.add_argument(
        "--warm-memory",
        type=int,
        default=min(MOST_WARM_MIB, available_mib() // 4),
        metavar="MIB",
        help="touch as much memory as the program will before each run, but at most this, so that a virtual "
        "machine's host has pages behind it whoever ran before (%(default)s)",
    )
    parser.add_argument(
        "--build", type=pathlib.Path, default=ROOT / "build", help="the build directory (build)"
    )
    parser.add_argument("--output", type=pathlib.Path, help="where results go (build/comparison)")
    parser.add_argument("--list", action="store_true", help="list what would run, and stop")
    chosen = parser.parse_args(arguments)
    if chosen.rounds < 1 or chosen.scale <= 0:
        parser.error("--rounds and --scale have to be positive")
    if chosen.readme and (chosen.only or chosen.no_programs or chosen.without):
        parser.error("--readme is for a whole comparison")
    chosen.load = os.getloadavg()[0]
    if chosen.quick:
        chosen.rounds, chosen.scale = 1, chosen.scale * QUICK_SCALE
    return chosen


def build_all(chosen, libraries_are_new):
    """Builds the benchmarks, and the library unless it is given. Configures the build directory first if it is new,
    or if libraries have just been installed."""
    build = chosen.build
    steps = [["meson", "compile", "-C", str(build), "bench"]]
    if "hotlane" not in chosen.without and not any(name.startswith("hotlane=") for name in chosen.libraries):
        steps.append(["meson", "compile", "-C", str(build)])
    if not (build / "build.ninja").exists():
        steps.insert(0, ["meson", "setup", str(build), str(ROOT)])
    elif libraries_are_new:
        steps.insert(0, ["meson", "setup", "--reconfigure", str(build), str(ROOT)])
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            sys.stderr.write(done.stdout[-3000:])
            raise ComparisonError(f"the build failed: {' '.join(step)}")


def available_mib():
    with open("/proc/meminfo", encoding="utf-8") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) // 1024


def warm_memory(chosen, found, case):
    """Touches as much memory as the case needs, so that the host provides it before the measurement."""
    peaks = [
        sample.peak_kib for allocator in found.allocators for sample in found.samples[case.name, allocator.name]
    ]
    touch_memory(
        chosen, min(chosen.warm_memory, max(peaks) // 1024 * 5 // 4 + 64 if peaks else case.memory_mib)
    )


def touch_memory(chosen, mib):
    if mib > 0:
        subprocess.run([str(chosen.build / "bench" / "warm_memory"), str(mib)], check=True)


def measure_all(chosen, cases, allocators):
    """Runs all cases in rounds, with the allocators mixed in the innermost loop, so that disturbances of the machine
    affect all of them alike."""
    found = results.Results(cases, allocators)
    progress = Progress(len(cases) * len(allocators) * chosen.rounds, chosen.rounds)
    measure = chosen.build / "bench" / "measure"
    for round_number in range(1, chosen.rounds + 1):
        for case in cases:
            for allocator in suite.in_turns(allocators, round_number, case):
                progress.running(round_number, case.name, allocator.name)
                warm_memory(chosen, found, case)
                run = redis.run if case.server else runner.run
                sample = run(measure, allocator, case, chosen.limit)
                found.add(case, allocator, sample)
                if sample.failure:
                    progress.problem(f"{case.name} under {allocator.name}: {sample.failure}")
        progress.round_done(round_number)
    return found


def allocators_chosen(chosen):
    left_out = set(filter(None, chosen.without.split(",")))
    found = allocators_of.all_of(chosen.build, chosen.libraries, "hotlane" not in left_out)
    return [allocator for allocator in found if allocator.name not in left_out]


def compare_targets(chosen, name, rows):
    rows = [row for row in rows if re.search(chosen.only, row.case.name)]
    if not rows:
        raise ComparisonError(f"no program matches {chosen.only}")
    if chosen.list:
        print("\n".join(f"{row.what:<50} {' '.join(row.case.command)}" for row in rows))
        return 0
    build_all(chosen, packages.install_missing())
    figures = suite.measure(
        rows,
        allocators_chosen(chosen),
        chosen.rounds,
        chosen.build / "bench" / "measure",
        chosen.limit,
        lambda case: touch_memory(chosen, min(chosen.warm_memory, case.memory_mib)),
    )
    written.write_figures(chosen, name, figures)
    return 1 if figures.failures else 0


def compare_programs(chosen):
    cases = [
        case
        for case in catalogue.cases(chosen.build, chosen.scale, not chosen.no_programs)
        if re.search(chosen.only, case.name)
    ]
    if not cases:
        raise ComparisonError(f"no program matches {chosen.only}")
    if chosen.list:
        print("\n".join(f"{case.name:<20} {' '.join(case.command)}" for case in cases))
        return 0
    build_all(chosen, packages.install_missing())
    written.drawing()
    found = measure_all(chosen, cases, allocators_chosen(chosen))
    written.write_all(chosen, found)
    if chosen.readme:
        written.write_readme(chosen, found)
    return 1 if found.failures() else 0


def account(chosen):
    """Prints where the resident bytes of hotlane are at the peak of some programs."""
    cases = [
        case for case in accounting.cases(chosen.build, chosen.scale) if re.search(chosen.only, case.name)
    ]
    if chosen.list:
        print("\n".join(f"{case.name + ', resident bytes by cause':<50} {' '.join(case.command)}" for case in cases))
    elif cases:
        build_all(chosen, packages.install_missing())
        ours = next((one for one in allocators_chosen(chosen) if one.name == "hotlane"), None)
        if ours is not None:
            written.write_accounting(
                chosen,
                accounting.measure(
                    chosen, cases, ours.library, lambda case: touch_memory(chosen, min(chosen.warm_memory, case.memory_mib))
                ),
            )
    return bool(cases)


def compare_memory(chosen):
    rows = targets.memory_rows(chosen.build, chosen.scale)
    accounts = account(chosen)
    if accounts and not any(re.search(chosen.only, row.case.name) for row in rows):
        return 0
    return compare_targets(chosen, "memory", rows)


def compare_profilers(chosen):
    name = chosen.only or "^json_documents$"
    cases = [case for case in catalogue.cases(chosen.build, chosen.scale, True) if re.search(name, case.name)]
    if not cases:
        raise ComparisonError(f"no program matches {name}")
    build_all(chosen, packages.install_missing(packages.PROFILERS))
    written.drawing()
    with tempfile.TemporaryDirectory(prefix="hotlane-profiles-") as directory:
        found = measure_all(chosen, cases, allocators_of.profilers(chosen.build, directory))
    written.write_all(chosen, found, "profilers")
    return 1 if found.failures() else 0


def compare_scaling(chosen):
    cases = [case for case in scaling.cases(chosen.build, chosen.scale) if re.search(chosen.only, case.name)]
    if chosen.list:
        print("\n".join(f"{case.name:<20} {' '.join(case.command)}" for case in cases))
        return 0
    build_all(chosen, packages.install_missing())
    ours = next((one for one in allocators_chosen(chosen) if one.name == "hotlane"), None)
    if ours is None or not cases:
        raise ComparisonError(f"no program matches {chosen.only}" if ours else "hotlane was left out")
    counted = scaling.measure(
        chosen, cases, ours.library, lambda case: touch_memory(chosen, min(chosen.warm_memory, case.memory_mib))
    )
    written.write_table(chosen, "scaling", scaling.lines(counted), scaling.as_json(counted))
    return 0


def compare_peaks(chosen):
    cases = [case for case in peaks.cases(chosen.build, chosen.scale) if re.search(chosen.only, case.name)]
    if not cases:
        raise ComparisonError(f"no program matches {chosen.only}")
    if chosen.list:
        print("\n".join(f"{case.name:<20} {' '.join(case.command)}" for case in cases))
        return 0
    build_all(chosen, packages.install_missing(packages.PROFILERS))
    figures = peaks.measure(chosen, cases)
    written.write_peaks(chosen, figures)
    return 0 if peaks.all_agree(figures) else 1


def compare(chosen):
    if chosen.memory:
        return compare_memory(chosen)
    if chosen.scaling:
        return compare_scaling(chosen)
    if chosen.profilers:
        return compare_profilers(chosen)
    if chosen.peak:
        return compare_peaks(chosen)
    if chosen.latency:
        return compare_targets(chosen, "latency", targets.latency_rows(chosen.build, chosen.scale))
    return compare_programs(chosen)


def main():
    try:
        return compare(parse(sys.argv[1:]))
    except ComparisonError as error:
        print(f"scripts/compare: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
