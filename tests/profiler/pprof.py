#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the profile that the library itself writes in pprof's format: it says the same as the dump."""
import gzip
import os
import re
import shutil
import subprocess
import sys
import unittest

import dumps
import protobuf
import sessions

TYPES = [(f"{name}_{what}", unit) for name in ("inuse", "alloc", "temporary", "peak")
         for what, unit in (("objects", "count"), ("space", "bytes"))]


class Pprof(sessions.Session):
    def written(self, *actions, **options):
        """The profile that `actions` leave, in both formats."""
        self.run_actions("start:1", *actions, "stop", "print:x.heap", "pprof:x.pb", **options)
        return (self.scratch / "x.heap").read_text("utf-8"), protobuf.Profile((self.scratch / "x.pb").read_bytes())

    def test_says_what_the_dump_says(self):
        text, profile = self.written("a:10", "b:3", "drop", "b:4", "child:status:0")
        sites = re.findall(r"\] @ (.*)\n# site: live=(\d+),(\d+),\d+ total=(\d+),(\d+),\d+ peak=(\d+),(\d+),\d+ "
                           r"temporary=(\d+),(\d+)", text)
        expected = sorted((tuple(int(frame, 16) - 1 for frame in frames.split()),
                           tuple(map(int, live + total + temporary + peak)))
                          for frames, *v in sites
                          for live, total, peak, temporary in [(v[0:2], v[2:4], v[4:6], v[6:8])])
        found = sorted((tuple(address for address, _ in sample["locations"]), tuple(sample["values"]))
                       for sample in profile.samples)
        self.assertGreaterEqual(len(found), 2)
        self.assertEqual(found, expected)
        self.assertEqual((profile.types, profile.period, profile.period_type, profile.default_type),
                         (TYPES, 1, "space", "inuse_space"))
        self.assertRegex("malloc", f"^({profile.drop_frames})$")

    def test_mappings(self):
        """The program and its libraries with the build-ids of the dump, and every frame in one of them."""
        text, profile = self.written("a:10")
        ids = dict(re.findall(r"# build_id: 0x(\w+) (\w+)", text))
        files = {path: ids.get(start) for start, path in re.findall(r"(?m)^(\w+)-\w+ r\S+ 00000000 \S+ \d+ +(/.*)", text)}
        for mapping in profile.mappings.values():
            self.assertEqual(mapping["build_id"], files[mapping["file"]] or "", mapping)
        program = [mapping for mapping in profile.mappings.values() if mapping["file"] == ARGUMENTS.program]
        self.assertEqual(len(program), 1)
        self.assertTrue(program[0]["build_id"])
        for sample in profile.samples:
            for address, mapping in sample["locations"]:
                self.assertIsNotNone(mapping, hex(address))

    def test_function(self):
        self.run_actions("start:1", "a:10", "stop", "pprof:x.pb", "collect:y.pb")
        x, y = (protobuf.Profile((self.scratch / name).read_bytes()) for name in ("x.pb", "y.pb"))
        self.assertEqual((x.samples, x.mappings), (y.samples, y.mappings))

    def sums(self, profile):
        """Objects of all time at place_a and place_b, by the labels of their samples."""
        sums = {}
        for sample in profile.samples:
            labels = tuple(sorted(sample["labels"].items()))
            sums[labels] = sums.get(labels, 0) + sample["values"][2]
        return sums

    def read_command(self, name):
        done = subprocess.run([ARGUMENTS.command, "report", "--pprof", "-", name], cwd=self.scratch, timeout=60,
                              capture_output=True, check=True)
        return protobuf.Profile(gzip.decompress(done.stdout))

    ODD_NAMES = ("two words", 'quote"é', "new\nline\x1b[2J", "fifteen letters")

    def test_tags(self):
        """Each size and each name has its samples, in both writers."""
        actions = ["size:100", "a:7", "size:2000", "a:2", "size:100000", "a:1"]
        for count, name in enumerate(self.ODD_NAMES, 1):
            actions += ["size:100", f"named:{name}=a:{count}", "size:2000", f"named:{name}=a:{100 + count}"]
        text, own = self.written(*actions, profile_tags="all")
        self.assertEqual(len(re.findall("(?m)^# thread: ", text)), 1 + len(self.ODD_NAMES))
        for profile in (own, self.read_command("x.heap")):
            sums = self.sums(profile)
            self.assertEqual(sums[("bytes", (128, "bytes")), ("thread", "session")], 7 + len(self.ODD_NAMES))
            self.assertEqual(sums[("bytes", (102400, "bytes")), ("thread", "session")], 1)
            for count, name in enumerate(self.ODD_NAMES, 1):
                shown = re.sub(r"[\x00-\x1f]", lambda found: f"\\{ord(found.group()):03o}", name)
                self.assertGreaterEqual(sums[("bytes", (128, "bytes")), ("thread", shown)], count)
                self.assertEqual(sums[("bytes", (2048, "bytes")), ("thread", shown)], 100 + count)

    def test_difference_has_tags(self):
        self.run_actions("start:1", "a:5", "size:2000", "a:2", "print:1.heap", "a:3", "size:1000", "a:4",
                         "print:2.heap", profile_tags="size")
        done = subprocess.run([ARGUMENTS.command, "report", "--pprof", "-", "--base", "1.heap", "2.heap"], timeout=60,
                              cwd=self.scratch, capture_output=True, check=True)
        sums = self.sums(protobuf.Profile(gzip.decompress(done.stdout)))
        self.assertEqual({labels[0][1][0]: count for labels, count in sums.items() if count}, {1024: 4, 2048: 3})

    def test_one_tag(self):
        for tag, label in (("size", "bytes"), ("thread", "thread")):
            _, profile = self.written("size:100", "named:other=a:60", "size:2000", "named:other=a:20",
                                      profile_tags=tag)
            sums = self.sums(profile)
            if tag == "size":
                self.assertEqual(sums[("bytes", (2048, "bytes")),], 21)
            else:
                self.assertIn(80, [count for labels, count in sums.items() if ("thread", "other") in labels])

    def test_without_tags_the_mean_size(self):
        text, profile = self.written("size:64", "a:3", "size:128", "a:1")
        self.assertNotRegex(text, r"# thread:| size=\d| thread=")
        for each in (profile, self.read_command("x.heap")):
            self.assertEqual(self.sums(each)[("bytes", (80, "bytes")),], 4)

    def test_more_names_than_places(self):
        """The table is full: the others have one name together, and nothing is lost."""
        actions = [f"named:t{number}=a:1" for number in range(1200)]
        text, profile = self.written(*actions, profile_tags="thread")
        self.assertIn("(others)\n", text)
        by_name = {}
        for sample in profile.samples:
            if sample["values"][0] == 1 or sample["labels"].get("thread") == "(others)":
                name = sample["labels"].get("thread", "")
                by_name[name] = by_name.get(name, 0) + sample["values"][0]
        self.assertGreater(by_name["(others)"], 100)

    def test_static(self):
        text, profile = self.written("a:10", program=ARGUMENTS.static, unwind="fp")
        self.assertIn(10, [sample["values"][0] for sample in profile.samples])
        self.assertIn("# unwind: fp", text)

    @unittest.skipUnless(shutil.which("go"), "no go")
    def test_go_tool(self):
        self.written("a:10")
        done = subprocess.run(["go", "tool", "pprof", "-top", ARGUMENTS.program, "x.pb"], cwd=self.scratch, timeout=60,
                              capture_output=True, text=True, check=False)
        self.assertIn("place_a", done.stdout, done.stderr)


if __name__ == "__main__":
    ARGUMENTS = sessions.ARGUMENTS = dumps.parse_arguments(
        __doc__, **{"--static": {"type": os.path.abspath}, "--static-with-libunwind": {"type": os.path.abspath}})
    unittest.main(argv=sys.argv[:1], verbosity=2)
