#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests `hotlane pools`: sizes, classes and capacities, the files it writes, and what it says about wrong inputs."""

import argparse
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COMMAND = None
SERVICE = '[service.s]\nmessages = ["M"]\n'


def pools(*arguments, **options):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}
    return subprocess.run([str(COMMAND), "pools", *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          check=False, env=environment, **options)


def rows(result):
    """Returns the rows of `pools show` by message: size, class, capacity, bytes, waste."""
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    lines = [line.replace(",", "").split() for line in result.stdout.splitlines()[1:]]
    return {line[0]: line[1:] for line in lines}


class PoolsTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hotlane-pools-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def write(self, name, text):
        path = self.directory / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def show(self, contract, service=SERVICE, *arguments, name="c.yaml"):
        self.write(name, contract)
        self.write("s.toml", service)
        return pools("show", name, "--config", "s.toml", *arguments, cwd=self.directory)

    def size(self, fields, top=""):
        """The size of a message with these fields, in the notation of YAML."""
        return int(rows(self.show(f"{top}messages: [{{name: M, fields: [{fields}]}}]"))["M"][0])

    def expect(self, result, *problems):
        self.assertEqual((result.stdout, result.stderr.splitlines(), result.returncode),
                         ("", [f"hotlane: {problem}" for problem in problems], 2))


class Sizes(PoolsTest):
    def test_every_type(self):
        expected = {"bool": 1, "u8": 1, "u16": 2, "u32": 4, "u64": 8, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "f32": 4,
                    "f64": 8, "enum": 4, "address": 20, "bytes1": 1, "bytes32": 32, "bytes48": 48, "uint8": 1,
                    "uint24": 3, "uint160": 20, "uint256": 32, "int8": 1, "int256": 32, "u8[5]": 5, "address[3]": 60}
        for name, size in expected.items():
            self.assertEqual(self.size(f'{{name: f, type: "{name}"}}'), size, name)

    def test_bounded_fields_have_a_length_in_front(self):
        self.assertEqual(self.size("{name: f, type: string, max_bytes: 40}"), 44)
        self.assertEqual(self.size("{name: f, type: bytes, max_bytes: 1K}"), 1028)
        for form in ('"u16[]"', "list<u16>", "u16"):
            self.assertEqual(self.size(f"{{name: f, type: {form}, max_items: 10}}"), 24)
        self.assertEqual(self.size('{name: f, type: "string[]", max_bytes: 6, max_items: 10}'), 104)
        self.assertEqual(self.size('{max_items: 10, max_bytes: 6, type: "string[]", name: f}'), 104)
        for prefix in (0, 1, 2, 4, 8):
            self.assertEqual(self.size("{name: f, type: string, max_bytes: 40}", f"length_prefix: {prefix}\n"), 40 + prefix)

    def test_messages_in_messages_and_declared_sizes(self):
        contract = """messages:
  - {name: A, fields: [{name: b, type: B}, {name: many, type: "B[]", max_items: 3}]}
  - {name: B, fields: [{name: x, type: u64}]}
  - {name: Raw, size: 1K}
  - {name: Room, size: 100, fields: [{name: x, type: u64}]}
  - {name: With, header: 10, fields: [{name: room, type: Room}]}
  - {name: Frame, header: true, fields: []}
"""
        found = rows(self.show(contract, '[service.s]\nmessages = ["A", "B", "Raw", "Room", "With", "Frame"]\n'))
        self.assertEqual({name: int(row[0]) for name, row in found.items() if name != "total"},
                         {"A": 8 + 4 + 24, "B": 8, "Raw": 1024, "Room": 100, "With": 110, "Frame": 6})

    def test_the_example(self):
        result = pools("show", "contracts.yaml", "--config", "service.toml", "--service", "polygon-adapter", cwd=HERE)
        self.assertEqual(result.stdout, (
            "MESSAGE           SIZE  CLASS  CAPACITY    BYTES   WASTE\n"
            "SwapEvent           84    128     1,024  131,072  34.4 %\n"
            "PoolStateUpdate    528  1,024       128  131,072  48.4 %\n"
            "Notice           1,008  1,024      same     same   1.6 %\n"
            "total                                    262,144        \n"))

    def test_classes_and_capacities(self):
        def row(size, service="", *arguments):
            return rows(self.show(f"messages: [{{name: M, size: {size}}}]", SERVICE + service, *arguments))["M"][:3]
        self.assertEqual(row(0), ["0", "128", "1024"])
        self.assertEqual(row(128), ["128", "128", "1024"])
        self.assertEqual(row(129), ["129", "256", "512"])
        self.assertEqual(row("1M"), ["1048576", "1048576", "4"])
        self.assertEqual(row("1G"), ["1073741824", "1073741824", "4"])
        self.assertEqual(row(128, 'budget = "1K"'), ["128", "128", "8"])
        self.assertEqual(row(128, "budget = 2048"), ["128", "128", "16"])
        self.assertEqual(row(128, "budget = 1"), ["128", "128", "4"])
        self.assertEqual(row(128, "in_flight = 2"), ["128", "128", "2"])
        self.assertEqual(row(128, "buffer_pool_enabled = false\nin_flight = 2"), ["128", "128", "0"])
        self.assertEqual(row(0, "", "--classes", "tight"), ["0", "64", "2048"])
        self.assertEqual(row(65, "", "--classes=tight"), ["65", "128", "1024"])
        self.assertEqual(row(1025, "", "--classes=tight"), ["1025", "1088", "120"])

    def test_type_ids_count_on_as_enumerators(self):
        contract = "messages: [{name: A, size: 1}, {name: B, type_id: 9, size: 1}, {name: C, size: 1}]"
        self.write("c.yaml", contract)
        self.write("s.toml", '[service.s]\nmessages = ["C", "A", "B"]')
        pools("generate", "c.yaml", "--config=s.toml", "-o.", cwd=self.directory, )
        self.assertEqual(re.findall(r"type_id = (\d+);", (self.directory / "s_pools.hpp").read_text()), ["10", "1", "9"])

    def test_aliases_and_anchors(self):
        contract = "messages:\n- name: M\n  fields: &f\n  - {name: x, type: u8}\n- {name: N, fields: *f}\n"
        self.assertEqual(rows(self.show(contract, '[service.s]\nmessages = ["N"]'))["N"][0], "1")


class Errors(PoolsTest):
    """Every kind of mistake, with its place. Nothing is written."""

    def contract(self, text, *problems, service=SERVICE):
        self.expect(self.show(text, service), *problems)

    def message(self, fields, *problems):
        self.contract(f"messages:\n- name: M\n  fields:\n  - {fields}\n", *problems)

    def service(self, text, *problems):
        self.expect(self.show("messages: [{name: Swap, size: 84}, {name: Pool, size: 84}]", text), *problems)

    def test_unknown_names(self):
        self.service('[service.s]\nmessages = ["Swop", "Pool",\n "xyz"]\n',
                     's.toml:2:13: there is no message "Swop" in c.yaml; did you mean "Swap"?',
                     's.toml:3:2: there is no message "xyz" in c.yaml')
        self.message("{name: f, type: uint65}", 'c.yaml:4:21: there is no type or message "uint65"; did you mean "uint64"?')
        for wrong in ("uint0", "uint264", "uint9", "bytes0", "bytes01", "bytes9999999999999999999999", "list<u8"):
            self.assertIn("there is no type", self.show(
                f'messages: [{{name: M, fields: [{{name: f, type: "{wrong}", max_items: 1}}]}}]').stderr)
        self.message('{name: f, type: "u8[][]"}',
                     'c.yaml:4:21: "][" is not the length of an array; a list of lists needs a message between them')
        self.contract("messages: []\nmesages: []\n", 'c.yaml:1:11: the contract has no messages',
                      'c.yaml:2:1: "mesages" is not a key of a contract; did you mean "messages"?')
        self.message("{name: f, type: u8, max_byte: 3}",
                     'c.yaml:4:25: "max_byte" is not a key of a field; did you mean "max_bytes"?')
        self.service('[service.s]\nmessages = ["Swap"]\nbudged = 3\n',
                     's.toml:3:1: "budged" is not a key of a service; did you mean "budget"?')
        self.expect(self.show("messages: [{name: M, size: 1}]", SERVICE, "--service=t"), 's.toml:1:1: there is no service "t"')

    def test_duplicates(self):
        self.contract("messages:\n- {name: M, size: 1}\n- {name: M, type_id: 2, size: 1}\n",
                      'c.yaml:3:10: the message "M" occurs twice; the first is at line 2')
        self.contract("messages:\n- {name: M, type_id: 7, size: 1}\n- {name: N, type_id: 7, size: 1}\n",
                      'c.yaml:3:22: the type id 7 is already that of "M"')
        self.contract("messages:\n- {name: N, type_id: 2, size: 1}\n- {name: O, type_id: 1, size: 1}\n- {name: M, size: 1}\n",
                      'c.yaml:4:10: the type id 2, which follows the one of the message before "M", is already that of "N"')
        self.contract("messages:\n- name: M\n  name: N\n  size: 1\n", 'c.yaml:3:3: the key "name" occurs twice')
        self.contract("messages:\n- name: M\n  fields: [{name: f, type: u8}, {name: f, type: u8}]\n",
                      'c.yaml:3:40: the field "f" occurs twice')
        self.service('[service.s]\nmessages = ["Swap", "Swap"]\n', 's.toml:2:21: the message "Swap" is listed twice')

    def test_no_bound(self):
        self.contract("messages:\n- name: M\n  fields:\n  - {name: a, type: string}\n  - {name: b, type: 'u8[]'}\n"
                      "  - {name: c, type: bytes, max_items: 3}\n",
                      'c.yaml:4:12: the field "M.a" has no bound; give it max_bytes',
                      'c.yaml:5:12: the list "M.b" has no bound; give it max_items',
                      'c.yaml:6:12: the field "M.c" has no bound; give it max_bytes')

    def test_recursion(self):
        self.contract("messages:\n- {name: M, fields: [{name: n, type: N}]}\n- {name: N, fields: [{name: m, type: M}]}\n",
                      'c.yaml:3:29: the message "M" contains itself: M > N > M')
        chain = "".join(f"- {{name: M{i}, fields: [{{name: f, type: M{i + 1}}}]}}\n" for i in range(120))
        self.expect(self.show(f"messages:\n{chain}- {{name: M120, size: 1}}\n", '[service.s]\nmessages = ["M0"]\n'),
                    "c.yaml:101:31: messages are nested deeper than 100")

    def test_sizes(self):
        self.contract("messages:\n- name: M\n  size: 7\n  fields: [{name: f, type: u64}]\n",
                      'c.yaml:3:9: the message "M" may take 8 bytes, more than its size 7')
        self.contract("messages:\n- name: M\n  header: 4\n  size: 11\n  fields: [{name: f, type: u64}]\n",
                      'c.yaml:4:9: the message "M" may take 12 bytes, more than its size 11')
        self.message("{name: f, type: string, max_bytes: 2G}",
                     'c.yaml:4:40: expected a number from 0 to 1073741824, not "2G"')
        self.contract('length_prefix: 1\nmessages:\n- {name: M, fields: [{name: f, type: string, max_bytes: 256}]}\n',
                      "c.yaml:3:29: a length of 256 does not fit into the 1 bytes of length_prefix")

    def test_sums_do_not_overflow(self):
        contract = "messages:\n- name: M\n  fields: [{name: f, type: 'N[]', max_items: 1G}]\n"
        for name, part in (("N", "O"), ("O", "P"), ("P", "u8")):
            contract += f"- name: {name}\n  fields: [{{name: f, type: '{part}[]', max_items: 1G}}]\n"
        result = self.show(contract)
        self.assertRegex(result.stderr, r'^(hotlane: c.yaml:\d+:9: the message "\w" may take more than 1G; .*\n)+$')
        self.assertEqual(result.returncode, 2)

    def test_type_ids(self):
        self.contract("messages:\n- {name: M, type_id: 65536, size: 1}\n", 
                      'c.yaml:2:22: expected a type id from 0 to 65535, not "65536"')
        self.contract("messages:\n- {name: N, type_id: 65535, size: 1}\n- {name: M, size: 1}\n",
                      'c.yaml:3:10: the type id 65536, which follows the one of the message before "M", is above 65535')
        self.contract("messages:\n- {name: M, type_id: -1, size: 1}\n",
                      'c.yaml:2:22: expected a type id from 0 to 65535, not "-1"')

    def test_services(self):
        self.service("[service.s]\nmessages = []\n",
                     's.toml:1:1: the service "s" has no messages; list them in messages = [...]')
        self.service("[service.s]\n", 's.toml:1:1: the service "s" has no messages; list them in messages = [...]')
        self.service("[other]\n", "s.toml:1:1: the file has no table [service.NAME]")
        self.service("[service.a]\n[service.b]\n", "s.toml:1:1: the file has 2 services; choose one with --service NAME")
        self.service('[service.s]\nmessages = ["Swap"]\nmemory_limit = "1K"\n',
                     "s.toml:3:16: the pools take 131072 bytes, more than the memory_limit of 1024")
        self.service('[service.s]\nmessages = ["Swap", 3]\nbudget = "lots"\nin_flight = 0\nexhausted = "wait"\nshared = 1\n'
                     'clear = "yes"\nmemory_limit = -1\nbuffer_pool_enabled = "no"\n',
                     "s.toml:2:21: expected the name of a message",
                     's.toml:3:10: expected a size such as "128K", from 1 to 1G',
                     "s.toml:4:13: expected a number of buffers from 1 to 1000000",
                     's.toml:5:13: expected "fallback" or "fail"',
                     's.toml:6:10: expected true, false or "reader_and_worker"',
                     "s.toml:7:9: expected true or false", 's.toml:8:16: expected a size such as "128K", from 1 to 1G',
                     "s.toml:9:23: expected true or false")
        self.service('[service.s]\nmessages = ["Swap"]\nshared = "reader_and_worker"\nmax_capacity = 9\n',
                     "s.toml:3:10: pools for a reader and a worker cannot grow; remove max_capacity, or write shared = true")
        self.service('[service.s]\nmessages = ["Swap"]\nshared = "ring"\nmax_capacity = 0\ngrowth = 0.5\n',
                     's.toml:3:10: expected true, false or "reader_and_worker"',
                     "s.toml:4:16: expected a number of buffers from 1 to 1000000",
                     "s.toml:5:10: expected a factor from 1 to 100, such as 1.5")
        many = [f"M{i}" for i in range(70)]
        self.expect(self.show("messages:\n" + "".join(f"- {{name: {name}, size: {64 * i + 1}}}\n" for i, name in enumerate(many)),
                              f"[service.s]\nmessages = {many}", "--classes=tight"),
                    "s.toml:1:1: the service has 70 classes of buffers, and at most 64 are possible; use powers of two")

    def test_names_in_c(self):
        for name, why in (("class", "has the name of a keyword of C or C++"), ("restrict", "has the name of a keyword of C or C++"),
                          ("hotlane", "has a name that is used otherwise in C or C++"),
                          ("max_size", "has a name that is used otherwise in C or C++"),
                          ("a-_b", "would have two underscores in a row, which C++ reserves"),
                          ("../../etc/x", "cannot become an identifier; use letters, digits, _ and -, with a letter first"),
                          ("1st", "cannot become an identifier; use letters, digits, _ and -, with a letter first"),
                          ("é", "cannot become an identifier; use letters, digits, _ and -, with a letter first")):
            self.contract(f'messages:\n- {{name: "{name}", size: 1}}\n', f'c.yaml:2:10: the message "{name}" {why}',
                          service=f'[service.s]\nmessages = ["{name}"]\n')
            self.contract("messages: [{name: M, size: 1}]", f's.toml:1:1: the service "{name}" {why}',
                          service=f'[service."{name}"]\nmessages = ["M"]\n')
        long = "x" * 65
        self.contract(f"messages:\n- {{name: {long}, size: 1}}\n", f'c.yaml:2:10: the message "{long}" has a name of more than '
                      '64 characters', f's.toml:1:1: the service "{long}" has a name of more than 48 characters',
                      service=f'[service.{long}]\nmessages = ["{long}"]\n')
        self.contract("messages:\n- {name: a-b, size: 1}\n- {name: a_b, size: 1}\n",
                      'c.yaml:3:10: the messages "a-b" and "a_b" are both called a_b in C and C++',
                      service='[service.s]\nmessages = ["a-b", "a_b"]\n')
        self.contract("messages:\n- {name: s_pools, size: 1}\n",
                      'c.yaml:2:10: the message "s_pools" has a name that is generated for the service',
                      service='[service.s]\nmessages = ["s_pools"]\n')
        self.contract("messages:\n- {name: u64, size: 1}\n", 'c.yaml:2:3: "u64" is the name of a type'.replace("2:3", "2:10"),
                      service='[service.s]\nmessages = ["u64"]\n')

    def test_wrong_forms(self):
        self.contract("messages: 3\n", "c.yaml:1:11: expected a list of messages")
        self.contract("messages:\n- {size: 1}\n- {name: M}\n- 7\n- {name: M2, fields: 3}\n- {name: M3, fields: [3, {name: f}, {type: u8}]}\n",
                      "c.yaml:2:3: the message has no name", 'c.yaml:3:3: the message "M" has neither fields nor a size',
                      "c.yaml:4:3: expected a message: a map of keys and values", "c.yaml:5:22: expected a list of fields",
                      "c.yaml:6:23: expected a field: a map of keys and values", 'c.yaml:6:26: the field "f" has no type',
                      "c.yaml:6:37: the field has no name")
        self.message("{name: f, type: u8, max_bytes: 3}", 'c.yaml:4:12: max_bytes is for string and bytes; "f" is neither')
        self.message('{name: f, type: "u8[3]", max_items: 3}', "c.yaml:4:41: the length of an array is fixed; it takes no max_items")
        good = "messages: [{name: M, size: 1}]\n"
        self.contract(good + "length_prefix: 3\n", "c.yaml:2:16: a length has 0, 1, 2, 4 or 8 bytes, not 3")
        self.contract(good + "header: {type_offset: 3, length_offset: 2}\n", "c.yaml:2:9: the type and the length of the header overlap")
        self.contract(good + "header: {size: 5}\n",
                      "c.yaml:2:9: the type or the length does not lie within the 5 bytes of the header")
        self.contract(good + "header: {length_bytes: 3}\n", "c.yaml:2:9: the length of a frame has 2 or 4 bytes, not 3")
        self.contract(good + "header: {byte_order: middle, length_includes_header: 1, size: 33}\n",
                      "c.yaml:2:22: expected little or big", "c.yaml:2:54: expected true or false",
                      'c.yaml:2:63: expected a number from 0 to 32, not "33"')

    def test_files(self):
        self.write("s.toml", "[service.s\n")
        result = pools("show", "no.yaml", "--config", "s.toml", "--bounds=no.bounds", cwd=self.directory)
        self.expect(result, "no.yaml:1:1: No such file or directory", "no.bounds:1:1: No such file or directory",
                    "s.toml:1:11: not TOML: Error while parsing table header: expected ']', saw '\\n'")
        self.assertRegex(self.show("messages: [\n").stderr, r"^hotlane: c.yaml:\d:\d+: not YAML: ")
        self.contract("", "c.yaml:1:1: the file is empty; expected a contract with messages")
        self.contract("messages: []\n---\nmessages: []\n", "c.yaml:2:1: a second document begins here; a contract is one document")
        self.contract("a: &a [*a]\n", "c.yaml:1:8: this alias stands for a node that contains it")
        self.expect(self.show("x", SERVICE, name="c.txt"), "c.txt:1:1: expected a contract whose name ends in .yaml, .yml or "
                    ".proto, or a FileDescriptorSet whose name ends in .pb, .binpb, .desc or .protoset")
        (self.directory / "zero.yaml").symlink_to("/dev/zero")
        self.expect(pools("show", "zero.yaml", "--config=s.toml", cwd=self.directory), "zero.yaml:1:1: more than 4 MiB")

    def test_documents_that_explode(self):
        bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
            f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10))
        result = self.show(bomb)
        self.assertRegex(result.stderr, r"^hotlane: c.yaml:\d+:\d+: the document has more than 200000 nodes, aliases included\n$")
        self.assertIn("not YAML", self.show("[" * 100_000).stderr)
        self.assertIn("not YAML", self.show("messages: " + "{a: " * 5000).stderr)
        self.assertIn("not TOML", self.show("messages: [{name: M, size: 1}]", "a = " + "[" * 100_000).stderr)
        for text in ("[" + "a." * 500_000 + "a]\n", "a." * 500_000 + "a = 1\n"):
            self.assertRegex(self.show("messages: [{name: M, size: 1}]", text).stderr,
                             r"^hotlane: s.toml:1:6\d: more than 32 parts with dots between them\n$")
        dots = f'[service.s]\nmessages = ["M"]\n[other]\ntext = "{"." * 100}"  # {"." * 100}\n'
        self.assertEqual(self.show("messages: [{name: M, size: 1}]", dots).returncode, 0)
        self.assertIn("not TOML", self.show("messages: [{name: M, size: 1}]", ("a." * 31 + "a = {") * 200).stderr)
        result = self.show("messages:\n" + "- {nam: 3}\n" * 3000)
        self.assertEqual(len(result.stderr.splitlines()), 1001)
        self.assertEqual(result.stderr.splitlines()[-1], "hotlane: 5,000 more problems")

    def test_control_characters_are_escaped(self):
        self.contract('messages:\n- {name: M, size: 1, "\\e[2J": 1}\n', 'c.yaml:2:22: "\\033[2J" is not a key of a message')


