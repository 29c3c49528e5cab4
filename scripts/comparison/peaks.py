# SPDX-License-Identifier: MIT
"""The most live bytes of a program, as hotlane's profiler and heaptrack find them. heaptrack records every allocation;
hotlane does so, too, or samples at its default interval, whose peak is an estimate."""
import collections
import json
import pathlib
import re
import statistics
import subprocess
import tempfile

from . import catalogue, runner, table
from .allocators import Allocator
from .errors import ComparisonError
from .progress import Progress

PROGRAMS = ("python3_malloc", "sqlite3", "lru_store")
WAYS = ("heaptrack", "every allocation", "default interval")
MOST_APART = 0.02
UNITS = {"B": 1, "K": 1e3, "M": 1e6, "G": 1e9}


def cases(build, scale):
    return [case for case in catalogue.cases(build, scale, True) if case.name in PROGRAMS]


def peak_of_heaptrack(summary):
    """Reads what heaptrack_print says, with powers of 1,000."""
    found = re.search(r"^peak heap memory consumption: ([\d.]+)([BKMG])$", summary, re.MULTILINE)
    if not found:
        raise ComparisonError("heaptrack_print told no peak")
    return float(found.group(1)) * UNITS[found.group(2)]


def peak_of_hotlane(profile):
    return sum(stack["peak"]["requested"] for stack in profile["stacks"])


def run(chosen, case, command):
    done = subprocess.run(
        command,
        env=runner.environment_of(case, Allocator("glibc", "-")),
        capture_output=True,
        text=True,
        timeout=chosen.limit,
        check=False,
    )
    if done.returncode != 0:
        raise ComparisonError(f"{case.name}: {command[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def measure_once(chosen, case, way, directory):
    if way == "heaptrack":
        run(chosen, case, ["heaptrack", "--output", f"{directory}/heaptrack", *case.command])
        recorded = next(pathlib.Path(directory).glob("heaptrack.*"))
        summary = run(chosen, case, ["heaptrack_print", "--print-peaks=0", "--print-allocators=0", "--print-temporary=0", "-f", recorded])
        return peak_of_heaptrack(summary)
    hotlane = chosen.build / "src" / "cli" / "hotlane"
    options = ["--every-allocation"] if way == "every allocation" else []
    run(chosen, case, [hotlane, "profile", *options, "-o", f"{directory}/profile.heap", "--", *case.command])
    return peak_of_hotlane(json.loads(run(chosen, case, [hotlane, "report", "--json=-", f"{directory}/profile.heap"])))


def measure(chosen, every_case):
    """Returns for each program the median peak in bytes, by the way it was found."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    progress = Progress(len(every_case) * len(WAYS) * chosen.rounds, chosen.rounds)
    for round_number in range(1, chosen.rounds + 1):
        for case in every_case:
            for way in WAYS:
                progress.running(round_number, case.name, way)
                with tempfile.TemporaryDirectory(prefix="hotlane-peaks-") as directory:
                    found[case.name][way].append(measure_once(chosen, case, way, directory))
        progress.round_done(round_number)
    return {name: {way: statistics.median(values) for way, values in ways.items()} for name, ways in found.items()}


def apart(peaks):
    """Returns by what share of heaptrack's peak that of every allocation differs."""
    return peaks["every allocation"] / peaks["heaptrack"] - 1


def all_agree(figures):
    return all(abs(apart(peaks)) <= MOST_APART for peaks in figures.values())


def lines(figures):
    rows = [
        [name, *(f"{peaks[way] / 1e6:.2f}" for way in WAYS), f"{apart(peaks):+.2%}"] for name, peaks in figures.items()
    ]
    yield from table.aligned(["most live bytes, MB", *WAYS, "every/heaptrack"], rows)
