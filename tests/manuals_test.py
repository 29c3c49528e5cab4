#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hotlane(1) has every option and metric, hotlane(3) every function and structure, and its example compiles."""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

COMMAND = PAGE_1 = PAGE_3 = INCLUDE = None
SUBCOMMANDS = (["profile"], ["report"], ["bench", "load"], ["pools", "generate"], ["pools", "show"], ["pools", "check"])


def hotlane(*arguments):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, env=kept, timeout=60, check=True)


class Command(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = PAGE_1.read_text("utf-8")

    def section(self, heading):
        return re.search(rf"\n\.S[hs] {heading}\n(.*?)(?=\n\.S[hs] |\Z)", self.page, re.DOTALL).group(1)

    def test_has_the_option_table(self):
        entries = dict(re.findall(r"\n\.It Ev (HOTLANE_\w+)(.*?)(?=\n\.It |\n\.El)", self.page, re.DOTALL))
        rows = [line.split()[:3] for line in hotlane("env").stdout.splitlines()[1:]]
        self.assertEqual(list(entries), [name for name, _, _ in rows])
        for name, _, default in rows:
            if default != "-":
                said = re.search(r"Default:\n\.Cm (\S+)", entries[name])
                self.assertEqual(said and said.group(1), default, name)

    def test_has_the_arguments_of_each_subcommand(self):
        for subcommand in SUBCOMMANDS:
            heading = "hotlane pools" if subcommand[0] == "pools" else "hotlane " + " ".join(subcommand)
            offered = re.findall(r"^  (?:-\w,)?--([a-z-]+)", hotlane(*subcommand, "--help").stdout, re.MULTILINE)
            described = re.findall(r"\bFl -([a-z-]+)", self.section(heading))
            self.assertGreater(len(offered), 4)
            self.assertEqual(set(offered) - {"help"} - set(described), set(), subcommand)

    def test_has_every_metric(self):
        entries = re.findall(r"^\.It Li (\w+)(?: , Li (hotlane_\w+))?$", self.section("Metrics"), re.MULTILINE)
        report = json.loads(hotlane("run", "--stats=json", sys.executable, "-c", "").stderr)
        keys = set().union(*(report[part] for part in ("totals", "memory", "process")), *report["classes"],
                           *report["fallback_allocations"].values()) - {"program", "pid", "labels", "size"}
        self.assertEqual(keys - {key for key, _ in entries}, set())
        report = hotlane("run", "--stats=prometheus", sys.executable, "-c", "").stderr
        families = re.findall(r"^# TYPE (\w+)", report, re.MULTILINE)
        self.assertEqual(sorted(name for _, name in entries if name), sorted(set(families) - {"hotlane_process_info"}))

    def test_the_example_of_pools_works(self):
        with tempfile.TemporaryDirectory() as directory:
            files = []
            for heading, name in (("Contracts in YAML", "c.yaml"), ("Service file", "s.toml")):
                example = re.search(r"\.Bd -literal[^\n]*\n(.*?)\.Ed", self.section(heading), re.DOTALL).group(1)
                files.append(pathlib.Path(directory) / name)
                files[-1].write_text(example, "utf-8")
            table = hotlane("pools", "show", files[0], "--config", files[1]).stdout
        self.assertRegex(table, r"\nSwapEvent +84 +128 +1,024 +131,072 +34.4 %\nNotice +1,684 +2,048 +64 ")


class Interface(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.page = PAGE_3.read_text("utf-8")
        cls.header = "\n".join(path.read_text("utf-8") for path in sorted((INCLUDE / "hotlane").glob("*.h")))

    def test_has_every_function(self):
        code = re.sub(r"/\*.*?\*/|^#.*?$|__attribute__\(\(\w+\)\)", "", self.header, flags=re.DOTALL | re.MULTILINE)
        declared = set(re.findall(r"^\w[^;{}()=]*?\b(hotlane_\w+)\(", code, re.MULTILINE))
        # The inlined functions call these.
        declared = {name for name in declared if not name.endswith("_slow")} - {"hotlane_pool_may",
                                                                                         "hotlane_pool_is_foreign"}
        self.assertGreater(len(declared), 20)
        self.assertEqual(set(re.findall(r"^\.F[no] (hotlane_\w+)", self.page, re.MULTILINE)), declared)

    def test_has_every_member(self):
        described = set(re.findall(r"\w+", " ".join(re.findall(r"^\.(?:It )?Va (.*)$", self.page, re.MULTILINE))))
        for name, body in re.findall(r"struct (hotlane_\w*statistics) \{(.*?)\n\};", self.header, re.DOTALL):
            for member in re.findall(r"^ +\w+ (\w+)(?:\[\d+\])?;", body, re.MULTILINE):
                self.assertIn(member, described, name)

    @unittest.skipUnless(shutil.which("cc"), "no cc")
    def test_the_example_compiles(self):
        example = re.search(r"\.Bd -literal[^\n]*\n(.*?)\.Ed", self.page, re.DOTALL).group(1).replace("\\e", "\\")
        result = subprocess.run(["cc", "-x", "c", "-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                                 "-I", INCLUDE, "-"], input=example, capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class Format(unittest.TestCase):
    @unittest.skipUnless(shutil.which("groff"), "no groff")
    def test_formats_without_warnings(self):
        for page in (PAGE_1, PAGE_3):
            result = subprocess.run(["groff", "-mdoc", "-Tutf8", "-ww", "-z", page], capture_output=True, text=True,
                                    check=False)
            self.assertEqual((result.returncode, result.stderr), (0, ""))


def main():
    global COMMAND, PAGE_1, PAGE_3, INCLUDE
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", type=pathlib.Path, help="the hotlane command")
    parser.add_argument("page_1", type=pathlib.Path, help="hotlane.1")
    parser.add_argument("page_3", type=pathlib.Path, help="hotlane.3")
    parser.add_argument("include", type=pathlib.Path, help="the directory of hotlane/")
    arguments, rest = parser.parse_known_args()
    COMMAND, PAGE_1, PAGE_3, INCLUDE = (getattr(arguments, name).resolve() for name in
                                        ("command", "page_1", "page_3", "include"))
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
