#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs `hotlane tune` as a user does, follows the advice at exit, and tunes redis from end to end."""

import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

COMMAND, SWING = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])


def hotlane(*arguments, **variables):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k not in ("LD_PRELOAD", "MALLOC_PERTURB_")}
    return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, env=kept | variables, timeout=120,
                          check=False)


def hit_rate(**variables):
    report = json.loads(hotlane("run", "--stats=json", "--hit-rate-warning=0", SWING, **variables).stderr)
    return report["totals"]["hit_rate"]


def row(text, name):
    """Returns the texts of a row of the table: before, predicted, measured."""
    line = re.search(rf"^hotlane: tune: {name} .*$", text, re.MULTILINE).group()
    return re.findall(r"[\d.,]+ (?:%|B|KiB|MiB|GiB)", line)


def number(text):
    value, unit = text.split()
    return float(value.replace(",", "")) * {"%": 1, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit]


class Caches(unittest.TestCase):
    def test_the_advice_at_exit_converges(self):
        before = hotlane("run", SWING).stderr
        advice = re.search(r"try (HOTLANE_THREAD_CACHE)=(\S+)", before)
        self.assertIsNotNone(advice, before)
        self.assertLess(hit_rate(), 0.9)
        self.assertGreater(hit_rate(**{advice[1]: advice[2]}), 0.999)
        self.assertNotIn("alarm", hotlane("run", SWING, **{advice[1]: advice[2]}).stderr)

    def test_automatic_limits_follow_the_swing(self):
        self.assertGreater(hit_rate(HOTLANE_THREAD_CACHE="auto"), 0.999)


class Files(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.directory)

    def test_files_give_the_same_as_a_program(self):
        profile, report, written = (self.directory / name for name in ("p.heap", "s.json", "o.conf"))
        hotlane("run", "--stats=json", f"--stats-file={report}", SWING)
        hotlane("run", "--stats=off", f"--profile={profile}", "--sample-interval=1", SWING)
        result = hotlane("tune", "-o", written, profile, report)
        self.assertEqual((result.returncode, result.stdout), (0, ""), result.stderr)
        text = written.read_text()
        self.assertRegex(text, r"\nHOTLANE_SIZE_CLASSES=64,[\d,]*\b32768,[\d,]*65536\n")
        self.assertRegex(text, r"\nHOTLANE_THREAD_CACHE=64K,32768=\S+\n")
        self.assertIn(f"tune: wrote {written}", result.stderr)
        self.assertGreater(hit_rate(HOTLANE_CONFIG=str(written)), 0.999)
        self.assertIn("HOTLANE_SIZE_CLASSES=", hotlane("tune", profile).stdout)

    def test_mistakes_are_one_line(self):
        old = self.directory / "old.heap"
        old.write_text("heap profile: 1: 64 [1: 64] @ heap_v2/1\n1: 64 [1: 64] @ 0x1\n\nMAPPED_LIBRARIES:\n1-2 r-xp 0 0:0 0\n")
        report = self.directory / "s.json"
        report.write_text("{}")
        for arguments, status, line in (
                ((), 125, "tune: expected either files, or a program: hotlane tune [OPTIONS] (FILE... | -- PROGRAM [ARGS])"),
                ((old,), 2, f"{old} does not say which sizes were requested: it was written by another version of hotlane, or "
                            "by another allocator"),
                ((report,), 2, f"{report}: expected a report of HOTLANE_STATS=json, or a heap profile"),
                ((self.directory / "none",), 2, f"{self.directory}/none: No such file or directory"),
                (("--classes=10", old), 125, "--classes: Value 10 not in range 11 to 63 (see hotlane --help)"),
                (("--", "no-such-program"), 127, "cannot find no-such-program in PATH")):
            result = hotlane("tune", *arguments)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (status, "", f"hotlane: {line}\n"), arguments)


REDIS = """
import socket, subprocess, sys, time
port, keys = sys.argv[1:]
server = subprocess.Popen(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
                          stdout=subprocess.DEVNULL)
def connect():
    for _ in range(600):
        try:
            return socket.create_connection(("127.0.0.1", int(port)))
        except OSError:
            time.sleep(0.05)
    sys.exit("no server")
with connect() as connection, connection.makefile("rb") as replies:
    for begin in range(0, int(keys), 1000):
        connection.sendall(b"".join(b"*3\\r\\n$3\\r\\nSET\\r\\n$20\\r\\nkey:%016d\\r\\n$200\\r\\n%s\\r\\n" % (i, b"v" * 200)
                                    for i in range(begin, begin + 1000)))
        for _ in range(1000):
            replies.readline()
    connection.sendall(b"SHUTDOWN NOSAVE\\r\\n")
server.wait()
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@unittest.skipUnless(shutil.which("redis-server"), "no redis-server")
class Redis(unittest.TestCase):
    """Keys of 20 bytes and values of 200. With HOTLANE_TUNE_KEYS=1000000 the table of bench/README.md."""

    def tune(self, *arguments):
        keys = os.environ.get("HOTLANE_TUNE_KEYS", "20000")
        result = hotlane("tune", *arguments, "--", sys.executable, "-c", REDIS, free_port(), keys, PYTHONMALLOC="malloc")
        self.assertEqual(result.returncode, 0, result.stderr)
        if "HOTLANE_TUNE_KEYS" in os.environ:
            print(result.stderr)
        return result

    def test_end_to_end(self):
        result = self.tune("--align=16")
        before, predicted, measured = map(number, row(result.stderr, "  of what is live"))
        self.assertGreater(before, 40)
        # Two of the four objects of a key have 24 bytes, which alignment makes 32: 6 % that no table can save.
        self.assertLess(predicted, 15)
        self.assertLess(measured, 15)
        before, predicted, measured = map(number, row(result.stderr, "peak RSS"))
        self.assertLess(measured, before)
        self.assertLess(abs(predicted - measured), 0.25 * measured, result.stderr)
        self.assertIn("# Objects of several threads may share a cache line.", result.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
