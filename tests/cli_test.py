#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests the `hotlane` command end to end: its output, the programs it runs, and its errors."""

import argparse
import contextlib
import json
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

COMMAND = LIBRARY = None
TRUE = "/usr/bin/true"


def clean_environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k != "LD_PRELOAD"}
    return kept | more


def hotlane(*arguments, command=None, env=None):
    return subprocess.run([str(command or COMMAND), *map(str, arguments)], capture_output=True, text=True,
                          env=clean_environment(**(env or {})), timeout=60, check=False)


class Zsh:
    """An interactive zsh in a terminal. It writes the line that is edited to a file when it begins to read keys, and at
    Ctrl-T."""

    def __init__(self, scratch):
        completion = pathlib.Path(__file__).resolve().parent.parent / "src/cli/completion"
        self.line = scratch / "line"
        (scratch / ".zshrc").write_text(
            f"fpath=({completion} $fpath); autoload -Uz compinit; compinit -u -d {scratch}/compinit\n"
            f'show() {{ print -r -- "$BUFFER" >{self.line}.new; mv {self.line}.new {self.line} }}\n'
            "zle -N show; zle -N zle-line-init show; bindkey '^T' show\n")
        self.terminal, terminal = pty.openpty()
        self.shell = subprocess.Popen(
            ["zsh", "-d", "-i"], stdin=terminal, stdout=terminal, stderr=terminal, cwd=scratch, start_new_session=True,
            env=clean_environment(PATH=f"{COMMAND.parent}:{os.environ['PATH']}", ZDOTDIR=str(scratch), TERM="xterm"))
        os.close(terminal)
        self.next_line()

    def next_line(self):
        """Waits for the file. What the shell draws is read and dropped."""
        end = time.monotonic() + 60
        while not self.line.exists():
            assert time.monotonic() < end, "zsh does not answer"
            if select.select([self.terminal], [], [], 0.05)[0]:
                os.read(self.terminal, 4096)
        text = self.line.read_text().strip()
        self.line.unlink()
        return text

    def line_after(self, keys):
        os.write(self.terminal, f"{keys}\x14".encode())
        return self.next_line()

    def close(self):
        self.shell.kill()
        self.shell.wait()
        os.close(self.terminal)


class CommandLine(unittest.TestCase):
    def expect_error(self, result, status, line):
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("", f"hotlane: {line}\n", status))

    def test_version(self):
        result = hotlane("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^hotlane \d+\.\d+\.\d+ \(commit ([0-9a-f]{12}|unknown)\)\n$")

    def test_help_names_every_subcommand_and_option(self):
        self.assertRegex(hotlane("--help").stdout, r"(?s)\n  run .*\n  env .*\n  bench ")
        text = hotlane("run", "--help").stdout
        for name, _, _ in option_rows():
            self.assertIn("--" + name.removeprefix("HOTLANE_").lower().replace("_", "-") + " ", text)

    def test_without_arguments_it_says_what_can_be_done(self):
        result = hotlane()
        self.assertEqual((result.stderr, result.returncode, len(result.stdout.splitlines())), ("", 0, 10))
        commands = re.findall(r"(?m)^  hotlane (\w+)", result.stdout)
        helped = hotlane("--help").stdout
        for command in commands:
            self.assertRegex(helped, rf"(?m)^  {command} ")

    def test_completion_in_bash(self):
        file = pathlib.Path(__file__).resolve().parent.parent / "src/cli/completion/hotlane.bash"
        for line, expected in (("hotlane pro", ["profile"]), ("hotlane report --no-skip", ["--no-skip-wrappers"]),
                               ("hotlane run --stats-f", ["--stats-file"])):
            words = line.split()
            script = (f'source {file}; COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _hotlane; '
                      'printf "%s\\n" "${COMPREPLY[@]}"')
            done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True,
                                  env=clean_environment(PATH=f"{COMMAND.parent}:{os.environ['PATH']}"))
            self.assertEqual(done.stdout.split(), expected, line)

    @unittest.skipIf(shutil.which("zsh") is None, "zsh is not installed")
    def test_completion_in_zsh(self):
        with tempfile.TemporaryDirectory() as scratch, contextlib.closing(Zsh(pathlib.Path(scratch))) as zsh:
            for keys, expected in (("hotlane repo", "hotlane report"), (" --no-skip", "hotlane report --no-skip-wrappers"),
                                   ("\x15hotlane run --stats-f", "hotlane run --stats-file")):
                self.assertEqual(zsh.line_after(f"{keys}\t"), expected)

    def test_mistakes_are_one_line(self):
        see = "(see hotlane --help)"
        self.expect_error(hotlane("bogus"), 125, f"The following argument was not expected: bogus {see}")
        self.expect_error(hotlane("run"), 125, "run: missing PROGRAM: hotlane run [OPTIONS] -- PROGRAM [ARGS]")
        self.expect_error(hotlane("run", "--"), 125, "run: missing PROGRAM: hotlane run [OPTIONS] -- PROGRAM [ARGS]")
        self.expect_error(hotlane("run", "--stat-file=x", "true"), 125,
                          "run: --stat-file=x is not an option; the closest is --stats-file")
        self.expect_error(hotlane("run", "--cache=1M", "true"), 125,
                          "run: --cache=1M is not an option; the closest is --thread-cache")
        self.expect_error(hotlane("run", "--stats=xml", "--", "true"), 125,
                          f'--stats: "xml" is not valid, expected off, text, json or prometheus {see}')


