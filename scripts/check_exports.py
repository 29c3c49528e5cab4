#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks what libhotlane.so and libhotlane.a show to the outside: the names of tests/exports.golden and hotlane_*,
libc.so.6 as the only library needed, and that the code is never unmapped."""

import argparse
import pathlib
import re
import subprocess
import sys

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "exports.golden"
API_PREFIX = "hotlane_"
NEEDED = ["libc.so.6"]
# A static program has its own.
SHARED_ONLY = {"dlopen", "dlmopen", "__register_atfork"}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"check_exports: {command[0]}: {done.stderr.strip()}")
    return done.stdout


def defined_names(*nm_options):
    lines = run("nm", "-P", "--defined-only", *nm_options).splitlines()
    return {line.split()[0].split("@")[0] for line in lines if not line.endswith(":")}


def hidden_names(archive):
    """What the archive's members show each other but nobody else."""
    return {line.split()[-1] for line in run("readelf", "-sW", archive).splitlines() if " HIDDEN " in line}


def name_errors(what, found, expected):
    for name in sorted(expected - found):
        yield f"{what}: does not export {name}"
    for name in sorted(found - expected):
        if not name.startswith(API_PREFIX):
            yield f"{what}: exports {name}"


def dynamic_errors(library):
    dynamic = run("readelf", "-dW", library)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    if needed != NEEDED:
        yield f"{library.name}: needs {', '.join(needed)}; only {', '.join(NEEDED)} is allowed"
    for flag in ("NODELETE", "NOW"):
        if not re.search(rf"\b{flag}\b", dynamic):
            yield f"{library.name}: not linked with -z {flag.lower()}"
    if "TEXTREL" in dynamic:
        yield f"{library.name}: has text relocations"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library", type=pathlib.Path, help="libhotlane.so")
    parser.add_argument("archive", type=pathlib.Path, help="libhotlane.a")
    arguments = parser.parse_args()
    expected = set(GOLDEN.read_text().split())
    errors = [*name_errors(arguments.library.name, defined_names("-D", arguments.library), expected),
              *name_errors(arguments.archive.name,
                           defined_names("-g", arguments.archive) - hidden_names(arguments.archive),
                            expected - SHARED_ONLY),
              *dynamic_errors(arguments.library)]
    print("\n".join(errors) if errors else f"exports: {len(expected)} names, and {API_PREFIX}*")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
