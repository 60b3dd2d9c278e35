"""A comparison as one HTML page that needs nothing else: figures, curves and shares, in light and dark."""

from collections.abc import Sequence
from html import escape
from importlib import resources

from lab.comparison import charts
from lab.comparison.formats import table
from lab.comparison.result import Comparison, Run, Share


def as_html(comparison: Comparison) -> str:
    """The whole page."""
    mark = '<span class="simulated">simulated</span> ' if comparison.is_simulated else ""
    style = resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    title = escape(f"lablb: {comparison.scenario}")
    parts = [
        f"<h1>{mark}{title}</h1>",
        f"<p>{escape(comparison.description)}</p>",
        f'<p class="muted">{escape(comparison.plan)}; seed {comparison.seed}; {escape(comparison.kind)}</p>',
        *_verdict(comparison),
        "<h2>How long requests took</h2>",
        charts.percentiles(comparison.runs),
        *_over_time(comparison),
        *_losses(comparison),
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
    names, rows = table(comparison)
    head = "".join(f"<th>{name}</th>" for name in ("algorithm", *names))
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in (title, *figures))}</tr>" for title, figures in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _verdict(comparison: Comparison) -> list[str]:
    return [] if comparison.verdict is None else [f'<p class="verdict">{escape(comparison.verdict)}</p>']


def _over_time(comparison: Comparison) -> list[str]:
    chart = charts.over_time(comparison.runs)
    return [] if chart is None else ["<h2>p99, from the start on</h2>", chart]


def _losses(comparison: Comparison) -> list[str]:
    """What failed, and for what nginx tried a second backend, of all that was sent; a request may be both."""
    if not any(run.failed or run.retried for run in comparison.runs):
        return []
    rows = [
        f'<div class="both">{escape(run.title)}</div>'
        + _loss(run.failed / run.sent, f"{run.failed:,} failed of {run.sent:,}", "--c1")
        + _loss(run.retried / run.sent, f"{run.retried:,} tried again", "--c0")
        for run in comparison.runs
        if run.sent
    ]
    return ["<h2>What failed, and what was tried again</h2>", f'<div class="shares losses">{"".join(rows)}</div>']


def _loss(share: float, words: str, colour: str) -> str:
    bar = f'<div class="bar"><span style="width:{100 * share:.2f}%;background:var({colour})"></span></div>'
    return f'{bar}<div class="muted">{words}</div>'


def _noise(comparison: Comparison) -> list[str]:
    if comparison.noise is None or comparison.verdict is not None:  # which says it already
        return []
    sentence = f"{comparison.noise_in_words}."
    return [f'<p class="muted">{sentence}</p>']


def _shares(comparison: Comparison) -> str:
    draw = _parts if comparison.has_few_backends else _spread
    most = max(_per_weight(run.shares)[-1] for run in comparison.runs)
    rows = [f'<div>{escape(run.title)}</div><div class="bar">{draw(run, most)}</div>' for run in comparison.runs]
    return f'<div class="shares">{"".join(rows)}</div>'


def _parts(run: Run, _: float) -> str:
    """A part of the bar for each backend."""
    total = sum(share.hits for share in run.shares) or 1
    return "".join(
        f'<span style="width:{100 * share.hits / total:.2f}%;background:var(--c{number % charts.COLOURS})"'
        f' title="{escape(share.name)}: {share.hits:,}">{_label(share.name, share.hits / total)}</span>'
        for number, share in enumerate(run.shares)
    )


def _spread(run: Run, most: float) -> str:
    """From the backend that got least to the one that got most."""
    hits = _per_weight(run.shares)
    least, median, highest = hits[0], hits[len(hits) // 2], hits[-1]
    width, start = 100 * (highest - least) / (most or 1), 100 * least / (most or 1)
    words = f"{least:,.0f} to {highest:,.0f} requests a backend, half of them {median:,.0f} or more"
    return f'<span class="spread" style="margin-left:{start:.2f}%;width:{width:.2f}%"></span><em>{words}</em>'


def _per_weight(shares: Sequence[Share]) -> list[float]:
    return sorted(share.hits / share.weight for share in shares)


def _label(name: str, part: float) -> str:
    return f"{escape(name)} · {part:.0%}" if part >= 0.1 else ""
