# SPDX-License-Identifier: MIT
"""Updates the READMEs after a complete comparison: README.md gets a few geometric means and the chart, bench/README.md
gets all means with their targets and each program's time and memory. Both describe the method."""
import re
import textwrap

from . import results as figures_of
from . import table

BLOCK = re.compile(r"(?<=<!-- comparison -->\n).*?(?=<!-- /comparison -->)", re.DOTALL)
CHART = "bench/comparison.svg"
TARGETS = {
    "time, workloads, to the best peer of each": 0.90,
    "peak RSS, objects of 64 B and more, to the better of jemalloc and mimalloc": 1.00,
    "time, real programs, to glibc": 0.95,
    "peak RSS, real programs, to glibc": 1.05,
}
# Of the front page: a geometric mean, and what readers are told it is.
HEADLINES = {
    "time, workloads, to the best peer of each": "time, workloads; for each program, 1 is the fastest allocator other than hotlane",
    "time, real programs, to glibc": "time, real programs; 1 is glibc",
    "peak RSS, objects of 64 B and more, to the best peer of each":
        "peak memory, workloads with objects of 64 bytes and more; 1 is the best of the others",
    "peak RSS, tiny objects, to the best peer of each":
        "peak memory, workloads with smaller objects; 1 is the best of the others",
    "peak RSS, real programs, to glibc": "peak memory, real programs; 1 is glibc",
}
LINE_LENGTH = 118


def row_of(cells):
    return "| " + " | ".join(cells) + " |"


def ratio_text(ratio):
    return f"{ratio:.2f}" if ratio else "failed"


def verdict(what, ratio):
    if what not in TARGETS or ratio is None:
        return ""
    return f"≤ {TARGETS[what]:.2f}, {'met' if ratio <= TARGETS[what] else 'missed'}"


def means_table(results):
    names = [allocator.name for allocator in results.allocators]
    yield row_of(["geometric means", *names, "target"])
    yield "|" + "---|" * (len(names) + 2)
    for what, means in figures_of.summary(results):
        cells = [ratio_text(means[name]) for name in names]
        yield row_of([what, *cells, verdict(what, means.get("hotlane"))])


def best_of(results, case, metric):
    """Returns the name of the best other allocator."""
    ratios = {a.name: results.ratio(case, a, metric) for a in results.allocators if not a.ours}
    return min((name for name in ratios if ratios[name]), key=lambda name: ratios[name], default="-")


def cases_table(results):
    """Returns hotlane's numbers, with the ratio to the best other allocator and its name."""
    ours = results.named("hotlane")
    yield row_of(["program", "time (s)", "to the best peer", "peak (MiB)", "to the best peer"])
    yield "|" + "---|" * 5
    for case in results.cases:
        figures = results.figures(case, ours)
        cells = [case.name.replace("_", " ")]
        for metric, show in (("wall", table.seconds), ("peak_kib", table.mebibytes)):
            ratio = results.ratio(case, ours, metric)
            cells.append(show(getattr(figures, metric)) if figures else "failed")
            cells.append(f"{ratio_text(ratio)}, {best_of(results, case, metric)}")
        yield row_of(cells)


def headline_table(results):
    names = [allocator.name for allocator in results.allocators]
    means_of = dict(figures_of.summary(results))
    yield row_of(["geometric mean, less is better", *names])
    yield "|" + "---|" * (len(names) + 1)
    for what, headline in HEADLINES.items():
        if what in means_of:
            yield row_of([headline, *(ratio_text(means_of[what][name]) for name in names)])


def front_page(results, how):
    """Returns the block of README.md as Markdown. `how` describes the method."""
    chart = f"![Time and peak memory of every program under every allocator]({CHART})"
    return "\n".join([*headline_table(results), "", textwrap.fill(how, LINE_LENGTH), "", chart]) + "\n"


def every_program(results, how):
    """Returns the block of bench/README.md as Markdown. `how` describes the method."""
    return "\n".join([textwrap.fill(how, LINE_LENGTH), "", *means_table(results), "", *cases_table(results)]) + "\n"


def write(root, results, how):
    for path, block in ((root / "README.md", front_page(results, how)),
                        (root / "bench" / "README.md", every_program(results, how))):
        text = path.read_text(encoding="utf-8")
        path.write_text(BLOCK.sub(lambda _, block=block: block, text), encoding="utf-8")
