#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hotlane serve`: metrics and profiles over HTTP, mistakes and hostile clients, a thousand processes, Prometheus."""

import argparse
import contextlib
import gzip
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "src/cli/serve/monitoring"
COMMAND = LIBRARY = WAITS = SERVERS = None
# The words of the file: src/live/layout.h.
PROCESS, NAME_SPACE, STARTED, STACK = 24, 32, 40, 48


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}
    return kept | {"HOTLANE_STATS": "off"} | more


class Serve(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.live = self.scratch / "live"
        self.live.mkdir(mode=0o700)
        self.server = subprocess.Popen([COMMAND, "serve", "--live", str(self.live), "--port", "0"], text=True,
                                       stderr=subprocess.PIPE, env=environment())
        self.addCleanup(self.server.stderr.close)
        self.addCleanup(self.server.wait)
        self.addCleanup(self.server.kill)
        self.port = int(re.fullmatch(r"hotlane: serve: http://127.0.0.1:(\d+)/\n", self.server.stderr.readline()).group(1))

    def start(self, *arguments, **variables):
        process = subprocess.Popen([WAITS, *arguments],
                                   env=environment(LD_PRELOAD=LIBRARY, HOTLANE_LIVE=str(self.live), **variables))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers["Content-Type"]

    def wait_for(self, condition, what, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)

    def wait_for_process(self, process):
        self.wait_for(lambda: f'pid="{process.pid}"'.encode() in self.get("/metrics")[1], "not in the metrics")

    def expect_error(self, path, status, text, **headers):
        found, body, _ = self.get(path, **headers)
        self.assertEqual((found, body.decode()), (status, text + "\n"), path)


class Pages(Serve):
    def test_metrics_have_each_family_once(self):
        processes = [self.start("allocate", HOTLANE_LABELS="service=a"), self.start("loop")]
        for process in processes:
            self.wait_for_process(process)
        for accept, kind in (("*/*", "text/plain; version=0.0.4"), ("application/openmetrics-text", "application/openmetrics-text")):
            status, body, content = self.get("/metrics", Accept=accept)
            text = body.decode()
            self.assertEqual((status, content.startswith(kind)), (200, True), content)
            families = re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE)
            self.assertEqual(len(families), len(set(families)))
            self.assertGreater(len(families), 30)
            self.assertEqual(text.endswith("# EOF\n"), "openmetrics" in kind)
            self.assertEqual("hotlane_hits" in families, "openmetrics" in kind)
            series = [line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")]
            self.assertEqual(len(series), len(set(series)))
            self.assertIn(f'program="waits",pid="{processes[0].pid}"', text)
            self.assertRegex(text, r'hotlane_live_bytes\{program="waits",pid="\d+"[^}]*,service="a"\} \d+\n')

    def test_profiles_are_made_for_pprof_and_as_a_page(self):
        process = self.start("loop")
        self.wait_for_process(process)
        status, body, _ = self.get(f"/debug/pprof/allocs?pid={process.pid}&seconds=1")
        self.assertEqual(status, 200, body)
        self.assertIn(b"alloc_space", gzip.decompress(body))
        self.assertIn(b"main", gzip.decompress(body))
        status, body, _ = self.get(f"/debug/pprof/heap?pid={process.pid}")
        self.assertEqual((status, b"inuse_space" in gzip.decompress(body)), (200, True))
        status, body, content = self.get(f"/profile/{process.pid}")
        self.assertEqual((status, content, b"</html>" in body), (200, "text/html; charset=utf-8", True))
        self.assertIn(f'href="profile/{process.pid}"', self.get("/")[1].decode())

    def document(self, path):
        status, body, _ = self.get(path)
        self.assertEqual(status, 200, body)
        return json.loads(re.search(rb'(?s)id="profile">(.*?)</script>', body).group(1))

    def test_a_page_is_compared_with_an_earlier_one(self):
        process, other = self.start("loop"), self.start("loop")
        self.wait_for_process(process)
        self.wait_for_process(other)
        first = self.document(f"/profile/{process.pid}")
        self.assertEqual((first["served"], "base" in first), (True, False))
        later = self.document(f"/profile/{process.pid}?base={first['sequence']}")
        self.assertEqual((later["base"]["sequence"], later["base"]["time_ns"]), (first["sequence"], first["time_ns"]))
        self.assertGreater(later["time_ns"], first["time_ns"])
        for pid, number in ((process.pid, 99), (other.pid, later["sequence"])):
            self.expect_error(f"/profile/{pid}?base={number}", 404, f"no page of dump {number} of process {pid} is remembered")
        for value in ("", "-1", "x", "../1", "/etc/passwd", "99999999999"):
            self.expect_error(f"/profile/{process.pid}?base={value}", 400, "base must be a number from 0 to 2147483647")

    def test_a_directory_may_come_later(self):
        self.live.rename(self.scratch / "moved")
        self.assertNotIn(b"pid=", self.get("/metrics")[1])
        self.live.mkdir(mode=0o700)
        self.wait_for_process(self.start())

    def test_a_process_that_ends_is_gone(self):
        process = self.start()
        self.wait_for_process(process)
        process.kill()
        process.wait()
        self.assertNotIn(b"pid=", self.get("/metrics")[1])
        self.expect_error(f"/profile/{process.pid}", 404, f"no process {process.pid} publishes its counters in {self.live}")


@unittest.skipIf(shutil.which("go") is None, "Go is not installed")
class Pprof(Serve):
    def top(self, source, *options):
        """Returns the functions of `go tool pprof -top` with their flat values, and its heading."""
        text = subprocess.run(["go", "tool", "pprof", "-top", "-nodecount=50", *options, source], capture_output=True, text=True,
                              timeout=120, check=True, cwd=self.scratch,
                              env=environment(HOME=str(self.scratch), PPROF_TMPDIR=str(self.scratch), GOTOOLCHAIN="local")).stdout
        heading, table = text.split("      flat  flat%   sum%        cum   cum%\n")
        return {line.split(None, 5)[5]: line.split()[0] for line in table.splitlines()}, heading

    def test_it_opens_what_is_served(self):
        process = self.start("loop")
        self.wait_for_process(process)
        address = f"http://127.0.0.1:{self.port}/debug/pprof"
        functions, heading = self.top(f"{address}/allocs?pid={process.pid}&seconds=1", "-sample_index=alloc_space")
        self.assertIn("Type: alloc_space", heading)
        self.assertIn("main", functions)
        _, heading = self.top(f"{address}/heap?pid={process.pid}")
        self.assertIn("Type: inuse_space", heading)

    def test_it_opens_what_is_exported(self):
        for arguments in (["profile", "--every-allocation", "-o", "ls.heap", "--", "ls", "-l", "/"],
                          ["report", "--pprof", "ls.pb.gz", "ls.heap"]):
            subprocess.run([COMMAND, *arguments], cwd=self.scratch, env=environment(), check=True, capture_output=True, timeout=60)
        functions, heading = self.top("ls.pb.gz", "-sample_index=alloc_objects")
        self.assertIn("Type: alloc_objects", heading)
        self.assertGreater(len(functions), 1)


class Examples(Serve):
    def test_they_name_families_that_exist(self):
        families = set(re.findall(r"^# TYPE (\w+) ", self.get("/metrics")[1].decode(), re.MULTILINE))
        for name in ("alerts.yml", "grafana-dashboard.json"):
            named = set(re.findall(r"\bhotlane_\w+", (MONITORING / name).read_text("utf-8")))
            self.assertGreater(len(named), 4)
            self.assertEqual(named - families, set(), name)
        json.loads((MONITORING / "grafana-dashboard.json").read_text("utf-8"))


class BadInput(Serve):
    def test_mistakes_are_one_line(self):
        pid = "pid must be a number from 1 to 2147483647"
        self.expect_error("/debug/pprof/heap", 400, pid)
        for value in ("0", "-1", "x", "1x", "99999999999999999999", "../1", "%2e%2e%2f1", ""):
            self.expect_error(f"/debug/pprof/heap?pid={value}", 400, pid)
        self.expect_error("/debug/pprof/allocs?pid=1&seconds=0", 400, "seconds must be a number from 1 to 300")
        self.expect_error("/debug/pprof/heap?pid=1", 404, f"no process 1 publishes its counters in {self.live}")
        for path in ("/nothing", "/../../etc/passwd", "/profile/..%2f..%2fetc%2fpasswd", "/profile/1/2"):
            self.assertEqual(self.get(path)[0], 404, path)
        self.expect_error("/metrics", 403, "this server answers to localhost only", Host="evil.example")

    def test_the_command_says_what_is_wrong(self):
        for arguments, line in ((("--live", "none"), "serve: none: expected an absolute path, or auto"),
                                (("--live", self.live, "--port", self.port),
                                 f"serve: cannot listen on 127.0.0.1 port {self.port}: Address already in use")):
            result = subprocess.run([COMMAND, "serve", *map(str, arguments)], capture_output=True, text=True, timeout=30,
                                    env=environment(), check=False)
            self.assertEqual((result.returncode, result.stderr), (125, f"hotlane: {line}\n"))

    def test_slow_clients_do_not_stop_it(self):
        """More clients than there are threads send half a request, and go on slowly."""
        clients = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(80)]
        for client in clients:
            self.addCleanup(client.close)
            client.sendall(b"GET /metrics HTTP/1.1\r\n")
        end = time.monotonic() + 40
        while time.monotonic() < end:
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(b"A")
            with contextlib.suppress(OSError):
                answer = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=1)
                self.assertEqual(answer.status, 200)
                return
        self.fail("no answer beside slow clients")

    def test_long_requests_are_refused(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as client:
            with contextlib.suppress(OSError):
                client.sendall(b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(OSError):
                self.assertRegex(client.recv(100), b"^(HTTP/1.1 4|$)")
        self.assertEqual(self.get("/metrics")[0], 200)


class Thousand(Serve):
    def test_a_thousand_processes_are_scraped(self):
        """Their files are copies of that of one process; a process of another name space cannot be looked up."""
        process = self.start("allocate")
        file = self.live / str(process.pid)
        self.wait_for_process(process)
        whole = bytearray(file.read_bytes())
        for number in range(1, 1001):
            struct.pack_into("<QQ", whole, PROCESS, 4000000 + number, 1)
            (self.live / str(4000000 + number)).write_bytes(whole)
        self.get("/metrics")
        best, size = 60.0, 0
        for _ in range(3):
            begin = time.monotonic()
            _, body, _ = self.get("/metrics")
            best, size = min(best, time.monotonic() - begin), len(body)
        self.assertEqual(len(set(re.findall(rb'pid="(\d+)"', body))), 1001)
        peak = re.search(r"VmHWM:\s+(\d+) kB", pathlib.Path(f"/proc/{self.server.pid}/status").read_text()).group(1)
        print(f"1,001 processes: {best:.2f} s, {size / 2**20:.1f} MiB of text, peak RSS {int(peak) / 2**10:.0f} MiB", flush=True)
        self.assertLess(int(peak), 100 * 1024)
        # The target is a second; a busy machine is slower.
        self.assertLess(best, 4)


class Prometheus(Serve):
    def test_prometheus_scrapes_it(self):
        program = shutil.which("prometheus", path=f"{SERVERS}{os.pathsep}{os.environ['PATH']}")
        if program is None:
            self.skipTest("prometheus is not installed")
        config = self.scratch / "prometheus.yml"
        # The installed rules, too: Prometheus does not start with a mistake in them.
        config.write_text("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
                          f"rule_files: ['{MONITORING}/alerts.yml']\nscrape_configs:\n"
                          f"- {{job_name: hotlane, static_configs: [{{targets: ['127.0.0.1:{self.port}']}}]}}\n", "utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with open(self.scratch / "prometheus.log", "wb") as log:
            prometheus = subprocess.Popen([program, f"--config.file={config}", f"--storage.tsdb.path={self.scratch}/data",
                                           f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        self.addCleanup(prometheus.wait)
        self.addCleanup(prometheus.kill)

        def query(expression):
            url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
            with contextlib.suppress(OSError):
                return json.load(urllib.request.urlopen(url, timeout=10))["data"]["result"]
            return []

        def pids():
            return {row["metric"]["pid"] for row in query("hotlane_live_bytes")}

        first, second = self.start("loop"), self.start("loop")
        self.wait_for(lambda: pids() == {str(first.pid), str(second.pid)}, "not both are scraped")
        first.kill()
        first.wait()
        self.wait_for(lambda: pids() == {str(second.pid)}, "the process that ended is still there")
        restarted = self.start("loop")
        self.wait_for(lambda: pids() == {str(restarted.pid), str(second.pid)}, "the new process is not there")
        self.wait_for(lambda: any(float(row["value"][1]) > 0 for row in
                                  query(f'sum by (pid) (rate(hotlane_hits_total{{pid="{second.pid}"}}[5s]))')), "no rate")
        self.check_dashboard(f"http://127.0.0.1:{port}/api/v1/query?", query)
        rules = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/rules", timeout=10))["data"]["groups"]
        self.assertEqual(len(rules[0]["rules"]), 3)
        targets = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=10))["data"]
        self.assertEqual([target["lastError"] for target in targets["activeTargets"]], [""])

    def check_dashboard(self, address, query):
        """Each query of the dashboard is valid. All have an answer except those of pools, which the program has not."""
        panels = json.loads((MONITORING / "grafana-dashboard.json").read_text("utf-8"))["panels"]
        expressions = [target["expr"] for panel in panels for target in panel.get("targets", [])]
        self.assertGreater(len(expressions), 6)
        for expression in expressions:
            for name, value in (("$program", "waits"), ("$instance", ".*"), ("$__rate_interval", "5s")):
                expression = expression.replace(name, value)
            self.assertNotIn("$", expression)
            answer = urllib.request.urlopen(address + urllib.parse.urlencode({"query": expression}), timeout=10)
            self.assertEqual(json.load(answer)["status"], "success")
            self.assertEqual(bool(query(expression)), "pool" not in expression, expression)


def main():
    global COMMAND, LIBRARY, WAITS, SERVERS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("library")
    parser.add_argument("waits")
    parser.add_argument("--servers", default="", help="where prometheus is; else on the PATH")
    parser.add_argument("rest", nargs="*", help="arguments of unittest")
    options = parser.parse_args()
    COMMAND, LIBRARY, WAITS = map(os.path.abspath, (options.command, options.library, options.waits))
    SERVERS = options.servers
    unittest.main(argv=[sys.argv[0], *options.rest], verbosity=1)


if __name__ == "__main__":
    main()
