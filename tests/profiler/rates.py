#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests that the weights of samples are right on average: over many runs, no place is over- or underestimated.

Each run has another seed. The test compares estimates with the program's own counts, for every place that has more
than 5 % of the bytes, live and of all time. The estimate of each run, and the mean of all runs, must lie within six
and a half standard deviations. With a few hundred comparisons, a correct profile exceeds that once in ten million
times. The program's tables give each place about 10,000 live samples, and more of all time. One standard deviation of
a run is then 1 %.
"""
import json
import math
import pathlib
import re
import sys
import tempfile

import dumps

SHARE = 0.05
DEVIATIONS = 6.5
ROUNDING = 0.0005  # of weights and sizes, in the profile
MISSED = 6  # objects: of those far larger than the interval one in 50,000 is missed, which no deviation describes
METRICS = [(metric, unit) for metric in ("live", "cumulative") for unit in ("bytes", "requested")]


def deviation(amounts, period):
    """Relative deviation of the estimate: each object is sampled with nearly the same chance, and weighs 1 / chance."""
    chance = -math.expm1(-amounts["bytes"] / amounts["objects"] / period)
    return math.sqrt((1 - chance) / (amounts["objects"] * chance))


def errors_of(truth, found, period):
    """{(site, metric, unit): (relative error, its deviation, objects)} of the places above SHARE."""
    for metric, unit in METRICS:
        everything = sum(site[metric][unit] for site in truth.values())
        for name, site in truth.items():
            if site[metric][unit] > SHARE * everything:
                profiled = found.get(name, {metric: {unit: 0}})[metric][unit]
                yield (name, metric, unit), (profiled / site[metric][unit] - 1, deviation(site[metric], period),
                                             site[metric]["objects"])


def misread(text, period):
    """Stacks of which the readers of heap_v2 make something else than the comment says, beyond rounding."""
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
        options["sample_interval"] = arguments.sample
    truth = json.loads(dumps.run_well([arguments.program, arguments.table, seed],
                                      dumps.environment(arguments.preload, **options)))
    document = dumps.report(arguments.command, path)
    text = path.read_text(encoding="utf-8")
    period = int(re.search(r"@ heap_v2/(\d+)", text).group(1))
    wrong = list(misread(text, period))
    path.unlink()
    if wrong:
        sys.exit("\n".join(wrong))
    return dict(errors_of(truth, dumps.by_function(document, truth), period)), document["samples"]


def main():
    arguments = dumps.parse_arguments(__doc__, **{
        "--table": {"required": True}, "--sample": {"help": "else the default"},
        "--unwind": {"choices": ["libunwind", "fp"], "default": "libunwind"}, "--runs": {"type": int, "default": 20}})
    with tempfile.TemporaryDirectory(prefix="hotlane-rates-") as scratch:
        runs = [one_run(arguments, scratch, seed) for seed in range(1, arguments.runs + 1)]
    wrong = []
    largest = largest_mean = 0.0  # in deviations
    for key in sorted(set.intersection(*(set(errors) for errors, _ in runs))):
        errors, deviations, objects = zip(*(run[key] for run, _ in runs))
        for error, of, count in zip(errors, deviations, objects):
            largest = max(largest, abs(error) / (of + ROUNDING))
            if abs(error) > DEVIATIONS * of + ROUNDING + MISSED / count:
                wrong.append(f"{' '.join(key)}: {100 * error:+.2f} % in one run, the deviation is {100 * of:.2f} %")
        mean = sum(errors) / len(errors)
        of_mean = math.hypot(*deviations) / len(errors)
        largest_mean = max(largest_mean, abs(mean) / (of_mean + ROUNDING))
        if abs(mean) > DEVIATIONS * of_mean + ROUNDING + MISSED / sum(objects):
            wrong.append(f"{' '.join(key)}: {100 * mean:+.2f} % in the mean, its deviation is {100 * of_mean:.2f} %")
    places = {key[0] for errors, _ in runs for key in errors}
    print(f"{len(runs)} runs of {runs[0][1]} samples, {len(places)} places: at most {largest:.1f} deviations in one run, "
          f"{largest_mean:.1f} in the mean")
    if len(places) < 5:
        wrong.append(f"only {len(places)} places have more than 5 %")
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