def option_rows():
    """Returns (name, value, default) for each row of `hotlane env`."""
    lines = hotlane("env").stdout.splitlines()[1:]
    return [tuple(line.split()[:3]) for line in lines]


class Env(unittest.TestCase):
    def test_shows_values_beside_defaults(self):
        result = hotlane("env", env={"HOTLANE_LIMIT": "2G", "HOTLANE_STATS": "json"})
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertRegex(result.stdout, r"\nHOTLANE_LIMIT +2G +0 ")
        self.assertRegex(result.stdout, r"\nHOTLANE_STATS +json +text ")

    def test_says_what_is_wrong(self):
        result = hotlane("env", env={"HOTLANE_THREAD_CACHE": "lots", "HOTLANE_THREAD_CASH": "1M", "HOTLANE_CACHE": "1M"})
        self.assertEqual(sorted(result.stderr.splitlines()), [
            "hotlane: HOTLANE_CACHE is not an option any more; it is called HOTLANE_THREAD_CACHE",
            'hotlane: HOTLANE_THREAD_CACHE="lots": expected auto, or a size like 64K, up to 1G; then limits of '
            'classes like ,64=32K, at most 63; using 64K',
            "hotlane: HOTLANE_THREAD_CASH is not an option; the closest is HOTLANE_THREAD_CACHE"])

    def test_reads_the_file_of_options(self):
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write("# for a test\nHOTLANE_LIMIT=2G\nHOTLANE_STATS=json\nHOTLANE_GUARD=many\n")
            file.flush()
            result = hotlane("env", env={"HOTLANE_CONFIG": file.name, "HOTLANE_STATS": "off"})
            self.assertEqual(result.stderr, f'hotlane: {file.name}:4: HOTLANE_GUARD="many": expected a number from 0 to '
                                            "4294967295; using 0\n")
            self.assertRegex(result.stdout, r"\nHOTLANE_LIMIT +2G +0 ")
            self.assertRegex(result.stdout, r"\nHOTLANE_STATS +off +text ")
            result = hotlane("run", f"--config={file.name}", "true")
            self.assertIn(f"hotlane: {file.name}:4: ", result.stderr)
            self.assertIn('"format": "hotlane-stats"', result.stderr)

    def test_full_output_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            status = subprocess.run([COMMAND, "env"], stdout=full, check=False).returncode
        self.assertEqual(status, 125)


