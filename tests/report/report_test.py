#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests `hotlane report` on dumps with known numbers: compares tables and exports with golden files, checks exports
against their formats, and compares the results with those of other tools."""

import argparse
import gzip
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
COMMAND = SELF_DUMP = PROTOC = None
UPDATE = False


def hotlane(*arguments):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}
    return subprocess.run([str(COMMAND), *map(str, arguments)], capture_output=True, text=True, env=environment,
                          timeout=60, check=False)


def output_of(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, timeout=120, check=True,
                          **options).stdout


class WithDumps(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.path = pathlib.Path(cls.directory.name)
        for name, argument in (("first", "--first"), ("later", "--later"), ("foreign", "--foreign"), ("old", "--old")):
            file = cls.path / f"{name}.heap"
            file.write_bytes(output_of(SELF_DUMP, argument))
            setattr(cls, name, file)

    def report(self, *arguments, status=0):
        result = hotlane("report", *arguments)
        self.assertEqual((result.stderr, result.returncode), ("", status))
        return result.stdout

    def expect_golden(self, name, text):
        file = HERE / "golden" / name
        if UPDATE:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
        self.assertEqual(text, file.read_text("utf-8"))


class Table(WithDumps):
    def test_top_sites(self):
        self.expect_golden("table.txt", self.report(self.first))

    def test_orders_and_groupings(self):
        text = ""
        for options in (["--sort", "live"], ["--sort", "cumulative"], ["--sort", "count", "--by", "function"],
                        ["--sort", "temporary", "--top", "1"], ["--sort", "slack", "--by", "library"],
                        ["--focus", "parse|leak"], ["--ignore", "parse|leak"], ["--focus", "no such function"]):
            text += f"{' '.join(options)}\n{self.report(self.first, *options)}\n"
        self.expect_golden("options.txt", text)

    def edited(self, name, file, *edits):
        text = file.read_text()
        for before, after in edits:
            self.assertIn(before, text)
            text = text.replace(before, after)
        edited = self.path / name
        edited.write_text(text)
        return edited

    def test_dumps_of_several_processes_are_added_up(self):
        other = self.edited("other.heap", self.later, ("# process: 1234", "# process: 1235"))
        self.expect_golden("sum.txt", self.report(self.first, other))
        for line in ("# series: 5\n", ""):  # of this version and of earlier ones
            reused = self.edited("reused.heap", self.later, ("# sequence: 0\n", f"# sequence: 1\n{line}"),
                                 ("# time_ns: 4102444800", "# time_ns: 4102444900"))
            self.expect_golden("sum.txt", self.report(self.first, reused))

    def test_of_one_process_the_last_dump_counts(self):
        for line in ("# series: 5\n", ""):
            dumps = [self.edited(f"x.1234.{number}.heap", file, ("# sequence: 0\n", f"# sequence: {number}\n{line}"))
                     for number, file in ((0, self.first), (1, self.first), (2, self.later))]
            expected = self.report(dumps[2])
            result = hotlane("report", dumps[1], dumps[2], dumps[0])
            self.assertEqual((result.stdout, result.returncode), (expected, 0))
            self.assertEqual(result.stderr, "hotlane: report: 2 of 3 dumps left out, because a later dump of the "
                                            f"same process includes them; using {dumps[2]}\n")
            other = self.edited("y.heap", self.later, ("# process: 1234", "# process: 1235"))
            result = hotlane("report", *dumps, other)
            self.assertEqual(result.stdout, self.report(dumps[2], other))
            self.assertEqual(result.stderr, "hotlane: report: 2 of 4 dumps left out, because later dumps of the same "
                                            "processes include them; using the last of each of 2 processes\n")
            self.expect_golden("difference.txt", self.report("--base", dumps[0], dumps[2]))

    def test_difference_of_two_dumps(self):
        self.expect_golden("difference.txt", self.report("--base", self.first, self.later))
        self.expect_golden("difference_back.txt", self.report(self.first, "--base", self.later))

    def test_a_dump_of_an_earlier_version_has_no_peak_and_says_so(self):
        result = hotlane("report", self.old)
        self.assertEqual((result.stderr, result.returncode),
                         (f"hotlane: report: {self.old} is of an earlier version, which recorded neither peak nor "
                          "timeline\n", 0))
        self.expect_golden("old.txt", result.stdout)
        result = hotlane("report", "--sort=peak", self.old)
        self.assertEqual((result.stdout, result.returncode), ("", 2))
        self.assertIn("hotlane: report: --sort=peak: not every dump has a peak", result.stderr)

    def test_a_dump_of_a_later_version_is_read_as_far_as_it_is_known(self):
        newer = self.edited("newer.heap", self.first, ("# hotlane profile 2", "# hotlane profile 3\n# unknown: 1"))
        result = hotlane("report", newer)
        self.assertEqual((result.stdout, result.stderr),
                         (self.report(self.first), f"hotlane: report: {newer} is of a later version; what this version "
                                                   "does not know is left out\n"))

    def test_samples_of_others_are_scaled(self):
        self.expect_golden("foreign.txt", self.report(self.foreign))


class Callers(WithDumps):
    def test_trees(self):
        text = ""
        for options in (["--callers", "grow"], ["--callees", "write_profile", "--sort=count"],
                        ["--callees", "^main$", "--top=2"], ["--callers", "no such function"]):
            text += f"{' '.join(options)}\n{self.report(*options, self.first)}\n"
        self.expect_golden("trees.txt", text)

    def test_wrappers_are_no_sites(self):
        self.expect_golden("wrappers.txt", self.report("--by=function", "--wrapper=::grow", "--wrapper", "leak",
                                                       self.first))

    def test_a_wrapper_of_a_program_is_skipped_by_its_name(self):
        if not shutil.which("objcopy"):
            self.skipTest("no objcopy")
        program = self.path / "wrapped"
        symbol, = re.findall(r"_ZN3app4leakE\S+", output_of("nm", SELF_DUMP).decode())
        output_of("objcopy", "--strip-debug", f"--redefine-sym={symbol}=zmalloc_usable", SELF_DUMP, program)
        dump = self.path / "wrapped.heap"
        dump.write_bytes(output_of(program, "--first"))
        self.assertNotIn("zmalloc_usable", self.report(dump))
        self.assertIn("zmalloc_usable", self.report("--no-skip-wrappers", dump))

    def test_bytes_of_the_program(self):
        self.expect_golden("requested.txt", self.report("--bytes=requested", self.first))


class Elsewhere(WithDumps):
    """A dump of a program that is not at its path any more, as after a run in a container."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.scratch = pathlib.Path(scratch.name)
        self.image = self.scratch / "image"
        (self.image / "opt").mkdir(parents=True)
        shutil.copy(SELF_DUMP, self.image / "opt" / "app")
        self.id = re.search(r"Build ID: ([0-9a-f]+)", output_of("readelf", "-n", SELF_DUMP).decode()).group(1)
        text = self.first.read_text().replace(str(SELF_DUMP), "/opt/app")
        start = re.search(r"(?m)^([0-9a-f]+)-.* 00000000 .*/opt/app$", text).group(1)
        self.dump = self.scratch / "elsewhere.heap"
        self.dump.write_text(text.replace("\nMAPPED_LIBRARIES", f"\n# build_id: 0x{start} {self.id}\nMAPPED_LIBRARIES"))

    def expect_names(self, *options):
        self.assertIn("app::leak self_dump.cpp", self.report(*options, self.dump))

    def test_sysroot(self):
        self.assertNotIn("app::leak", self.report(self.dump))
        self.expect_names("--sysroot", self.image)

    def test_map(self):
        self.expect_names("--map", f"/opt={self.image}/opt")
        self.assertNotIn("app::leak", self.report("--map", f"/op={self.image}/op", self.dump))
        result = hotlane("report", "--map=x", self.dump)
        self.assertEqual((result.stderr, result.returncode), ('hotlane: --map: "x" is not /FROM=TO (see hotlane --help)\n', 125))

    def test_debug_information_by_build_id(self):
        if not shutil.which("objcopy"):
            self.skipTest("no objcopy")
        directory = self.scratch / ".build-id" / self.id[:2]
        directory.mkdir(parents=True)
        output_of("objcopy", "--only-keep-debug", SELF_DUMP, directory / f"{self.id[2:]}.debug")
        self.expect_names("--symbols", self.scratch)

    def test_another_build_is_not_used(self):
        self.dump.write_text(self.dump.read_text().replace(self.id, "0" * len(self.id)))
        self.assertNotIn("app::leak", self.report("--sysroot", self.image, self.dump))

    def test_a_path_stays_below_the_sysroot(self):
        self.dump.write_text(self.dump.read_text().replace("/opt/app", "/../../" + str(SELF_DUMP)))
        self.assertNotIn("app::leak", self.report("--sysroot", self.image, self.dump))

    def test_pprof_has_the_build_id(self):
        if PROTOC:
            file = self.scratch / "out.pb.gz"
            self.report("--pprof", file, self.dump)
            self.assertIn(self.id.encode(), gzip.decompress(file.read_bytes()))