class Output(PoolsTest):
    def setUp(self):
        super().setUp()
        for name in ("contracts.yaml", "service.toml"):
            shutil.copy(HERE / name, self.directory)
        self.inputs = ["contracts.yaml", "--config", "service.toml", "--service", "polygon-adapter"]
        self.out = self.directory / "out"
        self.header = self.out / "polygon_adapter_pools.hpp"

    def run_pools(self, action, *arguments):
        return pools(action, *self.inputs, *arguments, cwd=self.directory)

    def generate(self, *arguments):
        result = self.run_pools("generate", "-o", "out", *arguments)
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("", "", 0))

    def test_writes_one_file_and_the_rule(self):
        self.generate("--depfile", "rule.d")
        self.assertEqual(os.listdir(self.out), ["polygon_adapter_pools.hpp"])
        self.assertEqual((self.directory / "rule.d").read_text(),
                         "out/polygon_adapter_pools.hpp: \\\n  contracts.yaml \\\n  service.toml\n")
        self.assertEqual(stat.S_IMODE(self.header.stat().st_mode), 0o666 & ~current_umask())
        text = self.header.read_text()
        self.generate()
        self.assertEqual(self.header.read_text(), text)

    def test_the_rule_escapes_names(self):
        name = "a b#c$d.yaml"
        shutil.copy(HERE / "contracts.yaml", self.directory / name)
        self.inputs[0] = name
        self.generate("--depfile=rule.d")
        self.assertIn("  a\\ b\\#c$$d.yaml \\\n", (self.directory / "rule.d").read_text())

    def test_check(self):
        self.assertEqual(self.run_pools("check", "-oout").returncode, 3)
        self.generate()
        self.generate("--lang=c")
        self.assertEqual(self.run_pools("check", "-oout").returncode, 0)
        self.assertEqual(self.run_pools("check", "-oout", "--lang=c").returncode, 0)
        self.assertEqual(self.run_pools("check", "-oout", "--namespace=x").returncode, 3)
        contract = (self.directory / "contracts.yaml")
        contract.write_text(contract.read_text() + "      - {name: more, type: u8}\n")
        result = self.run_pools("check", "-oout")
        self.assertEqual((result.returncode, result.stderr), (
            3, "hotlane: pools: out/polygon_adapter_pools.hpp is not what `hotlane pools generate` makes of its inputs now\n"))
        self.generate()
        self.assertEqual(self.run_pools("check", "-oout").returncode, 0)
        self.header.write_text("x" * 100_000)
        self.assertEqual(self.run_pools("check", "-oout").returncode, 3)
        contract.write_text("wrong")
        self.assertEqual(self.run_pools("check", "-oout").returncode, 2)

    def test_nothing_is_written_when_something_is_wrong(self):
        self.generate("--depfile=rule.d")
        before = self.header.read_text()
        contract = (self.directory / "contracts.yaml")
        contract.write_text(contract.read_text() + "      - {name: more, type: u9}\n")
        (self.directory / "rule.d").unlink()
        result = self.run_pools("generate", "-o", "out", "--depfile", "rule.d")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(self.header.read_text(), before)
        self.assertFalse((self.directory / "rule.d").exists())
        self.assertEqual(self.run_pools("generate", "-o", "other").returncode, 2)
        self.assertFalse((self.directory / "other").exists())

    def test_links_are_replaced_not_followed(self):
        victim = self.write("victim", "keep")
        self.out.mkdir()
        self.header.symlink_to(victim)
        self.generate()
        self.assertFalse(self.header.is_symlink())
        self.assertEqual(victim.read_text(), "keep")

    def test_directories_that_cannot_be_written(self):
        result = self.run_pools("generate", "-o", "contracts.yaml")
        self.assertEqual((result.returncode, result.stderr), (2, "hotlane: contracts.yaml: Not a directory\n"))
        result = self.run_pools("generate", "-o", "no/such")
        self.assertEqual((result.returncode, result.stderr), (2, "hotlane: no/such: No such file or directory\n"))
        self.header.mkdir(parents=True)
        result = self.run_pools("generate", "-o", "out")
        self.assertEqual((result.returncode, result.stderr), (2, f"hotlane: out/{self.header.name}: Is a directory\n"))
        self.assertEqual(os.listdir(self.out), [self.header.name])

    def test_a_contract_may_follow_dashes(self):
        self.assertEqual(pools("show", "--config=service.toml", "--service=archive", "--", "contracts.yaml",
                               cwd=self.directory).returncode, 0)

    def test_usage(self):
        for arguments, said in (([], "A subcommand is required"), (["show", "--config=s"], "pools: missing CONTRACT: hotlane pools show --config FILE [OPTIONS] CONTRACT"),
                                (["generate", "c", "--config=s"], "--output is required"),
                                (["show", "c", "--config=s", "--classes=odd"], '--classes: "odd" is not one of power-of-two|tight'),
                                (["check", "c", "--config=s", "-o.", "--lang=rust"], '--lang: "rust" is not one of c++|c'),
                                (["check", "c", "--config=s", "-o.", "--namespace=a-b"],
                                 '--namespace: "a-b" is not the name of a C++ namespace')):
            result = pools(*arguments)
            see = "" if said.startswith("pools:") else " (see hotlane --help)"
            self.assertEqual((result.returncode, result.stderr), (125, f"hotlane: {said}{see}\n"))


