# SPDX-License-Identifier: MIT
"""Draws the chart of the README: one row for each program, one dot for each allocator, time on the left and memory on
the right. The background is transparent, and text and lines follow the reader's light or dark scheme."""
import io
import re

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend must be chosen first)

INK, FAINT = "#24292f", "#d0d7de"
INK_DARK, FAINT_DARK = "#e6edf3", "#3d444d"
OURS = "#d1242f"
# Colours that the colour-blind can tell apart, and that are readable on white and on black. Each has its own shape.
PEER_STYLES = (
    ("#8c959f", "s"),
    ("#0969da", "^"),
    ("#bf8700", "D"),
    ("#1a7f37", "v"),
    ("#8250df", "P"),
    ("#0a8a8a", "X"),
)
NEAR, FAR = 0.25, 4.0  # values outside are drawn at the edge, with their numbers
LEFT, RIGHT = NEAR * 0.94, FAR * 1.06

DARK_RULES = f"""<style>@media (prefers-color-scheme: dark) {{
[style*="fill: {INK}"] {{ fill: {INK_DARK} !important; }}
[style*="stroke: {INK}"] {{ stroke: {INK_DARK} !important; }}
[style*="stroke: {FAINT}"] {{ stroke: {FAINT_DARK} !important; }}
}}</style>"""


def styles(allocators):
    """Returns the colour, shape, size and drawing order of each allocator. hotlane is drawn last, on top."""
    chosen = {}
    peers = iter(PEER_STYLES * 4)
    for allocator in allocators:
        colour, shape = (OURS, "o") if allocator.ours else next(peers)
        chosen[allocator.name] = (colour, shape, 52 if allocator.ours else 26, 5 if allocator.ours else 3)
    return chosen


def figure_text(ratio):
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 1 else f"{ratio:.2f}×"


def draw_outside(axes, results, rows, metric):
    """Writes the numbers of the values outside the chart, one text for each row and edge."""
    for place, case in enumerate(rows):
        ratios = sorted(filter(None, (results.ratio(case, a, metric) for a in results.allocators)))
        for edge, side, outside in (
            (NEAR, 1, [ratio for ratio in ratios if ratio < NEAR]),
            (FAR, -1, [ratio for ratio in ratios if ratio > FAR]),
        ):
            if outside:
                axes.annotate(
                    ", ".join(map(figure_text, outside)),
                    (edge, place),
                    xytext=(6 * side, 0),
                    textcoords="offset points",
                    ha="left" if side > 0 else "right",
                    va="center",
                    fontsize=7,
                    color=INK,
                )


def draw_panel(axes, results, rows, metric, title, chosen):
    for allocator in results.allocators:
        colour, shape, size, order = chosen[allocator.name]
        points = [(results.ratio(case, allocator, metric), place) for place, case in enumerate(rows)]
        present = [(ratio, place) for ratio, place in points if ratio]
        axes.scatter(
            [min(max(ratio, NEAR), FAR) for ratio, _ in present],
            [place for _, place in present],
            color=colour,
            marker=shape,
            s=size,
            zorder=order,
            linewidths=0,
            label=allocator.name,
            alpha=0.95,
        )
    draw_outside(axes, results, rows, metric)
    axes.axvline(1.0, color=INK, linewidth=0.9, zorder=2)
    axes.set_xscale("log")
    axes.set_xlim(LEFT, RIGHT)
    ticks = [NEAR, 0.35, 0.5, 0.7, 1, 1.5, 2, 3, FAR]
    labels = [f"≤{NEAR:g}", *(f"{tick:g}" for tick in ticks[1:-1]), f"{FAR:g}+"]
    axes.set_xticks(ticks, labels, fontsize=8, color=INK)
    axes.minorticks_off()
    axes.set_title(title, fontsize=10, color=INK)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    axes.hlines(range(len(rows)), LEFT, RIGHT, color=FAINT, linewidth=0.6, zorder=1)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def svg_of(results):
    plt.rcParams.update({"svg.fonttype": "none", "font.family": "sans-serif", "svg.hashsalt": "hotlane"})
    rows = list(results.cases)
    figure, panels = plt.subplots(1, 2, sharey=True, figsize=(10, 0.27 * len(rows) + 1.5))
    chosen = styles(results.allocators)
    draw_panel(panels[0], results, rows, "wall", "time (1 = best peer; less is better)", chosen)
    draw_panel(panels[1], results, rows, "peak_kib", "peak memory (1 = best peer; less is better)", chosen)
    panels[0].set_yticks(
        range(len(rows)), [case.name.replace("_", " ") for case in rows], fontsize=8.5, color=INK
    )
    panels[0].set_ylim(len(rows) - 0.4, -0.6)
    handles, labels = panels[0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="lower center", ncol=len(labels), frameon=False, fontsize=9)
    for text in legend.get_texts():
        text.set_color(INK)
    figure.tight_layout(rect=(0, 0.35 / figure.get_figheight(), 1, 1))
    out = io.StringIO()
    figure.savefig(
        out, format="svg", transparent=True, metadata={"Date": None, "Creator": "hotlane scripts/compare"}
    )
    plt.close(figure)
    return re.sub(
        r"(<svg [^>]*>)", lambda opening: opening.group(1) + "\n " + DARK_RULES, out.getvalue(), count=1
    )


def write(results, path):
    with open(path, "w", encoding="utf-8") as file:
        file.write(svg_of(results))
