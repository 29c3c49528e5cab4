#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Processes that publish their counters (HOTLANE_LIVE), and the commands that read them: ps, dump, profile --attach."""

import argparse
import contextlib
import os
import pathlib
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

COMMAND = LIBRARY = WAITS = WAITS_STATIC = None
# The words of the file: src/live/layout.h.
FORMAT, STARTED, SEQUENCE, COUNTERS = 8, 40, 104, 112


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}
    return kept | {"HOTLANE_STATS": "off"} | more


def poke(file, offset, value):
    with open(file, "r+b") as out:
        out.seek(offset)
        out.write(struct.pack("<Q", value))


class Live(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.live = pathlib.Path(scratch.name) / "live"
        self.live.mkdir(mode=0o700)

    def start(self, *arguments, program=None, preload=True, **options):
        variables = options.pop("env", {})
        process = subprocess.Popen([program or WAITS, *arguments], stderr=subprocess.PIPE, text=True,
                                   env=environment(HOTLANE_LIVE=str(self.live), **variables,
                                                   **({"LD_PRELOAD": LIBRARY} if preload else {})), **options)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def hotlane(self, *arguments):
        return subprocess.run([COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False,
                              cwd=self.live.parent, env=environment(HOTLANE_LIVE=str(self.live)))

    def wait_for(self, condition, what):
        end = time.monotonic() + 20
        while not condition():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.02)

    def stop(self, process):
        """Returns when no thread of the process runs any more."""
        process.send_signal(signal.SIGSTOP)
        self.wait_for(lambda: pathlib.Path(f"/proc/{process.pid}/stat").read_text().split()[2] == "T", "runs")

    def names(self):
        return sorted(path.name for path in self.live.iterdir())

    def file_of(self, process):
        file = self.live / str(process.pid)
        self.wait_for(file.exists, "no file")
        self.wait_for(lambda: str(process.pid) in self.hotlane("ps").stdout, "not listed")
        return file

    def expect_error(self, status, line, *arguments):
        result = self.hotlane(*arguments)
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("", f"hotlane: {line}\n", status))


