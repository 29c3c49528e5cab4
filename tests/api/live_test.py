#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Live metrics: HOTLANE_STATS_FILE is rewritten while the program runs, always whole; and what Prometheus scrapes from
it are the program's own counts. Where prometheus is not installed, the second check is skipped."""

import argparse
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

SKIPPED = 77
INTERVAL = 0.2
GETS = 'hotlane_gets_total{class="7168"}'


class Failure(Exception):
    pass


def start(program, file):
    environment = {**os.environ, "HOTLANE_STATS": "prometheus", "HOTLANE_STATS_FILE": str(file),
                   "HOTLANE_STATS_INTERVAL": f"{int(INTERVAL * 1000)}ms"}
    return subprocess.Popen([program], stdin=subprocess.PIPE, env=environment)


def stop(running):
    running.stdin.close()
    if running.wait(timeout=10) != 0:
        raise Failure(f"the program ended with {running.returncode}")


def value_in(text, series):
    found = re.search(rf"^{re.escape(series)} (\d+)$", text, re.MULTILINE)
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


def check_rewritten(program, scratch):
    """New contents in a new file each interval; a reader never sees part of one."""
    file = scratch / "live.prom"
    running = start(program, file)
    wait_for(file.exists, 10, "file")
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


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".prom": "text/plain; version=0.0.4"}

    def log_message(self, *arguments):
        pass


def query(port, expression):
    address = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            result = json.load(answer)["data"]["result"]
    except OSError:
        return None
    return int(float(result[0]["value"][1])) if result else None


def check_prometheus(program, scratch):
    """A real Prometheus scrapes the file; its answers are the numbers of the last report."""
    if shutil.which("prometheus") is None:
        return SKIPPED
    file = scratch / "metrics.prom"
    running = start(program, file)
    wait_for(file.exists, 10, "file")
    stop(running)  # what the report at exit says does not change any more
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=scratch))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = scratch / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": [{
        "job_name": "hotlane", "scrape_interval": "1s", "metrics_path": "/metrics.prom",
        "static_configs": [{"targets": [f"127.0.0.1:{server.server_port}"]}]}]}))
    with http.server.HTTPServer(("127.0.0.1", 0), Quiet) as probe:
        port = probe.server_port
    with open(scratch / "log", "w", encoding="utf-8") as log:
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={scratch}/data",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
    try:
        text = file.read_text()
        for series in (GETS, 'hotlane_hits_total{class="7168"}', 'hotlane_pool_gets_total{pool="frames"}',
                       'hotlane_pool_capacity{pool="frames"}', "hotlane_purges_total"):
            answer = wait_for(lambda series=series: (query(port, series),) if query(port, series) is not None else None,
                              30, f"answer for {series}")[0]
            expected = 0 if "capacity" in series else value_in(text, series)
            if answer != expected:
                raise Failure(f"{series}: Prometheus says {answer}, the report {expected}")
    finally:
        prometheus.terminate()
        prometheus.wait(timeout=10)
        server.shutdown()
    return 0


def main():
    checks = {"rewritten": check_rewritten, "prometheus": check_prometheus}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("check", choices=checks)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hotlane-live-") as scratch:
        try:
            return checks[arguments.check](arguments.program, pathlib.Path(scratch)) or 0
        except (Failure, subprocess.TimeoutExpired) as failure:
            print(f"{type(failure).__name__}: {failure}")
            return 1


if __name__ == "__main__":
    sys.exit(main())
