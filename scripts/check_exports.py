#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the interface of libhotlane.so and libhotlane.a: they export the names of preload/exports.list, those of
hotlane.h with the version of preload/exports.map and the others without a version; they need no library but
libc.so.6; and their code is never unmapped."""

import argparse
import pathlib
import re
import subprocess
import sys

PRELOAD = pathlib.Path(__file__).resolve().parent.parent / "preload"
API_PREFIX = "hotlane_"
NEEDED = ["libc.so.6"]
# A static program has its own.
SHARED_ONLY = {"dlopen", "dlmopen", "__register_atfork"}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"check_exports: {command[0]}: {done.stderr.strip()}")
    return done.stdout


def without_comments(path):
    return re.sub(r"#[^\n]*", "", path.read_text())


def listed_names():
    return set(without_comments(PRELOAD / "exports.list").split()) - {API_PREFIX + "*"}


def listed_versions():
    """Returns the version of each name according to the version script."""
    nodes = re.findall(r"(\w+)\s*\{\s*global:(.*?)(?:local:.*?)?\}", without_comments(PRELOAD / "exports.map"), re.DOTALL)
    return {name: version for version, names in nodes for name in re.findall(r"\w+", names)}


def exported_versions(library):
    """Returns the version of each name, empty when it has none. "@@" marks the version that new programs link with."""
    lines = run("nm", "-DP", "--defined-only", library).splitlines()
    # The versions themselves are absolute symbols.
    symbols = [line.split()[0] for line in lines if line.split()[1] != "A"]
    return {name: version for name, _, version in (symbol.partition("@@") for symbol in symbols)}


def global_names(archive):
    """Returns the names that programs can refer to. Members of the archive see more names of each other."""
    hidden = {line.split()[-1] for line in run("readelf", "-sW", archive).splitlines() if " HIDDEN " in line}
    lines = run("nm", "-gP", "--defined-only", archive).splitlines()
    return {line.split()[0] for line in lines if not line.endswith(":")} - hidden


def name_errors(what, found, expected):
    for name in sorted(expected - found):
        yield f"{what}: does not export {name}"
    for name in sorted(found - expected):
        yield f"{what}: exports {name}"


def version_errors(what, found, expected):
    for name in sorted(found.keys() & expected.keys()):
        if found[name] != expected[name]:
            yield f"{what}: the version of {name} is {found[name] or 'missing'}, not {expected[name] or 'missing'}"


def dynamic_errors(library):
    dynamic = run("readelf", "-dW", library)
    if len(re.findall(r" LOCAL .* UND", run("readelf", "--dyn-syms", "-W", library))) != 1:
        yield f"{library.name}: a dynamic symbol without a name, of which linkers warn"
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
    versions = listed_versions()
    expected = dict.fromkeys(listed_names(), "") | versions
    exported = exported_versions(arguments.library)
    errors = [*name_errors(arguments.library.name, exported.keys(), expected.keys()),
              *version_errors(arguments.library.name, exported, expected),
              *name_errors(arguments.archive.name, global_names(arguments.archive), expected.keys() - SHARED_ONLY),
              *dynamic_errors(arguments.library)]
    print("\n".join(errors) if errors else f"exports: {len(expected)} names, {len(versions)} of them with a version")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