class Run(unittest.TestCase):
    def run_quietly(self, *arguments, **more):
        return hotlane("run", "--stats=off", *arguments, **more)

    def test_exit_status_is_the_programs_own(self):
        self.assertEqual(self.run_quietly("sh", "-c", "exit 7").returncode, 7)
        self.assertEqual(self.run_quietly("sh", "-c", "kill -KILL $$").returncode, -signal.SIGKILL)

    def test_arguments_arrive_as_they_are(self):
        given = ["", "a b", "--stats=json", "--", "-x", "--"]
        for separator in ([], ["--"]):
            result = self.run_quietly(*separator, "printf", "<%s>", *given)
            self.assertEqual(result.stdout, "".join(f"<{a}>" for a in given))

    def test_name_of_the_program_is_kept(self):
        self.assertEqual(self.run_quietly("sh", "-c", "echo $0").stdout, "sh\n")

    def test_options_become_variables(self):
        result = hotlane("run", "--stats=off", "--limit=2G", "--warmup=64:10", "--check-frees", "--verbose=0", "/usr/bin/env",
                         env={"HOTLANE_STATS": "json", "HOTLANE_THREAD_CACHE": "1M"})
        found = {line for line in result.stdout.splitlines() if line.startswith("HOTLANE_")}
        self.assertEqual(found, {"HOTLANE_STATS=off", "HOTLANE_LIMIT=2G", "HOTLANE_WARMUP=64:10", "HOTLANE_CHECK_FREES=1",
                                 "HOTLANE_VERBOSE=0", "HOTLANE_THREAD_CACHE=1M"})

    def test_library_comes_before_what_was_preloaded(self):
        for before, after in (("", f"{LIBRARY}\n"), ("libm.so.6", f"{LIBRARY}:libm.so.6\n")):
            result = self.run_quietly("printenv", "LD_PRELOAD", env={"LD_PRELOAD": before})
            self.assertEqual(result.stdout, after)

    def test_library_is_loaded_and_reports(self):
        with tempfile.TemporaryDirectory() as directory:
            result = hotlane("run", "--stats=json", f"--stats-file={directory}/%e.%p.json", "/usr/bin/python3", "-c",
                             "import os; print(os.getpid())")
            report = json.loads(pathlib.Path(f"{directory}/python3.{result.stdout.strip()}.json").read_text("utf-8"))
        self.assertEqual(report["process"]["pid"], int(result.stdout))
        self.assertGreater(report["totals"]["hits"], 1000)
        self.assertEqual(report["totals"]["allocations"], sum(c["allocations"] for c in report["classes"]))

    def test_text_report_on_stderr(self):
        lines = hotlane("run", "/usr/bin/python3", "-c", "print(1)").stderr.splitlines()
        self.assertRegex(lines[0], r"^hotlane: python3 \(pid \d+\): [\d,]+ requests, \d+\.\d\d % hits, .*s$")
        self.assertLessEqual(len(lines), 24)
        self.assertTrue(all(line.startswith("hotlane: ") and len(line) <= 100 for line in lines), lines)

    def test_the_loader_may_be_the_program(self):
        loader = re.search(rb"/lib[^\0]*/ld-[^\0]*", pathlib.Path(TRUE).read_bytes()).group().decode()
        self.assertEqual(self.run_quietly(loader, TRUE).returncode, 0)


