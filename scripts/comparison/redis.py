# SPDX-License-Identifier: MIT
"""redis-benchmark against a redis-server under an allocator: the loopback address, a port of its own,
nothing on disk. The client always runs on its usual allocator; the time is the client's, memory and faults
are the server's."""
import os
import signal
import socket
import subprocess
import tempfile
import time

from . import runner

TESTS = "set,get,incr,lpush,rpop,sadd,hset,zadd,mset"
START_LIMIT_SECONDS = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    """Returns whether a server answers at the port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def wait_until_ready(server, port):
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if answers(port):
            return True
        time.sleep(0.02)
    return False


def shut_down(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"SHUTDOWN NOSAVE\r\n")
            connection.recv(64)
    except OSError:
        pass  # a dead server is reported by its exit status


def benchmark(port, requests, limit_seconds):
    """Runs the client. Returns its seconds, or a failure."""
    command = [
        "redis-benchmark",
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
        "-t",
        TESTS,
        "-n",
        requests,
        "-P",
        "16",
        "-q",
        "-r",
        "200000",
        "-d",
        "100",
    ]
    start = time.monotonic()
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return 0.0, f"redis-benchmark was not done after {limit_seconds} s"
    failed = done.returncode != 0 or b"Error" in done.stdout
    return time.monotonic() - start, "redis-benchmark failed" if failed else ""


def run(measure, allocator, case, limit_seconds):
    port = free_port()
    server_command = [
        "redis-server",
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--appendonly",
        "no",
        "--dir",
        tempfile.gettempdir(),
        "--logfile",
        os.devnull,
    ]
    with tempfile.NamedTemporaryFile(prefix="hotlane-compare-") as report:
        server = subprocess.Popen(
            runner.measured(measure, allocator.library, server_command, report.name),
            env=runner.environment_of(case, allocator),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            ready = wait_until_ready(server, port)
            seconds, failure = (
                benchmark(port, case.command[0], limit_seconds) if ready else (0.0, "did not start")
            )
            shut_down(port)
            _, stderr = server.communicate(timeout=START_LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            return runner.Sample(failure="redis-server did not stop")
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
                server.communicate()
        usage = runner.sample_of(runner.read_report(report.name, stderr), b"", stderr)
    return runner.Sample(seconds, usage.cpu, usage.peak_kib, usage.faults, "", usage.failure or failure)
