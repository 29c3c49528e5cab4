# SPDX-License-Identifier: MIT
"""Profiles for the page's tests, with the structure of `hotlane report --json`: a small one with known numbers, a
difference, and a large one."""

import random

KIB, MIB = 1024, 1024 * 1024

HOSTILE = '</script><script>document.title = "broken"</script><!--'
RESERVE = "std::vector<int, std::allocator<int> >::reserve"
FUNCTIONS = [
    ("main", "/src/app/main.cpp", "app"),
    ("load(std::istream&)", "/src/app/load.cpp", "app"),
    ("operator<<", "/src/app/print.cpp", "app"),
    (HOSTILE, "/src/</script>.c", "libhostile.so"),
    (RESERVE, "/usr/include/c++/12/vector", "libvector.so.1"),
    ("", "", "libstripped.so"),
]
# Function, line, inlined. The function of the last frame is unknown.
FRAMES = [(0, 10, False), (1, 20, False), (1, 25, False), (2, 30, False), (3, 40, False), (4, 50, True), (5, 0, False)]


def stack(frames, live, cumulative, count, temporary=0, lifetimes=(), remote=0):
    return {
        "frames": list(frames), "site": 0,
        "live": {"objects": live // KIB, "bytes": live, "requested": live * 3 // 4},
        "cumulative": {"objects": count, "bytes": cumulative, "requested": cumulative * 3 // 4},
        "temporary": {"objects": temporary, "bytes": temporary * KIB},
        "remote": {"objects": remote // KIB, "bytes": remote},
        "lifetimes": [list(pair) for pair in lifetimes],
    }


def profile(stacks, functions=FUNCTIONS, frames=FRAMES, **more):
    return {
        "hotlane_profile": 1, "program": "/usr/bin/app", "process": 1234, "time_ns": 1_790_000_000_000_000_000,
        "duration_ns": 83_000_000_000, "reason": "exit", "sequence": 0, "period": 524288, "unwind": "libunwind",
        "samples": 1234, "lost_samples": 0,
        "classes": [{"size": 64, "hits": 990, "misses": 10, "puts": 900},
                    {"size": 128, "hits": 0, "misses": 0, "puts": 0},
                    {"size": 192, "hits": 50, "misses": 50, "puts": 100},
                    {"size": 4096, "hits": 100000, "misses": 1, "puts": 100000}],
        "functions": [{"name": name, "file": file, "library": library} for name, file, library in functions],
        "frames": [{"function": function, "line": line, "address": f"{0x401000 + 16 * index:#x}", "inlined": inlined}
                   for index, (function, line, inlined) in enumerate(frames)],
        "stacks": stacks,
    } | more


def golden():
    """10 MiB are live: 6 in reserve, 3 in operator<<, 1 in the function with the malicious name, which has the most
    objects."""
    return profile([
        stack([5, 1, 0], 6 * MIB, 8 * MIB, 10, 4, [[12, 4], [25, 6]]),
        stack([3, 0], 3 * MIB, 20 * MIB, 300, 100, [[10, 100], [30, 200]], remote=MIB),
        stack([4, 2, 0], MIB, 4 * MIB, 9000, 8996, [[15, 9000]]),
        stack([6, 0], 0, 2 * MIB, 2, 0, [[35, 2]]),
    ], lost_samples=7)


def difference():
    """A difference: reserve grew by 4 MiB, operator<< shrank by 1 MiB."""
    return profile([
        stack([5, 1, 0], 4 * MIB, 4 * MIB, 10, 0, [[12, 4]]),
        stack([3, 0], -MIB, -2 * MIB, -30, 0, [[10, -100]]),
    ])


def compared():
    """The golden profile with a base of another process: reserve had 2 MiB, operator<< 4, and a stack of load's own, which
    is gone, 5 MiB. In the difference, reserve grew by 4 MiB."""
    made = golden()
    gone = stack([2, 0], 5 * MIB, 6 * MIB, 60)
    before = [(0, stack([], 2 * MIB, 2 * MIB, 6, 1, [[12, 2]])), (1, stack([], 4 * MIB, 5 * MIB, 50)), (4, gone)]
    nothing = stack([2, 0], 0, 0, 0)
    base = {key: made[key] for key in ("program", "time_ns", "duration_ns", "period", "unwind", "samples", "lost_samples")} | {
        "process": 99, "sequence": 3, "reason": "interval", "program": "/usr/bin/before", "has_peak": False,
        "classes": [{"size": 64, "hits": 400, "misses": 4, "puts": 300}],
        "stacks": [totals | {"stack": index} for index, totals in before]}
    return made | {"stacks": [*made["stacks"], nothing], "base": base}


def empty():
    return profile([], functions=[], frames=[], classes=[], samples=0)


def large(frames=20_000, stacks=8_000, seed=5):
    """Like a large C++ program: deep stacks that share their callers, a few of them heavy, most of them light."""
    chance = random.Random(seed)
    libraries = ["service", "libstdc++.so.6", "libprotobuf.so.32", "libgrpc.so.29", "libssl.so.3", "libc.so.6",
                 "libicu.so.72", "libz.so.1"]
    words = ["parse", "read", "decode", "append", "resolve", "insert", "render", "build", "update", "merge", "copy"]
    functions = [(f"service::{chance.choice(words)}_{chance.choice(words)}<{index}>(std::string const&)",
                  f"/src/service/{chance.choice(words)}.cc", chance.choices(libraries, range(8, 0, -1))[0])
                 for index in range(frames // 2)]
    places = [(index % len(functions), chance.randrange(1, 2000), chance.random() < 0.1) for index in range(frames)]
    unused = iter(range(frames))
    paths = [[next(unused)]]
    while len(paths) < stacks:
        trunk = chance.choice(paths)[:chance.randrange(1, 40)]
        fresh = [next(unused, None) or chance.randrange(frames) for _ in range(chance.randrange(1, 8))]
        paths.append((trunk + fresh)[:120])
    made = []
    for path in paths:
        size = int(chance.paretovariate(0.9) * 64) + 64
        count = chance.randrange(1, 2000)
        made.append(stack(reversed(path), size * 16 if chance.random() < 0.4 else 0, size * count, count,
                          count // 3, [[chance.randrange(8, 36), count]]))
    sizes = [64 * step for step in range(1, 17)] + [1280 * 2**power for power in range(6)]
    classes = [{"size": size, "hits": int(1e9 / size), "misses": int(3e6 / size) + index, "puts": int(1e9 / size)}
               for index, size in enumerate(sizes)]
    return profile(made, functions, places, program="service", classes=classes, samples=412_345)


def timed():
    """The golden profile with its peak (reserve held 12 MiB of 16), its timeline, and two earlier dumps: before the
    first there was 1 MiB of reserve, and between the two operator<< got 2 MiB."""
    made = golden()
    for one, size in zip(made["stacks"], (12 * MIB, 3 * MIB, MIB, 0)):
        one["peak"] = {"objects": size // KIB, "bytes": size, "requested": size * 3 // 4}
    nothing = [0] * 10
    changes = [[[0, *[1024, MIB, MIB, 1024, MIB, MIB], *nothing[6:]]],
               [[1, *[2048, 2 * MIB, 2 * MIB, 2048, 2 * MIB, 2 * MIB], *nothing[6:]]]]
    moments = [{"at_ns": int(at), "sequence": index, "reason": "interval", "changes": change}
               for index, (at, change) in enumerate(zip((2e10, 5e10), changes))]
    timeline = [[int(step * 8.3e9), (10 - abs(step - 6)) * MIB, 32 * MIB, 1000 * step * step, 10 * step]
                for step in range(11)]
    return made | {"has_peak": True, "peak_ns": 50_000_000_000, "timeline": timeline, "moments": moments}
