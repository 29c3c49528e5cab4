#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the packages: they are free of lintian's errors and warnings, the same bytes each time, and in an empty Debian
root they can be installed, used by name, and removed without a trace.

Arguments: the source directory, the release build whose binaries are packed, and a directory that is kept for the
second run: it has the packages' build directory and the archive of the root."""

import argparse
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
SERVER = "hotlane-serve"
PACKAGES = ("libhotlane0", "libhotlane-dev", "hotlane", SERVER)
# What the program prints shows that python3 worked, the report that hotlane served it.
PYTHON = ["python3", "-c", "print(sum(len('x' * i) for i in range(1000)))"]


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


def must(*command, **options):
    done = run(*command, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def expect(condition, what):
    if not condition:
        sys.exit(f"package_test: {what}")


def pack(arguments, output):
    must(arguments.source / "scripts/package", "--build", arguments.cache / "build", "--binaries", arguments.binaries,
         "--output", output, "--no-source")
    return sorted(output.glob("*.deb"))


def check_sameness(first, second):
    for one, other in zip(first, second, strict=True):
        expect(one.name == other.name and one.read_bytes() == other.read_bytes(), f"{one.name} differs in a second run")


def check_paths(packages, roots):
    """No path of the build machine is in a binary, or builds in other directories would differ."""
    with tempfile.TemporaryDirectory() as temporary:
        for package in packages:
            must("dpkg-deb", "-x", package, temporary)
        for path in pathlib.Path(temporary).rglob("*"):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                for root in roots:
                    expect(bytes(root) not in content, f"{path.name} contains the path {root}")


def check_lintian(packages):
    if shutil.which("lintian") is None:
        print("lintian is not installed: not checked")
        return
    found = run("lintian", "--allow-root", "--fail-on", "error,warning", *packages)
    expect(found.returncode == 0, f"lintian finds:\n{found.stdout}")


def check_guide(source, packages):
    """The names of packages in the guide's examples are those that are made, but for the processor."""
    guide = (source / "include/hotlane/README.md").read_text()
    named = set(re.findall(r"\b(\w+_[\d.]+)_amd64\.deb", guide))
    made = {package.name.rsplit("_", 1)[0] for package in packages}
    expect(named and named <= made, f"the guide names {named}; made are {made}")


def dependencies(packages):
    """The packages of the distribution that ours need."""
    names = set()
    for package in packages:
        depends = must("dpkg-deb", "-f", package, "Depends")
        names |= {re.match(r"\S+", part.strip()).group() for part in depends.split(",") if part.strip()}
    return sorted(names - set(PACKAGES))


def check_server_is_apart(packages):
    """OpenSSL comes with the server only."""
    for package in packages:
        needs = {re.match(r"lib(?=ssl|cpp-httplib|brotli)", name) is not None for name in dependencies([package])}
        expect(any(needs) == package.name.startswith(SERVER), f"{package.name} depends on {dependencies([package])}")


def make_root(arguments, packages, root):
    """Unpacks an empty root with the dependencies and python3. The archive is made once for each set of them."""
    include = ",".join(["python3-minimal", *dependencies(packages)])
    archive = arguments.cache / f"root-{hashlib.sha256(include.encode()).hexdigest()[:12]}.tar"
    if not archive.is_file():
        for outdated in arguments.cache.glob("root*.tar"):
            outdated.unlink()
        release = next(line.split("=", 1)[1].strip() for line in open("/etc/os-release", encoding="utf-8")
                       if line.startswith("VERSION_CODENAME="))
        made = run("mmdebstrap", "--quiet", "--variant=essential", f"--include={include}", release,
                   archive.with_suffix(".new.tar"))
        if made.returncode != 0:
            print(f"no root can be made here: {made.stderr.strip()[-500:]}")
            sys.exit(SKIPPED)
        archive.with_suffix(".new.tar").rename(archive)
    must("tar", "-C", root, "--exclude=./dev/*", "-xf", archive)


def check_in_root(arguments, packages):
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        print("mmdebstrap is not installed, or this is not root: nothing was installed")
        return
    with tempfile.TemporaryDirectory(prefix="hotlane-root-") as temporary:
        root = pathlib.Path(temporary)
        make_root(arguments, packages, root)

        # The command looks itself up in /proc, which takes a mount that goes away with its process.
        entry = ["unshare", "--mount", "sh", "-c", 'mount --bind /proc "$0/proc" && exec chroot "$0" "$@"', root]
        has_proc = run(*entry, "true").returncode == 0
        if not has_proc:
            entry = ["chroot", root]

        def inside(*command, **variables):
            done = run(*entry, "env", *(f"{name}={value}" for name, value in variables.items()), *command)
            expect(done.returncode == 0, f"{' '.join(command)}: status {done.returncode}: {done.stderr[-1000:]}")
            return done

        def tree():
            return {p.relative_to(root) for p in root.rglob("*") if "hotlane" in p.name} - kept

        kept = {pathlib.Path("var/log/dpkg.log")}
        for package in packages:
            shutil.copy2(package, root / package.name)
        kept |= {pathlib.Path(package.name) for package in packages}
        before = tree()
        servers = [package for package in packages if package.name.startswith(SERVER)]
        inside("dpkg", "-i", *(f"/{package.name}" for package in packages if package not in servers))
        plain = inside(*PYTHON, LD_PRELOAD="libhotlane.so.0", PYTHONMALLOC="malloc")
        expect(plain.stdout == "499500\n" and "requests" in plain.stderr, f"LD_PRELOAD by name: {plain.stderr}")
        if has_proc:
            ran = inside("hotlane", "run", "--", *PYTHON, PYTHONMALLOC="malloc")
            expect("requests" in ran.stderr, f"hotlane run: {ran.stderr}")
            # The address is refused by the server, which has to be there and to be executable.
            serve = ("hotlane", "serve", "--live", "/nowhere", "--listen", "nowhere")
            refused = run(*entry, *serve).stderr
            expect(f"install the package {SERVER}" in refused, f"hotlane serve without its package: {refused}")
            inside("dpkg", "-i", *(f"/{package.name}" for package in servers))
            refused = run(*entry, *serve).stderr
            expect("cannot listen on nowhere" in refused, f"hotlane serve: {refused}")
        expect(inside("hotlane", "--version").stdout.startswith("hotlane "), "hotlane --version")
        inside("dpkg", "--purge", *reversed(PACKAGES))
        expect(tree() == before, f"left behind: {sorted(map(str, tree() - before))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("binaries", type=pathlib.Path)
    parser.add_argument("cache", type=pathlib.Path)
    arguments = parser.parse_args()
    if shutil.which("dpkg-deb") is None or shutil.which("dpkg-shlibdeps") is None:
        print("dpkg-dev is not installed: nothing was packed")
        sys.exit(SKIPPED)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hotlane-packages-") as temporary:
        first = pack(arguments, pathlib.Path(temporary) / "first")
        second = pack(arguments, pathlib.Path(temporary) / "second")
        check_sameness(first, second)
        check_paths(first, [arguments.binaries, arguments.source])
        check_guide(arguments.source, first)
        check_lintian(first)
        check_server_is_apart(first)
        check_in_root(arguments, first)


if __name__ == "__main__":
    main()
