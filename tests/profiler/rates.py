#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a sample stands for is right in the mean: no place is favoured, over many runs.

Each run has another seed. Of every place that has more than 5 % of the bytes, the estimate of each run is
within 5 % of what the program counted, and the mean of all runs within 1 %; live, and of all time. The tables
of the program are such that a place has about 10,000 samples, so that 5 % are five standard deviations of one
run, and 1 % is more than four of the mean of 20. Called by meson; see tests/profiler/meson.build.
"""
import json
import math
import pathlib
import re
import sys
import tempfile

import dumps

SHARE = 0.05
ERROR_OF_ONE = 0.05
ERROR_OF_MEAN = 0.01
METRICS = [(metric, unit) for metric in ("live", "cumulative") for unit in ("bytes", "requested")]


def errors_of(truth, found):
    """{(site, metric, unit): relative error} of the places above SHARE."""
    for metric, unit in METRICS:
        everything = sum(site[metric][unit] for site in truth.values())
        for name, site in truth.items():
            if site[metric][unit] > SHARE * everything:
                profiled = found.get(name, {metric: {unit: 0}})[metric][unit]
                yield (name, metric, unit), profiled / site[metric][unit] - 1


def misread(text):
    """Stacks of which the readers of heap_v2 make something else than the comment says, beyond rounding."""
    period = int(re.search(r"@ heap_v2/(\d+)", text).group(1))
    entries = re.findall(r"^(\d+): (\d+) \[(\d+): (\d+)\] @.*\n# site: live=\d+,(\d+),\d+ total=\d+,(\d+),", text, re.M)
    for entry in entries:
        numbers = list(map(int, entry))
        for objects, size, expected in (numbers[0:2] + [numbers[4]], numbers[2:4] + [numbers[5]]):
            if objects >= 100:
                scaled = size / (1 - math.exp(-size / objects / period))
                if abs(scaled / expected - 1) > 0.5 / objects + 1e-4:
                    yield f"{objects}: {size} is read as {scaled:.0f}, not {expected}"


def one_run(arguments, scratch, seed):
    path = pathlib.Path(scratch) / f"{seed}.heap"
    # Hardly a byte is touched: larger pages would be cleared for nothing.
    options = {"profile": path, "unwind": arguments.unwind, "hugepages": "never"}
    if arguments.sample:
        options["sample"] = arguments.sample
    truth = json.loads(dumps.run_well([arguments.program, arguments.table, seed],
                                      dumps.environment(arguments.preload, **options)))
    document = dumps.report(arguments.command, path)
    wrong = list(misread(path.read_text(encoding="utf-8")))
    path.unlink()
    if wrong:
        sys.exit("\n".join(wrong))
    return dict(errors_of(truth, dumps.by_function(document, truth))), document["samples"]


def main():
    arguments = dumps.parse_arguments(__doc__, **{
        "--table": {"required": True}, "--sample": {"help": "else the default"},
        "--unwind": {"choices": ["libunwind", "fp"], "default": "libunwind"}, "--runs": {"type": int, "default": 20}})
    with tempfile.TemporaryDirectory(prefix="hotlane-rates-") as scratch:
        runs = [one_run(arguments, scratch, seed) for seed in range(1, arguments.runs + 1)]
    wrong = []
    largest = largest_mean = 0.0
    for key in sorted(set.intersection(*(set(errors) for errors, _ in runs))):
        errors = [run[key] for run, _ in runs]
        mean = sum(errors) / len(errors)
        worst = max(errors, key=abs)
        largest, largest_mean = max(largest, abs(worst)), max(largest_mean, abs(mean))
        if abs(worst) > ERROR_OF_ONE or abs(mean) > ERROR_OF_MEAN:
            wrong.append(f"{' '.join(key)}: {100 * worst:+.2f} % in one run, {100 * mean:+.2f} % in the mean")
    places = {key[0] for errors, _ in runs for key in errors}
    print(f"{len(runs)} runs of {runs[0][1]} samples, {len(places)} places: at most {100 * largest:.2f} % in one run, "
          f"{100 * largest_mean:.2f} % in the mean")
    if len(places) < 5:
        wrong.append(f"only {len(places)} places have more than 5 %")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
