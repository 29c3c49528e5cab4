#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Installs hotlane into a temporary directory and uses it as a stranger would: links programs in C and C++ with the
shared library, with the archive, and with the archive and nothing shared, through pkg-config and through CMake, where
that is installed. Generates pools from a contract with CMake and with Meson, and again when the contract changes. Runs
each program, with and without counters. Checks the licences and the versions of names."""

import argparse
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LANGUAGES = {"c": ["cc", "-std=c11", "-D_GNU_SOURCE"], "cpp": ["c++", "-std=c++20"]}
# What pkg-config is asked, and what the linker is told besides.
WAYS = {"shared": (["hotlane"], []),
        "static": (["hotlane-static"], []),
        "completely_static": (["--static", "hotlane"], ["-static"])}
# Some distributions have it as the default.
AS_NEEDED = "-Wl,--as-needed"
GREETING = "all of malloc is hotlane's\n"
API_VERSION = "HOTLANE_0"


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=300, **options)
    if done.returncode != 0:
        sys.exit(f"check_installed: {shlex.join(map(str, command))}: exit status {done.returncode}\n"
                 f"{done.stdout}{done.stderr}")
    return done


def install(build, root):
    """The prefix under root. It is not the one that was configured: what is installed can be moved."""
    run("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
    prefix = next(root.rglob("hotlane.pc")).parent.parent.parent
    moved = root / "moved"
    prefix.rename(moved)
    return moved


def check_files(prefix):
    library = prefix / "lib" / "libhotlane.so"
    soname = re.search(r"SONAME.*\[(.*)\]", run("readelf", "-d", library).stdout)[1]
    if library.readlink() != pathlib.Path(soname):
        sys.exit(f"check_installed: {library} does not lead to {soname}")
    for name, text in {"LICENSE": "MIT License", "LICENSE.jemalloc": "Jason Evans"}.items():
        licence = prefix / "share" / "doc" / "hotlane" / name
        if not licence.is_file() or text not in licence.read_text():
            sys.exit(f"check_installed: {licence} is missing, or is not what it should be")


def pkg_config(prefix, *query):
    environment = dict(os.environ, PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"))
    return shlex.split(run("pkg-config", *query, env=environment).stdout)


def build_by_pkg_config(prefix, output):
    for way, (query, options) in WAYS.items():
        flags = pkg_config(prefix, "--cflags", "--libs", *query)
        for language, compiler in LANGUAGES.items():
            program = output / f"{language}_{way}"
            run(*compiler, *options, "-O1", "-Wall", "-Werror", HERE / f"program.{language}", "-o", program, AS_NEEDED,
                *flags)
            yield program
        program = output / f"indirect_{way}"
        run(*LANGUAGES["cpp"], *options, HERE / "indirect.cpp", "-o", program, AS_NEEDED, *flags)
        yield program


def build_by_cmake(prefix, output):
    if shutil.which("cmake") is None:
        print("cmake is not installed: its way is not tried")
        return
    # The same compilers as with pkg-config, whatever CC and CXX say.
    compilers = [f"-DCMAKE_{name}_COMPILER={LANGUAGES[language][0]}" for name, language in (("C", "c"), ("CXX", "cpp"))]
    pools = copy_contracts(prefix, output)
    run("cmake", "-S", HERE, "-B", output, f"-DCMAKE_PREFIX_PATH={prefix}", *compilers,
        *([f"-DPOOLS={pools}"] if pools else []))
    run("cmake", "--build", output, "--parallel", "2")
    if pools:
        check_regeneration(pools, next(output.rglob("polygon_adapter_pools.hpp")), "cmake", "--build", output)
        yield output / "pools_shared"
    for way in WAYS:
        for language in LANGUAGES:
            yield output / f"{language}_{way}"
    yield from (output / "indirect_shared", output / "indirect_static")


def copy_contracts(prefix, output):
    """A directory with contracts that may be changed, or None where the command was not built."""
    if not (prefix / "bin" / "hotlane").exists():
        return None
    directory = output / "contracts"
    directory.mkdir()
    for name in ("contracts.yaml", "service.toml"):
        shutil.copy(HERE.parent / "pools" / name, directory)
    return directory


def check_regeneration(pools, header, *build):
    """A build makes the header again when a message was added, and not otherwise."""
    before = header.stat().st_mtime_ns
    run(*build)
    if header.stat().st_mtime_ns != before:
        sys.exit(f"check_installed: {header} was made again although nothing changed")
    contract, service = pools / "contracts.yaml", pools / "service.toml"
    contract.write_text(contract.read_text() + "  - {name: Added, size: 7}\n")
    service.write_text(service.read_text().replace('"Notice"]', '"Notice", "Added"]'))
    run(*build)
    if "struct Added {" not in header.read_text():
        sys.exit(f"check_installed: {header} was not made again when a message was added")


def build_by_meson(prefix, output):
    """A project that generates pools."""
    pools = copy_contracts(prefix, output)
    if pools is None:
        return
    environment = dict(os.environ, PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"),
                       PATH=f"{prefix / 'bin'}:{os.environ['PATH']}", CXX=LANGUAGES["cpp"][0])
    build = output / "build"
    run("meson", "setup", build, HERE / "with_meson", f"-Dpools={pools}", env=environment)
    run("ninja", "-C", build, env=environment)
    check_regeneration(pools, build / "polygon_adapter_pools.hpp", "ninja", "-C", build)
    yield build / "pools_shared"


def build_with_interface(prefix, output):
    """A program that calls hotlane by its own names, and one that was linked when they had no version."""
    flags = pkg_config(prefix, "--cflags", "--libs", "hotlane")
    versioned = output / "interface_shared"
    run(*LANGUAGES["c"], HERE / "interface.c", "-o", versioned, *flags)
    names = run("nm", "-D", versioned).stdout
    unversioned_names = re.findall(r"\bhotlane_\w+\n", names)
    if unversioned_names or f"hotlane_get@{API_VERSION}" not in names:
        sys.exit(f"check_installed: {versioned} is not linked with version {API_VERSION}:\n{names}")
    yield versioned

    before = output / "before"
    before.mkdir()
    source = before / "hotlane.c"
    source.write_text("".join(f"void {name}(void) {{}}\n" for name in re.findall(r"hotlane_\w+", names)))
    run("cc", "-shared", "-fPIC", "-Wl,-soname,libhotlane.so.0", source, "-o", before / "libhotlane.so")
    unversioned = output / "interface_without_version"
    run(*LANGUAGES["c"], HERE / "interface.c", "-o", unversioned, f"-I{prefix}/include", f"-L{before}", "-lhotlane")
    if API_VERSION in run("readelf", "-VW", unversioned).stdout:
        sys.exit(f"check_installed: {unversioned} was meant to be linked without versions")
    yield unversioned


def check(program, prefix):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOTLANE_")}
    shared = "libhotlane.so" in run("readelf", "-d", program).stdout
    if shared != ("static" not in program.name):
        yield f"{program}: libhotlane.so is {'' if shared else 'not '}among what it needs"
    environment["LD_LIBRARY_PATH"] = str(prefix / "lib")
    # Only the archive is silent by itself.
    quiet = dict(environment, HOTLANE_STATS="off") if shared else environment
    plain = run(program, env=quiet)
    if plain.stdout != GREETING or plain.stderr != "":
        yield f"{program}: printed {plain.stdout!r} and, unasked, {plain.stderr!r}"
    counted = run(program, env=dict(environment, HOTLANE_STATS="text"))
    # As much of the name as the kernel keeps.
    if "hit rate" not in counted.stderr or program.name[:15] not in counted.stderr:
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
        check_files(prefix)
        ways = {"pkg-config": build_by_pkg_config, "cmake": build_by_cmake, "meson": build_by_meson, "interface": build_with_interface}
        for name, build in ways.items():
            directory = root / name
            directory.mkdir()
            for program in build(prefix, directory):
                errors = list(check(program, prefix))
                if errors:
                    sys.exit("\n".join(errors))
                print(f"{name} {program.name}: as it should be")


if __name__ == "__main__":
    main()
