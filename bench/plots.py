"""Plots as SVG, to stand in a page whose style has the classes s0, s1, … of the systems."""

import html
import math

WIDTH = 900
LEFT = 150  # Of the bars; their names stand before it.
RIGHT = 110
BAR = 20
GAP = 14


def short(value):
    """Three digits, and never an exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def legend(systems, y):
    parts, x = [], LEFT
    for i, system in enumerate(systems):
        parts.append(f'<rect class="s{i}" x="{x}" y="{y}" width="12" height="12" rx="2"/><text x="{x + 18}" y="{y + 11}">{html.escape(system)}</text>')
        x += 40 + 9 * len(system)
    return "".join(parts)


def frame(height, parts, title):
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{title}">{"".join(parts)}</svg>'


def bars(groups, systems, form):
    """Horizontal bars from 0. `groups`: [(name, {system: value})]; `form` writes a value."""
    if not groups:
        return ""
    most = max((value for _, found in groups for value in found.values()), default=0) or 1
    parts, y = [legend(systems, 4)], 30
    for name, found in groups:
        middle = y + len(found) * BAR / 2 + 5
        parts.append(f'<text x="{LEFT - 12}" y="{middle:.0f}" text-anchor="end">{html.escape(name)}</text>')
        for system, value in found.items():
            width = max(1, (WIDTH - LEFT - RIGHT) * value / most)
            i = systems.index(system)
            parts.append(f'<rect class="s{i}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 4}" rx="2"/>')
            parts.append(f'<text x="{LEFT + width + 8:.1f}" y="{y + 13}">{form.format(value)}</text>')
            y += BAR
        y += GAP
    return frame(y, parts, "bars")


def ranges(groups, systems):
    """For each system a line from its first value to its last, in milliseconds, with a dot at each."""
    every = [value for _, found in groups for dots in found.values() for value in dots if value > 0]
    if not every:
        return ""
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    high = max(high, low + 1)
    at = lambda value: LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(max(value, 10**low)) - low) / (high - low)
    height = 40 + sum(len(found) * BAR + GAP for _, found in groups) + 16
    parts, y = [legend(systems, 4)], 34
    for power in range(low, high + 1):
        x = at(10**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="26" y2="{height - 22}"/>')
        parts.append(f'<text class="dim" x="{x:.1f}" y="{height - 6}" text-anchor="middle">{10.0**power:,g} ms</text>')
    for name, found in groups:
        parts.append(f'<text x="{LEFT - 12}" y="{y + len(found) * BAR / 2 + 4:.0f}" text-anchor="end">{html.escape(name)}</text>')
        for system, dots in found.items():
            i = systems.index(system)
            parts.append(f'<line class="s{i}" stroke-width="3" x1="{at(dots[0]):.1f}" x2="{at(dots[-1]):.1f}" y1="{y + 8}" y2="{y + 8}"/>')
            parts += [f'<circle class="s{i}" cx="{at(value):.1f}" cy="{y + 8}" r="4.5"><title>{value:.2f} ms</title></circle>' for value in dots]
            parts.append(f'<text class="dim" x="{at(dots[-1]) + 10:.1f}" y="{y + 12}">{" · ".join(map(short, dots))}</text>')
            y += BAR
        y += GAP
    return frame(height, parts, "latencies")
