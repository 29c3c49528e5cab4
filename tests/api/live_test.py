#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests live metrics: HOTLANE_STATS_FILE is rewritten while the program runs, always as a whole.

node_exporter's textfile collector reads the file, and a real Prometheus that scrapes node_exporter must know every
number in it. `scripts/setup test` fetches the two servers; without them the second check is skipped.
"""

import argparse
import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

SKIPPED = 77
INTERVAL = 0.2
GETS = 'hotlane_allocations_total{class="7168"}'  # as a query: whatever other labels there are


class Failure(Exception):
    pass


def start(program, file, labels=None, **more):
    environment = {**os.environ, "HOTLANE_STATS": "prometheus", "HOTLANE_STATS_FILE": str(file),
                   "HOTLANE_STATS_INTERVAL": f"{int(INTERVAL * 1000)}ms", **(labels or {})}
    return subprocess.Popen([program], stdin=subprocess.PIPE, env=environment, **more)


def stop(running):
    running.stdin.close()
    if running.wait(timeout=10) != 0:
        raise Failure(f"the program ended with {running.returncode}")


def value_in(text, series):
    found = re.search(rf"^{re.escape(series[:-1])},.*}} (\d+)$", text, re.MULTILINE)
    if found is None or not text.endswith("\n"):
        raise Failure(f"not a whole report:\n{text[-500:]}")
    return int(found.group(1))


def wait_for(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise Failure(f"no {what} within {seconds} s")


def check_rewritten(program, scratch, _servers):
    """New contents in a new file each interval; a reader never sees part of one."""
    file = scratch / "live.prom"
    running = start(program, file)
    wait_for(lambda: file.exists() and GETS[:-1] in file.read_text(), 10, "file")  # the first is written at once
    seen, last = set(), 0
    end = time.monotonic() + 2
    while time.monotonic() < end:
        gets = value_in(file.read_text(), GETS)
        if gets < last:
            raise Failure(f"the count went from {last} to {gets}")
        last = gets
        seen.add(gets)
    if not 4 <= len(seen) <= 2 / INTERVAL + 2:
        raise Failure(f"{len(seen)} reports in 2 s at an interval of {INTERVAL} s")
    stop(running)
    text = file.read_text()
    if value_in(text, GETS) < last or value_in(text, 'hotlane_pool_gets_total{pool="frames"}') <= 1:
        raise Failure("the report at exit is not the last one")
    if sorted(path.name for path in scratch.iterdir()) != ["live.prom"]:
        raise Failure(f"left over: {list(scratch.iterdir())}")


def check_fifo(program, scratch, _servers):
    """A FIFO has no reader: the program goes on, and is told once an interval and at its end."""
    file = scratch / "live.prom"
    os.mkfifo(file)
    running = start(program, file, stderr=subprocess.PIPE)
    try:
        time.sleep(3 * INTERVAL)
        running.stdin.close()
        errors = running.stderr.read().decode()
        if running.wait(timeout=10) != 0:
            raise Failure(f"the program ended with {running.returncode}")
    finally:
        running.kill()
    said = f"hotlane: cannot write the statistics to {file}: a FIFO, not a regular file or /dev/stderr"
    if set(errors.splitlines()) != {said}:
        raise Failure(f"standard error: {errors}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def serving(path, log, *options):
    """Runs a server on a free port, which it yields; on another, if somebody took that port in between."""
    for _ in range(5):
        port = free_port()
        with open(log, "w", encoding="utf-8") as output:
            server = subprocess.Popen([path, f"--web.listen-address=127.0.0.1:{port}", *options],
                                      stdout=output, stderr=output)
        try:
            wait_for(lambda: server.poll() is not None or answers(port), 20, f"answer of {path}")
            if server.poll() is None:
                yield port
                return
        finally:
            server.kill()
            server.wait()
    raise Failure(f"{path} does not start:\n{log.read_text()[-1000:]}")


def query(port, expression):
    """Every series that Prometheus has for the expression, as {(name, labels): value}."""
    address = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            result = json.load(answer)["data"]["result"]
    except OSError:
        return {}
    series = {}
    for row in result:
        labels = {name: value for name, value in row["metric"].items() if name not in ("instance", "job")}
        series[labels.pop("__name__"), frozenset(labels.items())] = float(row["value"][1])
    return series


def in_report(text):
    series = {}
    for name, labels, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.MULTILINE):
        found = re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels)
        series[name, frozenset((key, re.sub(r"\\(.)", r"\1", text)) for key, text in found)] = float(value)
    return series


def expect_same(port, report):
    """Prometheus comes to know exactly the series of the report."""
    told = {}

    def tells_all():
        told.clear()
        told.update(query(port, '{__name__=~"hotlane_.*"}'))
        return told == report

    try:
        wait_for(tells_all, 20, "agreement")
    except Failure:
        differing = [key for key in report.keys() | told.keys() if report.get(key) != told.get(key)]
        raise Failure(f"Prometheus and the report differ in {differing[:5]}") from None


def check_prometheus(program, scratch, servers):
    exporter, prometheus = (shutil.which(name, path=f"{servers}{os.pathsep}{os.environ['PATH']}")
                            for name in ("prometheus-node-exporter", "prometheus"))
    if exporter is None or prometheus is None:
        return SKIPPED
    textfiles, config = scratch / "textfiles", scratch / "prometheus.yml"
    textfiles.mkdir()
    # Two processes of one program: what they count is in one directory, and must not be mixed up.
    files = [textfiles / "live.prom", textfiles / "second.prom"]
    labels = [None, {"HOTLANE_LABELS": 'zone=b,note=a"b\\c'}]
    running = [start(program, file, more) for file, more in zip(files, labels)]
    for file in files:
        wait_for(file.exists, 10, "file")
    with serving(exporter, scratch / "exporter.log", "--collector.disable-defaults", "--collector.textfile",
                 f"--collector.textfile.directory={textfiles}") as scraped:
        config.write_text(json.dumps({"scrape_configs": [{
            "job_name": "hotlane", "scrape_interval": "200ms", "scrape_timeout": "200ms",
            "static_configs": [{"targets": [f"127.0.0.1:{scraped}"]}]}]}))
        with serving(prometheus, scratch / "prometheus.log", f"--config.file={config}",
                     f"--storage.tsdb.path={scratch}/data") as port:
            first = wait_for(lambda: query(port, GETS), 20, f"answer for {GETS}")
            wait_for(lambda: query(port, f"{GETS} > {next(iter(first.values()))}"), 20, "growing count while it runs")
            for process in running:
                stop(process)
            reports = [in_report(file.read_text()) for file in files]  # of the exit: they do not change any more
            expect_same(port, reports[0] | reports[1])
            if len(reports[0] | reports[1]) != len(reports[0]) + len(reports[1]):
                raise Failure("the processes have a series in common")
            capacities = query(port, 'hotlane_pool_capacity{pool="frames"}')
            if len(capacities) != 2 or set(query(port, "node_textfile_scrape_error").values()) != {0.0}:
                raise Failure("no pool in the reports, or node_exporter could not read the files")
            zone = query(port, 'hotlane_allocations_total{class="7168",zone="b"}')
            if [dict(key[1]).get("note") for key in zone] != ['a"b\\c']:
                raise Failure(f"the labels that were asked for are not there: {zone}")
    return 0


def main():
    checks = {"rewritten": check_rewritten, "fifo": check_fifo, "prometheus": check_prometheus}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("check", choices=checks)
    parser.add_argument("--servers", help="where prometheus and prometheus-node-exporter are; else on the PATH")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotlane-live-") as scratch:
        try:
            return checks[arguments.check](arguments.program, pathlib.Path(scratch), arguments.servers) or 0
        except (Failure, subprocess.TimeoutExpired) as failure:
            print(f"{type(failure).__name__}: {failure}")
            return 1


if __name__ == "__main__":
    sys.exit(main())
