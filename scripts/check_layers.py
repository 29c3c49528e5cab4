#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that files include only their own and lower layers, and that some names occur only where they belong."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Lowest first. A file may include its own group and lower layers. Groups in the same layer do not include each other.
LAYERS = [
    ["src/base"],
    ["src/platform"],
    ["src/sync", "src/text"],
    ["src/options"],
    ["src/diagnostics"],
    ["src/maintenance/tuning", "src/stats", "src/profiler/sampler", "src/profiler/stack"],
    ["src/reports", "src/page_heap", "src/live/layout", "src/live/directory"],
    ["src/depot", "src/fallback", "src/profiler"],
    ["src/guards"],
    ["src/maintenance"],
    ["src/thread_cache"],
    ["src/lifecycle/startup"],
    ["src/malloc"],
    ["src/stats/snapshot"],
    ["src/api", "src/pools", "src/profiler/session"],
    ["src/live"],
    ["src/reports/hit_rate_alarm"],
    ["src/reports/periodic_report"],
    ["src/lifecycle/fork"],
    ["preload"],
]

# The layers of the command. It may include only those parts of the library that need no allocator.
COMMAND_LAYERS = [
    ["src/cli/text"],
    ["src/cli/profile"],
    ["src/cli/symbols"],
    ["src/cli/analysis", "src/cli/tune"],
    ["src/cli/export"],
    ["src/cli/launch", "src/cli/live", "src/cli/pools/contract"],
    ["src/cli/pools/protobuf", "src/cli/pools/service", "src/cli/pools/yaml"],
    ["src/cli/pools/generate", "src/cli/serve"],
    ["src/cli/commands"],
    ["src/cli/main"],
]
SEEN_BY_COMMAND = ["src/base/", "src/platform/", "src/text/", "src/options/", "src/diagnostics/", "src/cli/",
                   "src/live/layout.h", "src/live/directory.h", "src/stats/metrics.h", "src/stats/stats.h", "src/page_heap/size_classes.h", "src/maintenance/tuning.h"]

# A directory with more source files should be split.
MOST_FILES = 16

# A name, and the only paths in which it may occur.
KEPT_APART = {
    r"private_jemalloc_": ["src/fallback/", "src/sync/lock_counts"],
    r"libunwind\.h|\bunw_\w+": ["src/profiler/stack/backtrace", "src/cli/"],
    # Functions that a program or a preloaded library may define are called as libc:: (platform/libc/own_functions.h).
    r"\blibc::": ["src/platform/", "src/sync/thread_end", "src/fallback/jemalloc_stubs"],
    r"(?<!libc::)\b(clock_gettime|madvise|mmap|mprotect|munmap|nanosleep|pthread_\w*specific|sched_\w+|syscall)\(": ["src/cli/", "src/guards/faults"],
    r"#\s*include <(vector|string|map|set|unordered_map|deque|list|iostream|sstream|fstream|functional|memory)>":
        ["src/cli/"],
    r"\b(try|catch|dynamic_cast|typeid)\b\s*[({<]": ["src/cli/", "preload/new.cpp"],
    # Conditions on the platform and on debug builds are limited to these places.
    r"^\s*#\s*(if|ifdef|elif)\b": ["src/base/", "src/platform/", "src/sync/lock", "src/guards/faults",
                                  "src/profiler/stack/backtrace", "src/fallback/", "src/cli/"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


def group_of(path, layers=LAYERS + COMMAND_LAYERS):
    """Returns the number of the layer and the most specific group of the path, or None when there is none."""
    found = [(len(group), number, group) for number, layer in enumerate(layers) for group in layer
             if path.startswith((group + "/", group + "."))]
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
        elif path.startswith("src/cli/") and not target.startswith(tuple(SEEN_BY_COMMAND + ["include/"])):
            yield f"{path}: includes {target}, which the command does not see"
        elif not target.startswith("include/"):
            other = group_of(target)
            if other is None:
                yield f"{path}: includes {target}, which belongs to no layer"
            elif other[1] != own[1] and other[0] >= own[0]:
                yield f"{path}: includes {target}, which is not below it"


def name_errors(path, text):
    code = COMMENT.sub("", text)
    for pattern, places in KEPT_APART.items():
        if not any(path.startswith(place) for place in places):
            for match in re.finditer(pattern, code, re.MULTILINE):
                yield f"{path}: '{match.group().strip()}' belongs to {', '.join(places)}"


def size_errors():
    directories = {file.parent for file in (ROOT / "src").rglob("*.[ch]*")}
    for directory in sorted(directories):
        count = sum(file.suffix in (".h", ".hpp", ".cpp") for file in directory.iterdir())
        if count > MOST_FILES:
            yield f"{directory.relative_to(ROOT).as_posix()}: {count} source files, at most {MOST_FILES} belong together"


def header_errors(path, text):
    for included in INCLUDE.findall(text):
        if not included.startswith("hotlane/"):
            yield f'{path}: a public header includes "{included}"'


def main():
    errors = [*size_errors()]
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
