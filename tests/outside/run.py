#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Run one program on glibc's malloc and on hotlane, and compare all that can be seen of it.

What can be seen: standard output, standard error, exit status or signal, and whether it ends at all. glibc's answer
is the right one; nothing is expected otherwise. Called by meson once for each line of the table in
tests/outside/meson.build.
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile

# Each is the same program on hotlane once more, with options that change the way of every request.
WAYS = {
    "preloaded": {},
    "checked": {"HOTLANE_CHECK_FREES": "1"},
    "followed": {"HOTLANE_PROFILE": "/dev/null", "HOTLANE_SAMPLE_INTERVAL": "1"},
}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preload", metavar="LIBRARY", required=True,
                        help="hotlane's library; $INSTEAD_OF_HOTLANE replaces it")
    parser.add_argument("--before", metavar="LIBRARY", help="another library to preload, before hotlane")
    parser.add_argument("--linked", metavar="PROGRAM", help="the same program, linked statically with the archive")
    parser.add_argument("--without", metavar="WAY", action="append", default=[], choices=WAYS,
                        help=f"one of {', '.join(WAYS)} that is left out")
    parser.add_argument("--timeout", type=float, default=60, metavar="SECONDS")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="-- PROGRAM ARGUMENTS")
    arguments = parser.parse_args()
    if arguments.program[:1] == ["--"]:
        del arguments.program[0]
    if not arguments.program:
        parser.error("no program given")
    return arguments


def environment(libraries, settings):
    """Ours without any HOTLANE_ variable that the caller happens to have, reports off, then what was asked for."""
    variables = {name: value for name, value in os.environ.items()
                 if not name.startswith(("HOTLANE_", "MALLOC_")) and name != "LD_PRELOAD"}
    variables.update({"HOTLANE_STATS": "off", **settings})
    if libraries:
        variables["LD_PRELOAD"] = " ".join(libraries)
    return variables


def describe(status):
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"


def observe(command, variables, seconds):
    """What the program answered. It has a directory and a process group of its own: nothing of it is left behind."""
    with tempfile.TemporaryDirectory(prefix="hotlane-outside-") as scratch:
        with subprocess.Popen(command, env=dict(variables, SCRATCH=scratch), start_new_session=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
            try:
                output, errors = started.communicate(timeout=seconds)
                end = describe(started.returncode)
            except subprocess.TimeoutExpired:
                os.killpg(started.pid, signal.SIGKILL)
                output, errors = started.communicate()
                end = f"still running after {seconds:.0f} s"
    return f"{output.decode(errors='replace')}{errors.decode(errors='replace')}{end}"


def main():
    arguments = parse_arguments()
    hotlane = os.environ.get("INSTEAD_OF_HOTLANE", os.path.abspath(arguments.preload))
    before = [os.path.abspath(arguments.before)] if arguments.before else []
    right = observe(arguments.program, environment(before, {}), arguments.timeout)
    if right.endswith("status 77"):
        print(right)
        sys.exit(77)
    if not right.endswith("status 0"):
        sys.exit(f"on glibc the program does not end well, so nothing can be compared:\n{right}")
    answers = {way: observe(arguments.program, environment([*before, hotlane], settings), arguments.timeout)
               for way, settings in WAYS.items() if way not in arguments.without}
    if arguments.linked:
        answers["linked"] = observe([os.path.abspath(arguments.linked), *arguments.program[1:]],
                                    environment(before, {}), arguments.timeout)
    for way, answer in answers.items():
        if answer != right:
            sys.exit(f"on glibc:\n{right}\n\non hotlane, {way}:\n{answer}")
    print(right)


if __name__ == "__main__":
    main()
