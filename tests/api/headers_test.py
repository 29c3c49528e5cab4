#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compiles each public header alone with every available compiler of every version: the C headers as C99 and C++11, and
all of them as C++20, with the library's debug checks and without. No warning is allowed."""

import argparse
import os
import pathlib
import re
import subprocess
import sys

WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]
LANGUAGES = {"c": (["-x", "c", "-std=c99"], "gcc|clang", "*.h"),
             "old c++": (["-x", "c++", "-std=c++11"], r"g\+\+|clang\+\+", "*.h"),
             "c++": (["-x", "c++", "-std=c++20"], r"g\+\+|clang\+\+", "*.h*")}


def compilers(names):
    """Those in PATH, with a version in the name or without; each once, and not by way of ccache."""
    found = {}
    for directory in os.environ["PATH"].split(":"):
        for path in sorted(pathlib.Path(directory).glob("*")) if directory else []:
            if re.fullmatch(rf"({names})(-\d+)?", path.name) and path.resolve().name != "ccache":
                found.setdefault(path.resolve(), str(path))
    return sorted(found.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("include", type=pathlib.Path, help="the directory that holds hotlane/")
    include = parser.parse_args().include
    done, failed = 0, 0
    for options, names, pattern in LANGUAGES.values():
        for compiler in compilers(names):
            for header in sorted((include / "hotlane").glob(pattern)):
                checked_too = header.stem == "hotlane"  # it includes all others
                for define in ("-DNDEBUG", "-UNDEBUG") if checked_too else ("-DNDEBUG",):
                    result = subprocess.run(
                        [compiler, *options, *WARNINGS, define, f"-I{include}", "-fsyntax-only", "-"], check=False,
                        input=f'#include "hotlane/{header.name}"\n', text=True, stderr=subprocess.PIPE)
                    done += 1
                    if result.returncode != 0:
                        failed += 1
                        print(f"{compiler} {options[-1]} {define} {header.name}:\n{result.stderr}")
    print(f"headers: {done} compiled, {failed} with something to say")
    return 1 if failed or not done else 0


if __name__ == "__main__":
    sys.exit(main())
