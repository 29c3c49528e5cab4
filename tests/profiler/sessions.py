#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests when sessions start and stop, when profiles are written and under which names, and failures to write them.

Every allocation is sampled, so that the contents of a dump are predictable.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import dumps

ARGUMENTS = None
PLACES = ("place_a", "place_b")


class Session(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="hotlane-session-")
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)

    def start(self, *actions, program=None, **options):
        """The program, started in the scratch directory."""
        variables = dumps.environment(None, **({"sample_interval": 1} | options))
        return subprocess.Popen([program or ARGUMENTS.program, *map(str, actions)], env=variables, cwd=self.scratch,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_actions(self, *actions, status=0, stderr="", **options):
        """Runs the program, expects that it ends as given, and returns its process id and its output."""
        process = self.start(*actions, **options)
        output, errors = process.communicate(timeout=60)
        self.assertEqual((process.returncode, errors), (status, stderr))
        return process.pid, output

    def files(self):
        return sorted(path.name for path in self.scratch.iterdir())

    def live(self, name):
        """Returns the live objects of place_a and place_b, those of all time, and the dump."""
        document = dumps.report(ARGUMENTS.command, self.scratch / name)
        found = dumps.by_function(document, PLACES)
        nothing = {"live": {"objects": 0}, "cumulative": {"objects": 0}}
        counts = [tuple(found.get(place, nothing)[metric]["objects"] for place in PLACES)
                  for metric in ("live", "cumulative")]
        return *counts, document

    def expect(self, name, live, total=None, reason=None):
        found_live, found_total, document = self.live(name)
        self.assertEqual((found_live, found_total), (live, total or live), name)
        if reason:
            self.assertEqual(document["reason"], reason)
        return document


class Options(Session):
    def test_at_exit(self):
        pid, _ = self.run_actions("a:10", "b:3", "drop", "b:4", profile="%p.%n.heap")
        self.assertEqual(self.files(), [f"{pid}.0.heap"])
        document = self.expect(f"{pid}.0.heap", (0, 4), (10, 7), "exit")
        self.assertEqual((document["process"], document["period"], document["sequence"]), (pid, 1, 0))

    def test_no_profile_unless_asked_for(self):
        self.run_actions("a:10", "drop")
        self.assertEqual(self.files(), [])

    def test_signal_writes(self):
        self.run_actions("a:10", "raise", "b:5", profile="%n.heap", profile_signal="USR2")
        self.assertEqual(self.files(), ["0.heap", "1.heap"])
        self.expect("0.heap", (10, 0), reason="signal")
        self.assertEqual(self.expect("1.heap", (10, 5), reason="exit")["sequence"], 1)

    def test_signal_starts_and_the_next_writes(self):
        pid, _ = self.run_actions("a:10", "raise", "b:5", "raise", "b:1", profile_signal="USR2")
        self.assertEqual(self.files(), [f"hotlane.{pid}.0.heap", f"hotlane.{pid}.1.heap"])
        self.expect(f"hotlane.{pid}.0.heap", (0, 5), reason="signal")
        self.expect(f"hotlane.{pid}.1.heap", (0, 6), reason="exit")

    def test_no_signal_no_profile(self):
        self.run_actions("a:10", profile_signal="USR2")
        self.assertEqual(self.files(), [])

    def test_signal_from_outside_while_others_allocate(self):
        self.send_from_outside("USR2", signal.SIGUSR2)

    def test_real_time_signal_from_outside(self):
        self.send_from_outside("RTMIN+3", signal.SIGRTMIN + 3)

    def send_from_outside(self, name, number):
        process = self.start(f"until:{self.scratch}/1.heap", "status:4", profile="%n.heap", profile_signal=name)
        while process.poll() is None:
            if pathlib.Path(f"/proc/{process.pid}/comm").read_text("utf-8").strip() == "session":
                # Before the handler is there, it would end the program.
                caught = re.search(r"SigCgt:\s*(\w+)", pathlib.Path(f"/proc/{process.pid}/status").read_text("utf-8"))
                if int(caught.group(1), 16) >> (number - 1) & 1:
                    process.send_signal(number)
            time.sleep(0.01)
        process.communicate()
        self.assertEqual(process.returncode, 4)
        for name in self.files():
            self.live(name)

    def test_interval(self):
        self.run_actions("a:10", "until:2.heap", "b:2", profile="%n.heap", profile_interval="100ms")
        for number in range(3):
            self.expect(f"{number}.heap", (10, 0), reason="interval")
        last = max(int(name.removesuffix(".heap")) for name in self.files())
        self.expect(f"{last}.heap", (10, 2), reason="exit")

    def test_sample_of_nothing_or_nonsense_is_the_default(self):
        for value in ("0", "often"):
            process = self.start("a:10", profile="x.heap", sample_interval=value)
            errors = process.communicate()[1]
            self.assertRegex(errors, rf'\Ahotlane: HOTLANE_SAMPLE_INTERVAL="{value}": expected a size .*; using 512K\n\Z')
            self.assertEqual((process.returncode, self.live("x.heap")[2]["period"]), (0, 512 << 10))

    def test_unwinder_is_told(self):
        for unwinder in ("libunwind", "fp"):
            self.run_actions("a:10", profile=f"{unwinder}.heap", unwind=unwinder)
            self.assertEqual(self.expect(f"{unwinder}.heap", (10, 0))["unwind"], unwinder)


class Interface(Session):
    def test_start_stop_dump(self):
        _, output = self.run_actions("a:10", "start:1", "a:5", "stop", "b:7", "dump:1.heap", "drop", "dump:2.heap")
        self.assertEqual(output, "start 0\ndump 0\ndump 0\n")
        self.expect("1.heap", (5, 0), reason="call")
        self.expect("2.heap", (0, 0), (5, 0))  # freed after the end, and counted
        self.assertEqual(self.files(), ["1.heap", "2.heap"])

    def test_dump_without_a_profile(self):
        _, output = self.run_actions("a:10", "dump:1.heap")
        self.assertEqual((output, self.files()), ("dump -1\n", []))

    def test_second_start_keeps_the_first(self):
        self.run_actions("start:1", "a:10", "stop", "b:3", "start:1", "b:4", "dump:1.heap")
        self.expect("1.heap", (10, 4))

    def test_default_name(self):
        pid, _ = self.run_actions("start:0", "a:10", "dump", "dump")
        self.assertEqual(self.files(), [f"hotlane.{pid}.0.heap", f"hotlane.{pid}.1.heap"])

    def test_dump_beside_the_options(self):
        self.run_actions("a:10", "dump", "dump:other.heap", "b:1", profile="%n.heap")
        self.assertEqual(self.files(), ["0.heap", "2.heap", "other.heap"])
        self.expect("other.heap", (10, 0), reason="call")
        self.expect("2.heap", (10, 1), reason="exit")


class Peak(Session):
    def expect_peak(self, name, *objects):
        document = dumps.report(ARGUMENTS.command, self.scratch / name)
        found = dumps.by_function(document, PLACES)
        self.assertEqual(tuple(found[place]["peak"]["objects"] if place in found else 0 for place in PLACES), objects)
        self.assertTrue(document["has_peak"])
        return document

    def test_what_was_live_at_the_highest_moment(self):
        """Neither the most of each place alone nor what is live at the end."""
        self.run_actions("a:30", "drop", "a:20", "b:15", "drop", "b:25", "a:2", "drop", "a:3", profile="x.heap")
        self.expect_peak("x.heap", 20, 15)

    def test_the_present_is_the_peak(self):
        self.run_actions("a:5", "drop", "b:10", "a:1", profile="x.heap")
        self.expect_peak("x.heap", 1, 10)

    def test_each_dump_has_the_peak_so_far(self):
        self.run_actions("a:10", "dump", "drop", "b:4", "dump", "a:9", "dump", profile="%n.heap")
        for number, peak in enumerate(((10, 0), (10, 0), (9, 4))):
            self.expect_peak(f"{number}.heap", *peak)

    def test_a_second_session_goes_on(self):
        self.run_actions("start:1", "a:10", "stop", "drop", "b:40", "start:1", "b:4", "dump:1.heap", "a:9",
                         "dump:2.heap")
        self.expect_peak("1.heap", 10, 0)
        self.expect_peak("2.heap", 9, 4)

    def test_a_child_goes_on(self):
        pid, _ = self.run_actions("a:10", "child:b:4", "drop", "b:3", profile="%p.heap")
        name, = set(self.files()) - {f"{pid}.heap"}
        self.expect_peak(name, 10, 4)
        self.expect_peak(f"{pid}.heap", 10, 0)


class Timeline(Session):
    def test_points_are_in_order_and_end_with_the_present(self):
        self.run_actions("a:1000", "until:1.heap", "drop", "b:10", profile="%n.heap", profile_interval="300ms")
        last = max(self.files(), key=lambda name: int(name.removesuffix(".heap")))
        points = self.expect(last, (0, 10), (1000, 10), "exit")["timeline"]
        self.assertGreater(len(points), 5)
        self.assertLessEqual(len(points), 1000)
        for before, after in zip(points, points[1:]):
            self.assertLessEqual((before[0], before[3], before[4]), (after[0], after[3], after[4]))
        self.assertGreater(max(point[1] for point in points), 1_000_000)
        self.assertLess(points[-1][1], 200_000)
        for _, live, resident, requests, misses in points:
            self.assertGreater(resident, 1 << 20)
            self.assertGreaterEqual(requests, misses)
        self.assertGreater(points[len(points) // 2][3], 1000)  # small requests count, too


    def resident(self, name):
        return [point[2] for point in self.live(name)[2]["timeline"]]

    def test_a_sandbox_may_forbid_to_open_files(self):
        """No point needs a file. The profile at the end would, so the program ends without one."""
        self.run_actions("a:10", "work:30", "sandbox", "work:150", "quit", profile="x.heap")

    def test_a_sandbox_of_a_program_that_closed_all_descriptors(self):
        if "Seccomp:\t0" not in pathlib.Path("/proc/self/status").read_text("utf-8"):
            self.skipTest("within another filter, a new one cannot be noticed")
        self.run_actions("a:10", "work:30", "closefrom", "sandbox", "work:150", "quit", profile="x.heap")

    def test_memory_is_known_after_all_descriptors_were_closed(self):
        self.run_actions("a:10", "work:30", "closefrom", "work:150", profile="x.heap")
        self.assertGreater(min(self.resident("x.heap")), 1 << 20)

    def test_a_child_tells_its_own_memory(self):
        """The child holds 60 MB, its parent next to nothing."""
        pid, _ = self.run_actions("a:10", "work:30", "child:hold:60", profile="%p.heap")
        name, = set(self.files()) - {f"{pid}.heap"}
        self.assertGreater(self.resident(name)[-1], 60_000_000)
        self.assertLess(self.resident(f"{pid}.heap")[-1], 60_000_000)


class Processes(Session):
    def test_child_writes_its_own(self):
        pid, _ = self.run_actions("a:10", "dump", "child:b:4", "a:1", profile="%p.%n.heap")
        own = {f"{pid}.0.heap", f"{pid}.1.heap"}
        childs = set(self.files()) - own
        self.assertEqual((len(childs), len(self.files())), (1, 3))
        name = childs.pop()
        self.assertTrue(name.endswith(".0.heap"))
        document = self.expect(name, (10, 4), reason="exit")
        self.assertEqual(f"{document['process']}.0.heap", name)
        self.expect(f"{pid}.1.heap", (11, 0), reason="exit")

    def test_child_writes_none_that_would_be_its_parents(self):
        _, output = self.run_actions("a:10", "child:b:4", "child:dump", profile="x.heap")
        self.assertEqual(output, "dump -1\n")  # the parent, which ends last, would write over a child's file
        self.assertEqual(self.files(), ["x.heap"])
        self.expect("x.heap", (10, 0), reason="exit")

    def test_child_of_threads_follows_frame_pointers(self):
        """The loader's lock, which libunwind takes, may be held by a thread that the child does not have."""
        pid, _ = self.run_actions("thread", "a:10", "child:b:4", profile="%p.heap")
        name, = set(self.files()) - {f"{pid}.heap"}
        self.assertEqual(self.expect(name, (10, 4))["unwind"], "fp")
        self.assertEqual(self.expect(f"{pid}.heap", (10, 0))["unwind"], "libunwind")

    def test_programs_that_are_started(self):
        script = '"$0" a:1; "$0" a:2 & wait; exec "$0" a:3'
        process = subprocess.run(["bash", "-c", script, ARGUMENTS.program], cwd=self.scratch, check=True, timeout=60,
                                 env=dumps.environment(ARGUMENTS.preload, profile="%e.%p.heap", sample_interval=1))
        self.assertEqual(process.returncode, 0)
        found = sorted(self.live(name)[0] for name in self.files() if name.startswith("session."))
        self.assertEqual(found, [(1, 0), (2, 0), (3, 0)])


class Failures(Session):
    def test_no_such_directory(self):
        self.run_actions("a:10", "status:3", profile="/nonexistent/x.heap", status=3,
                         stderr="hotlane: cannot write the profile to /nonexistent/x.heap: "
                                "No such file or directory\n")

    def test_full(self):
        self.run_actions("a:10", "status:3", profile="/dev/full", status=3,
                         stderr="hotlane: cannot write the profile to /dev/full: No space left on device\n")

    def test_full_disk_leaves_no_half(self):
        """A limit on the size of files is where the write stops, as on a disk that is full. Its signal would end the
        program."""
        variables = dumps.environment(None, sample_interval=1, profile="x.heap")
        script = 'ulimit -f 1; exec "$0" a:100 status:3'
        done = subprocess.run(["bash", "-c", script, ARGUMENTS.program], env=variables, cwd=self.scratch, timeout=60,
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (3, "hotlane: cannot write the profile to x.heap: File too large\n"))
        self.assertEqual(self.files(), [])

    def test_planted_link_is_not_followed(self):
        """The name of a temporary file must not be known beforehand."""
        (self.scratch / "victim").write_text("precious")
        script = 'ln -s victim x.heap.$$.tmp; exec "$0" a:10'
        variables = dumps.environment(None, sample_interval=1, profile="x.heap")
        subprocess.run(["bash", "-c", script, ARGUMENTS.program], env=variables, cwd=self.scratch, timeout=60,
                       check=True)
        self.assertEqual((self.scratch / "victim").read_text(), "precious")
        self.expect("x.heap", (10, 0))

    def test_call_that_fails(self):
        _, output = self.run_actions("start:1", "a:10", "dump:/nonexistent/x.heap", "dump:x.heap",
                                     stderr="hotlane: cannot write the profile to /nonexistent/x.heap: "
                                            "No such file or directory\n")
        self.assertEqual(output, "start 0\ndump -1\ndump 0\n")
        self.expect("x.heap", (10, 0))

    def test_whole_at_every_moment(self):
        path = self.scratch / "x.heap"
        for _ in range(4):
            process = self.start("start:1", "a:200", f"storm:{path}")
            begin, reads = time.monotonic(), 0
            while reads < 20:
                self.assertIsNone(process.poll())
                self.assertLess(time.monotonic() - begin, 30)
                if path.exists():
                    head, _, maps = path.read_text("utf-8").partition("\nMAPPED_LIBRARIES:\n")
                    self.assertTrue(head.startswith("heap profile: "))
                    self.assertRegex(maps, r"(?s)\[stack\].*\n\Z")
                    reads += 1
            process.kill()
            process.communicate()
            self.assertEqual(self.live("x.heap")[0][0], 200)
            path.unlink()


class Static(Session):
    """No loader in the process: libunwind is there when it was linked, else frame pointers are followed."""

    def run_static(self, program, stderr, unwinder):
        self.run_actions("a:10", "b:3", "child:b:4", program=program, profile="x.heap", stderr=stderr)
        self.assertEqual(self.expect("x.heap", (10, 3), reason="exit")["unwind"], unwinder)

    def test_without_libunwind(self):
        self.run_static(ARGUMENTS.static, "hotlane: libunwind.so.8 cannot be loaded: stacks are taken by frame "
                                          "pointers\n", "fp")

    def test_with_libunwind(self):
        if not ARGUMENTS.static_with_libunwind:
            self.skipTest("no libunwind.a")
        self.run_static(ARGUMENTS.static_with_libunwind, "", "libunwind")


if __name__ == "__main__":
    ARGUMENTS = dumps.parse_arguments(__doc__, **{"--static": {"type": os.path.abspath},
                                                  "--static-with-libunwind": {"type": os.path.abspath}})
    unittest.main(argv=sys.argv[:1], verbosity=2)
