#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of malloc, free, refill, flush and samples under callgrind, and compares them with a
golden file.

Each line of the golden file is a name, the instructions per operation without those of the loop, and the
tolerance in per cent. The check fails when there are more; it reports when there are fewer, so that the file can
be updated with --update."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77  # meson's exit status for a skipped test
DESCRIPTION = re.compile(r"^desc: Trigger: Client Request: (\w+)", re.MULTILINE)
TOTALS = re.compile(r"^(?:totals|summary): (\d+)", re.MULTILINE)
# memset depends on the processor, realloc is not a hit, and the work of a refill depends on addresses.
TOLERANCES = {
    "calloc_hit": 25,
    "realloc_in_place": 15,
    "malloc_fresh": 10,
    "free_flushed": 10,
    "malloc_refilled": 10,
    "malloc_sampled": 10,  # the depth of the stack depends on the loader
    "free_sampled": 10,
}
TOLERANCE = 3


def count(program, library, sampled=False):
    """Returns the instructions per operation by name. The profiler samples either every operation or none."""
    with tempfile.TemporaryDirectory(prefix="hotlane-callgrind-") as directory:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out", str(program)]
        # No maintenance: it depends on the clock, not on the number of operations.
        environment = {"LD_PRELOAD": str(library), "HOTLANE_STATS": "off", "HOTLANE_PURGE_DELAY": "1h",
                       "PATH": "/usr/bin:/bin"}
        if sampled:
            environment |= {"HOTLANE_PROFILE": "/dev/null", "HOTLANE_SAMPLE_INTERVAL": "1"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"check_instructions: {program} failed under callgrind: {done.stderr.strip()[-500:]}")
        operations = {name: int(number) for name, number in map(str.split, done.stdout.splitlines())}
        found = {}
        for path in pathlib.Path(directory).iterdir():
            text = path.read_text()
            name, totals = DESCRIPTION.search(text), TOTALS.search(text)
            if name and totals:
                found[name.group(1)] = int(totals.group(1)) / operations[name.group(1)]
    missing = operations.keys() - found.keys()
    if missing:
        sys.exit(f"check_instructions: callgrind left no counts for {', '.join(sorted(missing))}")
    loop = found.pop("loop")
    return {name: found[name] - loop for name in operations if name != "loop"}


def count_all(program, library):
    counts = count(program, library)
    sampled = count(program, library, sampled=True)
    return counts | {f"{name}_sampled": sampled[f"{name}_hit"] for name in ("malloc", "free")}


def count_again(counts, program, library):
    """Returns the fewer of two counts. On a busy machine, a thread's poll of the clock may fall into one of them."""
    again = count_all(program, library)
    return {name: min(counts[name], again[name]) for name in counts}


def read_golden(path):
    lines = (line.split("#")[0].split() for line in path.read_text().splitlines())
    return {fields[0]: (float(fields[1]), float(fields[2])) for fields in lines if fields}


def write_golden(path, counts):
    lines = [
        "# Instructions per operation of 64 bytes, tolerance in per cent: scripts/check_instructions.py.",
        "# malloc_fresh, malloc_refilled and free_flushed are means over many refills and flushes.",
        "# malloc_sampled is 1,557 or 1,691 in different runs.",
    ]
    lines += [
        f"{name:<18} {value:8.2f} {TOLERANCES.get(name, TOLERANCE):4d}" for name, value in counts.items()
    ]
    path.write_text("\n".join(lines) + "\n")


def change_of(count, expected):
    return 100 * (count / expected - 1)


def has_too_many(counts, golden):
    return any(change_of(counts[name], golden[name][0]) > golden[name][1] for name in counts.keys() & golden.keys())


def compare(counts, golden):
    """Prints a line for each name. Returns whether all are within their tolerances."""
    good = counts.keys() == golden.keys()
    if not good:
        print(f"the names differ: {', '.join(sorted(counts.keys() ^ golden.keys()))}")
    for name in (name for name in counts if name in golden):
        expected, tolerance = golden[name]
        change = change_of(counts[name], expected)
        verdict = (
            "too many"
            if change > tolerance
            else "fewer: renew with --update"
            if change < -tolerance
            else "ok"
        )
        print(f"{name:<18} {counts[name]:8.2f} expected {expected:8.2f} ({change:+.1f} %)  {verdict}")
    return good and not has_too_many(counts, golden)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("program", type=pathlib.Path, help="the built bench/instructions")
    parser.add_argument("library", type=pathlib.Path, help="the library to preload")
    parser.add_argument("golden", type=pathlib.Path, help="the golden file")
    parser.add_argument("--update", action="store_true", help="write the golden file instead of comparing")
    arguments = parser.parse_args()
    if shutil.which("valgrind") is None:
        print("valgrind is not installed: nothing was checked")
        return SKIPPED
    counts = count_all(arguments.program, arguments.library.resolve())
    if arguments.update:
        write_golden(arguments.golden, counts)
        return 0
    golden = read_golden(arguments.golden)
    if has_too_many(counts, golden):
        counts = count_again(counts, arguments.program, arguments.library.resolve())
    return 0 if compare(counts, golden) else 1


if __name__ == "__main__":
    sys.exit(main())
