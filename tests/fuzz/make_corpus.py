#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes the initial files of the corpus. Files that fuzzing found are in the same directories, and are kept."""

import pathlib
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent / "corpus"

DUMP = """heap profile: 1: 64 [3: 192] @ heap_v2/{period}
# hotlane profile 1
# program: /opt/a\\012b
# process: 7
# time_ns: 1790000000000000000
# duration_ns: 1000000000
# reason: exit
# sequence: 2
# series: 1790000000000000001
# unwind: libunwind
# samples: 3
# lost_samples: 0
# class: 64 hits=10 misses=1 puts=9
1: 64 [3: 192] @ 0x401000 0x402000
# site: live=1,64,50 total=3,192,150 temporary=2,128 remote=1,64 lifetimes=10:1,20:1

MAPPED_LIBRARIES:
00400000-00500000 r-xp 00000000 08:01 12                         /opt/a\\012b
7f0000000000-7f0000001000 r--p 00001000 08:01 13                 /usr/lib/l\u00e9.so (deleted)
"""


# The lines that format 2 added.
NEW = """# begin_ns: 1789999999000000000
# peak_ns: 500000000
# point: 1000 live=64 rss=4096 requests=1 misses=1
# point: 900000000 live=192 rss=8192 requests=3 misses=1
# point: 1000000000 live=64 rss=8192 requests=900 misses=2
# build_id: 0x400000 0123456789abcdef
"""


def second_format():
    text = DUMP.format(period=1).replace("profile 1\n", "profile 2\n" + NEW)
    return text.replace(" temporary=", " peak=2,128,100 temporary=")


def dumps():
    yield "every", DUMP.format(period=1)
    yield "sampled", DUMP.format(period=524288)
    yield "second", second_format()
    yield "second_limits", second_format().replace("192", str(2**63 - 1)).replace("900", str(2**62))
    yield "foreign", DUMP.format(period=1).replace("# ", "#").replace("#site", "#")
    yield "exact", "heap profile: 0: 0 [0: 0] @ heapprofile\n\nMAPPED_LIBRARIES:\n1-2 r-xp 0 0:0 0\n"
    yield "limits", DUMP.format(period=2**62).replace("192", str(2**63 - 1))
    yield "control", DUMP.format(period=1).replace("exit", "\x1b[2J\x9b\u202e")


def options():
    for index, value in enumerate(("64K", "1.5GiB", "250ms", "99.5%", "64:1000,4096:16", "zone=b,note=a=b", "json",
                                   "/tmp/%e.%p.%n.heap", "18446744073709551615T", "1", "USR2", "a=1,a=2")):
        yield f"value{index}", value
    yield "file", "# comment\n\n HOTLANE_STATS = json \r\nHOTLANE_LIMIT=x\nHOTLANE_STATS=off\nHOTLANE_CONFIG=a\n=\nHOTLANE_=1"
    yield "environment", "HOTLANE_LABELS=zone=b\0HOTLANE_STATS_FILE=/tmp/%p%%\0HOTLANE_STAT=1\0HOTLANE_THREAD_CACHE=-1\0X=y"


def tune():
    sizes = "# size_step: 16\n# size: 64 requests=1000 live=10,560 peak=600,33600 early=12\n"
    yield "profile", DUMP.format(period=1).replace("# class: ", sizes + "# class: ", 1)
    yield "old", DUMP.format(period=1)
    yield "limits", DUMP.format(period=1).replace("# class: ", sizes.replace("600", str(2**63 - 1)) + "# class: ", 1)
    yield "report", ('{"format": "hotlane-stats", "process": {"program": "p", "pid": 2, "threads_live": 1}, "totals": '
                     '{"allocations": 10, "misses": 3}, "memory": {"peak_rss": 4096}, "classes": [{"size": 64, "swing": 5}]}')


def operations():
    yield "every", bytes([0, 0, 100, 0, 11, 31, 1, 200, 0, 50, 4, 0, 9, 9, 5, 6, 0, 70, 1, 6, 0, 0, 0, 200, 3, 10, 2, 8, 11, 31,
                          11, 0, 3, 3, 3, 9, 5])
    yield "one_class", bytes([0, 0, 64, 0]) + bytes([3]) * 300 + bytes([9, 200]) + bytes([3]) * 300
    yield "large", bytes([0, 255, 255, 255, 6, 0, 0, 255, 0, 10] * 20)
    yield "threads", bytes([0, 0, 100, 0] + [3] * 50 + [11, 31] + [10, 20, 40] * 4 + [9, 255])


def unwind():
    common = b"\x01zR\0\x01\x78\x10\x01\x1b" + bytes([0x0C, 7, 8, 0x90, 1, 0, 0])
    entry = struct.pack("<iI", 0, 64) + b"\0" + bytes([0x41, 0x0E, 16, 0x86, 2, 0x43, 0x0D, 6, 0x02, 30, 0x0A, 0x0B, 0xC6,
                                                       0x0C, 7, 8, 0, 0x16, 6, 2, 0, 0, 0x11, 6, 0x7F])
    for at in (0, 1, 63):
        yield f"at{at}", struct.pack("<HB", at, len(common)) + common + entry
    yield "letters", struct.pack("<HB", 0, 4) + b"\x01zzz" + entry


