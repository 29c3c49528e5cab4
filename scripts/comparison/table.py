# SPDX-License-Identifier: MIT
"""Formats the results as text: tables of time, memory and page faults, then the means and the failures."""
from . import results as figures_of


def seconds(value):
    return f"{value:.3f}"


def mebibytes(value):
    return f"{value / 1024:.1f}"


def count(value):
    for unit, size in (("M", 1e6), ("K", 1e3)):
        if value >= size:
            return f"{value / size:.1f}{unit}"
    return f"{value:.0f}"


TABLES = (
    ("Time in seconds (ratio to the best peer)", "wall", seconds),
    ("Processor time in seconds (ratio to the best peer)", "cpu", seconds),
    ("Peak RSS in MiB (ratio to the best peer)", "peak_kib", mebibytes),
    ("Page faults (ratio to the best peer)", "faults", count),
)


def aligned(header, rows):
    """Formats columns as wide as their widest entry. The first is text, the others are numbers."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        yield "  ".join(cells).rstrip()


def cell(figures, metric, show, ratio, decimals):
    """Formats a number, with its ratio if there is something to compare it with."""
    if not figures:
        return "failed"
    return show(getattr(figures, metric)) + (f" ({ratio:.{decimals}f})" if ratio else "")


def metric_table(results, metric, show):
    rows = []
    for case in results.cases:
        row = [case.name]
        for allocator in results.allocators:
            figures = results.figures(case, allocator)
            ratio = results.ratio(case, allocator, metric)
            row.append(cell(figures, metric, show, ratio, 2))
        rows.append(row)
    return aligned(["", *(allocator.name for allocator in results.allocators)], rows)


def summary_table(results):
    rows = [
        [
            what,
            *(
                f"{means[allocator.name]:.3f}" if means[allocator.name] else "-"
                for allocator in results.allocators
            ),
        ]
        for what, means in figures_of.summary(results)
    ]
    return aligned(["Geometric means", *(allocator.name for allocator in results.allocators)], rows)


def base_table(results, metric, show):
    """Formats the numbers of allocators that have a base, with their ratios to it and the geometric means."""
    compared = [allocator for allocator in results.allocators if results.named(allocator.base)]
    rows = []
    for case in results.cases:
        row = [case.name]
        for allocator in compared:
            figures = results.figures(case, allocator)
            ratio = results.ratio_to(case, allocator, results.named(allocator.base), metric)
            row.append(cell(figures, metric, show, ratio, 3))
        rows.append(row)
    means = [
        figures_of.geometric_mean(
            results.ratio_to(case, allocator, results.named(allocator.base), metric)
            for case in results.cases
        )
        for allocator in compared
    ]
    rows.append(["geometric mean", *(f"({mean:.3f})" if mean else "-" for mean in means)])
    header = ["", *(f"{allocator.name} / {allocator.base}" for allocator in compared)]
    return aligned(header, rows) if compared else ()


def lines(results):
    for title, metric, show in TABLES:
        yield title
        yield from metric_table(results, metric, show)
        yield ""
    for title, metric, show in TABLES[:3]:
        against = list(base_table(results, metric, show))
        if against:
            yield title.replace("the best peer", "the plain one")
            yield from against
            yield ""
    yield from summary_table(results)
    for case, allocator, reason in results.failures():
        yield f"FAILED: {case} under {allocator}: {reason}"
