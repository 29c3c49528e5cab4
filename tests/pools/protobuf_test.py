#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests `hotlane pools` with contracts in protobuf: the computed size of a message is exactly what protoc needs for its
worst case. Without protobuf in the command: it says so."""

import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import unittest

import pools_test
from pools_test import HERE, PoolsTest, pools, rows

PROTOC = shutil.which("protoc")
NANOPB = pathlib.Path("/usr/lib/python3/dist-packages/proto")
HAS_PROTOBUF = True
MOST_U32, MOST_U64 = 2**32 - 1, 2**64 - 1

TOKEN = f'symbol: "{"s" * 8}" decimals: {-2**31}'
SCALARS = (f"flag: true i32: -1 i64: -1 u32: {MOST_U32} u64: {MOST_U64} s32: {-2**31} s64: {-2**63} f32: 1 f64: 1 sf32: 1 "
           "sf64: 1 single: 1 twice: 1 kind: -1 maybe: true far: true")
SWAP = "\n".join([
    f'pool: "{"p" * 20}" note: "{"n" * 128}" token {{ {TOKEN} }}', f"ticks: {MOST_U32} " * 30, "prices: 1 " * 16,
    f"unpacked: {MOST_U32} " * 3, f"path {{ {TOKEN} }} " * 4, 'names: "five!" ' * 2,
    *(f'tokens {{ key: "{key}" value {{ {TOKEN} }} }}' for key in ("abc", "xyz")),
    f'blobs {{ key: {MOST_U64} value: "{"b" * 200}" }} failed: "{"f" * 40}"', "when { seconds: -1 nanos: -1 }",
    f"scalars {{ {SCALARS} }}", "nested { part { " + "bits: true " * 150 + "} }"])


LARGEST = {"bool": "true", "int32": -1, "int64": -1, "uint32": MOST_U32, "uint64": MOST_U64, "sint32": -2**31,
           "sint64": -2**63, "fixed32": 1, "fixed64": 1, "sfixed32": 1, "sfixed64": 1, "float": 1, "double": 1}
NUMBERS = [1, 2, 14, 15, 16, 17, 2047, 2048, 262143, 262144, 33554431, 33554432, 536870911]


def random_messages(chance):
    """Returns messages of which each may contain the earlier ones: their names, the file, the bounds, and the worst case of
    the last message."""
    names, text, bounds, worst = [], 'syntax = "proto3";\n', "", []
    for number in range(chance.randrange(1, 6)):
        names.append(f"M{number}")
        text, case = text + f"message M{number} {{\n", ""
        for i, tag in enumerate(chance.sample(NUMBERS, chance.randrange(1, 8))):
            kind = chance.choice([*LARGEST, "string", "bytes", *names[:-1], *names[:-1]])
            length, items = chance.choice([1, 5, 127, 128, 200, 16383, 16384]), chance.choice([0, 0, 1, 2, 17, 128])
            text += f"  {'repeated ' if items else ''}{kind} f{i} = {tag}"
            text += " [packed = false];\n" if items and kind in LARGEST and chance.random() < 0.3 else ";\n"
            bounds += f"M{number}.f{i} max_bytes:{length}\n" if kind in ("string", "bytes") else ""
            bounds += f"M{number}.f{i} max_items:{items}\n" if items else ""
            value = f'"{"x" * length}"' if kind in ("string", "bytes") else LARGEST.get(kind)
            case += (f"f{i} {{ {worst[int(kind[1:])]} }} " if kind in names else f"f{i}: {value} ") * max(items, 1)
        text += "}\n"
        worst.append(case)
        if len(case) > 200_000:
            break
    return names, text, bounds, worst[-1]


def encoded(file, message, text, *options):
    """Returns how many bytes protoc needs for the message."""
    return len(subprocess.run([PROTOC, f"--proto_path={file.parent}", *options, f"--encode={message}", file],
                              input=text.encode(), stdout=subprocess.PIPE, check=True, timeout=60).stdout)


@unittest.skipUnless(PROTOC, "no protoc")
class WorstCase(PoolsTest):
    """Real messages with every field at its bound, encoded by protoc."""

    def setUp(self):
        super().setUp()
        if not HAS_PROTOBUF:
            self.skipTest("built without protobuf")

    def test_sizes_are_exact(self):
        found = rows(pools("show", "swap.proto", "--config", "proto_service.toml", "--bounds", "swap.bounds", cwd=HERE))
        for name, text in (("dex.v1.Swap", SWAP), ("dex.v1.Scalars", SCALARS), ("dex.v1.Token", TOKEN),
                           ("dex.v1.Swap.Part", "bits: true " * 150)):
            self.assertEqual(int(found[name.removeprefix("dex.v1.")][0]), encoded(HERE / "swap.proto", name, text), name)

    def test_random_messages_are_exact(self):
        for seed in range(12):
            names, text, bounds, worst = random_messages(random.Random(seed))
            self.write("r.proto", text)
            self.write("r.bounds", bounds)
            self.write("s.toml", f"[service.s]\nmessages = {names}\n")
            found = rows(pools("show", "r.proto", "--config=s.toml", "--bounds=r.bounds", cwd=self.directory))
            self.assertEqual(int(found[names[-1]][0]), encoded(self.directory / "r.proto", names[-1], worst), seed)

    def test_of_a_oneof_the_largest_member_counts(self):
        size = int(rows(pools("show", "swap.proto", "--config", "proto_service.toml", "--bounds", "swap.bounds",
                              cwd=HERE))["Swap"][0])
        for member, fits in ((f"paid {{ {TOKEN} }}", True), ("pending: true", True), (f'failed: "{"f" * 41}"', False)):
            text = SWAP.replace(f'failed: "{"f" * 40}"', member)
            self.assertEqual(encoded(HERE / "swap.proto", "dex.v1.Swap", text) <= size, fits, member)

    def test_the_older_syntax(self):
        self.write("s.toml", '[service.s]\nmessages = ["Order"]\n')
        self.write("b.txt", "Order.sides max_items:5\n")
        found = rows(pools("show", HERE / "closed.proto", "--config=s.toml", "--bounds=b.txt", cwd=self.directory))
        text = f"side: SELL {'sides: SELL ' * 5} Leg {{ amount: {MOST_U32} }}"
        self.assertEqual(int(found["Order"][0]), encoded(HERE / "closed.proto", "Order", text))

    def size(self, fields, options="", service='[service.s]\nmessages = ["M"]\n'):
        self.write("s.toml", service)
        self.write("m.proto", f'syntax = "proto3";\nimport "nanopb.proto";\nimport "buf/validate/validate.proto";\n{options}\n'
                   f"enum E {{ A = 0; B = 127; }}\nmessage M {{\n{fields}\n}}\n")
        return pools("show", "m.proto", "--config=s.toml", "-I", HERE / "options", "-I", ".", cwd=self.directory)

    def test_options_of_nanopb(self):
        for fields, expected in (("string s = 1 [(nanopb).max_size = 11];", 12), ("bytes s = 1 [(nanopb).max_size = 11];", 13),
                                 ("string s = 1 [(nanopb).max_length = 11];", 13),
                                 ("repeated fixed32 s = 1 [(nanopb).max_count = 3];", 14),
                                 ("repeated string s = 1 [(nanopb) = {max_count: 3, max_size: 5}];", 18)):
            self.assertEqual(int(rows(self.size(fields))["M"][0]), expected, fields)
        by_file = "option (nanopb_fileopt).max_size = 21;"
        self.assertEqual(int(rows(self.size("string s = 1;", by_file))["M"][0]), 22)
        by_message = "option (nanopb_msgopt) = {max_size: 11, msgid: 77};\nstring s = 1;"
        self.assertEqual(int(rows(self.size(by_message, by_file))["M"][0]), 12)
        pools("generate", "m.proto", "--config=s.toml", "-I", HERE / "options", "-I.", "-o.", cwd=self.directory)
        self.assertIn("type_id = 77;", (self.directory / "s_pools.hpp").read_text())

    def test_options_of_protovalidate(self):
        def rule(text):
            return f"[(buf.validate.field).{text}]"
        for fields, expected in ((f"string s = 1 {rule('string.max_len = 10')};", 42),
                                 (f"string s = 1 {rule('string.len = 10')};", 42),
                                 (f"string s = 1 {rule('string.max_bytes = 10')};", 12),
                                 (f"string s = 1 {rule('string.len_bytes = 10')};", 12),
                                 (f"string s = 1 {rule('string = {max_len: 10, max_bytes: 10}')};", 12),
                                 (f"string s = 1 {rule('''string.const = 'four' ''')};", 6),
                                 (f"bytes s = 1 {rule('bytes.max_len = 10')};", 12), (f"bytes s = 1 {rule('bytes.len = 10')};", 12),
                                 (f"E e = 1 {rule('enum.defined_only = true')};", 2), ("E e = 1;", 11),
                                 (f"repeated E e = 1 {rule('repeated = {max_items: 3, items: {enum: {defined_only: true}}}')};", 5),
                                 (f"repeated bytes s = 1 {rule('repeated = {max_items: 3, items: {bytes: {max_len: 4}}}')};", 18),
                                 ("map<string, bytes> m = 1 [(buf.validate.field).map = {max_pairs: 2, "
                                  "keys: {string: {max_bytes: 3}}, values: {bytes: {max_len: 4}}}];", 26)):
            self.assertEqual(int(rows(self.size(fields))["M"][0]), expected, fields)
        ignored = "string s = 1 [(buf.validate.field) = {ignore: IGNORE_ALWAYS, string: {max_bytes: 3}}];"
        self.expect(self.size(ignored), 'm.proto:7:1: the field "M.s" has no bound; give it max_bytes')

    @unittest.skipUnless((NANOPB / "nanopb.proto").exists(), "no nanopb")
    def test_the_real_nanopb(self):
        self.write("n.proto", 'syntax = "proto3";\nimport "nanopb.proto";\nmessage M { string s = 1 [(nanopb).max_size = 11]; }\n')
        self.write("s.toml", '[service.s]\nmessages = ["M"]\n')
        found = rows(pools("show", "n.proto", "--config=s.toml", "-I", NANOPB, cwd=self.directory))
        self.assertEqual(found["M"][0], "12")


@unittest.skipUnless(PROTOC, "no protoc")
class Files(PoolsTest):
    def setUp(self):
        super().setUp()
        if not HAS_PROTOBUF:
            self.skipTest("built without protobuf")

    def descriptors(self, *options):
        subprocess.run([PROTOC, f"--proto_path={HERE}", f"--descriptor_set_out={self.directory}/swap.binpb", *options,
                        "swap.proto"], check=True, timeout=60)
        return pools("show", self.directory / "swap.binpb", "--config", "proto_service.toml", "--bounds", "swap.bounds", cwd=HERE)

    def test_a_descriptor_set_gives_the_same(self):
        direct = pools("show", "swap.proto", "--config", "proto_service.toml", "--bounds", "swap.bounds", cwd=HERE)
        self.assertEqual(self.descriptors("--include_imports").stdout, direct.stdout)
        self.assertEqual(self.descriptors().stdout, direct.stdout)  # what comes with protobuf is known

    def test_places_in_a_descriptor_set(self):
        self.descriptors("--include_source_info")
        self.write("s.toml", '[service.s]\nmessages = ["Token"]\n')
        self.expect(pools("show", "swap.binpb", "--config=s.toml", cwd=self.directory),
                    'swap.proto:15:3: the field "Token.symbol" has no bound; give it max_bytes')
        self.descriptors()
        self.expect(pools("show", "swap.binpb", "--config=s.toml", cwd=self.directory),
                    'swap.binpb:1:1: the field "Token.symbol" has no bound; give it max_bytes')
        self.write("x.pb", b"\x0a\x03abc")
        self.expect(pools("show", "x.pb", "--config=s.toml", cwd=self.directory),
                    "x.pb:1:1: not a FileDescriptorSet, which protoc writes with --descriptor_set_out")
        self.write("x.pb", b"")
        self.expect(pools("show", "x.pb", "--config=s.toml", cwd=self.directory), "x.pb:1:1: the FileDescriptorSet has no files")

    def test_imports(self):
        (self.directory / "sub").mkdir()
        self.write("sub/part.proto", 'syntax = "proto3";\npackage p;\nmessage Part { fixed64 x = 1; }\n')
        self.write("whole.proto", 'syntax = "proto3";\nimport "sub/part.proto";\nmessage Whole { p.Part part = 1; }\n')
        self.write("s.toml", '[service.s]\nmessages = ["Whole", "p.Part"]\n')
        found = pools("generate", "whole.proto", "--config=s.toml", "-oout", "--depfile=d", cwd=self.directory)
        self.assertEqual(found.stderr, "")
        self.assertEqual((self.directory / "d").read_text(),
                         "out/s_pools.hpp: \\\n  sub/part.proto \\\n  whole.proto \\\n  s.toml\n")
        self.write("whole.proto", 'syntax = "proto3";\nimport "../x.proto";\nimport "gone.proto";\n')
        result = pools("show", "whole.proto", "--config=s.toml", cwd=self.directory)
        self.assertIn("hotlane: gone.proto:1:1: not found; -I adds directories\n", result.stderr)
        self.assertIn("hotlane: whole.proto:2:1: ", result.stderr)
        self.expect(pools("show", "none.proto", "--config=s.toml", cwd=self.directory),
                    "none.proto:1:1: not found; -I adds directories")

    def test_what_has_no_bound(self):
        self.write("s.toml", '[service.s]\nmessages = ["M", "Open", "Deep"]\n')
        self.write("m.proto", 'syntax = "proto2";\nimport "google/protobuf/any.proto";\nmessage M {\n  optional string s = 1;\n'
                   "  repeated bool b = 2;\n  map<int32, string> m = 3;\n  optional google.protobuf.Any any = 4;\n}\n"
                   "message Open { extensions 100 to 199; }\nmessage Deep { optional Deep deep = 1; }\n"
                   "message Unused { optional string s = 1; }\n")
        result = pools("show", "m.proto", "--config=s.toml", cwd=self.directory)
        lines = [line.removeprefix("hotlane: ") for line in result.stderr.splitlines()]
        self.expect(result, *lines)
        self.assertEqual(lines[:6], [
            'm.proto:4:3: the field "M.s" has no bound; give it max_bytes',
            'm.proto:5:3: the list "M.b" has no bound; give it max_items',
            'm.proto:6:3: the field "M.m.value" has no bound; give it max_bytes',
            'm.proto:6:3: the list "M.m" has no bound; give it max_items',
            'm.proto:9:1: the message "Open" has no bound: anyone may extend it (it has extension ranges)',
            'm.proto:10:16: the message "Deep" contains itself: Deep > Deep'])
        self.assertRegex("\n".join(lines[6:]), r'"Any.type_url".*\n.*"Any.value"')

    def test_mistakes_in_proto_and_bounds(self):
        self.write("s.toml", '[service.s]\nmessages = ["M"]\n')
        self.write("m.proto", 'syntax = "proto3";\nmessage M {\n  strin s = 1;\n  bool b = 1;\n}\n')
        self.expect(pools("show", "m.proto", "--config=s.toml", cwd=self.directory),
                    'm.proto:3:3: "strin" is not defined.',
                    'm.proto:4:12: Field number 1 has already been used in "M" by field "s".')
        self.write("m.proto", 'syntax = "proto3";\nmessage M {\n  string s = 1;\n  bool b = 2;\n}\n')
        self.write("b", "M.s max_bytes\nM.x max_bytes:3\nM.b max_bytes:3 max_items:4\nM.s max_byte:2 max_bytes:9\nM  size:3\nM.s # empty\n")
        self.expect(pools("show", "m.proto", "--config=s.toml", "--bounds=b", cwd=self.directory),
                    'b:1:5: expected KEY:NUMBER, such as max_bytes:64, not "max_bytes"',
                    'b:2:1: there is no message or field "M.x" in m.proto; did you mean "M.b"?',
                    'b:3:5: "b" is neither a string nor bytes', 'b:3:17: "b" is neither a list nor a map',
                    'b:4:5: "max_byte" is not a key of a field; did you mean "max_bytes"?',
                    'b:5:4: "size" is not a key of a message; only type_id is',
                    "b:6:1: expected a bound after the name, such as max_bytes:64")

    def test_names_of_several_packages(self):
        self.write("a.proto", 'syntax = "proto3";\npackage a;\nmessage M { bool x = 1; }\n')
        self.write("b.proto", 'syntax = "proto3";\npackage b;\nimport "a.proto";\nmessage M { a.M m = 1; }\n')
        self.write("s.toml", '[service.s]\nmessages = ["M"]\n')
        self.expect(pools("show", "b.proto", "--config=s.toml", cwd=self.directory),
                    's.toml:2:13: several packages have a message "M"; write it with its package')
        self.write("s.toml", '[service.s]\nmessages = ["a.M", "b.M"]\n')
        self.expect(pools("show", "b.proto", "--config=s.toml", cwd=self.directory),
                    'b.proto:4:1: the messages "a.M" and "b.M" are both called M in C and C++')
        self.write("s.toml", '[service.s]\nmessages = ["b.M"]\n')
        self.assertEqual(rows(pools("show", "b.proto", "--config=s.toml", cwd=self.directory))["M"][0], "4")


class WithoutProtobuf(PoolsTest):
    def test_says_so(self):
        if HAS_PROTOBUF:
            self.skipTest("built with protobuf")
        self.write("s.toml", "[service.s]\nmessages = ['M']\n")
        for name in ("m.proto", "m.pb"):
            self.write(name, "")
            self.expect(pools("show", name, "--config=s.toml", cwd=self.directory), f"{name}:1:1: this hotlane was built without "
                        "protobuf (-Dprotobuf=disabled); it reads only YAML")


def main():
    global HAS_PROTOBUF
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", type=pathlib.Path, help="the hotlane command")
    parser.add_argument("--without", action="store_true", help="the command was built without protobuf")
    arguments, rest = parser.parse_known_args()
    pools_test.COMMAND = arguments.command.resolve()
    HAS_PROTOBUF = not arguments.without
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
