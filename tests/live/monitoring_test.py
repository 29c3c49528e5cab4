#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The installed examples of monitoring are accepted by the programs that they are for, as far as these are here:
systemd, Prometheus and Docker Compose. Parca, Alloy and the OpenTelemetry Collector are not in Debian."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "src/cli/serve/monitoring"
COMMAND = SERVERS = None


class Examples(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        for path in MONITORING.iterdir():
            if path.is_file():
                shutil.copy2(path, self.scratch)

    def check(self, program, *arguments):
        """Runs the program, and returns its status and what it says."""
        found = shutil.which(program, path=f"{SERVERS}{os.pathsep}{os.environ['PATH']}")
        if found is None:
            self.skipTest(f"{program} is not installed")
        done = subprocess.run([found, *arguments], cwd=self.scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, timeout=60)
        return done.returncode, done.stdout

    def change(self, name, before, after):
        file = self.scratch / name
        text = file.read_text("utf-8")
        self.assertIn(before, text)
        file.write_text(text.replace(before, after), "utf-8")

    def test_systemd_knows_every_line(self):
        self.change("hotlane-serve.service", "/usr/bin/hotlane", COMMAND)
        (self.scratch / "example.service.d").mkdir()
        (self.scratch / "hotlane.conf").rename(self.scratch / "example.service.d/hotlane.conf")
        (self.scratch / "example.service").write_text("[Service]\nExecStart=/bin/true\n", "utf-8")
        verify = "systemd-analyze", "verify", "--man=no", "./hotlane-serve.service", "./example.service"
        self.assertEqual(self.check(*verify), (0, ""))
        self.change("example.service.d/hotlane.conf", "RuntimeDirectoryMode", "RuntimeDirectoryMod")
        self.assertIn("Unknown key", self.check(*verify)[1])

    def test_prometheus_takes_its_configuration_and_the_rules(self):
        (self.scratch / "hosts").mkdir()
        shutil.copy2(MONITORING / "hosts/hotlane.json", self.scratch / "hosts")
        status, text = self.check("promtool", "check", "config", "prometheus.yml")
        self.assertEqual((status, "3 rules found" in text), (0, True), text)
        self.change("alerts.yml", "rate(hotlane_pool_exhausted_total[10m])", "rate(hotlane_pool_exhausted_total)")
        self.assertNotEqual(self.check("promtool", "check", "config", "prometheus.yml")[0], 0)

    def test_compose_takes_its_file(self):
        compose = "docker-compose", "--file", "compose.yml", "config"
        status, text = self.check(*compose)
        self.assertEqual((status, "HOTLANE_LIVE: /live" in text), (0, True), text)
        self.change("compose.yml", "image: prom/prometheus", "imagine: prom/prometheus")
        self.assertNotEqual(self.check(*compose)[0], 0)


def main():
    global COMMAND, SERVERS
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("--servers", default="", help="where promtool is; else on the PATH")
    parser.add_argument("rest", nargs="*", help="arguments of unittest")
    options = parser.parse_args()
    COMMAND, SERVERS = os.path.abspath(options.command), options.servers
    unittest.main(argv=[sys.argv[0], *options.rest], verbosity=1)


if __name__ == "__main__":
    main()
