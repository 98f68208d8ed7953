"""The results as a table and as a page."""

import html

import plots
from scenarios import memory_of_session

COLUMNS = ("scenario", "system", "deliveries/s", "CPU µs/delivery", "p50 ms", "p99 ms", "p99.9 ms")
COLUMNS += ("sign-ins/s", "CPU µs/sign-in", "KB/session", "checked")


def keys_of(results):
    seen = []
    for runs in results.values():
        seen += [key for key in runs if key not in seen]
    return seen


def checked(result):
    if not result["ok"]:
        return "FAULTS"
    return f"{result['checked']['arrived']:,}" if result["checked"]["sent"] else "–"


def row(key, system, result):
    latency, connect = result["latency_us"], result["connect"]
    cells = [key, system]
    if result["checked"]["sent"]:
        cells += [f"{result['deliveries_per_second']:,.0f}", f"{result['cpu_us_per_delivery']:.2f}"]
        cells += [f"{latency[at] / 1e3:.2f}" for at in ("p50", "p99", "p99.9")]
    else:
        cells += ["–"] * 5
    cells += [f"{connect['per_second']:,.0f}", f"{connect['cpu_us']:,.0f}", f"{memory_of_session(result) / 1e3:.1f}"]
    return [*cells, checked(result)]


def rows(every):
    results = every["results"]
    return [row(key, system, runs[key]) for key in keys_of(results) for system, runs in results.items() if key in runs]


def rpc_rows(rpc):
    names = {"send": "ChatService/Send", "echo": "echo"}
    return [
        [names[what], f"{rpc[what]['rps']:,.0f}", f"{rpc[what]['cpu_us']:.1f}"]
        + [f"{rpc[what]['latency_us'][at] / 1e3:.2f}" for at in ("p50", "p99")]
        for what in names
    ]


RPC_COLUMNS = ("rpc", "requests/s", "CPU µs each", "p50 ms", "p99 ms")
TARGET_COLUMNS = ("scenario", "target", "found", "")


def target_rows(every):
    return [[key, what, value, "met" if met else "missed"] for key, what, value, met in every["targets"]]


LEFT = {"scenario", "system", "target", "rpc", ""}  # Columns of words; the others hold numbers.


def text_table(columns, lines):
    widths = [max(len(line[i]) for line in [columns, *lines]) for i in range(len(columns))]

    def put(line):
        cells = zip(columns, line, widths)
        return "  ".join(cell.ljust(width) if column in LEFT else cell.rjust(width) for column, cell, width in cells).rstrip()

    return "\n".join([put(columns), *map(put, lines)])


def table(every):
    parts = [text_table(COLUMNS, rows(every))] if every["results"] else []
    if every["rpc"]:
        parts.append(text_table(RPC_COLUMNS, rpc_rows(every["rpc"])))
    if every["targets"]:
        parts.append(text_table(TARGET_COLUMNS, target_rows(every)))
    return "\n\n".join(parts)


def html_table(columns, lines):
    def cell(column, text, kind="td"):
        named = {"met": "met", "missed": "missed", "FAULTS": "missed"}.get(text, "" if column in LEFT else "number")
        return f'<{kind} class="{named}">{html.escape(text)}</{kind}>'

    head = "".join(cell(column, column, "th") for column in columns)
    body = "".join("<tr>" + "".join(map(cell, columns, line)) + "</tr>\n" for line in lines)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'


def values(every, keys, of):
    """[(key, {system: value})] of the scenarios that have it."""
    results = every["results"]
    groups = [(key, {system: of(runs[key]) for system, runs in results.items() if key in runs}) for key in keys]
    return [(key, found) for key, found in groups if found]


STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --dim: #5d6875; --page: #fff; --line: #d9dee5; --s0: #1769d2; --s1: #d9822b; --s2: #6b9e3f; --bad: #c2352b; --good: #2b7d3f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --dim: #9aa5b1; --page: #151a21; --line: #333c48; --s0: #6aa9ff; --s1: #f0a04b; --s2: #9ccc65; --bad: #ff7b70; --good: #6fcf87; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 66rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; } p { margin: .3rem 0 .8rem; color: var(--dim); }
.wide { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-size: .87rem; } th, td { padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th { color: var(--dim); font-weight: 600; } .number { text-align: right; font-variant-numeric: tabular-nums; } td.met { color: var(--good); } td.missed { color: var(--bad); font-weight: 600; }
svg { display: block; width: 100%; height: auto; } svg text { fill: var(--ink); font: 13px system-ui, sans-serif; } svg text.dim { fill: var(--dim); font-size: 12px; }
.s0 { fill: var(--s0); stroke: var(--s0); } .s1 { fill: var(--s1); stroke: var(--s1); } .s2 { fill: var(--s2); stroke: var(--s2); } .grid { stroke: var(--line); }
"""


def sections(every):
    keys = keys_of(every["results"])
    busy = [key for key in keys if key != "idle"]
    full = [key for key in keys if key in ("rooms", "hall")]
    plot = lambda chosen, of, form: plots.bars(values(every, chosen, of), list(every["results"]), form)
    yield "Deliveries a second", "As many as the system does while every sender keeps its window full. More is better.", plot(full, lambda r: r["deliveries_per_second"], "{:,.0f}/s")
    yield "Server CPU for a delivery", "User and system time of all server processes. Less is better; this is the steadiest figure.", plot(busy, lambda r: r["cpu_us_per_delivery"], "{:.2f} µs")
    latencies = values(every, busy, lambda r: [r["latency_us"][at] / 1e3 for at in ("p50", "p99", "p99.9")])
    yield "Latency", "From when a send was due to its delivery: p50, p99 and p99.9, on a logarithmic scale. In rooms and hall the senders fill the system up, so that latency is window by throughput.", plots.ranges(latencies, list(every["results"]))
    yield "Sign-ins a second", "From asking the gate to the answer to enter, 64 clients at a time. More is better.", plot([key for key in keys if key == "idle"], lambda r: r["connect"]["per_second"], "{:,.0f}/s")
    yield "Memory of a session", "What connectors and chat servers grew by, resident, while all signed in. Less is better.", plot([key for key in keys if key == "idle"], lambda r: memory_of_session(r) / 1e3, "{:.1f} KB")


def page(every):
    machine = every["machine"]
    parts = []
    if every["results"]:
        parts.append("<h2>Results</h2>" + html_table(COLUMNS, rows(every)))
    if every["targets"]:
        parts.append("<h2>Targets</h2>" + html_table(TARGET_COLUMNS, target_rows(every)))
    parts += [f"<h2>{title}</h2><p>{what}</p>{plot}" for title, what, plot in sections(every) if plot]
    if every["rpc"]:
        parts.append("<h2>Calls between servers</h2><p>ghz, 50 callers on 4 connections: the call that sends a message, and the same call of a server that does nothing.</p>" + html_table(RPC_COLUMNS, rpc_rows(every["rpc"])))
    if every["errors"]:
        parts.append("<h2>Errors</h2><ul>" + "".join(f"<li>{html.escape(error)}</li>" for error in every["errors"]) + "</ul>")
    quick = " Short runs: good for finding faults, not for comparing." if every["quick"] else ""
    facts = (
        f"{every['started']}, commit {every['commit']}, {machine['cores']} × {machine['processor']}, {machine['memory_bytes'] / 2**30:.0f} GiB, "
        f"Linux {machine['kernel']}; load average {every['load_average'][0]:.1f} before the first run; {every['seconds']} s in all.{quick}"
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Hubbub: bench</title><style>{STYLE}</style>\n<h1>Hubbub: bench</h1><p>{html.escape(facts)}</p>\n" + "\n".join(parts) + "</html>\n"
    )
