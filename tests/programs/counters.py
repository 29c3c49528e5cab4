#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compare what the reports say with what programs are known to have done, and look at which reports appear.

Relies on the keys of the JSON report only. There is one test for each function whose name starts with check_.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree


HEADING = r"^hotlane: .* requests, .* hits"  # of a report as text


class Failure(Exception):
    pass


class Runner:
    """Runs the programs beside the library, with reports in a directory of its own."""

    def __init__(self, preload, programs, scratch):
        self.preload, self.programs, self.scratch = preload, programs, scratch

    def run(self, program, *arguments, status=0, unset=(), **settings):
        variables = {name: value for name, value in os.environ.items() if not name.startswith("HOTLANE_")}
        variables.update(LD_PRELOAD=self.preload, HOTLANE_STATS="json", HOTLANE_STATS_FILE=f"{self.scratch}/%p.json")
        variables.update(settings)
        for name in unset:
            del variables[name]
        done = subprocess.run([self.programs / program, *arguments], env=variables, capture_output=True, text=True,
                              timeout=100, check=False)
        if done.returncode != status:
            raise Failure(f"{program}: status {done.returncode}, stderr: {done.stderr}")
        return done

    def reports(self):
        return {path.name: json.loads(path.read_text()) for path in self.scratch.glob("*.json")}

    def only_report(self):
        reports = self.reports()
        if len(reports) != 1:
            raise Failure(f"{len(reports)} reports instead of one: {sorted(reports)}")
        return next(iter(reports.values()))


def expect(what, found, expected):
    if found != expected:
        raise Failure(f"{what}: {found}, not {expected}")


def check_exact(runner):
    """Eight threads, known numbers of requests: the sums are equal to the last one."""
    expect_counts(runner, runner.run("count_operations", "8", "3000"))


def check_resolver(runner):
    """Requests of an ifunc's resolver, before thread-local variables have their initial values, are counted once."""
    expect_counts(runner, runner.run("resolver_allocates"))


def expect_counts(runner, done):
    """The report has exactly the requests that the program printed: size, allocations, frees."""
    document = runner.only_report()
    expected = [tuple(map(int, line.split())) for line in done.stdout.splitlines()]
    sizes = [entry["size"] for entry in document["classes"]]
    large = [row for row in expected if row[0] > 65536]
    for size, gets, puts in expected:
        if size <= 65536:
            entry = next(entry for entry in document["classes"] if entry["size"] >= size)
            expect(f"allocations of {size} bytes (class {entry['size']} of {sizes})", entry["allocations"], gets)
            expect(f"frees of {size} bytes", entry["frees"], puts)
            expect(f"hits and misses of {size} bytes", entry["hits"] + entry["misses"], gets)
            expect(f"live objects of {size} bytes", entry["live"], gets - puts)
    expect("large fallback allocations", document["fallback_allocations"]["large"], {"count": sum(row[1] for row in large),
                                                             "bytes": sum(row[0] * row[1] for row in large)})
    expect("frees of the fallback", document["totals"]["fallback_frees"], sum(row[2] for row in large))
    for key in ("allocations", "frees", "hits", "misses"):
        expect(f"total of {key}", document["totals"][key], sum(entry[key] for entry in document["classes"]))


def check_late_destructors(runner):
    """Threads that allocate first in a late round of key destructors, while reports are written all the time."""
    for keys, first_size in (("0", "100"), ("40", "200000"), ("500", "200000"), ("1010", "100")):
        done = runner.run("late_destructors", keys, first_size, "400", HOTLANE_PURGE_DELAY="1ms",
                          HOTLANE_STATS_FILE=f"{runner.scratch}/late.json", HOTLANE_STATS_INTERVAL="100ms")
        document = runner.only_report()
        size, gets, puts = map(int, done.stdout.split())
        entry = next(entry for entry in document["classes"] if entry["size"] >= size)
        expect(f"allocations with {keys} keys", entry["allocations"], gets)
        expect(f"frees with {keys} keys", entry["frees"], puts)
        expect(f"live threads with {keys} keys", document["process"]["threads_live"], 1)


