# SPDX-License-Identifier: MIT
"""Computes medians, ratios to the best other allocator, and geometric means from the samples."""
import collections
import dataclasses
import math
import statistics

METRICS = ("wall", "cpu", "peak_kib", "faults")


@dataclasses.dataclass
class Figures:
    """The medians of one case under one allocator."""

    wall: float
    cpu: float
    peak_kib: float
    faults: float


class Results:
    """All samples of a comparison by case and allocator, in the order of their first occurrence."""

    def __init__(self, cases, allocators):
        self.cases = list(cases)
        self.allocators = list(allocators)
        self.samples = collections.defaultdict(list)

    def add(self, case, allocator, sample):
        self.samples[case.name, allocator.name].append(sample)

    def without_variants(self):
        """Returns the samples without those of allocators that are compared with another one of the list."""
        plain = Results(self.cases, [allocator for allocator in self.allocators if not allocator.base])
        plain.samples = self.samples
        return plain

    def failures(self):
        """Returns (case, allocator, reason) for each failure once, including wrong results."""
        found = []
        for case in self.cases:
            expected = self._expected_check(case)
            for allocator in self.allocators:
                samples = self.samples[case.name, allocator.name]
                reasons = [sample.failure for sample in samples if sample.failure]
                reasons += [
                    "wrong result" for sample in samples if not sample.failure and sample.check != expected
                ]
                if reasons:
                    found.append(
                        (case.name, allocator.name, f"{reasons[0]}, {len(reasons)} of {len(samples)} runs")
                    )
        return found

    def figures(self, case, allocator):
        """Returns the medians, or None if a run failed: a median of the successful runs would be biased."""
        samples = self.samples[case.name, allocator.name]
        if not samples or any(sample.failure for sample in samples):
            return None
        return Figures(
            *(statistics.median(getattr(sample, metric) for sample in samples) for metric in METRICS)
        )

    def best_peer(self, case, metric):
        """Returns the least median of the other allocators, including glibc, or None."""
        values = [
            getattr(figures, metric)
            for figures in (
                self.figures(case, allocator) for allocator in self.allocators if not allocator.ours
            )
            if figures
        ]
        return min(values, default=None)

    def ratio(self, case, allocator, metric):
        """Returns the ratio to the best other allocator in the same case. For another allocator, the best includes
        itself."""
        figures, best = self.figures(case, allocator), self.best_peer(case, metric)
        return getattr(figures, metric) / best if figures and best else None

    def ratio_to_better_of(self, case, allocator, names, metric):
        """Returns the ratio to the best of the named allocators that were measured."""
        peers = [self.named(name) for name in names if self.named(name)]
        others = [getattr(f, metric) for f in (self.figures(case, peer) for peer in peers) if f]
        figures = self.figures(case, allocator)
        return getattr(figures, metric) / min(others) if figures and others else None

    def ratio_to(self, case, allocator, base, metric):
        figures = self.figures(case, allocator)
        other = self.figures(case, base) if base else None
        return getattr(figures, metric) / getattr(other, metric) if figures and other else None

    def named(self, name):
        return next((allocator for allocator in self.allocators if allocator.name == name), None)

    def _expected_check(self, case):
        """Returns the check value of most runs, which must be the same under every allocator."""
        checks = [
            sample.check
            for allocator in self.allocators
            for sample in self.samples[case.name, allocator.name]
            if not sample.failure
        ]
        return collections.Counter(checks).most_common(1)[0][0] if checks else ""


def geometric_mean(ratios):
    """Returns the geometric mean of the ratios that exist, or None if there are none."""
    present = [ratio for ratio in ratios if ratio]
    return math.exp(sum(map(math.log, present)) / len(present)) if present else None


def summary(results):
    """Returns the numbers that have targets: a list of (what, {allocator: geometric mean})."""
    workloads = [case for case in results.cases if case.group == "workload"]
    programs = [case for case in results.cases if case.group == "program"]
    sized = [case for case in workloads if not case.tiny]
    tiny = [case for case in workloads if case.tiny]
    base = results.named("glibc")
    rows = (
        ("time, workloads, to the best peer of each", workloads, lambda c, a: results.ratio(c, a, "wall")),
        (
            "processor time, workloads, to the best peer of each",
            workloads,
            lambda c, a: results.ratio(c, a, "cpu"),
        ),
        (
            "peak RSS, objects of 64 B and more, to the better of jemalloc and mimalloc",
            sized,
            lambda c, a: results.ratio_to_better_of(c, a, ("jemalloc", "mimalloc"), "peak_kib"),
        ),
        (
            "peak RSS, objects of 64 B and more, to the best peer of each",
            sized,
            lambda c, a: results.ratio(c, a, "peak_kib"),
        ),
        (
            "peak RSS, tiny objects, to the best peer of each",
            tiny,
            lambda c, a: results.ratio(c, a, "peak_kib"),
        ),
        ("time, real programs, to glibc", programs, lambda c, a: results.ratio_to(c, a, base, "wall")),
        (
            "peak RSS, real programs, to glibc",
            programs,
            lambda c, a: results.ratio_to(c, a, base, "peak_kib"),
        ),
    )
    return [
        (
            what,
            {
                allocator.name: geometric_mean(ratio(case, allocator) for case in cases)
                for allocator in results.allocators
            },
        )
        for what, cases, ratio in rows
        if cases
    ]
