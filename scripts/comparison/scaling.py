# SPDX-License-Identifier: MIT
"""How often and for how long hotlane holds its locks under each workload, and how well that scales to many cores.

Two libraries are measured: the product, for the time of an operation, and a build with the option lock_counts, for the
counts. bench/scaling/model.py computes the rest."""
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

from . import catalogue, runner, table
from .allocators import Allocator
from .catalogue import ROOT, Case
from .errors import ComparisonError

sys.path.insert(0, str(ROOT / "bench" / "scaling"))
import model  # noqa: E402  (the path must be set first)

PROGRAMS = ("server_churn", "mixed_100k", "lru_store", "json_documents", "cross_thread", "cross_thread_4", "fragmenting",
            "thread_churn", "medium_blocks")
CORES = (8, 16, 32, 64)
CORES_PER_DOMAIN = 4
# In the order of LockRank (src/sync/lock.h). Each thread has a lock of the rank cache, which only it takes but for rare
# visits; the lock of the maintenance is never waited for.
RANKS = ("fork_handlers", "reports", "profile", "guards", "pools", "maintenance", "threads", "cache", "depot", "spans", "reserves",
         "region", "magazines", "thread_end")
JEMALLOC = "jemalloc"
# Not a lock: it is changed by atomic operations.
SHARED_WORD = "word"
NEVER_WAITED_FOR = ("cache", "maintenance")
PER_DOMAIN = ("depot", "spans", "reserves", "magazines")


@dataclasses.dataclass(frozen=True)
class LockUse:
    """What was counted of one lock."""

    kind: str
    taken: int
    waited: int
    held_ns: float
    long_holds: int
    longest_ns: float
    lines: int
    copied_lines: int


@dataclasses.dataclass(frozen=True)
class Counted:
    """One workload. An operation is one allocation or one free."""

    case: Case
    operations: int
    cpu_ns: float
    prefetched: int
    locks: tuple

    def per_million(self, number):
        return number / self.operations * 1e6

    def of_kind(self, kind):
        return [one for one in self.locks if one.kind == kind]

    def waited_for(self):
        return [one for one in self.locks if one.kind not in NEVER_WAITED_FOR]

    def efficiency(self, cores, cores_per_domain=CORES_PER_DOMAIN):
        local, remote = model.loads(
            self.operations, self.cpu_ns,
            [(one.held_ns, one.lines, one.copied_lines, one.kind in PER_DOMAIN) for one in self.waited_for()],
            self.prefetched)
        return model.efficiency(local, remote, cores, cores_per_domain)


def kind_of(rank):
    return {-1: JEMALLOC, -2: SHARED_WORD}[rank] if rank < 0 else RANKS[rank]


def cases(build, scale):
    found = [case for case in catalogue.workloads(build, scale) if case.name in PROGRAMS]
    command = (str(pathlib.Path(build) / "bench" / "memory_producer_consumer"), "--scale", str(scale))
    return [*found, Case("producer_consumer", command)]


def build_counting(build):
    """Builds the library that counts. Returns its path."""
    directory = pathlib.Path(build) / "scaling"
    steps = [["meson", "compile", "-C", str(directory), "hotlane:shared_library"]]
    if not (directory / "build.ninja").exists():
        steps.insert(0, ["meson", "setup", str(directory), str(ROOT), "-Dlock_counts=true", "-Dcli=disabled"])
    for step in steps:
        done = subprocess.run(step, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise ComparisonError(f"the build failed: {' '.join(step)}\n{done.stdout[-3000:]}")
    return directory / "preload" / "libhotlane.so"


def run(chosen, case, library, environment=()):
    sample = runner.run(chosen.build / "bench" / "measure", Allocator("hotlane", str(library), environment), case, chosen.limit)
    if sample.failure:
        raise ComparisonError(f"{case.name}: {sample.failure}")
    return sample


def count(chosen, case, product, counting):
    times = [run(chosen, case, product) for _ in range(chosen.rounds)]
    with tempfile.TemporaryDirectory(prefix="hotlane-scaling-") as directory:
        directory = pathlib.Path(directory)
        run(chosen, case, counting, (
            ("HOTLANE_STATS", "json"), ("HOTLANE_STATS_FILE", str(directory / "stats.json")),
            ("LOCK_COUNTS_FILE", str(directory / "locks.json"))))
        totals = json.loads((directory / "stats.json").read_text(encoding="utf-8"))["totals"]
        counts = json.loads((directory / "locks.json").read_text(encoding="utf-8"))
    locks = tuple(LockUse(kind_of(one.pop("rank")), **one) for one in counts.pop("locks"))
    operations = sum(totals[key] for key in ("allocations", "frees", "fallback_allocations", "fallback_frees"))
    return Counted(case, operations, 1e9 * statistics.median(one.cpu for one in times),
                   locks=locks, **counts)


def rows(counted):
    """The rows of the two tables: the counts, and the efficiencies."""
    counts, efficiencies = [], []
    for one in counted:
        locks = one.waited_for()
        busiest = max(locks, key=lambda lock: lock.held_ns)
        for kind in sorted({lock.kind for lock in locks}):
            same = one.of_kind(kind)
            taken = sum(lock.taken for lock in same)
            visits = one.per_million(taken)
            if visits >= 1:
                most = max(lock.taken for lock in same)
                counts.append((one.case.name, kind, f"{visits:.0f}", f"{100 * most / taken:.0f} %",
                               f"{sum(lock.held_ns for lock in same) / taken:.0f}",
                               f"{max(lock.longest_ns for lock in same) / 1000:.1f}",
                               f"{sum(lock.lines for lock in same) / taken:.1f}",
                               f"{sum(lock.copied_lines for lock in same) / taken:.1f}"))
        efficiencies.append((one.case.name, f"{one.cpu_ns / one.operations:.1f}",
                             f"{one.per_million(sum(lock.taken for lock in locks if lock.kind != SHARED_WORD)):.0f}",
                             f"{one.per_million(one.prefetched):.0f}", busiest.kind,
                             *(f"{100 * one.efficiency(cores):.0f} %" for cores in CORES)))
    return counts, efficiencies


def lines(counted):
    counts, efficiencies = rows(counted)
    header = ("workload", "lock", "per million", "busiest one", "mean (ns)", "worst (µs)", "lines", "copied")
    yield from table.aligned(header, counts)
    yield ""
    header = ("workload", "ns", "locks", "prefetched", "busiest lock", *(f"{cores} cores" for cores in CORES))
    yield from table.aligned(header, efficiencies)


def as_json(counted):
    return [{**dataclasses.asdict(one), "case": one.case.name,
             "efficiency": {cores: one.efficiency(cores) for cores in CORES}} for one in counted]


def measure(chosen, chosen_cases, product, warm):
    counting = build_counting(chosen.build)
    found = []
    for case in chosen_cases:
        print(case.name, file=sys.stderr)
        warm(case)
        found.append(count(chosen, case, product, counting))
    return found
