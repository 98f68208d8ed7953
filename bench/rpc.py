"""The rpc scenario: ghz on ChatService/Send, and on the same call of a server that does nothing."""

import json
import os
import re
import subprocess

from processes import BenchError, Processes
from systems import BIN, OUT, ROOT, Hubbub

CALLERS = 50
CONNECTIONS = 4


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(ghz, port, pid, seconds):
    request = {"room": "lobby", "from": "ghz", "target": "*", "content": "x" * 64}
    command = [ghz, "--insecure", "--proto", "hubbub/chat/v1/chat.proto", "--import-paths", os.path.join(ROOT, "proto")]
    command += ["--call", "hubbub.chat.v1.ChatService/Send", "-d", json.dumps(request), "-c", str(CALLERS)]
    # What is under way when the time is over is waited for, so that it does not count as an error.
    command += ["--connections", str(CONNECTIONS), "-z", f"{seconds}s", "--duration-stop", "wait", "-O", "json"]
    before = cpu_seconds(pid)
    ended = subprocess.run([*command, f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=seconds + 60, check=False, cwd=ROOT)
    cpu = cpu_seconds(pid) - before
    try:
        report = json.loads(ended.stdout)
    except ValueError as error:
        raise BenchError(f"ghz did not report: {ended.stderr.strip() or ended.stdout.strip()}") from error
    percentiles = {str(at["percentage"]): at["latency"] / 1e3 for at in report["latencyDistribution"] or []}
    failed = sum(count for code, count in report["statusCodeDistribution"].items() if code != "OK")
    return {
        "rps": report["rps"],
        "count": report["count"],
        "failed": failed,
        "cpu_us": 1e6 * cpu / max(1, report["count"]),
        "latency_us": {"p50": percentiles.get("50", 0), "p99": percentiles.get("99", 0)},
    }


def run(ghz, seconds):
    """{"send": …, "echo": …}. Both run all the time, one of them idle."""
    hubbub = Hubbub()
    echo = Processes(os.path.join(OUT, "logs", "echo"))
    try:
        hubbub.start(kinds=("chat",), chats=1)
        echo.start("echo", [os.path.join(BIN, "bench/hubbub-echo")])
        text = echo.wait("echo", lambda text: "ready" in text, "ready")
        ports = {"send": hubbub.servers["chat"][0]["port"], "echo": int(re.search(r"grpc=\S*:(\d+)", text)[1])}
        pids = {"send": hubbub.processes.pids()["chat-server-1"], "echo": echo.pids()["echo"]}
        for what, port in ports.items():  # Warms up; what it finds does not count.
            load(ghz, port, pids[what], 1)
        # Twice each, in turns, and the better one of each: other programs of the machine disturb only downwards.
        found = {what: [] for what in ports}
        for _ in range(2):
            for what, port in ports.items():
                found[what].append(load(ghz, port, pids[what], seconds))
        result = {what: max(loads, key=lambda one: one["rps"]) for what, loads in found.items()}
        result["failed"] = sum(one["failed"] for loads in found.values() for one in loads)
        return result
    finally:
        echo.stop()
        hubbub.stop()
