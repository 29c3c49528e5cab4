#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs hotlane into a temporary directory and links programs with libhotlane.a as a stranger would: in C and
C++, dynamically and with -static, through pkg-config and through CMake. Runs each, with and without counters."""

import argparse
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LANGUAGES = {"c": ["cc", "-std=c11", "-D_GNU_SOURCE"], "cpp": ["c++", "-std=c++20"]}
KINDS = {"dynamic": [], "static": ["-static"]}
GREETING = "all of malloc is hotlane's\n"


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=300, **options)
    if done.returncode != 0:
        sys.exit(f"check_static: {shlex.join(map(str, command))}: exit status {done.returncode}\n"
                 f"{done.stdout}{done.stderr}")
    return done


def install(build, root):
    run("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
    return next(root.rglob("hotlane.pc")).parent.parent.parent


def build_by_pkg_config(prefix, output):
    environment = dict(os.environ, PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"))
    flags = shlex.split(run("pkg-config", "--cflags", "--libs", "hotlane", env=environment).stdout)
    for language, compiler in LANGUAGES.items():
        for kind, options in KINDS.items():
            program = output / f"{language}_{kind}"
            run(*compiler, *options, "-O1", "-Wall", "-Werror", HERE / f"program.{language}", "-o", program, *flags)
            yield program


def build_by_cmake(prefix, output):
    run("cmake", "-S", HERE, "-B", output, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", output)
    for language in LANGUAGES:
        for kind in KINDS:
            yield output / f"{language}_{kind}"


def check(program):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTLANE_")}
    plain = run(program, env=environment)
    if plain.stdout != GREETING or plain.stderr != "":
        yield f"{program}: printed {plain.stdout!r} and, unasked, {plain.stderr!r}"
    counted = run(program, env=dict(environment, HOTLANE_STATS="text"))
    if "hit rate" not in counted.stderr or program.name not in counted.stderr:
        yield f"{program}: no counters with HOTLANE_STATS=text: {counted.stderr!r}"
    # main_arena is libc's own malloc: in a static program it would have been linked beside ours.
    if " main_arena" in run("nm", program).stdout:
        yield f"{program}: contains libc's malloc as well"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=pathlib.Path, help="the build directory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        root = pathlib.Path(temporary)
        prefix = install(arguments.build.resolve(), root / "installed")
        for way, directory in ((build_by_pkg_config, root / "pkg-config"), (build_by_cmake, root / "cmake")):
            directory.mkdir()
            for program in way(prefix, directory):
                errors = list(check(program))
                if errors:
                    sys.exit("\n".join(errors))
                print(f"{directory.name} {program.name}: as it should be")


if __name__ == "__main__":
    main()
