#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions of a hit in libhotlane.so, and compares them with tests/fast_path.golden, or with
tests/fast_path_arm64.golden.

A hit is a path from the entry of a function to a `ret` without a call or a jump to another function. If there are
several, the longest counts. On x86-64, an index register is refused in the address of a lane's word or of a slot, because
it turns off the store forwarding of Intel's cores (src/platform/tls_access.h). If llvm-mca is there, it estimates the
cycles of malloc followed by free, which have a bound."""

import argparse
import collections
import pathlib
import re
import shutil
import subprocess
import sys

TESTS = pathlib.Path(__file__).resolve().parent.parent / "tests"


class X86:
    """What the instructions of x86-64 mean, in Intel's syntax."""

    golden = TESTS / "fast_path.golden"
    budget = 19
    budget_of_others = 21  # of other compilers than the golden file's
    disassembly = ("-M", "intel")
    ignored = ("endbr64", "nop")

    @staticmethod
    def is_return(mnemonic):
        return mnemonic.startswith("ret")

    @staticmethod
    def is_call(mnemonic):
        return mnemonic.startswith("call") or mnemonic in ("ud2", "hlt")

    @staticmethod
    def is_branch(mnemonic):
        return mnemonic.startswith("j")

    @staticmethod
    def is_jump(mnemonic):
        return mnemonic == "jmp"

    @staticmethod
    def is_memory(i):
        return "[" in i.operands and i.mnemonic.split()[-1] not in ("lea", "nop")

    @staticmethod
    def is_locked(i):
        return "lock" in i.mnemonic or i.mnemonic.startswith("xchg") and "[" in i.operands

    @staticmethod
    def is_division(i):
        return i.mnemonic.startswith(("div", "idiv"))


class Arm64:
    """The same for arm64."""

    golden = TESTS / "fast_path_arm64.golden"
    budget = 33
    budget_of_others = 36
    disassembly = ()
    ignored = ("bti", "nop")

    @staticmethod
    def is_return(mnemonic):
        return mnemonic.startswith("ret")

    @staticmethod
    def is_call(mnemonic):
        return mnemonic in ("bl", "blr", "br", "udf", "brk", "svc")

    @staticmethod
    def is_branch(mnemonic):
        return mnemonic == "b" or mnemonic.startswith(("b.", "cbz", "cbnz", "tbz", "tbnz"))

    @staticmethod
    def is_jump(mnemonic):
        return mnemonic == "b"

    @staticmethod
    def is_memory(i):
        return "[" in i.operands

    @staticmethod
    def is_locked(i):  # exclusive accesses, atomic operations and barriers; a release store is none of them
        return i.mnemonic.startswith(("ldx", "ldax", "stx", "stlx", "cas", "swp", "ldadd", "dmb", "dsb", "isb"))

    @staticmethod
    def is_division(i):
        return i.mnemonic in ("udiv", "sdiv")


ARCHITECTURES = {"x86_64": X86, "aarch64": Arm64}
# Cycles per pair of malloc and free by llvm-mca: those of the throughput, and those of the latency if each load waits for
# every store before it. A core that forwards stores is between the two.
CYCLES = {"znver3": (7.5, 48), "icelake-server": (11, 49)}
ENTRIES = {
    "malloc": "malloc",
    "free": "free",
    "operator new": "_Znwm",
    "operator delete": "_ZdlPv",
    "sized operator delete": "_ZdlPvm",
    "operator new[]": "_Znam",
    "nothrow operator new": "_ZnwmRKSt9nothrow_t",
    "operator delete[]": "_ZdaPv",
    "sized operator delete[]": "_ZdaPvm",
}
Instruction = collections.namedtuple("Instruction", "address mnemonic operands")
LINE = re.compile(r"^\s*([0-9a-f]+):\t(\S+(?: \S+)?)?\s*(.*)$")
PREFIXES = ("lock", "rep", "repz", "repnz", "bnd", "notrack", "cs", "data16")


def parse(line):
    match = re.match(r"^\s*([0-9a-f]+):\t(.*)$", line)
    if match is None:
        return None
    words = match.group(2).split("#")[0].split()
    if not words:
        return None
    mnemonic = words.pop(0)
    while mnemonic.split(" ")[-1] in PREFIXES and words:
        mnemonic += " " + words.pop(0)
    return Instruction(int(match.group(1), 16), mnemonic, " ".join(words))


def disassemble(library, machine, tools):
    """Returns all instructions by address, and the address of each name."""
    text = subprocess.run([tools.objdump, "-d", "--no-show-raw-insn", *machine.disassembly, library],
                          capture_output=True, text=True, check=True).stdout
    code, names, previous, following = {}, {}, None, {}
    for line in text.splitlines():
        label = re.match(r"^([0-9a-f]+) <(.+)>:$", line)
        if label:
            names[label.group(2)] = int(label.group(1), 16)
            continue
        instruction = parse(line)
        if instruction is not None:
            code[instruction.address] = instruction
            if previous is not None:
                following[previous] = instruction.address
            previous = instruction.address
    exported = subprocess.run([tools.nm, "-D", "--defined-only", "-P", library], capture_output=True, text=True,
                              check=True).stdout
    for line in exported.splitlines():
        name, _, address = line.split()[:3]
        names[name.split("@")[0]] = int(address, 16)
    return code, following, names


def jump_target(instruction):
    # On arm64 the target comes after a register, and perhaps the number of a bit.
    match = re.match(r"(?:\w+, )?(?:#\d+, )?([0-9a-f]+)\b", instruction.operands)
    return int(match.group(1), 16) if match else None


