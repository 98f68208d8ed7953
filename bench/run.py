#!/usr/bin/env python3
"""Measures Hubbub, and with --peers others beside it, on this machine: ./dev bench

Each scenario has its own freshly started system. The results go to build/bench: results.json, report.html, logs. The exit
code is 1 if a scenario could not be measured, or if a delivery was lost, doubled or out of order; figures never fail it.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import time

import report
import rpc
import scenarios
from processes import BenchError, apart, sessions_make_groups
from systems import BIN, OUT, ROOT, SYSTEMS

SERVES_WITHIN_S = 30


def machine():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="utf-8") as file:
        memory = int(file.readline().split()[1]) * 1024
    return {"processor": model, "cores": os.cpu_count(), "memory_bytes": memory, "kernel": platform.release()}


def commit():
    found = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def entry_flags(system, ports):
    return ["--protocol", system.protocol, "--gate", ",".join(f"127.0.0.1:{port}" for port in ports)]


def load(system, key, flags, ports):
    """hubbub-load's result; what went wrong is in its errors."""
    path = os.path.join(OUT, f"{system.name}-{key}.json")
    servers = ",".join(f"{name}={pid}" for name, pid in system.processes.pids().items())
    command = [os.path.join(BIN, "bench/hubbub-load"), *entry_flags(system, ports), "--scenario", key.split("-")[0]]
    command += ["--servers", servers, "--label", system.name, "--json", path, *flags]
    if os.path.exists(path):
        os.remove(path)
    # Its own deadlines are shorter; this one is for a generator that hangs.
    errors = subprocess.PIPE if not sys.stderr.isatty() else None
    how = apart(system.processes.own_groups)
    ended = subprocess.run(command, timeout=600, check=False, stderr=errors, text=True, **how)
    if ended.returncode and (not os.path.exists(path) or os.path.getsize(path) == 0):
        lines = (ended.stderr or "see above").strip().splitlines()
        raise BenchError(lines[-1] if lines else f"hubbub-load ended with code {ended.returncode}")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def wait_until_it_serves(system, ports):
    """Servers that listen may not know each other yet: until a few clients, spread over all of them, get into rooms."""
    command = [os.path.join(BIN, "bench/hubbub-load"), *entry_flags(system, ports), "--scenario", "idle", "--quiet"]
    command += ["--clients", "24", "--rooms", "24", "--senders", "1", "--connect_within", "3", "--warmup", "0", "--seconds", "0.1"]
    deadline = time.monotonic() + SERVES_WITHIN_S
    while True:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if ended.returncode == 0:
            return
        if time.monotonic() > deadline:
            raise BenchError(f"it did not serve within {SERVES_WITHIN_S} s: {(ended.stderr or ended.stdout).strip()}")
        time.sleep(0.1)


def measure(make, key, flags):
    system = make()
    load_before = os.getloadavg()[0]
    try:
        ports = system.start()
        wait_until_it_serves(system, ports)
        result = load(system, key, flags, ports)
    finally:
        system.stop()
    result["load_average_before"] = load_before
    return result


def wanted(names, what, of):
    chosen = of.split(",") if of else names
    for name in chosen:
        if name not in names:
            sys.exit(f"bench: there is no {what} '{name}': it is {', '.join(names)}")
    return chosen


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="this suite alone, short runs: less than 3 minutes; for finding faults")
    parser.add_argument("--peers", action="store_true", help="the other systems too; fetches what they need")
    parser.add_argument("--systems", default="", help="these alone, with commas between them")
    parser.add_argument("--scenarios", default="", help="these alone: rooms,hall,calm,steady,trickle,idle,grow,rpc")
    return parser.parse_args()


def say(text):
    print(f"\033[1m-- {text}\033[0m" if sys.stdout.isatty() else f"-- {text}", flush=True)


def measure_all(makers, options):
    kinds = wanted(["rooms", "hall", "calm", "steady", "trickle", "idle", "grow", "rpc"], "scenario", options.scenarios)
    plan = [(name, key, flags) for name in makers for key, flags in scenarios.runs(options.quick, name) if key.split("-")[0] in kinds]
    results, errors, rpc_result = {}, [], None
    for number, (name, key, flags) in enumerate(plan, 1):
        say(f"{number} of {len(plan)}: {key} on {name}")
        try:
            result = measure(makers[name], key, flags)
        except (BenchError, subprocess.TimeoutExpired) as error:
            errors.append(f"{name}, {key}: {error}")
            print(f"bench: {errors[-1]}", file=sys.stderr)
            continue
        results.setdefault(name, {})[key] = result
        if not result["ok"]:
            errors.append(f"{name}, {key}: " + ("; ".join(result["errors"]) or f"deliveries went wrong: {result['checked']}"))
    ghz = os.path.join(ROOT, ".cache/bin/ghz")
    ghz = ghz if os.path.exists(ghz) else shutil.which("ghz")
    if "rpc" in kinds and "hubbub" in makers:
        if ghz is None:
            say("rpc is left out: there is no ghz (./dev test builds it)")
        else:
            say("rpc: ghz on ChatService/Send and on a server that does nothing")
            try:
                rpc_result = rpc.run(ghz, 2 if options.quick else 6)
                if rpc_result["failed"]:
                    errors.append(f"hubbub, rpc: {rpc_result['failed']} calls failed")
            except (BenchError, subprocess.TimeoutExpired) as error:
                errors.append(f"hubbub, rpc: {error}")
    return results, rpc_result, errors


def main():
    options = arguments()
    # So that what was started is stopped, also where a shell has told its background to ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    makers = {system.name: system for system in SYSTEMS}
    if options.quick and options.peers:
        sys.exit("bench: --quick is for this suite alone; leave out --quick or --peers")
    ours = "hubbub" if options.quick else "hubbub,hubbub-one-group"
    chosen = wanted(list(makers), "system", options.systems or ("" if options.peers else ours))
    if not sessions_make_groups():
        say("this kernel makes no scheduling groups for sessions (kernel.sched_autogroup_enabled): all servers share one group")
    started = time.time()
    facts = {
        "machine": machine(),
        "commit": commit(),
        "quick": options.quick,
        "started": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(started)),
        "load_average": os.getloadavg(),
        "groups": sessions_make_groups(),
    }
    os.makedirs(OUT, exist_ok=True)
    results, rpc_result, errors = measure_all({name: makers[name] for name in chosen}, options)
    facts["seconds"] = round(time.time() - started)
    every = {**facts, "results": results, "rpc": rpc_result, "errors": errors}
    every["targets"] = [list(row) for row in scenarios.targets(results, rpc_result)]
    with open(os.path.join(OUT, "results.json"), "w", encoding="utf-8") as file:
        json.dump(every, file, indent=1)
    with open(os.path.join(OUT, "report.html"), "w", encoding="utf-8") as file:
        file.write(report.page(every))
    print("\n" + report.table(every))
    print(f"\nresults: {os.path.relpath(OUT, ROOT)}/results.json, report: {os.path.relpath(OUT, ROOT)}/report.html")
    for error in errors:
        print(f"bench: {error}", file=sys.stderr)
    return 1 if errors else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("bench: interrupted; what it had started is stopped")