def check_hits(runner):
    """Pairs on one thread miss once: what follows a free is a hit."""
    runner.run("reports", "plain")
    entry = next(entry for entry in runner.only_report()["classes"] if entry["size"] == 128)
    if not 20000 <= entry["allocations"] < 21000 or entry["misses"] > 20:
        raise Failure(f"20,000 pairs of one size: {entry}")


def check_wrong_sized_delete(runner):
    """Each delete with a size of another class counts, and no other does."""
    runner.run("sized_delete")
    counted = runner.only_report()["totals"]["wrong_sized_deletes"]
    if counted < 1000:
        raise Failure(f"{counted} wrong sized deletes counted")
    for path in runner.scratch.glob("*.json"):
        path.unlink()
    runner.run("operator_new")
    expect("wrong sized deletes of a correct program", runner.only_report()["totals"]["wrong_sized_deletes"], 0)


def check_finer_classes(runner):
    """HOTLANE_SIZE_CLASSES=auto changes the classes once there are more than 4 MiB of tiny objects, loses no count, and
    takes no sized delete of an older object for a mistake."""
    def small(objects, choice):
        done = runner.run("finer_classes", str(objects), HOTLANE_SIZE_CLASSES=choice)
        document = runner.only_report()
        for path in runner.scratch.glob("*.json"):
            path.unlink()
        expect("wrong sized deletes", document["totals"]["wrong_sized_deletes"], 0)
        classes = {entry["size"]: entry for entry in document["classes"] if entry["size"] <= 256}
        return [int(word) for word in done.stdout.split()], classes, document["process"]["finer_classes_after"]

    of_main = small(0, "auto")[1]
    for objects, choice, refined in ((50000, "auto", True), (1000, "auto", False), (50000, "cacheline", False),
                                     (50000, "compact", False)):
        printed, classes, after = small(objects, choice)
        expect(f"change of classes, {choice}, {objects} objects", after > 0, refined)
        # The objects of up to 256 bytes; others are for alignments of 128, or larger.
        for key, number in zip(("allocations", "frees"), printed):
            counted = sum(entry[key] for entry in classes.values()) - sum(entry[key] for entry in of_main.values())
            if not number * 0.98 < counted <= number:
                raise Failure(f"{choice}: {counted} {key} of small objects, not {number}")
        tiny = sum(classes[size]["allocations"] for size in (16, 32, 48) if size in classes)
        if (tiny > 1000) != (refined or choice == "compact"):
            raise Failure(f"{choice}: {tiny} objects in classes below 64 bytes")
        if refined and classes[64]["allocations"] < 65000:
            raise Failure(f"the classes changed too early: {classes[64]}")


def check_forked_child_is_silent(runner):
    """Children that exit by exit() neither repeat nor overwrite the parent's report."""
    fixed = runner.scratch / "fixed.json"
    parent = int(runner.run("reports", "fork", HOTLANE_STATS_FILE=str(fixed)).stdout)
    expect("process of the report", runner.only_report()["process"]["pid"], parent)
    done = runner.run("reports", "fork", HOTLANE_STATS="text", HOTLANE_STATS_FILE="")
    if len(re.findall(HEADING, done.stderr, re.MULTILINE)) != 1:
        raise Failure(f"the report is not on stderr once:\n{done.stderr}")


def check_programs_started_report_too(runner):
    """LD_PRELOAD is inherited: %p and %e keep the reports of parent and children apart."""
    done = runner.run("reports", "exec", HOTLANE_STATS_FILE=f"{runner.scratch}/%e-%p.json")
    processes = sorted(map(int, done.stdout.split()))
    reports = runner.reports()
    expect("processes that reported", sorted(document["process"]["pid"] for document in reports.values()), processes)
    for name, document in reports.items():
        expect("file of a report", name, f"reports-{document['process']['pid']}.json")


def check_ends(runner):
    """The report is written however the process ends in good order, from any thread."""
    for way, status in (("return", 45), ("exit", 40), ("exit_from_thread", 43), ("pthread_exit", 44)):
        runner.run("ends", way, status=status, HOTLANE_STATS_FILE=f"{runner.scratch}/{way}.json")
        if f"{way}.json" not in runner.reports():
            raise Failure(f"no report after {way}")