def hits(entry, code, following, starts, machine):
    """Returns every path to a ret without a call, a loop, or a jump to the start of another function."""
    ways = []
    unfinished = [(entry, [])]
    while unfinished:
        address, way = unfinished.pop()
        instruction = code.get(address)
        if instruction is None or len(way) > 4 * machine.budget or instruction in way:
            continue
        way = way + [instruction]
        mnemonic = instruction.mnemonic.split()[-1]
        if machine.is_return(mnemonic):
            ways.append(way)
        elif machine.is_call(mnemonic):
            continue
        elif machine.is_branch(mnemonic):
            target = jump_target(instruction)
            if target is not None and target not in starts:
                unfinished.append((target, way))
            if not machine.is_jump(mnemonic):
                unfinished.append((following.get(address), way))
        else:
            unfinished.append((following.get(address), way))
    return ways


def describe(way, machine):
    def count(predicate):
        return sum(map(predicate, way))

    return {
        "instructions": count(lambda i: i.mnemonic.split()[-1] not in machine.ignored),
        "branches": count(lambda i: machine.is_branch(i.mnemonic)),
        "memory": count(machine.is_memory),
        "locks": count(machine.is_locked),
        "divisions": count(machine.is_division),
    }


def indexed(way):
    """Returns the accesses with an index register, other than the loads of a class entry (16 bits)."""
    address = re.compile(r"\[[^\]]*\*[^\]]*\]|\[r\w+\+r(?!ip)\w+")
    return [f"{i.mnemonic} {i.operands}" for i in way
            if address.search(i.operands) and i.mnemonic not in ("lea", "movzx")]


def estimated_cycles(ways, processor, loads_wait):
    """Returns what llvm-mca says of one call after the other, malloc's result being free's argument."""
    lines = [".intel_syntax noprefix", "mov edi, 64"]
    for way in ways:
        for i in way:
            if i.mnemonic.startswith("j"):
                lines.append(f"{i.mnemonic} 1f")
            elif not i.mnemonic.startswith(("ret", "endbr", "nop")):
                lines.append(f"{i.mnemonic} {i.operands}")
        lines.append("mov rdi, rax")
    rounds = 1000
    done = subprocess.run(["llvm-mca", "-mtriple=x86_64", f"-mcpu={processor}", f"-iterations={rounds}",
                           f"-noalias={'false' if loads_wait else 'true'}"], input="\n".join([*lines, "1:\n"]),
                          capture_output=True, text=True, check=True)
    return int(re.search(r"Total Cycles:\s+(\d+)", done.stdout).group(1)) / rounds


def check_cycles(ways):
    errors = []
    for processor, bounds in CYCLES.items():
        for loads_wait, bound in enumerate(bounds):
            cycles = estimated_cycles(ways, processor, loads_wait)
            print(f"malloc and free, {processor}: {cycles:.1f} cycles ({('throughput', 'latency')[loads_wait]})")
            if cycles > bound:
                errors.append(f"malloc and free take {cycles:.1f} cycles on {processor}; the bound is {bound}")
    return errors


def measure(library, budget, machine, tools):
    code, following, names = disassemble(library, machine, tools)
    lines, errors, longest = [], [], {}
    for title, symbol in ENTRIES.items():
        # The cold part of a function has its own name. No hit leads there, so it counts as another function.
        ways = hits(names[symbol], code, following, set(names.values()), machine) if symbol in names else []
        if not ways:
            errors.append(f"{title}: no way from its entry to a ret without a call")
            continue
        longest[title] = max(ways, key=len)
        counts = describe(longest[title], machine)
        errors += [] if machine is not X86 else [f"{title}: an index register in an address: {access}" for access in indexed(longest[title])]
        lines.append(f"{title}: " + ", ".join(f"{number} {what}" for what, number in counts.items()))
        if counts["instructions"] > budget:
            errors.append(f"{title}: {counts['instructions']} instructions; the budget is {budget}")
        if counts["locks"] or counts["divisions"]:
            errors.append(f"{title}: a lock or a division on the fast path")
    if machine is X86 and not errors and shutil.which("llvm-mca"):
        errors += check_cycles([longest["malloc"], longest["free"]])
    return "\n".join(lines) + "\n", errors


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=pathlib.Path, help="libhotlane.so")
    parser.add_argument("--update", action="store_true", help="write the counts to the golden file")
    parser.add_argument("--budget-only", action="store_true",
                        help="do not compare with the golden file, which has the counts of another compiler's code")
    parser.add_argument("--architecture", choices=ARCHITECTURES, default="x86_64", help="of the library")
    for tool in ("objdump", "nm"):
        parser.add_argument(f"--{tool}", default=tool, help=f"the {tool} to use")
    arguments = parser.parse_args()
    machine = ARCHITECTURES[arguments.architecture]
    budget = machine.budget_of_others if arguments.budget_only else machine.budget
    text, errors = measure(arguments.library, budget, machine, arguments)
    print(text, end="")
    if arguments.update:
        machine.golden.write_text(text)
    elif not arguments.budget_only and (not machine.golden.is_file() or machine.golden.read_text() != text):
        errors.append(f"the counts are not those of tests/{machine.golden.name}; if the change is meant: "
                      "scripts/check_fast_path.py --update, with a measurement in the commit message")
    for error in errors:
        print(f"check_fast_path: {error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
