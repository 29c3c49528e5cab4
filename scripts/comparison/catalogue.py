# SPDX-License-Identifier: MIT
"""The cases to measure: the workloads of bench/ and real programs, with their command lines."""
import dataclasses
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclasses.dataclass(frozen=True)
class Case:
    """A program to measure. `tiny` marks programs whose objects are mostly smaller than a cache line; their memory is
    reported separately. `memory_mib` is an upper bound of the memory needed, for the first run."""

    name: str
    command: tuple
    group: str = "workload"
    tiny: bool = False
    environment: tuple = ()
    server: bool = False
    memory_mib: int = 700


MEMORY_MIB = {"mixed_5m": 2500}

# Name, program, further arguments, whether most objects are tiny.
WORKLOADS = (
    ("server_churn", "server_churn", "", False),
    ("cross_thread", "cross_thread", "", False),
    ("cross_thread_4", "cross_thread", "--pairs 4", False),
    ("continued_fraction", "continued_fraction", "", True),
    ("logic_covers", "logic_covers", "", True),
    ("mixed_1k", "mixed", "--live 1K --operations 40M", False),
    ("mixed_100k", "mixed", "", False),
    ("mixed_5m", "mixed", "--live 5M --operations 4M", False),
    ("octree", "octree", "", True),
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
    """Returns real programs from Debian. python3 has its own pool allocator, unless PYTHONMALLOC=malloc is set."""
    scripts = HERE / "programs"
    amount = str(scale)
    python = (sys.executable, "-S", "-E", str(scripts / "objects.py"), amount)
    # With -E, python3 would ignore PYTHONMALLOC.
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
