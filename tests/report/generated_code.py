#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests profiles of a program with functions that it generates, as virtual machines do: their frames, and their names
from perf's map.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

COMMAND = PROGRAM = None
OBJECTS = 20
STACK = ["native_leaf", "py::inner", "native_middle", "JS:~outer", "main"]


def environment():
    return {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}


class GeneratedCode(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="hotlane-generated-")
        self.addCleanup(scratch.cleanup)
        self.path = pathlib.Path(scratch.name)
        done = self.run_hotlane("profile", "--every-allocation", "-o", "x.heap", "--", PROGRAM, OBJECTS)
        self.map = done.stdout
        self.process = int(re.search(r"(?m)^# process: (\d+)", (self.path / "x.heap").read_text("utf-8"))[1])

    def run_hotlane(self, *arguments):
        done = subprocess.run([COMMAND, *map(str, arguments)], cwd=self.path, env=environment(), timeout=60, text=True,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def own_map(self, text):
        """Writes the map where perf looks for it."""
        path = pathlib.Path(f"/tmp/perf-{self.process}.map")
        self.addCleanup(path.unlink)
        path.write_text(text, "utf-8")
        return path

    def stacks(self, *options):
        """The stacks of at least OBJECTS objects, as functions up to main, and the frames' places."""
        document = json.loads(self.run_hotlane("report", "--json", "-", *options, "x.heap").stdout)
        for stack in document["stacks"]:
            frames = [document["frames"][frame] for frame in stack["frames"]]
            functions = [document["functions"][frame["function"]] for frame in frames]
            names = [function["name"] for function in functions]
            if stack["live"]["objects"] == OBJECTS:
                places = {function["name"]: (function["file"], frame["line"])
                          for function, frame in zip(functions, frames)}
                return names[:names.index("main") + 1], places
        self.fail("no such stack")

    def unnamed(self):
        names, _ = self.stacks()
        self.assertEqual([names[0], names[2], names[4]], [STACK[0], STACK[2], STACK[4]])
        self.assertRegex(names[1], "^0x")
        self.assertRegex(names[3], "^0x")

    def test_native_frames_around_it_are_found(self):
        self.unnamed()

    def test_named_file(self):
        (self.path / "perf.map").write_text(self.map, "utf-8")
        names, places = self.stacks("--perf-map", "perf.map")
        self.assertEqual(names, STACK)
        self.assertEqual((places["py::inner"], places["JS:~outer"]), (("/srv/app.py", 0), ("/srv/app.js", 7)))

    def test_own_file(self):
        self.own_map(self.map)
        self.assertEqual(self.stacks()[0], STACK)
        self.assertIn(b"py::inner", subprocess.run([COMMAND, "report", "--folded", "-", "x.heap"], cwd=self.path,
                                                   capture_output=True, check=True, env=environment()).stdout)

    def test_not_beside_a_dump_of_another_machine(self):
        self.own_map(self.map)
        names = json.loads(self.run_hotlane("report", "--json", "-", "--sysroot", "/nonexistent", "x.heap").stdout)
        self.assertNotIn("py::inner", str(names["functions"]))

    def test_a_link_is_not_followed(self):
        (self.path / "elsewhere").write_text(self.map, "utf-8")
        path = pathlib.Path(f"/tmp/perf-{self.process}.map")
        self.addCleanup(path.unlink)
        path.symlink_to(self.path / "elsewhere")
        self.unnamed()

    def test_a_fifo_is_not_waited_for(self):
        path = f"/tmp/perf-{self.process}.map"
        self.addCleanup(os.unlink, path)
        os.mkfifo(path)
        self.unnamed()

    def test_an_older_file_is_another_process_s(self):
        os.utime(self.own_map(self.map), (1_000_000_000, 1_000_000_000))
        self.unnamed()

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_a_file_of_another_user_is_not_trusted(self):
        path = self.own_map(self.map)
        os.chown(path, 12345, 12345)
        self.unnamed()
        os.chown(self.path / "x.heap", 12345, 12345)  # unless the dump is that user's, too
        self.assertEqual(self.stacks()[0], STACK)

    def test_odd_lines(self):
        """The last line about an address counts; what is no line is ignored; names are made safe to show."""
        start, size, _ = self.map.splitlines()[0].split(" ", 2)
        lines = [self.map, "no line", "ffffffffffffffff ff overflow", f"{start} 0 empty", "123456789012345678901 1 x",
                 f"{start} {size} first", f"{start} {size} \x1b[2Jlast name", f"{start} {size} not written to its e"]
        (self.path / "perf.map").write_text("\n".join(lines), "utf-8")
        names, _ = self.stacks("--perf-map", "perf.map")
        self.assertEqual(names[1], "\\033[2Jlast name")

    def test_missing_file(self):
        done = subprocess.run([COMMAND, "report", "--perf-map", "none", "x.heap"], cwd=self.path, capture_output=True,
                              text=True, check=False, env=environment())
        self.assertEqual((done.returncode, done.stderr), (2, "hotlane: none: No such file or directory\n"))


if __name__ == "__main__":
    COMMAND, PROGRAM = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1], verbosity=2)