class Moments(WithDumps):
    def test_earlier_dumps_are_moments_of_the_page(self):
        begin = 4102444798
        dumps = []
        for number, file in ((0, self.first), (1, self.first), (2, self.later)):
            dump = self.path / f"m.{number}.heap"
            dump.write_text(file.read_text().replace("# sequence: 0", f"# sequence: {number}\n# series: 7").replace(
                "# time_ns: 4102444800", f"# time_ns: {begin + 1 + number}"))
            dumps.append(dump)
        result = hotlane("report", "--html", "-", *dumps)
        profile = json.loads(re.search(r'(?s)id="profile">(.*?)</script>', result.stdout).group(1))
        first, second = profile["moments"]
        self.assertEqual((first["at_ns"], first["sequence"], second["changes"]), (10**9, 0, []))
        grown = next(change for change in first["changes"]
                     if profile["stacks"]["columns"]["cumulative.objects"][change[0]] == 3000)
        self.assertEqual(grown[1:7], [10, 1280, 1000, 1000, 128000, 100000])
        self.assertEqual(json.loads(self.report("--json=-", self.first))["moments"], [])

    def test_open_needs_a_page(self):
        result = hotlane("report", "--open", self.first)
        self.assertEqual((result.stderr, result.returncode), ("hotlane: report: --open needs --html FILE\n", 125))

    def test_open_runs_the_desktops_program(self):
        program = self.path / "xdg-open"
        program.write_text('#!/bin/sh\necho "$1" > "$(dirname "$0")/opened"\n')
        program.chmod(0o755)
        page = self.path / "page.html"
        subprocess.run([COMMAND, "report", "--html", page, "--open", self.first], check=True, timeout=60,
                       env=os.environ | {"PATH": f"{self.path}:{os.environ['PATH']}"})
        self.assertEqual((self.path / "opened").read_text(), f"{page}\n")


