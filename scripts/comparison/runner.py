# SPDX-License-Identifier: MIT
"""Runs one program with one allocator and returns the kernel's counts, or why it failed."""
import dataclasses
import json
import os
import re
import signal
import subprocess
import tempfile

from .errors import ComparisonError

CHECK = re.compile(rb"check=([0-9a-f]{16})")
VALUE = re.compile(r"([a-z][\w.]*)=(-?[\d.]+)(?:\s|$)")
WHAT = re.compile(r"what=(\w+)")


@dataclasses.dataclass(frozen=True)
class Sample:
    """One run. `failure` is empty when the program succeeded and its check value was right."""

    wall: float = 0.0
    cpu: float = 0.0
    peak_kib: int = 0
    faults: int = 0
    check: str = ""
    failure: str = ""
    values: dict = dataclasses.field(default_factory=dict)


def values_in(stdout):
    """Parses the numbers that a program prints as key=value. In a line that begins with what=NAME their names are
    NAME.key."""
    found = {}
    for line in stdout.decode(errors="replace").splitlines():
        what = WHAT.match(line)
        prefix = what.group(1) + "." if what else ""
        found.update({prefix + key: float(value) for key, value in VALUE.findall(line) if key != "check"})
    return found


def environment_of(case, allocator):
    """Returns an environment with only what programs need, because options of an allocator would affect the result."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**kept, "HOTLANE_STATS": "off", **dict(case.environment), **dict(allocator.environment)}


def failure_of(report, stderr):
    if report["signal"]:
        reason = f"died of {signal.Signals(report['signal']).name}"
    elif report["exit"]:
        reason = f"exit status {report['exit']}"
    else:
        return ""
    last = stderr.decode(errors="replace").strip().splitlines()[-1:]
    return reason + (f" ({last[0][:120]})" if last else "")


def measured(measure, library, command, report_path):
    """Returns the command line that runs `command` with `library` preloaded and writes a report."""
    return [str(measure), report_path, library, *command]


def read_report(report_path, stderr):
    with open(report_path, encoding="utf-8") as report:
        text = report.read()
    if not text:
        last = stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
        raise ComparisonError(f"a program could not be started: {last[0]}")
    return json.loads(text)


def sample_of(report, stdout, stderr):
    found = CHECK.search(stdout)
    return Sample(
        report["wall"],
        report["user"] + report["system"],
        report["peak_kib"],
        report["minor_faults"],
        found.group(1).decode() if found else "",
        failure_of(report, stderr),
        values_in(stdout),
    )


def linked_statically(allocator, case):
    """Replaces {} in a program's name, which exists once for each allocator that can be linked statically."""
    program = case.command[0].format(allocator.name)
    return [program, *case.command[1:]] if os.path.exists(program) else None


def run(measure, allocator, case, limit_seconds):
    """Runs a case once. A program that exceeds the time limit is killed with all processes that it started."""
    static = "{}" in case.command[0]
    command = linked_statically(allocator, case) if static else case.command
    if command is None:
        return Sample()
    with tempfile.NamedTemporaryFile(prefix="hotlane-compare-") as report:
        process = subprocess.Popen(
            measured(
                measure, "-" if static else allocator.library, [*allocator.wrapper, *command], report.name
            ),
            env=environment_of(case, allocator),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            stdout, stderr = process.communicate(timeout=limit_seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return Sample(failure=f"not done after {limit_seconds} s")
        return sample_of(read_report(report.name, stderr), stdout, stderr)
