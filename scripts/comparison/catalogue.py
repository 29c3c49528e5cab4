# SPDX-License-Identifier: MIT
"""What is measured: the workloads of bench/ and real programs, each with its command line."""
import dataclasses
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclasses.dataclass(frozen=True)
class Case:
    """`tiny` marks programs whose objects are mostly smaller than a cache line: their memory is reported
    apart. `memory_mib` is what it may need at most, as far as is known before its first run."""

    name: str
    command: tuple
    group: str = "workload"
    tiny: bool = False
    environment: tuple = ()
    server: bool = False
    memory_mib: int = 700


MEMORY_MIB = {"mixed_5m": 2500}

# Name, program, further arguments, mostly tiny objects.
WORKLOADS = (
    ("server_churn", "server_churn", "", False),
    ("cross_thread", "cross_thread", "", False),
    ("cross_thread_4", "cross_thread", "--pairs 4", False),
    ("continued_fraction", "continued_fraction", "", True),
    ("logic_covers", "logic_covers", "", True),
    ("mixed_1k", "mixed", "--live 1K --operations 40M", False),
    ("mixed_100k", "mixed", "", False),
    ("mixed_5m", "mixed", "--live 5M --operations 4M", False),
    ("octree", "octree", "", False),
    ("growing", "growing", "", False),
    ("zeroed", "zeroed", "", False),
    ("sharing_active", "false_sharing", "", True),
    ("sharing_passive", "false_sharing", "--passive 1", True),
    ("thread_churn", "thread_churn", "", False),
    ("fragmenting", "fragmenting", "", False),
    ("large_blocks", "large_blocks", "", False),
    (
        "medium_blocks",
        "large_blocks",
        "--threads 2 --low 64K --high 1M --live 100 --replacements 30000",
        False,
    ),
    ("lru_store", "lru_store", "", False),
    ("json_documents", "json_documents", "", True),
)


def workloads(build, scale):
    bench = pathlib.Path(build) / "bench"
    for name, program, arguments, tiny in WORKLOADS:
        command = (str(bench / program), *arguments.split(), "--scale", str(scale))
        yield Case(name, command, tiny=tiny, memory_mib=MEMORY_MIB.get(name, Case.memory_mib))


def programs(scale):
    """Real programs as Debian ships them. python3 has a pool of its own; with PYTHONMALLOC=malloc it has
    none."""
    scripts = HERE / "programs"
    amount = str(scale)
    python = (sys.executable, "-S", "-E", str(scripts / "objects.py"), amount)
    # -E would make python3 deaf to PYTHONMALLOC.
    python_malloc = (sys.executable, "-S", str(scripts / "objects.py"), amount)
    source = str(ROOT / "bench" / "workloads" / "json_documents.cpp")
    yield Case("python3", python, "program")
    yield Case("python3_malloc", python_malloc, "program", environment=(("PYTHONMALLOC", "malloc"),))
    yield Case(
        "gcc",
        ("g++", "-std=c++20", "-O1", "-I", str(ROOT / "bench"), "-c", source, "-o", os.devnull),
        "program",
    )
    yield Case(
        "sqlite3",
        (
            "sqlite3",
            "-batch",
            ":memory:",
            f".parameter set :rows {int(400000 * scale)}",
            f".read {scripts / 'tables.sql'}",
        ),
        "program",
    )
    yield Case("node", ("node", str(scripts / "buffers.js"), amount), "program")
    yield Case("redis", (str(int(150000 * scale)),), "program", server=True)


def cases(build, scale, with_programs):
    yield from workloads(build, scale)
    if with_programs:
        yield from programs(scale)
