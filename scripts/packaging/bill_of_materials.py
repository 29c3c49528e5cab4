#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the software bill of materials (SPDX 2.3, JSON) of a build: hotlane, and what its binaries contain."""

import argparse
import json
import pathlib
import re
import subprocess
import sys

# Compiled into the library (jemalloc) or into the command: the package of Debian, its licence, and its origin.
CONTENTS = {
    "jemalloc": ("libjemalloc-dev", "BSD-2-Clause", "https://jemalloc.net"),
    "CLI11": ("libcli11-dev", "BSD-3-Clause", "https://github.com/CLIUtils/CLI11"),
    "cpp-httplib": ("libcpp-httplib-dev", "MIT", "https://github.com/yhirose/cpp-httplib"),
    "nlohmann-json": ("nlohmann-json3-dev", "MIT", "https://github.com/nlohmann/json"),
    "tomlplusplus": ("libtomlplusplus-dev", "MIT", "https://github.com/marzer/tomlplusplus"),
    "libsupc++": ("g++", "GPL-3.0-or-later WITH GCC-exception-3.1", "https://gcc.gnu.org"),
}


def installed_version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "NOASSERTION"


def jemalloc_version(build):
    """That of the source tree, if jemalloc was built from one."""
    options = json.loads((build / "meson-info" / "intro-buildoptions.json").read_text())
    source = next(option["value"] for option in options if option["name"] == "jemalloc")
    if source == "system":
        return installed_version("libjemalloc-dev")
    return (build.parent / source / "VERSION").read_text().split("-")[0]


def package(name, version, licence, origin):
    return {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "homepage": origin,
        "filesAnalyzed": False,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
    }


def document(build, version, created):
    own = package("hotlane", version, "MIT", "NOASSERTION")
    parts = [package(name, jemalloc_version(build) if name == "jemalloc" else installed_version(debian), licence, origin)
             for name, (debian, licence, origin) in CONTENTS.items()]
    describes = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": own["SPDXID"]}]
    contains = [{"spdxElementId": own["SPDXID"], "relationshipType": "CONTAINS", "relatedSpdxElement": part["SPDXID"]}
                for part in parts]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"hotlane-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/hotlane-{version}",
        "creationInfo": {"created": created, "creators": ["Tool: hotlane-bill-of-materials"]},
        "packages": [own, *parts],
        "relationships": describes + contains,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build directory")
    parser.add_argument("--version", required=True)
    parser.add_argument("--created", required=True, help="the time, like 2026-01-31T12:00:00Z")
    arguments = parser.parse_args()
    json.dump(document(arguments.build.absolute(), arguments.version, arguments.created), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
