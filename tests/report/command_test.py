#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests `hotlane profile` end to end: runs a program with known sites, and reads its dumps with hotlane and other
tools."""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
COMMAND = SHOP = DAEMON = None
# function -> (live objects, requested bytes of them, all objects)
SITES = {"shop::leak": (100, 7_000_000, 100), "shop::place": (4000, 2000 * (201 + 160), 4000),
         "shop::work<>": (5000, 40_000, 5000), "shop::scratch": (0, 0, 1000)}


def environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}


class Profile(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = pathlib.Path(directory.name).resolve()

    def hotlane(self, *arguments, status=0):
        result = subprocess.run([str(COMMAND), *map(str, arguments)], capture_output=True, text=True, cwd=self.path,
                                env=environment(), timeout=60, check=False)
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def profile(self, *options):
        """Runs the shop and returns its dump."""
        file = self.path / "shop.heap"
        result = self.hotlane("profile", "-o", file, *options, "--", SHOP, status=3)
        self.assertEqual(result.stderr, f"hotlane: profile: wrote {file}\n")
        return file, result.stdout

    def sites(self, file, *options):
        """Returns {function: (live objects, their requested bytes, all objects)} for the shop's own functions."""
        document = json.loads(self.hotlane("report", "--json", "-", *options, file).stdout)
        sites = {}
        for stack in document["stacks"]:
            frame = document["frames"][stack["frames"][stack["site"]]]
            name = re.sub(r".* (?=shop::)|<.*>|\(.*", lambda m: "<>" if m.group()[0] == "<" else "",
                          document["functions"][frame["function"]]["name"])
            numbers = (stack["live"]["objects"], stack["live"]["requested"], stack["cumulative"]["objects"])
            sites[name] = tuple(map(sum, zip(sites.get(name, (0, 0, 0)), numbers)))
        return {name: numbers for name, numbers in sites.items() if name.startswith("shop::")}

    def test_every_allocation_is_recorded_exactly(self):
        file, table = self.profile("--every-allocation", "--report")
        self.assertEqual(self.sites(file), SITES)
        self.assertRegex(table, r"\Ashop \(pid \d+\), at exit after [\d.]+ m?s: [\d,]+ samples, every allocation\n")
        self.assertRegex(table, r" 100 +0 +\d+\.\d %  shop::leak shop.cpp:40\n")
        self.assertRegex(table, r" 1,000 +[\d,]+ +2\.3 %  shop::scratch shop.cpp:28\n")
        self.assertRegex(table, r" 5,000 .* 87\.5 %  shop::work<> shop.cpp:47\n")

    def test_every_kind_of_debug_information(self):
        for compiler, *options in (("g++", "-gdwarf-4"), ("g++", "-g", "-gsplit-dwarf"), ("clang++", "-g")):
            if not shutil.which(compiler):
                continue
            program = self.path / "shop"
            subprocess.run([compiler, "-std=c++20", "-O2", "-pthread", *options, "-o", program, HERE / "shop.cpp"],
                           cwd=self.path, check=True, timeout=60)
            with self.subTest(compiler=compiler, options=options):
                table = self.hotlane("profile", "--every-allocation", "--report", "--", program, status=3).stdout
                places = dict(re.findall(r"(?m)  shop::([\w<>]+) (\S+)$", table))
                self.assertEqual(places, {"leak": "shop.cpp:40", "place": "shop.cpp:25", "work<>": "shop.cpp:47",
                                          "scratch": "shop.cpp:28"})

    def test_by_frame_pointers(self):
        file, _ = self.profile("--every-allocation", "--unwind=fp")
        self.assertEqual(self.sites(file), SITES)

    def test_samples_are_near(self):
        file, _ = self.profile("--sample=4K")
        sites = self.sites(file)
        live, requested, _ = sites["shop::leak"]  # far larger than the sample interval: each is sampled
        self.assertEqual((live, requested), (100, 7_000_000))
        # 720 KB in about 176 samples; the tolerance is six standard deviations.
        self.assertAlmostEqual(sites["shop::place"][1], SITES["shop::place"][1], delta=SITES["shop::place"][1] * 0.45)

    def test_leaks_of_a_run(self):
        file, _ = self.profile("--every-allocation")
        text = self.hotlane("report", "--leaks", "--top=1", file, status=3).stdout
        self.assertRegex(text, r"\n6\.7 MiB in 100 objects, allocated in\n    shop::leak shop.cpp:40\n    main shop.cpp:60\n")

    def test_a_program_that_is_named_to_be_read_wrongly(self):
        program = self.path / "s\nh\x1b[31mop"
        shutil.copy(SHOP, program)
        file = self.path / "named.heap"
        result = self.hotlane("profile", "--every-allocation", "-o", file, "--report", "--", program, status=3)
        self.assertRegex(result.stdout, r"\As\\012h\\033\[31mop \(pid ")
        self.assertIn("\n# program: " + str(self.path) + r"/s\012h\033[31mop" + "\n", file.read_text("utf-8"))
        self.assertEqual(self.sites(file), SITES)  # the command finds the file by its name

    def test_dumps_of_one_process(self):
        program = ["/usr/bin/python3", "-c", "import time, ctypes\nx = []\nfor i in range(6):\n"
                                             "    x.append('y' * 100000)\n    time.sleep(0.11)"]
        self.hotlane("profile", "--every-allocation", "--interval=100ms", "-o", "x.%p.%n.heap", "--", *program)
        files = sorted(self.path.glob("x.*.heap"), key=lambda path: int(path.name.split(".")[2]))
        self.assertGreater(len(files), 2)
        texts = [file.read_text() for file in files]
        self.assertEqual(len({re.search(r"(?m)^# series: \d{18,}$", text).group() for text in texts}), 1)
        self.assertEqual(self.hotlane("report", *files).stdout, self.hotlane("report", files[-1]).stdout)

    def test_default_name_and_children(self):
        result = self.hotlane("profile", "--every-allocation", "--", "sh", "-c", f"{SHOP}; {SHOP}; exit 9",
                              status=9)
        names = sorted(file.name for file in self.path.iterdir())
        written = re.findall(r"(?m)^hotlane: profile: wrote (.*)$", result.stderr)
        self.assertEqual(sorted(pathlib.Path(name).name for name in written), names)
        self.assertGreaterEqual(len(names), 2)
        self.assertTrue(all(re.fullmatch(r"(sh|dash|bash)\.\d+\.0\.heap", name) for name in names), names)
        both = self.sites(names[-1], *names[:-1])
        self.assertEqual(both["shop::leak"], (200, 14_000_000, 200))

    def test_many_processes_are_one_line_and_one_report(self):
        runs = "; ".join([str(SHOP)] * 5)
        result = self.hotlane("profile", "--every-allocation", "--report", "-o", "%p.heap", "--", "sh", "-c", runs,
                              status=3)
        count = len(list(self.path.iterdir()))
        self.assertRegex(result.stderr, rf"\Ahotlane: profile: wrote {count} dumps of {count} processes; most samples are "
                                        r"in \S+\.heap of shop \(--all names all\)\n\Z")
        self.assertRegex(result.stdout, r" 25,000 .* shop::work<> shop.cpp")
        result = self.hotlane("profile", "--all", "-o", "again.%p.heap", "--", "sh", "-c", runs, status=3)
        self.assertEqual(len(result.stderr.splitlines()), len(list(self.path.glob("again.*"))))

    def test_what_python_hides_is_said(self):
        result = self.hotlane("profile", "-o", "py.heap", "--", "/usr/bin/python3", "-c", "pass")
        self.assertIn("hotlane: profile: Python keeps small objects in blocks of its own", result.stderr)

    def test_dumps_of_before_are_not_said_to_be_written(self):
        before = self.path / "shop.1.0.heap"
        before.write_text("older")
        result = self.hotlane("profile", "-o", "shop.%p.%n.heap", "--", SHOP, status=3)
        self.assertNotIn(str(before), result.stderr)
        self.assertRegex(result.stderr, r"\Ahotlane: profile: wrote .*/shop\.\d+\.0\.heap\n\Z")

    def test_interval(self):
        code = "import time\nfor i in range(9):\n  x = [bytes(9000) for _ in range(3000)]\n  time.sleep(0.1)"
        self.hotlane("profile", "--sample=64K", "--interval=200ms", "-o", "py.%n.heap", "--", "/usr/bin/python3",
                     "-c", code)
        # Sorted by number, because a busy machine writes more than ten.
        files = sorted((file.name for file in self.path.iterdir()), key=lambda name: int(name.split(".")[1]))
        self.assertGreaterEqual(len(files), 3, files)
        reasons = [json.loads(self.hotlane("report", "--json=-", file).stdout)["reason"] for file in files]
        self.assertEqual((set(reasons[:-1]), reasons[-1]), ({"interval"}, "exit"))

    def test_ends_as_the_program_ends(self):
        for number in (signal.SIGKILL, signal.SIGUSR2):
            result = self.hotlane("profile", "--", "sh", "-c", f"kill -{int(number)} $$", status=-number)
            name = signal.Signals(number).name.removeprefix("SIG")
            self.assertEqual(result.stderr,
                             f"hotlane: profile: no dump was written: the program was ended by signal {name}\n")

    def test_what_kept_a_dump_from_being_written_is_told(self):
        """An unwritable directory is reported before the program runs; it does not look like death by a signal."""
        result = self.hotlane("profile", "-o", "none/x.heap", "--", "sh", "-c", "echo ran", status=125)
        self.assertEqual((result.stdout, result.stderr),
                         ("", f"hotlane: profile: cannot write dumps to {self.path}/none: "
                              "No such file or directory\n"))
        (self.path / "x.heap").mkdir()
        result = self.hotlane("profile", "-o", "x.heap", "--", SHOP, status=3)
        self.assertEqual(result.stderr.splitlines(), [
            f"hotlane: cannot write the profile to {self.path}/x.heap: a directory, not a regular file",
            "hotlane: profile: no dump was written: the program ended with _exit, executed another program, or the dump failed"])

    def test_a_request_to_end_is_passed_on(self):
        with subprocess.Popen([COMMAND, "profile", "--", SHOP, "--wait"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=self.path, env=environment()) as running:
            self.assertEqual(running.stdout.readline(), b"ready\n")
            running.terminate()
            self.assertEqual(running.wait(timeout=30), -signal.SIGTERM)

    def test_keys_reach_the_program_alone(self):
        with subprocess.Popen([COMMAND, "profile", "--", "sh", "-c",
                               "trap 'exit 4' INT; echo ready; while :; do sleep 0.1; done"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.path, env=environment(),
                              start_new_session=True) as running:
            self.assertEqual(running.stdout.readline(), b"ready\n")
            time.sleep(0.1)
            os.killpg(running.pid, signal.SIGINT)
            self.assertEqual(running.wait(timeout=30), 4)

    def daemon_sites(self, file):
        """Returns all objects of the daemon's functions."""
        document = json.loads(self.hotlane("report", "--json", "-", file).stdout)
        counts = {}
        for stack in document["stacks"]:
            for frame in stack["frames"]:
                name = document["functions"][document["frames"][frame]["function"]]["name"]
                if name in ("allocate_before", "allocate_between", "allocate_in_daemon"):
                    counts[name] = counts.get(name, 0) + stack["cumulative"]["objects"]
        return counts

    def test_a_daemon_is_followed(self):
        """The name of the dump has no %p, and the daemon writes it nevertheless: its parents have ended."""
        result = self.hotlane("profile", "--every-allocation", "-o", "x.heap", "--", DAEMON, status=3)
        number = re.search(rf"hotlane: profile: wrote {self.path}/x\.heap\.(\d+)\n\Z", result.stderr)
        self.assertIsNotNone(number, result.stderr)
        self.assertEqual([file.name for file in self.path.iterdir()], [f"x.heap.{number[1]}"])
        self.assertEqual(self.daemon_sites(f"x.heap.{number[1]}"),
                         {"allocate_before": 10, "allocate_between": 1, "allocate_in_daemon": 5})

    def test_a_daemon_with_an_interval(self):
        with subprocess.Popen([COMMAND, "profile", "--every-allocation", "-o", "x.heap", "--interval=100ms", "--", DAEMON,
                               "--wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.path,
                              env=environment()) as running:
            file = self.path / f"x.heap.{int(running.stdout.readline())}"
            end = time.monotonic() + 20
            while not file.exists() and time.monotonic() < end:
                time.sleep(0.02)
            self.assertTrue(file.exists())
            # Before the command says so, it does not know the process that shall get the signal.
            while f"daemon goes on as a daemon, process {file.suffix[1:]}; waiting".encode() not in running.stderr.readline():
                self.assertIsNone(running.poll())
            running.send_signal(signal.SIGINT)
            self.assertEqual(running.wait(timeout=30), 3)
        self.assertEqual(self.daemon_sites(file),
                         {"allocate_before": 10, "allocate_between": 1, "allocate_in_daemon": 5})

    def test_what_is_left_in_the_background_is_not_waited_for(self):
        begin = time.monotonic()
        result = self.hotlane("profile", "-o", "x.heap", "--", DAEMON, "--background", status=3)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertNotIn("daemon", result.stderr)

    def test_mistakes_are_one_line(self):
        for arguments, status, line in (
                (["--bogus", "--", "true"], 125, "profile: --bogus is not an option (see hotlane profile --help)"),
                (["--", "/nowhere"], 127, "/nowhere: No such file or directory"),
                (["--interval=5", "--", "true"], 125,
                 '--interval: "5" is not a time, such as 10s (see hotlane --help)')):
            result = self.hotlane("profile", *arguments, status=status)
            self.assertEqual((result.stdout, result.stderr), ("", f"hotlane: {line}\n"))

    def test_others_see_the_same_top_sites(self):
        file, _ = self.profile("--sample=4K")
        ours = [(name, self.live_bytes(file)[name]) for name in ("shop::leak", "shop::place", "shop::work")]
        self.assertEqual(ours, sorted(ours, key=lambda pair: -pair[1]))
        for tool in ("google-pprof", "jeprof"):
            if not shutil.which(tool):
                self.skipTest(f"no {tool}")
            text = subprocess.run([tool, "--text", "--cum", "--show_bytes", SHOP, file], capture_output=True, text=True,
                                  check=True, timeout=60).stdout
            rows = dict((name, int(size)) for size, name in
                        re.findall(r"(?m)^ *\d+ +[\d.]+% +[\d.]+% +(\d+) +[\d.]+% (shop::\w+)", text))
            for name, size in ours:
                # These tools scale the mean size of a stack's samples; the library scales each sample.
                self.assertAlmostEqual(rows[name] / size, 1, delta=0.05, msg=f"{tool} {name}")

    def live_bytes(self, file):
        """Returns {function without template arguments: live bytes in it and its callees}."""
        document = json.loads(self.hotlane("report", "--json", "-", file).stdout)
        live = {}
        for stack in document["stacks"]:
            names = {re.sub(r".* (?=shop::)|<.*|\(.*", "",
                            document["functions"][document["frames"][frame]["function"]]["name"])
                     for frame in stack["frames"]}
            for name in names:
                live[name] = live.get(name, 0) + stack["live"]["bytes"]
        return live


def main():
    global COMMAND, SHOP, DAEMON
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", type=pathlib.Path, help="the hotlane command")
    parser.add_argument("shop", type=pathlib.Path, help="the program with known sites")
    parser.add_argument("daemon", type=pathlib.Path, help="the program that becomes a daemon")
    arguments, rest = parser.parse_known_args()
    COMMAND, SHOP, DAEMON = (path.resolve() for path in (arguments.command, arguments.shop, arguments.daemon))
    # A shell may ignore SIGINT in background jobs, and programs inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
