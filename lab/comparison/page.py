"""A comparison as one HTML page that needs nothing else: figures, curves and shares, in light and dark."""

import math
from html import escape
from importlib import resources

from lab.comparison.formats import milliseconds, plain
from lab.comparison.result import Comparison, Run

_COLOURS = 8
"""Series that the style sheet has a colour for."""
_WIDTH, _HEIGHT = 720, 320
_LEFT, _BOTTOM, _TOP, _RIGHT = 64, 36, 12, 16
_DASHES = ("", "6 4", "2 3", "8 3 2 3")
"""Lines differ by their dashes too, for who can't tell the colours apart."""


def as_html(comparison: Comparison) -> str:
    """The whole page."""
    mark = '<span class="simulated">simulated</span> ' if comparison.is_simulated else ""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    title = escape(f"lablb: {comparison.scenario}")
    parts = [
        f"<h1>{mark}{title}</h1>",
        f"<p>{escape(comparison.description)}</p>",
        f'<p class="muted">{escape(comparison.plan)}; seed {comparison.seed}; {escape(comparison.kind)}</p>',
        "<h2>How long requests took</h2>",
        _curves(comparison),
        f'<h2>Figures</h2><div class="scroll">{_table(comparison)}</div>',
        *_noise(comparison),
        "<h2>Who got how much</h2>",
        _shares(comparison),
        *(f'<p class="muted">{escape(note)}</p>' for note in comparison.notes),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _table(comparison: Comparison) -> str:
    head = "".join(
        f"<th>{name}</th>"
        for name in ("algorithm", "p50", "p95", "p99", "max", "answered", "failed", "retried", "fairness")
    )
    rows = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in _cells(run))}</tr>" for run in comparison.runs)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(run: Run) -> list[str]:
    latency = run.latency
    times = (latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms)
    counts = (run.answered, run.failed, run.retried)
    return [
        escape(run.title),
        *(milliseconds(value) for value in times),
        *(f"{count:,}" for count in counts),
        plain(run.fairness),
    ]


def _noise(comparison: Comparison) -> list[str]:
    if comparison.noise is None:
        return []
    sentence = f"The same algorithm twice differs by {comparison.noise:.0%} at p95: smaller differences say nothing."
    return [f'<p class="muted">{sentence}</p>']


def _curves(comparison: Comparison) -> str:
    """Latency by percentile: further up is slower, further right are the slower requests."""
    curves = [run.percentiles_ms for run in comparison.runs]
    values = [latency for curve in curves for _, latency in curve if latency > 0]
    if not values:
        return '<p class="muted">Nothing was answered.</p>'
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)

    def x(percent: float) -> float:
        nines = -math.log10(max(1 - percent / 100, 1e-4))
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * nines / 4

    def y(latency_ms: float) -> float:
        part = (math.log10(max(latency_ms, 10**low)) - low) / (high - low)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * part

    marks = [
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(10.0**power):.1f}" y2="{y(10.0**power):.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y(10.0**power) + 4:.1f}" text-anchor="end">{_power(power)}</text>'
        for power in range(low, high + 1)
    ]
    marks += [
        f'<line class="grid" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}" x1="{x(percent):.1f}" x2="{x(percent):.1f}"/>'
        f'<text x="{x(percent):.1f}" y="{_HEIGHT - 12}" text-anchor="middle">p{percent:g}</text>'
        for percent in (0, 50, 90, 99, 99.9)
    ]
    lines = [
        f'<polyline class="curve" stroke="var(--c{number % _COLOURS})" stroke-dasharray="{_dash(number)}"'
        f' points="{" ".join(f"{x(percent):.1f},{y(latency):.1f}" for percent, latency in curve)}"/>'
        for number, curve in enumerate(curves)
        if curve
    ]
    keys = "".join(
        f'<span class="key"><svg style="width:28px" viewBox="0 0 28 8"><line x1="0" x2="28" y1="4" y2="4"'
        f' stroke-width="2.2" stroke="var(--c{number % _COLOURS})" stroke-dasharray="{_dash(number)}"/></svg>'
        f"{escape(run.title)}</span>"
        for number, run in enumerate(comparison.runs)
    )
    return (
        f'<figure><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="Latency by percentile">'
        f"{''.join(marks)}{''.join(lines)}</svg><figcaption>{keys}</figcaption></figure>"
    )


def _shares(comparison: Comparison) -> str:
    rows = []
    for run in comparison.runs:
        total = sum(share.hits for share in run.shares) or 1
        parts = "".join(
            f'<span style="width:{100 * share.hits / total:.2f}%;background:var(--c{number % _COLOURS})"'
            f' title="{escape(share.name)}: {share.hits:,}">{_label(share.name, share.hits / total)}</span>'
            for number, share in enumerate(run.shares)
        )
        rows.append(f'<div>{escape(run.title)}</div><div class="bar">{parts}</div>')
    return f'<div class="shares">{"".join(rows)}</div>'


def _label(name: str, part: float) -> str:
    return f"{escape(name)} · {part:.0%}" if part >= 0.1 else ""


def _dash(number: int) -> str:
    return _DASHES[number // 2 % len(_DASHES)]


def _power(power: int) -> str:
    return f"{10.0**power:g} ms" if power < 3 else f"{10.0 ** (power - 3):g} s"