class Publishing(Live):
    def test_a_process_that_only_waits_is_listed(self):
        process = self.start()
        self.assertEqual(self.file_of(process).stat().st_mode & 0o777, 0o600)
        lines = self.hotlane("ps").stdout.splitlines()
        self.assertTrue(lines[0].startswith("PID     PROGRAM "), lines)
        self.assertEqual(lines[1].split()[:2], [str(process.pid), "waits"])

    def test_the_file_goes_away_at_exit(self):
        result = subprocess.run(["ls", self.live], capture_output=True, text=True, check=True, timeout=60,
                                env=environment(HOTLANE_LIVE=str(self.live), LD_PRELOAD=LIBRARY))
        self.assertRegex(result.stdout, r"^\d+\n$")
        self.assertEqual((self.names(), result.stderr), ([], ""))

    def test_a_killed_process_is_forgotten(self):
        process = self.start()
        file = self.file_of(process)
        process.kill()
        process.wait()
        self.assertTrue(file.exists())
        self.assertIn("no process publishes", self.hotlane("ps").stderr)
        self.assertFalse(file.exists())

    def test_a_process_with_the_same_id_is_another_one(self):
        process = self.start()
        file = self.file_of(process)
        poke(file, STARTED, 1)
        self.assertEqual(self.hotlane("ps").stdout, "")
        # The process notices that its file has gone.
        self.file_of(process)

    def test_a_file_that_its_owner_cuts_off_is_replaced(self):
        process = self.start()
        file = self.file_of(process)
        for size in (0, 4096):
            os.truncate(file, size)
            self.wait_for(lambda: process.poll() is not None or (file.exists() and file.stat().st_size > 4096),
                          "not replaced")
            self.assertIsNone(process.poll(), "ended by a signal")
            self.file_of(process)
        self.assertEqual(self.hotlane("profile", "--attach", process.pid, "--duration", "100ms").returncode, 0)

    def test_a_child_has_its_own_file(self):
        process = self.start("fork", env={"HOTLANE_LABELS": "role=test"})
        self.wait_for(lambda: len(self.hotlane("ps").stdout.splitlines()) == 3, "no child")
        child = next(int(name) for name in self.names() if int(name) != process.pid)
        os.kill(child, signal.SIGKILL)
        self.wait_for(lambda: len(self.hotlane("ps").stdout.splitlines()) == 2, "the child stays")

    def test_an_executed_program_replaces_the_file(self):
        process = self.start("exec")
        self.wait_for(lambda: self.is_allocating(process), "not replaced")
        self.assertEqual(self.names(), [str(process.pid)])

    def is_allocating(self, process):
        command = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        return b"allocate" in command and str(process.pid) in self.hotlane("ps").stdout

    def test_closed_descriptors_change_nothing(self):
        process = self.start("close", env={"HOTLANE_PROFILE_SIGNAL": "USR2"})
        self.file_of(process)
        self.assertEqual(self.hotlane("profile", "--attach", process.pid, "--duration", "100ms").returncode, 0)

    def test_a_static_program_publishes_too(self):
        self.file_of(self.start("allocate", program=WAITS_STATIC, preload=False))

    def run_true(self, directory, **options):
        return subprocess.run(["/bin/true"], capture_output=True, text=True, check=True, timeout=60,
                              env=environment(HOTLANE_LIVE=str(directory), LD_PRELOAD=LIBRARY), **options).stderr

    def test_directories_that_are_not_safe_are_refused(self):
        link = self.live.parent / "link"
        link.symlink_to(self.live)
        self.assertEqual(self.run_true(link), f"hotlane: no live counters in {link}: not a directory, or a link to one\n")
        self.assertEqual(self.run_true("live"), "hotlane: HOTLANE_LIVE=live: expected an absolute path, or auto\n")
        self.assertRegex(self.run_true(self.live / "none"), "^hotlane: no live counters in .*No such file or directory\n$")
        self.live.chmod(0o770)
        self.assertRegex(self.run_true(self.live), "^hotlane: no live counters in .*: others may write in it; its mode must be 0700\n$")
        self.expect_error(125, f"ps: others may write in the directory {self.live}; its mode must be 0700", "ps")

    def test_a_directory_of_another_user_is_refused(self):
        if os.geteuid() != 0:
            self.skipTest("only root can give a directory away")
        os.chown(self.live, 65534, 65534)
        self.assertRegex(self.run_true(self.live), "^hotlane: no live counters in .*: it belongs to another user\n$")

    def test_limits_and_full_disks_are_told(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        self.assertRegex(self.run_true(self.live, preexec_fn=limit), "^hotlane: no live counters in .*: File too large\n$")
        self.assertEqual(self.names(), [])
        if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,mode=0700", "none", self.live],
                                               capture_output=True, check=False).returncode != 0:
            return
        with contextlib.ExitStack() as stack:
            stack.callback(subprocess.run, ["umount", self.live], check=True)
            self.assertRegex(self.run_true(self.live), "^hotlane: no live counters in .*: No space left on device\n$")
            self.assertEqual(self.names(), [])

    def test_auto_is_the_run_time_directory(self):
        result = subprocess.run([COMMAND, "run", "--live", "auto", "--", "ls", "-ld", self.live / "hotlane"], text=True,
                                capture_output=True, check=True, timeout=60, env=environment(XDG_RUNTIME_DIR=str(self.live)))
        self.assertRegex(result.stdout, "^drwx------")


class Requests(Live):
    def test_an_idle_process_is_profiled(self):
        process = self.start("allocate")
        self.file_of(process)
        self.expect_error(125, f"dump: process {process.pid}: it has no profile; start one first", "dump", process.pid)
        result = self.hotlane("profile", "--attach", process.pid, "--duration", "200ms", "--every-allocation")
        self.assertEqual((result.returncode, result.stderr), (0, f"hotlane: profile: wrote waits.{process.pid}.0.heap\n"))
        result = self.hotlane("dump", process.pid)
        self.assertEqual((result.returncode, result.stderr), (0, f"hotlane: dump: wrote waits.{process.pid}.1.heap\n"))
        self.assertEqual(self.names(), [str(process.pid)])
        self.assertIn("# hotlane profile ", (self.live.parent / f"waits.{process.pid}.1.heap").read_text())

    def test_a_busy_process_is_profiled(self):
        process = self.start("loop")
        self.file_of(process)
        result = self.hotlane("profile", "--attach", process.pid, "--duration", "500ms", "--report")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stdout, r"main\b.* waits")
        self.assertRegex(self.hotlane("ps").stdout, r"  -\n$")

    def test_a_process_that_ends_meanwhile_is_told(self):
        process = self.start()
        self.file_of(process)
        attached = subprocess.Popen([COMMAND, "profile", "--attach", str(process.pid)], stderr=subprocess.PIPE, text=True,
                                    env=environment(HOTLANE_LIVE=str(self.live)))
        self.wait_for(lambda: "running" in self.hotlane("ps").stdout, "no profile")
        process.kill()
        process.wait()
        self.assertEqual(attached.communicate(timeout=60)[1],
                         f"hotlane: profile: process {process.pid} ended before the profile was written\n")
        self.assertEqual(attached.returncode, 125)