def contract():
    pools = HERE.parent.parent / "pools"
    text = (pools / "contracts.yaml").read_text()
    yield "example", text
    yield "bounds", text + "\0SwapEvent type_id:9\nPoolStateUpdate.ticks max_items:7 # a comment\nNotice.text max_size:3\n"
    yield "aliases", "length_prefix: 2\nmessages:\n- name: A\n  fields: &f\n  - {name: x, type: u8}\n- {name: B, fields: *f}\n"
    yield "types", "messages: [{name: M, type_id: 7, header: true, size: 1K, fields: [" + ", ".join(
        f"{{name: f{i}, type: '{name}', max_items: 3}}" for i, name in enumerate(
            ("bool", "u8", "i64", "f32", "f64", "uint24", "int256", "address", "bytes32", "enum", "u16[]", "list<N>"))) + \
        ", {name: s, type: string, max_bytes: 5}, {name: a, type: 'u8[4]'}]}, {name: N, size: 3}]"
    yield "recursive", "messages: [{name: A, fields: [{name: b, type: B}]}, {name: B, fields: [{name: a, type: A}]}]"
    yield "bomb", "a: &a [1, 2]\nb: &b [*a, *a]\nc: [*b, *b, *b]\n"


def service():
    yield "example", '[service.a-b]\nmessages = ["A", "Bee"]\nbuffer_pool_enabled = true\nbudget = "64K"\nexhausted = "fail"\n'
    yield "all", '[service."x.y"]\nmessages = ["see-saw"]\nin_flight = 9\nshared = true\nclear = false\nmemory_limit = 4096\n'
    yield "wrong", '[service]\ns = { messages = [1, "C", []], budged = 2020-01-01, clear = 1.5 }\n[other]\nkey = \'x\'\n'


def descriptors():
    pools = HERE.parent.parent / "pools"
    with tempfile.TemporaryDirectory() as directory:
        for name, source, options in (("swap", "swap.proto", []), ("imports", "swap.proto", ["--include_imports"]),
                                      ("closed", "closed.proto", ["--include_source_info"])):
            output = pathlib.Path(directory) / name
            subprocess.run(["protoc", f"--proto_path={pools}", f"--descriptor_set_out={output}", *options, source], check=True)
            yield name, output.read_bytes()
        source = pathlib.Path(directory) / "options.proto"
        source.write_text('syntax = "proto3";\nimport "nanopb.proto";\nimport "buf/validate/validate.proto";\n'
                          "message M {\n  string s = 1 [(nanopb).max_size = 9];\n  map<string, bytes> m = 2 [(buf.validate.field).map "
                          "= {max_pairs: 2, keys: {string: {max_len: 3}}, values: {bytes: {len: 4}}}];\n}\n")
        output = pathlib.Path(directory) / "options"
        subprocess.run(["protoc", f"--proto_path={directory}", f"--proto_path={pools}/options", "--include_imports",
                        f"--descriptor_set_out={output}", "options.proto"], check=True)
        yield "options", output.read_bytes()


def symbols():
    source = "extern \"C\" int f(int x) { return x + 1; }\nstatic inline int g(int x) { return f(x) * 2; }\n" \
             "namespace n { int h(int x) { return g(x); } }\n"
    with tempfile.TemporaryDirectory() as directory:
        for name, options in (("plain", []), ("dwarf4", ["-gdwarf-4"]), ("dwarf5", ["-gdwarf-5"])):
            output = pathlib.Path(directory) / name
            subprocess.run(["g++", "-x", "c++", "-", "-O2", "-shared", "-fPIC", "-nostdlib", "-Wl,--build-id=none",
                            "-Wl,-z,noseparate-code", f"-fdebug-prefix-map={directory}=.", "-Wl,-z,max-page-size=256", *options, "-o", output],
                           input=source.encode(), check=True, cwd=directory)
            yield name, output.read_bytes()
    for index, name in enumerate(("_ZN3app4leakEv", "_ZNSt6vectorIiSaIiEE9push_backERKi", "f",
                                  "_Z1f1aIiiE" + "S_IS0_S0_E" + "S_IS1_S1_E", "_Z1fDp1aIS_IS_IiiES0_ES1_E",
                                  "_GLOBAL__sub_I_x", "_ZZ4mainENKUlvE_clEv")):
        yield f"name{index}", name


def main():
    for target in (contract, descriptors, dumps, tune, options, operations, service, unwind, symbols):
        directory = HERE / target.__name__.removesuffix("s" if target is dumps else "")
        directory.mkdir(parents=True, exist_ok=True)
        for name, contents in target():
            (directory / name).write_bytes(contents if isinstance(contents, bytes) else contents.encode())


if __name__ == "__main__":
    main()