class Leaks(WithDumps):
    def test_leaks_and_threshold(self):
        self.expect_golden("leaks.txt", self.report("--leaks", self.first, status=3))
        # Bytes are those that the program asked for, unless the option says otherwise.
        for options, bytes_live in (([], 34768), (["--bytes=class"], 35072)):
            self.report("--leaks", *options, "--leak-threshold", bytes_live - 1, self.first, status=3)
            self.report("--leaks", *options, "--leak-threshold", bytes_live, self.first)

    def test_suppressions(self):
        file = self.path / "suppressions"
        file.write_text("# the cache\nleak:^app::leak\nleak:self_d*mp.cpp\n")
        text = self.report("--leaks", "--suppressions", file, self.first)
        self.assertTrue(text.endswith("\nlive: 0 B in 0 objects; suppressed: 34 KiB in 75 objects\n"), text)
        file.write_text("leak:app::leak\n")
        self.expect_golden("suppressed.txt", self.report("--leaks", "--suppressions", file, self.first, status=3))
        file.write_text("leak:a\nleek:b\n")
        result = hotlane("report", "--leaks", "--suppressions", file, self.first)
        self.assertEqual((result.stdout, result.stderr, result.returncode),
                         ("", f"hotlane: {file}:2: expected leak:PATTERN\n", 2))