def check_default_is_text(runner):
    """Without any option the preloaded library prints its table to stderr, and only there."""
    done = runner.run("reports", "plain", unset=("HOTLANE_STATS", "HOTLANE_STATS_FILE"))
    lines = done.stderr.splitlines()
    if not any("hit rate" in line for line in lines) or len(lines) > 40 or max(map(len, lines)) > 100:
        raise Failure(f"the text report:\n{done.stderr}")
    if not re.fullmatch(r"\d+\n", done.stdout):
        raise Failure(f"standard output is no longer the program's own: {done.stdout}")


def check_prometheus(runner):
    """The text exposition: every sample has its type, and no temporary file is left."""
    runner.run("reports", "plain", HOTLANE_STATS="prometheus", HOTLANE_STATS_FILE=f"{runner.scratch}/report.prom")
    expect("files", sorted(path.name for path in runner.scratch.iterdir()), ["report.prom"])
    text = (runner.scratch / "report.prom").read_text()
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
    for line in text.splitlines():
        if not line.startswith("#") and not re.fullmatch(r'(\w+)(\{[^}]*\})? [0-9.e+-]+', line):
            raise Failure(f"not a sample: {line}")
        if not line.startswith("#") and re.match(r"\w+", line).group() not in types:
            raise Failure(f"a sample without a type: {line}")
        if not line.startswith("#") and not re.search(r'program="reports",pid="\d+"\} ', line):
            raise Failure(f"a sample that does not say whose it is: {line}")
    gets = re.search(r'^hotlane_allocations_total\{.*class="128".*\} (\d+)$', text, re.MULTILINE)
    if not gets or int(gets.group(1)) < 20000:
        raise Failure(f"allocations of 128 bytes are missing:\n{text}")


def check_malloc_info(runner):
    """malloc_info writes a document that XML readers take; malloc_stats writes to stderr and nowhere else."""
    root = xml.etree.ElementTree.fromstring(runner.run("reports", "malloc_info", HOTLANE_STATS="off").stdout)
    expect("root of malloc_info", root.tag, "malloc")
    done = runner.run("reports", "malloc_stats", HOTLANE_STATS="off")
    if done.stdout or len(done.stderr.splitlines()) < 3:
        raise Failure(f"malloc_stats: {done.stdout!r}, {done.stderr!r}")


def check_warmup(runner):
    """Objects that HOTLANE_WARMUP asks for are there before the first request: it hits."""
    runner.run("reports", "plain", HOTLANE_WARMUP="100:16")
    entry = next(entry for entry in runner.only_report()["classes"] if entry["size"] == 128)
    expect("misses after a warm-up", entry["misses"], 0)


def check_limit(runner):
    """Beyond HOTLANE_LIMIT requests go to the fallback, with that reason, and the region stays within it."""
    runner.run("fuzz", "5", "50000", "2", "16", HOTLANE_LIMIT="2M")
    document = runner.only_report()
    if document["fallback_allocations"]["limit"]["count"] == 0 or document["memory"]["in_use"] > 2 << 20:
        raise Failure(f"limit: {document['fallback_allocations']}, {document['memory']}")


CHECKS = {name[len("check_"):].replace("_", "-"): function for name, function in globals().items()
          if name.startswith("check_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preload", metavar="LIBRARY", required=True)
    parser.add_argument("--programs", metavar="DIRECTORY", required=True, help="where the programs were built")
    parser.add_argument("check", choices=sorted(CHECKS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotlane-counters-") as scratch:
        runner = Runner(os.path.abspath(arguments.preload), pathlib.Path(arguments.programs).resolve(),
                        pathlib.Path(scratch))
        try:
            CHECKS[arguments.check](runner)
        except (Failure, subprocess.TimeoutExpired, StopIteration, KeyError, ValueError) as failure:
            sys.exit(f"{type(failure).__name__}: {failure}")


if __name__ == "__main__":
    main()
