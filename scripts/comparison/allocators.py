# SPDX-License-Identifier: MIT
"""The allocators to compare: glibc, Debian's other allocators, hotlane, and those of the command line."""
import dataclasses
import os
import pathlib
import subprocess

from . import packages
from .errors import ComparisonError

PEER_NAMES = {"libjemalloc2": "jemalloc", "libtcmalloc-minimal4": "tcmalloc", "libmimalloc2.0": "mimalloc"}


@dataclasses.dataclass(frozen=True)
class Allocator:
    """A name, and the library to preload ("-": none), with variables for it. glibc's own is preloaded too, so
    that a program which is linked to another allocator (as Debian's redis-server is) runs on glibc's as
    well. `wrapper` is a command that runs the program; `base` is the name of what this is to be compared
    with, where that is not the best peer."""

    name: str
    library: str
    environment: tuple = ()
    wrapper: tuple = ()
    base: str = ""

    @property
    def ours(self):
        return self.name.startswith("hotlane")


def glibc():
    for candidate in (packages.LIBRARIES + "libc.so.6", "/lib64/libc.so.6"):
        if os.path.exists(candidate):
            return Allocator("glibc", candidate)
    raise ComparisonError("libc.so.6 was not found")


def hotlane_in(build):
    found = sorted(pathlib.Path(build).glob("**/libhotlane.so"))
    if not found:
        raise ComparisonError(f"libhotlane.so is not in {build}; build it first (meson compile -C {build})")
    return Allocator("hotlane", str(found[0].resolve()))


def variables(argument, texts):
    """Returns (name, value) for each VARIABLE=VALUE."""
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise ComparisonError(f"{argument}: expected VARIABLE=VALUE instead of {text}")
        yield name, value


def named(arguments):
    """Parses NAME=PATH[,VARIABLE=VALUE]... into allocators."""
    for argument in arguments:
        name, separator, rest = argument.partition("=")
        path, *texts = rest.split(",")
        if not separator or not name or not os.path.isfile(path):
            raise ComparisonError(f"{argument}: expected NAME=PATH of a shared library")
        environment = tuple(variables(argument, texts))
        base = "hotlane" if name.startswith("hotlane") and name != "hotlane" else ""
        yield Allocator(name, os.path.abspath(path), environment, base=base)


def profilers(build, directory):
    """Returns the ways to run one program: without a profiler, with hotlane's at its default sample interval and at
    every request, and with heaptrack. Their output goes to `directory`."""
    ours = hotlane_in(build)
    profile = ("HOTLANE_PROFILE", f"{directory}/%p.heap")
    every = (profile, ("HOTLANE_SAMPLE_INTERVAL", "1"))
    heaptrack = ("heaptrack", "--output", f"{directory}/heaptrack.%p")
    return [
        glibc(),
        ours,
        Allocator("hotlane-sampled", ours.library, (profile,), base="hotlane"),
        Allocator("hotlane-every", ours.library, every, base="hotlane"),
        Allocator("heaptrack", "-", wrapper=heaptrack, base="glibc"),
    ]


def all_of(build, arguments, needs_hotlane):
    """Returns glibc first, then the other allocators, then hotlane. An allocator of the command line replaces the
    default of the same name."""
    chosen = {"glibc": glibc()}
    for path, package in packages.PEERS.items():
        chosen[PEER_NAMES[package]] = Allocator(PEER_NAMES[package], path)
    for allocator in named(arguments):
        chosen[allocator.name] = allocator
    if needs_hotlane and "hotlane" not in chosen:
        chosen["hotlane"] = hotlane_in(build)
    ordered = sorted(chosen.values(), key=lambda allocator: allocator.ours)
    for allocator in ordered:
        check_loads(allocator)
    return ordered


def check_loads(allocator):
    """Checks that the library can be preloaded. The loader only warns, but a comparison without the library is
    wrong."""
    environment = {
        **os.environ,
        "LD_PRELOAD": allocator.library,
        "HOTLANE_STATS": "off",
        **dict(allocator.environment),
    }
    done = subprocess.run(["/bin/true"], env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0 or "ERROR: ld.so" in done.stderr:
        reason = done.stderr.strip().splitlines()[:1] or [f"exit status {done.returncode}"]
        raise ComparisonError(f"{allocator.name} can't be preloaded: {reason[0]}")