class Exports(WithDumps):
    def test_folded(self):
        self.expect_golden("folded.txt", self.report("--folded", "-", self.first))
        self.expect_golden("folded_count.txt", self.report("--sort=count", "--folded", "-", self.first))

    def test_speedscope(self):
        document = json.loads(self.report("--sort=cumulative", "--speedscope", "-", self.first))
        try:
            import jsonschema  # pylint: disable=import-outside-toplevel
        except ImportError:
            self.skipTest("no python3-jsonschema")
        jsonschema.validate(document, json.loads((HERE / "speedscope.schema.json").read_text()))
        self.assertEqual(document["profiles"][document["activeProfileIndex"]]["name"], "cumulative bytes")
        frames = document["shared"]["frames"]
        for profile in document["profiles"]:
            self.assertEqual(len(profile["samples"]), len(profile["weights"]))
            self.assertEqual(profile["endValue"], sum(profile["weights"]))
        live = next(profile for profile in document["profiles"] if profile["name"] == "live bytes")
        stacks = {";".join(frames[frame]["name"] for frame in sample): weight
                  for sample, weight in zip(live["samples"], live["weights"])}
        folded = [line.rsplit(" ", 1)
                  for line in self.report("--sort=live", "--folded", "-", self.first).splitlines()]
        self.assertEqual(stacks, {names: int(weight) for names, weight in folded})

    def test_json(self):
        document = json.loads(self.report("--json", "-", self.first))
        functions, frames = document.pop("functions"), document.pop("frames")
        for frame in frames:
            self.assertRegex(frame["address"], "^0x[0-9a-f]+$")
        for stack in document["stacks"]:
            # The order of frames is that of their addresses, which the linker chooses.
            stack["frames"] = [
                f'{functions[frame["function"]]["name"]} {os.path.basename(functions[frame["function"]]["file"])}:'
                f'{frame["line"]} {functions[frame["function"]]["library"]}{" inlined" * frame["inlined"]}'
                for frame in map(frames.__getitem__, stack["frames"])]
        self.expect_golden("profile.json", json.dumps(document, indent=1, sort_keys=True) + "\n")

    def decoded(self, *options):
        """Returns the samples of --pprof (values, and functions with lines from the root) and the decoded message."""
        file = self.path / "out.pb.gz"
        self.assertEqual(self.report("--pprof", file, *options), "")
        text = output_of(PROTOC, "--decode=hotlane.test.Profile", f"--proto_path={HERE}", HERE / "profile.proto",
                         input=gzip.decompress(file.read_bytes())).decode("utf-8")
        self.assertNotRegex(text, r"(?m)^ *\d+[: ]")  # a field that is not in the format
        return text

    def test_pprof(self):
        if not PROTOC:
            self.skipTest("no protoc")
        text = self.decoded(self.first)
        strings = [json.loads(word) for word in re.findall(r"(?m)^string_table: (.*)$", text)]
        self.assertEqual(strings[0], "")

        def blocks(name):
            return re.findall(rf"(?ms)^{name} {{\n(.*?)^}}", text)

        def number(block, field):
            found = re.search(rf"(?m)^ *{field}: (\d+)", block)
            return int(found.group(1)) if found else 0

        types = [(strings[number(b, "type")], strings[number(b, "unit")]) for b in blocks("sample_type")]
        self.assertEqual(types, [("inuse_objects", "count"), ("inuse_space", "bytes"), ("alloc_objects", "count"),
                                 ("alloc_space", "bytes"), ("temporary_objects", "count"),
                                 ("temporary_space", "bytes"), ("peak_objects", "count"), ("peak_space", "bytes")])
        self.assertEqual(strings[number(text, "default_sample_type")], "peak_space")
        functions = {number(b, "id"): b for b in blocks("function")}
        mappings = {number(b, "id"): b for b in blocks("mapping")}
        locations = {}
        for block in blocks("location"):
            mapping = mappings[number(block, "mapping_id")]
            self.assertIn(number(block, "address"), range(number(mapping, "memory_start"),
                                                          number(mapping, "memory_limit")))
            lines = re.findall(r"(?s)line {(.*?)}", block)
            locations[number(block, "id")] = [
                f'{strings[number(functions[number(line, "function_id")], "name")]}:{number(line, "line")}'
                for line in lines]
        samples = []
        for block in blocks("sample"):
            values = re.findall(r"value: (-?\d+)", block)
            names = [" < ".join(locations[int(id)]) for id in re.findall(r"location_id: (\d+)", block)]
            samples.append(f"{' '.join(values)}\n" + "".join(f"  {name}\n" for name in names))
        self.expect_golden("pprof.txt", "".join(samples))
        # A difference contains negative numbers.
        self.assertRegex(self.decoded(self.first, "--base", self.later), r"value: -2000\b")

    def test_only_one_to_standard_output(self):
        result = hotlane("report", "--json", "-", "--folded=-", self.first)
        self.assertEqual((result.stdout, result.stderr, result.returncode),
                         ("", "hotlane: report: only one export can go to standard output\n", 125))

    def test_html_is_one_page(self):
        text = self.report("--html", "-", self.first)
        self.assertTrue(text.lower().startswith("<!doctype html>"))
        self.assertIn("app::leak", text)


