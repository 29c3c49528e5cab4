#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that files include downward only, and that names which belong to one file stay there."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Lowest first. A file includes its own group and groups of lower layers; groups of one layer do not see each other.
LAYERS = [
    ["src/base"],
    ["src/classes", "src/observe/stats"],
    ["src/depot", "src/fallback", "src/observe", "src/pools/registry"],
    ["src/cache"],
    ["src/background"],
    ["src/startup"],
    ["src/forward"],
    ["src/allocator"],
    ["src/snapshot", "src/aligned"],
    ["src/pools"],
    ["src/profiling"],
    ["src/live"],
    ["src/fork"],
    ["preload", "src/cli"],
]

# A name, and the only paths in which it may stand.
KEPT_APART = {
    r"private_jemalloc_": ["src/fallback/"],
    r"libunwind\.h|\bunw_\w+": ["src/observe/backtrace", "src/cli/"],
    r"\b(mmap|munmap|madvise|mprotect)\(": ["src/base/", "src/cli/"],
    r"#\s*include <(vector|string|map|set|unordered_map|deque|list|iostream|sstream|fstream|functional|memory)>":
        ["src/cli/"],
    r"\b(try|catch|dynamic_cast|typeid)\b\s*[({<]": ["src/cli/", "preload/new.cpp"],
    # Platform and debug: one place each. (#pragma once and include guards are not conditions.)
    r"^\s*#\s*(if|ifdef|elif)\b": ["src/base/", "src/observe/backtrace", "src/fallback/", "src/cli/"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def group_of(path):
    """The most exact group whose prefix the path has, with its layer's number."""
    found = [(len(group), number, group) for number, layer in enumerate(LAYERS) for group in layer
             if path == group or path.startswith(group + "/") or path.startswith(group + ".")
             or path.startswith(group + "_")]
    return max(found)[1:] if found else None


def resolve(path, included):
    for base in (ROOT / "src", ROOT / "include", ROOT / "preload", (ROOT / path).parent):
        if (base / included).is_file():
            return (base / included).resolve().relative_to(ROOT).as_posix()
    return None


def include_errors(path, text):
    own = group_of(path)
    if own is None:
        yield f"{path}: belongs to no layer (scripts/check_layers.py lists them)"
        return
    for included in INCLUDE.findall(text):
        target = resolve(path, included)
        if target is None:
            yield f'{path}: "{included}" is not a file of the project'
        elif not target.startswith("include/"):
            other = group_of(target)
            if other is not None and other[1] != own[1] and other[0] >= own[0]:
                yield f"{path}: includes {target}, which is not below it"


def name_errors(path, text):
    code = COMMENT.sub("", text)
    for pattern, places in KEPT_APART.items():
        if not any(path.startswith(place) for place in places):
            for match in re.finditer(pattern, code, re.MULTILINE):
                yield f"{path}: '{match.group().strip()}' belongs to {', '.join(places)}"


def header_errors(path, text):
    for included in INCLUDE.findall(text):
        if not included.startswith("hotlane/"):
            yield f'{path}: a public header includes "{included}"'


def main():
    errors = []
    for directory in ("src", "preload"):
        for file in sorted((ROOT / directory).rglob("*.[ch]*")):
            if file.suffix in (".h", ".hpp", ".cpp"):
                path, text = file.relative_to(ROOT).as_posix(), file.read_text()
                errors += [*include_errors(path, text), *name_errors(path, text)]
    for file in sorted((ROOT / "include").rglob("*.h*")):
        errors += header_errors(file.relative_to(ROOT).as_posix(), file.read_text())
    print("\n".join(errors) if errors else "layers: every include goes down")
    return 1 if errors else 0


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(f"{__doc__}\nUsage: scripts/check_layers.py")
    sys.exit(main())
