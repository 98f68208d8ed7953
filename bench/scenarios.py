"""What is run, and what is asked of it. A target that is missed is told and fails nothing."""


def runs(quick, system="hubbub"):
    """(key, flags of hubbub-load); the key begins with the scenario's name."""
    if quick:
        short = ["--warmup", "1", "--connect_within", "30", "--drain", "15"]
        return [
            ("rooms", [*short, "--seconds", "3"]),
            ("hall", [*short, "--seconds", "3"]),
            ("calm", [*short, "--seconds", "4"]),
            ("steady", [*short, "--seconds", "4"]),
            ("idle", [*short, "--seconds", "1", "--clients", "2100", "--rooms", "70"]),
            ("grow-300", [*short, "--seconds", "4", "--clients", "300"]),
            ("grow-1500", [*short, "--seconds", "4", "--clients", "1500"]),
        ]
    some = [
        ("rooms", ["--seconds", "12"]),
        ("hall", ["--seconds", "12"]),
        ("calm", ["--seconds", "20"]),
        ("steady", ["--seconds", "15"]),
        ("trickle", ["--seconds", "20"]),
        ("idle", ["--seconds", "10"]),
    ]
    if system not in ("hubbub", "pomelo"):
        return some
    return [
        *some,
        ("grow-300", ["--seconds", "20", "--clients", "300"]),
        ("grow-3000", ["--seconds", "12", "--clients", "3000"]),
        ("grow-9000", ["--seconds", "12", "--clients", "9000"]),
    ]


def memory_of_session(result):
    """Bytes that the servers grew by, for each session. A gate holds none."""
    grown = 0
    for name, server in result["servers"].items():
        if not name.startswith("gate"):
            grown += server["resident_bytes_entered"] - server["resident_bytes_before"]
    return grown / result["options"]["clients"]


def targets(results, rpc):
    """[(scenario, what is asked, the value as text, met)] of those that these results can tell.

    `results`: system -> key -> hubbub-load's result.
    """
    ours, pomelo = results.get("hubbub", {}), results.get("pomelo", {})
    rows = []

    def at_most(key, what, value, limit, form):
        rows.append((key, what, form.format(value), value <= limit))

    def at_least(key, what, value, limit, form):
        rows.append((key, what, form.format(value), value >= limit))

    def ratio(key, limit):
        if pomelo.get(key, {}).get("deliveries") and ours[key]["cpu_us_per_delivery"] > 0:
            times = pomelo[key]["cpu_us_per_delivery"] / ours[key]["cpu_us_per_delivery"]
            at_least(key, f"≥ {limit} × Pomelo's deliveries a CPU second", times, limit, "{:.1f} ×")

    for key, limit, times in (("rooms", 1.5, 10), ("hall", 1.2, 6)):
        if key in ours:
            at_most(key, f"≤ {limit} µs CPU a delivery", ours[key]["cpu_us_per_delivery"], limit, "{:.2f} µs")
            ratio(key, times)
    if calm := ours.get("calm"):
        at_most("calm", "≤ 7 µs CPU a delivery", calm["cpu_us_per_delivery"], 7, "{:.1f} µs")
        at_most("calm", "p50 ≤ 0.8 ms", calm["latency_us"]["p50"] / 1e3, 0.8, "{:.2f} ms")
        at_most("calm", "p99 ≤ 3 ms", calm["latency_us"]["p99"] / 1e3, 3, "{:.2f} ms")
    if idle := ours.get("idle"):
        at_least("idle", "≥ 5,000 connects+enters/s", idle["connect"]["per_second"], 5000, "{:,.0f}/s")
        at_most("idle", "≤ 150 µs CPU each", idle["connect"]["cpu_us"], 150, "{:.0f} µs")
        at_most("idle", "≤ 8 KB resident a session", memory_of_session(idle) / 1e3, 8, "{:.1f} KB")
    grown = sorted((int(key.split("-")[1]), run["cpu_us_per_delivery"]) for key, run in ours.items() if key.startswith("grow"))
    if len(grown) > 1 and grown[0][1] > 0:
        what = f"{grown[-1][0]:,} clients within 1.3 × of {grown[0][0]:,} in CPU a delivery"
        at_most("grow", what, max(cpu for _, cpu in grown) / grown[0][1], 1.3, "{:.2f} ×")
    if rpc:
        at_least("rpc", "≥ 0.8 × the echo's requests/s", rpc["send"]["rps"] / rpc["echo"]["rps"], 0.8, "{:.2f} ×")
    return rows
