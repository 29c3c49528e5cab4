#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`hotlane top` in a terminal (tmux), on redis under redis-benchmark: its figures agree with those of redis."""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
UNITS = {"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("HOTLANE_") and k not in ("LD_PRELOAD", "TMUX")}
    return kept | {"HOTLANE_STATS": "off"} | more


def number(text):
    """Returns the number of "1.25 M", "81 MiB" or "123,456"."""
    value, unit = re.fullmatch(r"([\d.,]+) ?(\w*)", text.strip()).groups()
    return float(value.replace(",", "")) * UNITS[unit]


def figure(screen, name):
    found = re.search(rf"(?<!\w){re.escape(name)} +([\d.,]+(?: [kMGTB]i?B?)?)(?=\s|$)", screen)
    return number(found.group(1)) if found else None


class Terminal:
    """A terminal of 100 by 40 in which a command runs."""

    def __init__(self, scratch, command, live):
        self.tmux = ["tmux", "-f", "/dev/null", "-S", str(scratch / "tmux")]
        self.environment = environment(HOTLANE_LIVE=str(live), TERM="xterm", LC_ALL="C.UTF-8")
        self.run("new-session", "-d", "-x", "100", "-y", "40", *map(str, command))
        self.run("set-option", "-g", "remain-on-exit", "on")

    def run(self, *arguments):
        return subprocess.run([*self.tmux, *arguments], capture_output=True, text=True, check=True, timeout=30,
                              env=self.environment).stdout

    def screen(self):
        return self.run("capture-pane", "-p")

    def press(self, *keys):
        self.run("send-keys", *keys)

    def wait_for(self, pattern, seconds=30):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.screen()):
            if time.monotonic() > end:
                sys.exit(f"top_test: no {pattern!r} on the screen:\n{self.screen()}")
            time.sleep(0.1)
        return self.screen()

    def wait_for_end(self, seconds=30):
        """tmux may write the last output of the command over its own message that the pane is dead, so it is asked."""
        end = time.monotonic() + seconds
        while self.run("list-panes", "-F", "#{pane_dead}").strip() != "1":
            if time.monotonic() > end:
                sys.exit(f"top_test: the command did not end:\n{self.screen()}")
            time.sleep(0.1)

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], check=False, capture_output=True, env=self.environment, timeout=30)


def redis_figures(client):
    text = subprocess.run([*client, "info"], capture_output=True, text=True, check=True, timeout=30).stdout
    return {name: float(value) for name, value in re.findall(r"^(\w+):(\d+(?:\.\d+)?)\r?$", text, re.MULTILINE)}


def agree(name, of_top, of_redis, tolerance):
    print(f"{name}: top {of_top:.4g}, redis {of_redis:.4g}, ratio {of_top / of_redis:.3f}")
    if abs(of_top / of_redis - 1) > tolerance:
        sys.exit(f"top_test: {name} differs by more than {tolerance:.0%}")


def total_requests(options, live, process):
    """All requests of a process so far, from its average and its age."""
    text = subprocess.run([options.command, "ps", "--live", live], capture_output=True, text=True, check=True, timeout=30,
                          env=environment()).stdout
    row = re.search(rf"^{process} +redis-server +([\d.,]+(?: [kMG])?) .* ([\d.]+) (ms|s|min) +\S+$", text, re.MULTILINE)
    return number(row.group(1)) * float(row.group(2)) * {"ms": 1e-3, "s": 1, "min": 60}[row.group(3)]


def compare_rates(options, live, process, terminal, client):
    """A command of redis makes a fixed number of requests, which totals tell. With it, the rates of the screen give the
    rate of commands, which redis tells."""
    calibration, window = 5, 8
    first, before = total_requests(options, live, process), redis_figures(client)["total_commands_processed"]
    time.sleep(calibration)
    last, after = total_requests(options, live, process), redis_figures(client)["total_commands_processed"]
    each = (last - first) / (after - before)
    print(f"{each:.2f} requests for each command")
    before, start, rates = after, time.monotonic(), []
    while time.monotonic() < start + window:
        time.sleep(0.25)
        rates.append(figure(terminal.screen(), "requests/s"))
    seconds = time.monotonic() - start
    commands = redis_figures(client)["total_commands_processed"] - before
    agree("commands/s", sum(rates) / len(rates) / each, commands / seconds, 0.3)


def drive(options, scratch):
    live = scratch / "live"
    live.mkdir(mode=0o700)
    socket = scratch / "redis.sock"
    server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", ""],
                              stdout=subprocess.DEVNULL, env=environment(LD_PRELOAD=options.library, HOTLANE_LIVE=str(live)))
    client = ["redis-cli", "-s", str(socket)]
    load = terminal = None
    try:
        end = time.monotonic() + 30
        while subprocess.run([*client, "ping"], capture_output=True, check=False, timeout=30).returncode != 0:
            assert time.monotonic() < end, "redis does not start"
            time.sleep(0.05)
        subprocess.run(["redis-benchmark", "-s", str(socket), "-q", "-n", "100000", "-r", "100000", "-d", "300", "-P", "16",
                        "-t", "set"], check=True, stdout=subprocess.DEVNULL, timeout=120)
        load = subprocess.Popen(["redis-benchmark", "-s", str(socket), "-q", "-l", "-r", "100000", "-d", "300", "-t", "set"],
                                stdout=subprocess.DEVNULL)
        terminal = Terminal(scratch, [options.command, "top"], live)
        terminal.wait_for(rf"(?m)^{server.pid} +redis-server ")
        terminal.press("Enter")
        terminal.wait_for(r"requests/s +\d[\d.,]* [kM]?")
        terminal.wait_for(r"hits +\d")
        time.sleep(2)
        compare_rates(options, live, server.pid, terminal, client)
        screen, info = terminal.screen(), redis_figures(client)
        agree("live", figure(screen, "live      "), info["used_memory"], 0.15)
        agree("RSS", figure(screen, "RSS    "), info["used_memory_rss"], 0.15)
        terminal.press("p")
        terminal.wait_for("profile: one sample in 512 KiB")
        terminal.wait_for(r"zmalloc|sds|redis-server")
        terminal.wait_for(r"(?m)^live [▁-█]+ most [\d.]+ .iB at ")  # the whole line, though a bar has three bytes
        terminal.press("d")
        terminal.wait_for(r"wrote redis-server\.\d+\.0\.heap")
        terminal.press("p")
        terminal.wait_for("the profile is stopped")
        terminal.press("u")
        terminal.wait_for("went back to the system")
        terminal.press("Left")
        terminal.wait_for("PID +PROGRAM")
        terminal.press("Enter")
        terminal.wait_for("requests/s")
        server.kill()
        server.wait()
        terminal.wait_for(f"process {server.pid} has ended")
        terminal.press("q")
        terminal.wait_for_end()
    finally:
        for process in (load, server):
            if process:
                process.kill()
                process.wait()
        if terminal:
            terminal.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command")
    parser.add_argument("library")
    options = parser.parse_args()
    options.command, options.library = os.path.abspath(options.command), os.path.abspath(options.library)
    if not all(map(shutil.which, ("tmux", "redis-server", "redis-cli", "redis-benchmark"))):
        print("skipped: no tmux or no redis")
        return SKIPPED
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        drive(options, pathlib.Path(scratch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
