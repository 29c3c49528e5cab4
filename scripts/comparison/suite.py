# SPDX-License-Identifier: MIT
"""Measures the rows that have targets: runs each program once per round under each allocator in turn, then computes the
medians."""
import collections
import random
import statistics
import subprocess

from . import runner, table
from .errors import ComparisonError
from .progress import Progress


class Figures:
    """All values, by row and allocator."""

    def __init__(self, rows, allocators):
        self.rows = rows
        self.allocators = allocators
        self.values = collections.defaultdict(list)
        self.failures = []

    def add(self, case, allocator, sample):
        if sample.failure:
            self.failures.append(f"{case.name} under {allocator.name}: {sample.failure}")
        for key, value in sample.values.items():
            self.values[case.name, key, allocator.name].append(value)

    def median(self, row, allocator):
        found = self.values[row.case.name, row.figure, allocator.name]
        return statistics.median(found) if found else None

    def verdict(self, row):
        """Returns "met", "missed", or nothing when there is no target or no number."""
        ours = next((allocator for allocator in self.allocators if allocator.name == "hotlane"), None)
        value = self.median(row, ours) if ours else None
        others = {
            allocator.name: self.median(row, allocator) for allocator in self.allocators if not allocator.ours
        }
        others = {name: figure for name, figure in others.items() if figure is not None}
        if value is None or row.met is None or not others:
            return ""
        return "met" if row.met(value, others) else "missed"

    def lines(self):
        rows = []
        for row in self.rows:
            figures = [self.median(row, allocator) for allocator in self.allocators]
            rows.append(
                [
                    f"{row.what} ({row.unit})" if row.unit else row.what,
                    *("-" if figure is None else f"{figure:.4g}" for figure in figures),
                    row.target,
                    self.verdict(row),
                ]
            )
        header = ["", *(allocator.name for allocator in self.allocators), "target", ""]
        yield from table.aligned(header, rows)
        yield from (f"FAILED: {failure}" for failure in self.failures)

    def as_json(self):
        return [
            {
                "what": row.what,
                "command": list(row.case.command),
                "unit": row.unit,
                "target": row.target,
                "verdict": self.verdict(row),
                "medians": {allocator.name: self.median(row, allocator) for allocator in self.allocators},
            }
            for row in self.rows
        ]


def run_short_process(case, allocators, limit_seconds):
    """Runs a program that itself starts the processes of all allocators in turn. Its lines are in the order of the
    allocators."""
    command = [
        *case.command,
        *(allocator.library if allocator.name != "glibc" else "-" for allocator in allocators),
    ]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=limit_seconds, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise ComparisonError(f"{case.name} was not done after {limit_seconds:.0f} s") from late
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != len(allocators):
        failure = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        return [runner.Sample(failure=failure)] * len(allocators)
    return [runner.Sample(values=runner.values_in(line)) for line in lines]


def in_turns(allocators, round_number, case):
    """Returns an order that differs from round to round and is the same in every comparison, so that no allocator
    always runs after the same one."""
    order = list(allocators)
    random.Random(f"{case.name} {round_number}").shuffle(order)
    return order


def measure(rows, allocators, rounds, measure_program, limit_seconds, warm=lambda case: None):
    """`warm` is called before each program that is measured."""
    figures = Figures(rows, allocators)
    cases = list({row.case.name: row.case for row in rows}.values())
    progress = Progress(len(cases) * len(allocators) * rounds, rounds)
    for round_number in range(1, rounds + 1):
        for case in cases:
            turned = in_turns(allocators, round_number, case)
            if case.name == "short_process":
                progress.running(round_number, case.name, "all")
                for allocator, sample in zip(turned, run_short_process(case, turned, limit_seconds)):
                    figures.add(case, allocator, sample)
                continue
            for allocator in turned:
                progress.running(round_number, case.name, allocator.name)
                warm(case)
                figures.add(case, allocator, runner.run(measure_program, allocator, case, limit_seconds))
        progress.round_done(round_number)
    return figures