class BadInput(Live):
    def test_mistakes_are_one_line(self):
        self.expect_error(125, f"dump: no process 1 publishes its counters in {self.live}", "dump", "1")
        self.expect_error(125, f"profile: no process 1 publishes its counters in {self.live}", "profile", "--attach", "1")
        self.expect_error(125, "profile: --attach takes no PROGRAM", "profile", "--attach", "1", "true")
        self.expect_error(125, f"ps: cannot open the directory {self.live}/none: No such file or directory",
                          "ps", "--live", self.live / "none")

    def test_another_release_is_told(self):
        process = self.start()
        poke(self.file_of(process), FORMAT, 1)
        other = "it runs another release of hotlane; use the command of that release"
        self.assertEqual(self.hotlane("ps").stderr, f"hotlane: ps: left out process {process.pid}: {other}\n")
        self.expect_error(125, f"dump: process {process.pid}: {other}", "dump", process.pid)

    def test_counters_that_stay_half_written_are_told(self):
        process = self.start()
        file = self.file_of(process)
        self.stop(process)
        poke(file, SEQUENCE, 7)
        self.expect_error(0, f"ps: left out process {process.pid}: the file is cut off, or its counters stay half written", "ps")
        process.send_signal(signal.SIGCONT)
        self.wait_for(lambda: str(process.pid) in self.hotlane("ps").stdout, "not listed again")

    def test_counters_of_any_value_do_no_harm(self):
        process = self.start()
        file = self.file_of(process)
        self.stop(process)
        whole = file.read_bytes()
        file.write_bytes(whole[:SEQUENCE] + bytes(8) + b"\xff" * (len(whole) - SEQUENCE - 8))
        result = self.hotlane("ps")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertIn(str(process.pid), result.stdout)

    def test_a_process_that_has_published_nothing_is_left_alone(self):
        process = self.start()
        file = self.file_of(process)
        self.stop(process)
        poke(file, COUNTERS, 0)
        self.assertEqual(self.hotlane("ps").stdout, "")
        self.assertTrue(file.exists())

    def test_files_that_are_not_ours_are_left_alone(self):
        process = self.start()
        whole = self.file_of(process).read_bytes()
        for name, content in (("1", whole[:20]), ("2", b""), ("3", b"x" * 60000)):
            (self.live / name).write_bytes(content)
        (self.live / "4").symlink_to("1")
        os.mkfifo(self.live / "5")
        (self.live / "6").mkdir()
        told = self.hotlane("ps").stderr.splitlines()
        self.assertEqual(len(told), 6, told)
        self.assertEqual(self.names(), sorted(["1", "2", "3", "4", "5", "6", str(process.pid)]))

    def test_a_file_that_was_cut_off_is_told(self):
        process = self.start()
        whole = self.file_of(process).read_bytes()
        self.stop(process)
        file = self.live / str(process.pid)
        file.unlink()
        file.write_bytes(whole[:5000])
        self.expect_error(0, f"ps: left out process {process.pid}: the file is cut off, or its counters stay half written", "ps")


def main():
    global COMMAND, LIBRARY, WAITS, WAITS_STATIC
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("library")
    parser.add_argument("waits")
    parser.add_argument("waits_static")
    parser.add_argument("rest", nargs="*", help="arguments of unittest")
    options = parser.parse_args()
    COMMAND, LIBRARY, WAITS, WAITS_STATIC = map(os.path.abspath, (options.command, options.library, options.waits,
                                                                  options.waits_static))
    unittest.main(argv=[sys.argv[0], *options.rest], verbosity=1)


if __name__ == "__main__":
    main()
