"""Noise or real: whether shares differ by more than chance would make them, and how fair they are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_EXPECTED = 5.0
"""Of a backend's hits: below it the chi-square distribution is no good approximation (Cochran's rule)."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hits held against the shares that were expected."""

    hits: tuple[int, ...]
    expected: tuple[float, ...]
    """Hits, not shares."""
    chi_square: float
    p: float | None
    """How often chance alone would make differences as large or larger; None for too few requests to tell."""


def compare(hits: Sequence[int], shares: Sequence[float]) -> Comparison:
    """Pearson's chi-square test of these hits against these shares, which add up to 1.

    A backend that was expected to get nothing and got something settles it: p is 0. Backends of which too little is
    expected count as one.
    """
    total = sum(hits)
    expected = tuple(share * total for share in shares)
    met = [(found, wanted) for found, wanted in zip(hits, expected, strict=True) if wanted > 0]
    if sum(found for found, _ in met) < total:
        return Comparison(tuple(hits), expected, math.inf, 0.0)
    cells = _pooled(met)
    chi_square = sum((found - wanted) ** 2 / wanted for found, wanted in cells)
    if not cells or (len(cells) == 1 and len(met) > 1) or cells[0][1] < FEWEST_EXPECTED:
        return Comparison(tuple(hits), expected, chi_square, None)
    return Comparison(tuple(hits), expected, chi_square, chi_square_p(chi_square, len(cells) - 1))


def _pooled(cells: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Hits and expectations, the least expected first: those below the least are put together until they reach it."""
    pooled = sorted(cells, key=lambda cell: cell[1])
    while len(pooled) > 1 and pooled[0][1] < FEWEST_EXPECTED:
        (found, wanted), (more_found, more_wanted), *others = pooled
        pooled = sorted([(found + more_found, wanted + more_wanted), *others], key=lambda cell: cell[1])
    return pooled


def jain(hits: Sequence[float], weights: Sequence[float] | None = None) -> float | None:
    """Jain's fairness index: 1 when all have the same (per weight), 1/n when one has all; None before there are any.

    Jain, Chiu, Hawe: "A quantitative measure of fairness and discrimination", 1984.
    """
    parts = hits if weights is None else [hit / weight for hit, weight in zip(hits, weights, strict=True)]
    squares = sum(part * part for part in parts)
    return sum(parts) ** 2 / (len(parts) * squares) if squares else None


def chi_square_p(chi_square: float, degrees_of_freedom: int) -> float:
    """The probability of a chi-square at least as large."""
    if degrees_of_freedom == 0:
        return 1.0
    return upper_gamma(degrees_of_freedom / 2, chi_square / 2)


def upper_gamma(a: float, x: float) -> float:
    """The regularized upper incomplete gamma function Q(a, x), to about twelve digits.

    By its series below a + 1, by its continued fraction (Lentz) above: Press et al., "Numerical Recipes", 6.2.
    """
    if x <= 0:
        return 1.0
    scale = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        while term > total * 1e-16:
            a += 1
            term *= x / a
            total += term
        return max(0.0, 1 - scale * total)
    b = x + 1 - a
    c, d = math.inf, 1 / b
    fraction = d
    for n in range(1, 10_000):
        b += 2
        d = 1 / (n * (a - n) * d + b)
        c = b + n * (a - n) / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return scale * fraction