@unittest.skipUnless(shutil.which("objcopy"), "no objcopy")
class Names(WithDumps):
    """Tests malicious symbols, paths and programs, which try to deceive the reader or to take forever."""

    OUTPUTS = ("table", "--leaks", "--folded", "--json", "--speedscope", "--html", "--pprof")

    def renamed(self, *names):
        """Returns a dump of a copy of the program in which functions have these names."""
        program = self.path / "renamed"
        symbols = output_of("nm", "--defined-only", SELF_DUMP).decode().split()
        ours = [symbol for symbol in symbols if re.match(r"_ZN3app(4leak|5twice|5parse)E", symbol)]
        edits = [f"--redefine-sym={symbol}={name}" for symbol, name in zip(ours, names)]
        output_of("objcopy", "--strip-debug", *edits, SELF_DUMP, program)
        dump = self.path / "renamed.heap"
        dump.write_bytes(output_of(program, "--first"))
        return dump

    def in_every_format(self, dump):
        for output in self.OUTPUTS:
            arguments = ["--leaks"] if output == "--leaks" else [output, "-"] if output != "table" else []
            result = subprocess.run([COMMAND, "report", *arguments, dump], capture_output=True, timeout=60, check=False,
                                    preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (400 << 20, 400 << 20)))
            self.assertEqual((result.stderr, result.returncode), (b"", 3 if output == "--leaks" else 0), output)
            yield output, gzip.decompress(result.stdout) if output == "--pprof" else result.stdout

    def test_no_control_character_leaves_the_command(self):
        dump = self.renamed("clear\033[2J\nline".encode().decode("unicode_escape"), "c1\u009b31m", "right\u202eleft")
        text = dump.read_bytes()
        text = text.replace(b"# program: /opt/app/self_dump", b"# program: /opt/\x1b]0;title\x07\xff")
        dump.write_bytes(text.replace(b"# reason: exit", b"# reason: \x1b[1m\xc2\x9b"))
        for output, text in self.in_every_format(dump):
            if output != "--pprof":  # the format is binary
                bad = re.findall(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text.decode("utf-8"))
                self.assertEqual(bad, [], f"{output}: {text[:2000]}")
            else:
                self.assertNotRegex(text, rb"\x1b[\[\]]")
            if output in ("table", "--json", "--pprof"):
                self.assertIn(rb"clear\\033[2J\\012line" if output == "--json" else rb"clear\033[2J\012line", text)

    def test_a_name_that_stands_for_half_a_gigabyte(self):
        """a<int, int>, then 25 times a<previous type, previous type>, in 250 bytes."""
        levels = "".join(f"S_I{substitution(level) * 2}E" for level in range(1, 25))
        self.assertLess(max(map(len, self.demangled(f"_Z1f1aIiiE{levels}"))), 1100)

    def test_a_name_that_takes_hours(self):
        """The demangler searches 2^40 parts for a pack before it writes anything."""
        levels = "".join(f"{substitution(level)}E" for level in range(1, 40))
        self.assertLess(max(map(len, self.demangled(f"_Z1fDp1aI{'S_I' * 39}iiE{levels}"))), 1100)

    def demangled(self, name):
        dump = self.renamed(name, name + "v", name + "i")
        for output, text in self.in_every_format(dump):
            self.assertLess(len(text), 200_000, output)
            if output == "--json":
                names = [function["name"] for function in json.loads(text)["functions"]]
        self.assertTrue(any(found.startswith("_Z1f") for found in names), names)
        return names


