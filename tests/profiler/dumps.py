# SPDX-License-Identifier: MIT
"""Helpers for the tests of the profiler: runs a program with an allocator preloaded, and reads a dump with
`hotlane report`.
"""
import argparse
import json
import os
import subprocess
import sys


def parse_arguments(description, **more):
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--preload", metavar="LIBRARY", required=True, type=os.path.abspath)
    parser.add_argument("--command", metavar="HOTLANE", required=True, type=os.path.abspath, help="the command")
    parser.add_argument("--program", required=True, type=os.path.abspath, help="the program to run")
    for name, options in more.items():
        parser.add_argument(name, **options)
    return parser.parse_args()


def environment(preload, **options):
    """This process's environment with `options` as the only HOTLANE_ variables, apart from HOTLANE_STATS=off."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("HOTLANE_")}
    variables["HOTLANE_STATS"] = "off"
    if preload:
        variables["LD_PRELOAD"] = preload
    variables.update({f"HOTLANE_{name.upper()}": str(value) for name, value in options.items()})
    return variables


def run(command, variables, timeout=100):
    return subprocess.run([str(part) for part in command], env=variables, timeout=timeout, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_well(command, variables):
    """The output of a run that must end well, and without a word on standard error."""
    done = run(command, variables)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{command}: status {done.returncode}; {done.stderr}")
    return done.stdout


def report(hotlane, path):
    """The dump at `path`, with names."""
    done = subprocess.run([hotlane, "report", "--json", "-", str(path)], capture_output=True, text=True, timeout=100,
                          check=False, env=environment(None))
    if done.returncode != 0:
        sys.exit(f"hotlane report {path}: status {done.returncode}; {done.stderr}")
    return json.loads(done.stdout)


def functions_of(document, stack):
    """The names of the functions of one stack."""
    for frame in stack["frames"]:
        yield document["functions"][document["frames"][frame]["function"]]["name"]


def add(sum_so_far, amounts):
    for name, value in amounts.items():
        sum_so_far[name] = sum_so_far.get(name, 0) + value


def by_function(document, names):
    """Sums over all stacks that pass through a function of `names`: {name: {"live": {"objects": ...}, ...}}."""
    sums = {}
    for stack in document["stacks"]:
        for name in functions_of(document, stack):
            if name in names:
                site = sums.setdefault(name, {"live": {}, "peak": {}, "cumulative": {}, "remote": {}, "temporary": {},
                                              "ended": 0})
                for metric in ("live", "peak", "cumulative", "remote", "temporary"):
                    add(site[metric], stack[metric])
                site["ended"] += sum(objects for _, objects in stack["lifetimes"])
                break
    return sums
