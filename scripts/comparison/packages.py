# SPDX-License-Identifier: MIT
"""Installs the other allocators and the measured programs from the distribution's packages."""
import os
import pathlib
import shutil
import subprocess

from .errors import ComparisonError

LIBRARIES = "/usr/lib/{}-linux-gnu/".format(os.uname().machine)

# A file or command of each package, and the name of the package on Debian 12.
PEERS = {
    LIBRARIES + "libjemalloc.so.2": "libjemalloc2",
    LIBRARIES + "libtcmalloc_minimal.so.4": "libtcmalloc-minimal4",
    LIBRARIES + "libmimalloc.so.2.0": "libmimalloc2.0",
}
PROGRAMS = {
    "redis-server": "redis-server",
    "redis-benchmark": "redis-tools",
    "sqlite3": "sqlite3",
    "node": "nodejs",
    "g++": "g++",
    "meson": "meson",
    "ninja": "ninja-build",
}
PROFILERS = {"heaptrack": "heaptrack"}
CHART = {"/usr/lib/python3/dist-packages/matplotlib": "python3-matplotlib"}
BUILD = {
    "/usr/include/benchmark/benchmark.h": "libbenchmark-dev",
    "/usr/include/valgrind/callgrind.h": "valgrind",
    LIBRARIES + "libjemalloc.a": "libjemalloc-dev",
    LIBRARIES + "libtcmalloc_minimal.a": "libgoogle-perftools-dev",
}


def set_up():
    """Installs the packages that building hotlane needs."""
    setup = pathlib.Path(__file__).resolve().parent.parent / "setup"
    if subprocess.run([str(setup), "build"], check=False).returncode != 0:
        raise ComparisonError("scripts/setup failed")


def peer_versions():
    """Returns the installed versions of the other allocators' packages, without Debian's revision."""
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${source:Upstream-Version}\n", *PEERS.values()],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return {
        package: version.partition("+")[0]
        for package, version in (line.split(" ", 1) for line in done.stdout.splitlines())
    }


def install_missing(more_programs=()):
    """Installs missing packages, or names them when that is impossible. Returns whether any were installed."""
    set_up()
    found = {**PEERS, **CHART, **BUILD}
    missing = [package for path, package in found.items() if not os.path.exists(path)]
    programs = {**PROGRAMS, **dict(more_programs)}
    missing += [package for program, package in programs.items() if shutil.which(program) is None]
    if not missing:
        return False
    wanted = " ".join(sorted(missing))
    become_root = [] if os.geteuid() == 0 else ["sudo"]
    if shutil.which("apt-get") is None or (become_root and shutil.which("sudo") is None):
        raise ComparisonError(f"these packages are missing (names of Debian 12): {wanted}")
    print(f"installing {wanted}", flush=True)
    # Prevents services from starting on installation, because they would use the processor and a port. Containers
    # ignore policy-rc.d, but not RUNLEVEL=1.
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    for arguments in (
        ["update", "-qq"],
        ["install", "-y", "-qq", "--no-install-recommends", *sorted(missing)],
    ):
        command = become_root + ["apt-get", *arguments]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["no message"]
            raise ComparisonError(f"apt-get {arguments[0]} failed: {last[0]}; wanted: {wanted}")
    return True