class Headers(PoolsTest):
    """The headers compile with all warnings, and clang-format leaves them as they are."""

    WARNINGS = ["-Wall", "-Wextra", "-Werror", "-Wpedantic", "-Wconversion", "-Wshadow", "-fsyntax-only", f"-I{ROOT}/include"]

    def generate(self, service, contract, config, *arguments):
        for language in ("c++", "c"):
            extra = arguments if language == "c++" else ()
            result = pools("generate", contract, "--config", config, "--service", service, "-o", self.directory, "--lang",
                           language, *extra)
            self.assertEqual(result.stderr, "")

    def long_names(self):
        """Services with names of all lengths, and one with a name that just fits into a line."""
        names = [f"Message{'x' * i}{i}" for i in range(0, 55, 3)]
        yield "messages:\n" + "".join(f"- {{name: {name}, size: {10 ** (i % 8)}}}\n" for i, name in enumerate(names)), names
        names = [f"M{i}" for i in range(40)]
        yield "messages:\n" + "".join(f"- {{name: {name}, size: {2 ** (i % 28)}}}\n" for i, name in enumerate(names)), names
        names = [f"{'n' * 60}{i:04}" for i in range(9)]
        yield "messages:\n" + "".join(f"- {{name: {name}, type_id: {65500 + i}, size: 1G}}\n" for i, name in enumerate(names)), names
        for length in range(41, 56, 3):
            pair = ["A" * length, "B" * 20]
            yield "".join(["messages:\n", *(f"- {{name: {name}, size: 1}}\n" for name in pair)]), pair

    def compile(self, *command, source=None):
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=120, input=source)
        self.assertEqual(result.stderr, "")
        self.assertEqual(result.returncode, 0)

    def test_compile_without_warnings(self):
        self.generate("polygon-adapter", HERE / "contracts.yaml", HERE / "service.toml")
        self.generate("archive", HERE / "contracts.yaml", HERE / "service.toml", "--namespace=archive")
        both = '#include "polygon_adapter_pools.hpp"\n#include "archive_pools.hpp"\n'
        use = ("static_assert(SwapEvent::max_size == 84 && SwapEvent::buffer_class == 128 && SwapEvent::type_id == 1);\n"
               "bool use(polygon_adapter_pools& pools) { return pools.get<SwapEvent>() && pools.get(500); }\n")
        for compiler in ("g++", "clang++"):
            if shutil.which(compiler):
                self.compile(compiler, "-std=c++20", *self.WARNINGS, f"-I{self.directory}", "-x", "c++", "-", source=both + use)
        c = "".join(f'#include "{name}_pools.h"\n' for name in ("polygon_adapter", "archive", "archive"))
        c += "int size(void);\nint size(void) { return SwapEvent_MAX_SIZE == 84U ? 0 : 1; }\n"
        for compiler in ("gcc", "clang"):
            if shutil.which(compiler):
                self.compile(compiler, "-std=c99", *self.WARNINGS, f"-I{self.directory}", "-x", "c", "-", source=c)

    def test_another_message_is_refused_with_a_reason(self):
        self.generate("archive", HERE / "contracts.yaml", HERE / "service.toml")
        source = ('#include "archive_pools.hpp"\nstruct Notice {};\n'
                  "auto get(archive_pools& pools) { return pools.get<Notice>(); }\n")
        result = subprocess.run(["g++", "-std=c++20", *self.WARNINGS, f"-I{self.directory}", "-x", "c++", "-"], input=source,
                                capture_output=True, text=True, check=False, timeout=120)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("this message is not one of the service's", result.stderr)

    @unittest.skipUnless(shutil.which("clang-format"), "no clang-format")
    def test_clang_format_changes_nothing(self):
        self.generate("polygon-adapter", HERE / "contracts.yaml", HERE / "service.toml", "--namespace=polygon")
        for i, (contract, names) in enumerate(self.long_names()):
            self.write("c.yaml", contract)
            service = f"service{i}-{'y' * i}"
            self.write("s.toml", f"[service.{service}]\nmessages = {names}\n")
            self.generate(service, self.directory / "c.yaml", self.directory / "s.toml")
        headers = sorted(self.directory.glob("*_pools.h*"))
        self.assertEqual(len(headers), 18)
        self.compile("clang-format", "--dry-run", "-Werror", f"--style=file:{ROOT}/.clang-format", *headers)


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def main():
    global COMMAND
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", type=pathlib.Path, help="the hotlane command")
    arguments, rest = parser.parse_known_args()
    COMMAND = arguments.command.resolve()
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