def substitution(number):
    """Returns the mangled reference to an earlier part: S_, S0_, … SZ_, S10_."""
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    number -= 1
    if number < 0:
        return "S_"
    return f"S{digits[number // 36] if number >= 36 else ''}{digits[number % 36]}_"


class Files(WithDumps):
    def expect_refused(self, text, line):
        file = self.path / "bad.heap"
        file.write_text(text)
        result = hotlane("report", self.first, file)
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("", f"hotlane: {file}{line}\n", 2))

    def test_what_is_no_dump_is_refused_in_one_line(self):
        good = self.first.read_text()
        header = ":1: expected heap profile: LIVE: BYTES [ALL: BYTES] @ heap_v2/PERIOD"
        self.expect_refused("", header)
        self.expect_refused("heap_v2/524288\n", header)
        self.expect_refused(good.replace("] @ 0x", "] 0x", 1), ":22: expected LIVE: BYTES [ALL: BYTES] @ ADDRESSES")
        maps = good.index("MAPPED_LIBRARIES:")
        self.expect_refused(good[:maps], f":{good[:maps].count(chr(10)) + 1}: expected MAPPED_LIBRARIES:, "
                                         "the file is cut off")
        result = hotlane("report", self.path / "none.heap")
        self.assertEqual((result.stderr, result.returncode),
                         (f"hotlane: {self.path}/none.heap: No such file or directory\n", 2))

    def test_a_library_that_is_gone_or_newer_has_no_names(self):
        file = self.path / "edited.heap"
        good = self.first.read_text()
        for edited in (good.replace(str(SELF_DUMP), "/gone/self_dump"),
                       re.sub(r"# time_ns: \d+", "# time_ns: 1000000000", good)):
            file.write_text(edited)
            text = self.report("--by=function", file)
            self.assertRegex(text, r"self_dump\+0x[0-9a-f]+ self_dump\n")
            self.assertNotIn("app::", text)

    def test_mistakes_of_usage(self):
        for arguments, line in ((["report"], "report: missing FILE: hotlane report [OPTIONS] FILE..."),
                                (["report", "--by=x", "f"], '--by: "x" is not one of site|function|library '
                                                            "(see hotlane --help)"),
                                (["report", "--focus=(", "f"], '--focus: "(" is not a regular expression: Unmatched ( or \\( '
                                                               "(see hotlane --help)"),
                                (["report", "--top=0", "f"], '--top: "0" is not a positive number '
                                                             "(see hotlane --help)"),
                                (["report", "--top=many", "f"], '--top: "many" is not a positive number '
                                                                "(see hotlane --help)"),
                                (["profile"], "profile: missing PROGRAM: hotlane profile [OPTIONS] -- PROGRAM [ARGS]"),
                                (["profile", "--sample=x", "--", "true"],
                                 '--sample: "x" is not a size above 0, such as 512K (see hotlane --help)')):
            result = hotlane(*arguments)
            self.assertEqual((result.stdout, result.stderr, result.returncode), ("", f"hotlane: {line}\n", 125))


