# SPDX-License-Identifier: MIT
"""Where hotlane's resident bytes are at the peak of a program: what is live, and what is lost to each cause.

Each program runs twice in a round. In the first run, hotlane rewrites its report ten times a second, and the report
with the largest resident set at its time counts; of those within 2 % of it, the one with most live bytes. The second run takes a profile, from which `hotlane tune` computes how much of
the live bytes is rounding."""
import collections
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import tempfile
import threading

from . import catalogue, redis, runner, table
from .allocators import Allocator
from .errors import ComparisonError
from .progress import Progress

PROGRAMS = ("redis", "python3_malloc", "sqlite3", "fragmenting", "growing", "mixed_100k", "mixed_5m")
CAUSES = (
    "RSS",
    "live, as requested",
    "rounding",
    "lanes",
    "shelves",
    "free slots",
    "free pages",
    "fallback live",
    "fallback not live",
    "metadata",
    "other",
)
INTERVAL = "100ms"  # the shortest
SAMPLE_INTERVAL = "16K"
MIB = 1 << 20


def cases(build, scale):
    return [case for case in catalogue.cases(build, scale, True) if case.name in PROGRAMS]


def causes_of(report, resident, rounding_share):
    """Divides the resident bytes by cause. `rounding_share` is the rounding's part of the bytes requested. What is
    left is memory that is not malloc's; it is negative if pages of spans were never touched."""

    def in_classes(key):
        return sum(one[key] * one["size"] for one in report["classes"])

    memory = report["memory"]
    live, cached, shelves = in_classes("live"), in_classes("cached"), in_classes("depot")
    found = {
        "RSS": resident,
        "live, as requested": live / (1 + rounding_share),
        "rounding": live - live / (1 + rounding_share),
        "lanes": cached,
        "shelves": shelves,
        "free slots": max(0, memory["in_use"] - live - cached - shelves),
        "free pages": memory["free_dirty"],
        "fallback live": memory["fallback"],
        "fallback not live": max(0, memory["fallback_resident"] - memory["fallback"]),
        "metadata": memory["metadata"],
    }
    return {**found, "other": resident - sum(found[cause] for cause in CAUSES[1:-1])}


def resident_bytes(pid):
    try:
        with open(f"/proc/{pid}/statm", encoding="ascii") as fields:
            return int(fields.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def at_peak(reports):
    """Chooses from pairs of resident bytes and reports. The resident set stays large for a while after the peak of
    what is live."""
    most = max(resident for resident, _ in reports)
    near = [pair for pair in reports if pair[0] >= 0.98 * most]
    return max(near, key=lambda pair: pair[1]["memory"]["live"] + pair[1]["memory"]["fallback"])


class Watcher:
    """Collects each report, and the resident set of its process at that time."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.reports = []
        self._seen = {}
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def look(self):
        for path in self.directory.glob("*.json"):
            resident = resident_bytes(path.stem)
            try:
                written = path.stat().st_mtime_ns
                if self._seen.get(path) != written and resident > 0:
                    self.reports.append((resident, json.loads(path.read_text(encoding="utf-8"))))
                self._seen[path] = written
            except (OSError, ValueError):
                pass  # it has just been replaced

    def _watch(self):
        while not self._done.wait(0.004):
            self.look()


def run(chosen, case, library, environment):
    runs = redis.run if case.server else runner.run
    allocator = Allocator("hotlane", library, tuple(environment.items()))
    sample = runs(chosen.build / "bench" / "measure", allocator, case, chosen.limit)
    if sample.failure:
        raise ComparisonError(f"{case.name}: {sample.failure}")


def report_at_peak(chosen, case, library):
    with tempfile.TemporaryDirectory(prefix="hotlane-accounting-") as directory, Watcher(directory) as watcher:
        environment = {
            "HOTLANE_STATS": "json",
            "HOTLANE_STATS_FILE": f"{directory}/%p.json",
            "HOTLANE_STATS_INTERVAL": INTERVAL,
        }
        run(chosen, case, library, environment)
    if not watcher.reports:
        raise ComparisonError(f"{case.name} ended before its first report")
    return at_peak(watcher.reports)


def rounding_share(chosen, case, library):
    with tempfile.TemporaryDirectory(prefix="hotlane-accounting-") as directory:
        profile = {"HOTLANE_PROFILE": f"{directory}/%p.heap", "HOTLANE_SAMPLE_INTERVAL": SAMPLE_INTERVAL}
        run(chosen, case, library, profile)
        profiles = sorted(pathlib.Path(directory).glob("*.heap"), key=lambda path: path.stat().st_size)
        if not profiles:
            raise ComparisonError(f"{case.name} wrote no profile")
        command = chosen.build / "src" / "cli" / "hotlane"
        done = subprocess.run(
            [command, "tune", "-o", os.devnull, profiles[-1]], capture_output=True, text=True, check=False
        )
    found = re.search(r"of what is live +([\d.]+) %", done.stderr + done.stdout)
    if not found:
        raise ComparisonError(f"hotlane tune said nothing of the rounding of {case.name}: {done.stderr.strip()}")
    return float(found.group(1)) / 100


def measure(chosen, every_case, library, warm):
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    progress = Progress(len(every_case) * chosen.rounds, chosen.rounds)
    for round_number in range(1, chosen.rounds + 1):
        order = list(every_case)
        random.Random(round_number).shuffle(order)
        for case in order:
            progress.running(round_number, case.name, "hotlane")
            warm(case)
            resident, report = report_at_peak(chosen, case, library)
            share = rounding_share(chosen, case, library)
            for cause, value in causes_of(report, resident, share).items():
                found[case.name][cause].append(value)
        progress.round_done(round_number)
    return {
        case.name: {cause: statistics.median(found[case.name][cause]) for cause in CAUSES} for case in every_case
    }


def lines(figures):
    rows = [
        [name, *(f"{causes[cause] / MIB:.1f}" for cause in CAUSES)] for name, causes in figures.items()
    ]
    yield from table.aligned(["MiB at the peak", *CAUSES], rows)
