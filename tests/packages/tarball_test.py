#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the source tarball: without a network, the library builds from it, can be installed, and serves a program.

It is built without optimisation, which takes less time and shows that a debug build links.

Arguments: the source directory, the build directory in which the tarball is made, and the compilers for C and C++."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def must(*command, **options):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done


def without_network():
    """The beginning of a command that has no network, where this user may take it away."""
    entry = ["unshare", "--net"]
    if shutil.which("unshare") and subprocess.run([*entry, "true"], check=False, stderr=subprocess.DEVNULL).returncode == 0:
        return entry
    print("the network cannot be taken away here: Meson is only told not to use it")
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("cc")
    parser.add_argument("cxx")
    arguments = parser.parse_args()
    if not (arguments.source / ".git").exists() or shutil.which("git") is None:
        print("this is not a clone: no tarball can be made")
        sys.exit(SKIPPED)
    must("meson", "dist", "-C", arguments.build, "--no-tests", "--formats", "xztar", "--allow-dirty")
    tarball = next((arguments.build / "meson-dist").glob("hotlane-*.tar.xz"))
    with tempfile.TemporaryDirectory(prefix="hotlane-tarball-") as temporary:
        shutil.unpack_archive(tarball, temporary)
        source = pathlib.Path(temporary) / tarball.name.removesuffix(".tar.xz")
        build, installed = source / "build", pathlib.Path(temporary) / "installed"
        offline = without_network()
        must(*offline, "meson", "setup", build, source, "--wrap-mode=nodownload", "--prefix=/usr", "--libdir=lib",
             "-Dbuildtype=debug", "-Ddebug=false", "-Dcli=disabled",
             env={**os.environ, "CC": arguments.cc, "CXX": arguments.cxx})
        must(*offline, "ninja", "-C", build, "product")
        must(*offline, "meson", "install", "-C", build, "--no-rebuild", env={**os.environ, "DESTDIR": str(installed)})
        library, archive = installed / "usr/lib/libhotlane.so.0", installed / "usr/lib/libhotlane.a"
        must(source / "scripts/check_exports.py", library, archive)
        served = must(sys.executable, "-c", "print(6 * 7)", env={**os.environ, "LD_PRELOAD": str(library), "HOTLANE_STATS": "text"})
        if served.stdout != "42\n" or "requests" not in served.stderr:
            sys.exit(f"tarball_test: a program on the installed library says {served.stdout!r} and {served.stderr!r}")


if __name__ == "__main__":
    main()
