# SPDX-License-Identifier: MIT
"""Writes the results of a comparison: the tables as text, everything as JSON, the chart, and the blocks of the
READMEs."""
import json
import os
import pathlib
import platform
import sys

from . import allocators as allocators_of
from . import accounting, packages, peaks, readme, results, table
from .errors import ComparisonError

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def machine():
    return {
        "processor": processor(),
        "processors": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
    }


def as_json(chosen, found):
    samples = [
        {"program": case.name, "group": case.group, "allocator": allocator.name, **vars(sample)}
        for case in found.cases
        for allocator in found.allocators
        for sample in found.samples[case.name, allocator.name]
    ]
    return {
        "version": 2,
        "machine": machine(),
        "rounds": chosen.rounds,
        "scale": chosen.scale,
        "warm_memory_mib": chosen.warm_memory,
        "allocators": {
            allocator.name: {"library": allocator.library, "environment": dict(allocator.environment)}
            for allocator in found.allocators
        },
        "geometric_means": dict(results.summary(found)),
        "samples": samples,
    }


def drawing():
    """Returns the module that draws charts. It needs matplotlib, which is available only after
    packages.install_missing(), and not to every Python. Called before a measurement, so that none is lost."""
    try:
        from . import chart
    except ModuleNotFoundError as missing:
        raise ComparisonError(
            f"{sys.executable} has no {missing.name}, which the chart needs; Debian's is for /usr/bin/python3"
        ) from None
    return chart


def write_all(chosen, found, name="results"):
    output = chosen.output or chosen.build / "comparison"
    output.mkdir(parents=True, exist_ok=True)
    text = "\n".join(table.lines(found)) + "\n"
    print(text, end="")
    (output / f"{name}.txt").write_text(text, encoding="utf-8")
    (output / f"{name}.json").write_text(
        json.dumps(as_json(chosen, found), indent=1) + "\n", encoding="utf-8"
    )
    drawing().write(found, output / f"{name}.svg")
    print(f"written: {output}/{name}.txt {name}.json {name}.svg")


def how_measured(chosen):
    """Returns a sentence for the READMEs."""
    here = machine()
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        kind = "of a virtual machine " if " hypervisor" in lines.read() else ""
    peers = ", ".join(
        f"{allocators_of.PEER_NAMES[package]} {version}"
        for package, version in packages.peer_versions().items()
    )
    work = "" if chosen.scale == 1 else f" with {chosen.scale:g} of the work"
    return (
        f"Medians of `scripts/compare --readme --rounds {chosen.rounds}`{work} on {here['processors']} processors {kind}"
        f"({here['processor']}), with a load of {chosen.load:.1f} when it began; {here['libc']}, {peers}."
    )


def write_readme(chosen, found):
    peers = found.without_variants()
    drawing().write(peers, ROOT / readme.CHART)
    readme.write(ROOT, peers, how_measured(chosen))
    print(f"written: README.md bench/README.md {readme.CHART}")


def write_table(chosen, name, lines, rows):
    """Writes a table as text, with what it was measured on, and as JSON."""
    output = chosen.output or chosen.build / "comparison"
    output.mkdir(parents=True, exist_ok=True)
    here = machine()
    heading = (
        f"{here['processors']} processors ({here['processor']}), medians of {chosen.rounds} rounds, "
        f"load {chosen.load:.1f}"
    )
    text = "\n".join([heading, *lines]) + "\n"
    print(text, end="")
    (output / f"{name}.txt").write_text(text, encoding="utf-8")
    document = {"version": 1, "machine": here, "rounds": chosen.rounds, "scale": chosen.scale, "rows": rows}
    (output / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"written: {output}/{name}.txt {name}.json")


def write_figures(chosen, name, figures):
    write_table(chosen, name, figures.lines(), figures.as_json())


def write_accounting(chosen, figures):
    write_table(chosen, "accounting", accounting.lines(figures), figures)


def write_peaks(chosen, figures):
    write_table(chosen, "peaks", peaks.lines(figures), figures)