class BenchLoad(unittest.TestCase):
    def load(self, *arguments):
        result = hotlane("bench", "load", "--duration=50ms", "--workers=2", *arguments)
        self.assertEqual((result.stderr, result.returncode), ("", 0))
        return result.stdout

    def numbers(self, text, what):
        return [float(n) for n in re.search(rf"\n{what} +(?:ticks)?([ \d.]+)", text).group(1).split()]

    def test_the_usual_sizes_all_hit(self):
        text = self.load()
        self.assertIn("sizes 2K,4K,8K,16K,32K,64K,", text)
        found = re.search(r"(\d+) allocations, (\d+) of them misses, (\d+) by the fallback", text)
        allocations, misses, by_fallback = map(int, found.groups())
        self.assertGreater(allocations, 10_000)
        self.assertLess(misses, 100)
        self.assertLess(by_fallback, 100)
        self.assertRegex(text, r"operations per second +\d+\.\d\d M +16\.35 M\n")
        # Rounded down, so that 100 % means that there was no miss.
        self.assertEqual(self.numbers(text, "hit rate")[0], (allocations - misses) * 10**7 // allocations / 10**5)

    def test_percentiles_rise_and_times_fit_ticks(self):
        text = self.load("--sizes=64,100", "--ops-per-buffer=3")
        for what in ("get", "put", "empty reading"):
            ticks = self.numbers(text, what)
            self.assertEqual(len(ticks), 5)
            self.assertEqual(ticks, sorted(ticks))

    def test_larger_sizes_go_to_the_fallback(self):
        found = re.search(r"(\d+) allocations, .* (\d+) by the fallback", self.load("--sizes=100K"))
        allocations, by_fallback = map(int, found.groups())
        self.assertGreater(by_fallback, allocations)

    def test_json_has_what_the_tables_have(self):
        result = json.loads(self.load("--json", "--sizes=1K,2K"))
        self.assertEqual((result["format"], result["version"], result["level"]), ("hotlane-bench-load", 1, None))
        self.assertEqual((result["workers"], result["sizes"], result["held"]), (2, [1024, 2048], 1))
        self.assertGreaterEqual(result["allocations"], result["operations"])
        self.assertAlmostEqual(result["operations_per_second"], result["operations"] / result["seconds"], delta=1)
        self.assertAlmostEqual(result["hit_rate"], 1 - result["misses"] / result["allocations"], places=9)
        for latency in result["latency_ns"].values():
            values = [latency[share] for share in ("p50", "p90", "p99", "p99.9", "max")]
            self.assertEqual(values, sorted(values))

    def test_levels_are_buffers_held_at_once(self):
        for level, size, held in (("low", "2K", 8), ("medium", "4K", 16), ("high", "8K", 32), ("extreme", "16K", 64)):
            self.assertIn(f", level {level}: {held} buffers of {size},", self.load(f"--level={level}"))
        result = json.loads(self.load("--json", "--level=high"))
        self.assertEqual((result["level"], result["sizes"], result["held"]), ("high", [8192], 32))

    def test_the_report_at_exit_is_off_unless_asked_for(self):
        result = hotlane("bench", "load", "--duration=10ms", env={"HOTLANE_STATS": "text"})
        self.assertRegex(result.stderr, r"^hotlane: hotlane \(pid \d+\): ")

    def test_mistakes_are_one_line(self):
        for argument, said in (("--duration=5", '--duration: "5" is not a time, such as 5s'),
                               ("--level=none", '--level: "none" is not low, medium, high or extreme'),
                               ("--sizes=2K,x", '--sizes: "x" is not a size from 8 to 1G, such as 64K')):
            result = hotlane("bench", "load", argument)
            self.assertEqual((result.returncode, result.stderr), (125, f"hotlane: {said} (see hotlane --help)\n"))


class CannotRun(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hotlane-cli-"))
        self.addCleanup(shutil.rmtree, self.directory)

    def program(self, name, contents, mode=0o755):
        path = self.directory / name
        path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
        path.chmod(mode)
        return path

    def expect(self, program, status, line, **more):
        result = hotlane("run", program, **more)
        self.assertEqual((result.stdout, result.stderr, result.returncode), ("", f"hotlane: {line}\n", status))

    def static_program(self):
        self.program("static.c", "int main(void) { return 0; }")
        path = self.directory / "static"
        subprocess.run(["cc", "-static", "-o", path, f"{path}.c"], check=True)
        return path

    def test_not_found(self):
        self.expect("no-such-program", 127, "cannot find no-such-program in PATH")
        self.expect("/no/such", 127, "/no/such: No such file or directory")

    def test_not_executable(self):
        path = self.program("text", "text", mode=0o644)
        self.expect(path, 126, f"{path} is not executable")
        self.expect("text", 126, f"{path} is not executable", env={"PATH": str(self.directory)})
        self.expect(self.directory, 126, f"{self.directory} is a directory")

    def test_the_first_executable_in_path_counts(self):
        self.program("tool", "no program", mode=0o644)
        (self.directory / "bin").mkdir()
        self.program("bin/tool", "#!/bin/sh\necho found\n")
        result = hotlane("run", "--stats=off", "tool", env={"PATH": f"{self.directory}:{self.directory}/bin"})
        self.assertEqual((result.stdout, result.returncode), ("found\n", 0))

    def test_statically_linked(self):
        path = self.static_program()
        why = "is statically linked, so nothing can be preloaded into it; link it with libhotlane.a"
        self.expect(path, 126, f"{path} {why}")
        script = self.program("script", f"#! {path} -x\n")
        self.expect(script, 126, f"{path} {why}")

    def test_another_machine(self):
        original = pathlib.Path(TRUE).read_bytes()
        for name, offset, value in (("class", 4, 1), ("machine", 18, 0xF3)):
            with self.subTest(name):
                path = self.program(name, original[:offset] + bytes([value]) + original[offset + 1:])
                self.expect(path, 126, f"{path} is built for another kind of machine than libhotlane.so")

    def test_another_c_library(self):
        original = pathlib.Path(TRUE).read_bytes()
        path = self.program("other", original.replace(b"/ld-linux", b"/ld-other", 1))
        result = hotlane("run", path)
        self.assertEqual(result.returncode, 126)
        self.assertRegex(result.stderr,
                         rf"^hotlane: {path} is loaded by \S+/ld-other\S+, which is not the C library of libhotlane.so\n$")

    def test_truncated_elf(self):
        path = self.program("cut", pathlib.Path(TRUE).read_bytes()[:40])
        self.expect(path, 126, f"{path} is a truncated ELF file")
        path = self.program("short", b"\x7fE")  # too short for an ELF file; the shell runs it, as with execvp(3)
        self.assertIn(hotlane("run", "--stats=off", path).returncode, (126, 127))

    def test_segments_that_are_not_there(self):
        path = self.program("headless", pathlib.Path(TRUE).read_bytes()[:64])
        self.assertEqual(hotlane("run", path).returncode, 126)

    @unittest.skipUnless(os.geteuid() == 0, "only root can give a file away")
    def test_privileged(self):
        for bit, kind in ((0o4000, "setuid"), (0o2000, "setgid")):
            with self.subTest(kind):
                path = self.directory / kind
                shutil.copy(TRUE, path)
                os.chown(path, 1, 1)
                path.chmod(0o755 | bit)
                self.expect(path, 126, f"{path} is {kind}, so the loader preloads nothing into it")
                os.chown(path, os.getuid(), os.getgid())  # setuid to the same user changes nothing, so it is not refused
                path.chmod(0o755 | bit)
                self.assertEqual(hotlane("run", "--stats=off", path).returncode, 0)

    def test_scripts(self):
        good = self.program("good", "#!/bin/sh\necho \"$1\"\n")
        self.assertEqual(hotlane("run", "--stats=off", good, "x").stdout, "x\n")
        bare = self.program("bare", "echo bare\n")
        self.assertEqual(hotlane("run", "--stats=off", bare).stdout, "bare\n")
        lost = self.program("lost", "#!/no/such/interpreter\n")
        self.expect(lost, 126, f"{lost} names an interpreter that cannot be executed: /no/such/interpreter")


class Installed(unittest.TestCase):
    def setUp(self):
        self.prefix = pathlib.Path(tempfile.mkdtemp(prefix="hotlane-prefix-")).resolve()
        self.addCleanup(shutil.rmtree, self.prefix)

    def install(self, prefix, with_library=True):
        (prefix / "bin").mkdir(parents=True)
        (prefix / "lib").mkdir()
        shutil.copy(COMMAND, prefix / "bin")
        if with_library:
            shutil.copy(LIBRARY, prefix / "lib" / LIBRARY.name)
        return prefix / "bin" / "hotlane"

    def test_finds_the_library_of_its_prefix(self):
        command = self.install(self.prefix / "opt")
        link = self.prefix / "hotlane"
        link.symlink_to(command)
        for called in (command, link):
            result = hotlane("run", "--stats=off", "printenv", "LD_PRELOAD", command=called)
            self.assertEqual(result.stdout, f"{self.prefix}/opt/lib/libhotlane.so.0\n")

    def test_without_a_library(self):
        command = self.install(self.prefix / "opt", with_library=False)
        result = hotlane("run", "true", command=command)
        self.assertEqual((result.returncode, result.stderr), (
            125, f"hotlane: cannot find libhotlane.so.0 in the prefix or the build tree of {command.parent}\n"))

    def test_a_path_that_the_loader_cannot_read(self):
        command = self.install(self.prefix / "a b")
        result = hotlane("run", "true", command=command)
        self.assertEqual((result.returncode, result.stderr), (
            125, f"hotlane: cannot preload {self.prefix}/a b/lib/libhotlane.so.0: "
                 "LD_PRELOAD cannot hold a path with a space or a colon\n"))


def main():
    global COMMAND, LIBRARY
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", type=pathlib.Path, help="the hotlane command")
    parser.add_argument("library", type=pathlib.Path, help="libhotlane.so, where the command finds it")
    arguments, rest = parser.parse_known_args()
    COMMAND, LIBRARY = (path.resolve() for path in (arguments.command, arguments.library))
    LIBRARY = LIBRARY.with_name("libhotlane.so.0")
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