def in_bytes(number, unit):
    return float(number) * {"": 1, "B": 1, "kB": 2**10, "MB": 2**20, "GB": 2**30}[unit]


class ReadByOthers(WithDumps):
    """Compares the top functions of other tools, from the dump or from an export, with those of hotlane."""

    def ours(self, by_line=False):
        """Returns [(function or "file:line", live bytes)], the largest first."""
        document = json.loads(self.report("--json", "-", self.foreign))
        live = {}
        for stack in document["stacks"]:
            frame = document["frames"][stack["frames"][0]]
            function = document["functions"][frame["function"]]
            name = f'{os.path.basename(function["file"])}:{frame["line"]}' if by_line else function["name"]
            live[name] = live.get(name, 0) + stack["live"]["bytes"]
        self.assertGreater(len(live), 2)
        return sorted(((name, size) for name, size in live.items() if size), key=lambda pair: -pair[1])

    def expect_same(self, theirs, tolerance, by_line=False):
        """`theirs` is [(function, bytes)]. Other tools shorten names and round numbers."""
        ours = self.ours(by_line)
        theirs = [pair for pair in theirs if pair[1]]
        short = [re.sub(r"<.*>|\(.*\)|\[clone.*\]", "", name).strip() for name, _ in ours]
        self.assertEqual([re.sub(r"<.*>|\[clone.*\]|\(inline\)", "", name).strip() for name, _ in theirs], short)
        for (_, their), (_, our) in zip(theirs, ours):
            self.assertAlmostEqual(their, our, delta=tolerance)

    def expect_perl(self, tool):
        if not shutil.which(tool):
            self.skipTest(f"no {tool}")
        text = output_of(tool, "--text", "--show_bytes", SELF_DUMP, self.foreign).decode()
        rows = re.findall(r"(?m)^ *(\d+) +[\d.]+% +[\d.]+% +\d+ +[\d.]+% (.*)$", text)
        # That tool scales each entry and rounds it down.
        self.expect_same([(name, int(size)) for size, name in rows], tolerance=4)

    def test_google_pprof(self):
        self.expect_perl("google-pprof")

    def test_jeprof(self):
        self.expect_perl("jeprof")

    def go(self, *arguments):
        tools = [shutil.which("go"), *map(str, pathlib.Path("/usr/lib").glob("go-*/bin/go"))]
        tool = next((tool for tool in tools if tool), None)
        if not tool:
            self.skipTest("no Go")
        environment = os.environ | {"HOME": str(self.path), "PPROF_TMPDIR": str(self.path)}
        text = output_of(tool, "tool", "pprof", "-top", "-unit=B", "-nodefraction=0", *arguments, env=environment)
        return [(name, in_bytes(number, unit)) for number, unit, name in
                re.findall(r"(?m)^ *([\d.]+)([kMG]?B?) +[\d.]+% +[\d.]+% +[\d.]+[kMG]?B? +[\d.]+% +(.*)$",
                           text.decode())]

    def test_go_pprof_of_the_export(self):
        file = self.path / "foreign.pb.gz"
        self.report("--pprof", file, self.foreign)
        self.expect_same(self.go(file), tolerance=0)

    def test_go_pprof_of_the_dump(self):
        # Go's own pprof finds lines in programs of other languages, but no functions.
        rows = self.go("-addresses", "-sample_index=inuse_space", SELF_DUMP, self.foreign)
        self.expect_same([(name.rsplit("/", 1)[-1], size) for name, size in rows], tolerance=4, by_line=True)


def main():
    global COMMAND, SELF_DUMP, PROTOC, UPDATE
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", type=pathlib.Path, help="the hotlane command")
    parser.add_argument("self_dump", type=pathlib.Path, help="the program that writes a dump of itself")
    parser.add_argument("--update", action="store_true", help="write the goldens anew, to be looked at")
    arguments, rest = parser.parse_known_args()
    COMMAND, SELF_DUMP, UPDATE = arguments.command.resolve(), arguments.self_dump.resolve(), arguments.update
    PROTOC = shutil.which("protoc")
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
