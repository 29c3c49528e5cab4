#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Run one program with an allocator preloaded, and compare its end with what is expected.

What it knows: how to start a program, its exit status, its standard error. It must not know what the
program tests. Called by meson once for each line of the table in tests/programs/meson.build.
"""
import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preload", metavar="LIBRARY", help="library to preload; $INSTEAD_OF_HOTLANE replaces it")
    parser.add_argument("--emulator", metavar="COMMAND", default="", help="an emulator of the QEMU family, with options")
    parser.add_argument("--env", metavar="NAME=VALUE", action="append", default=[],
                        help="variable to set; {scratch} is a directory removed afterwards")
    parser.add_argument("--status", default="0", help="exit status, or the name of a signal such as ABRT")
    parser.add_argument("--stderr", metavar="REGEX", default="", help="what all of standard error must match")
    parser.add_argument("--timeout", type=float, default=100, metavar="SECONDS")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="-- PROGRAM ARGUMENTS")
    arguments = parser.parse_args()
    if arguments.program[:1] == ["--"]:
        del arguments.program[0]
    if not arguments.program:
        parser.error("no program given")
    return arguments


def environment(arguments, scratch):
    """Ours without any HOTLANE_ variable that the caller happens to have, reports off, then what was asked for. Nor
    the library path of meson's: it leads to every library that a test depends on."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HOTLANE_")}
    variables.pop("LD_LIBRARY_PATH", None)
    variables.update(HOTLANE_STATS="off", SCRATCH=scratch)
    if arguments.preload and not arguments.emulator:
        variables["LD_PRELOAD"] = os.environ.get("INSTEAD_OF_HOTLANE", os.path.abspath(arguments.preload))
    for setting in arguments.env:
        name, _, value = setting.partition("=")
        variables[name] = value.replace("{scratch}", scratch)
    return variables


def command(arguments):
    """The program, in the emulator if there is one. The library is for the program, not for the emulator."""
    preloaded = ["-E", f"LD_PRELOAD={os.path.abspath(arguments.preload)}"] if arguments.preload else []
    emulator = arguments.emulator.split()
    return emulator + (preloaded if emulator else []) + arguments.program


def describe(status):
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def main():
    arguments = parse_arguments()
    expected = int(arguments.status) if arguments.status.isdigit() else -signal.Signals["SIG" + arguments.status]
    with tempfile.TemporaryDirectory(prefix="hotlane-program-") as scratch:
        try:
            done = subprocess.run(command(arguments), env=environment(arguments, scratch), timeout=arguments.timeout,
                                  stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        except subprocess.TimeoutExpired as late:
            sys.exit(f"still running after {arguments.timeout:.0f} s; stderr so far: {late.stderr!r}")
    errors = done.stderr.decode(errors="replace").strip()
    if done.returncode == 77:
        print(errors)
        sys.exit(77)
    if done.returncode != expected:
        sys.exit(f"ended with {describe(done.returncode)}, not {describe(expected)}; stderr:\n{errors}")
    if not re.fullmatch(arguments.stderr, errors):
        sys.exit(f"standard error does not match /{arguments.stderr}/:\n{errors}")


if __name__ == "__main__":
    main()
