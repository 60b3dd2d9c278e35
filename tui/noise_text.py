"""Noise or real, in one line: whether the backends' shares are what the algorithm promises."""

from lab.noise import Finding, Noise, Outlier
from tui.formatting import percent, shorten

_FOLLOWED = {
    "least_conn": "shares follow who is free",
    "least_time": "shares follow who is fast",
    "ip_hash": "shares follow the clients' addresses",
    "hash": "shares follow the URIs",
    "hash_consistent": "shares follow the URIs",
}
_IN_TURN = 0.999
"""Chance alone hardly ever brings hits that even."""


def noise_line(noise: Noise | None, algorithm: str, width: int) -> str:
    """The finding and, where there is room, how fair it was."""
    if noise is None:
        return ""
    said = _said(noise, algorithm)
    fairness = f" · fairness {noise.jain:.2f}" if noise.jain is not None else ""
    return said + fairness if len(said + fairness) <= width else shorten(said, width)


def _said(noise: Noise, algorithm: str) -> str:
    match noise.finding:
        case Finding.NOTHING_EXPECTED:
            reason = _FOLLOWED.get(algorithm, "no backend can take requests")
            return f"{reason}: there is none to expect"
        case Finding.TOO_FEW:
            return "? too few requests yet to tell noise from real"
        case Finding.CHANCE if algorithm == "round_robin" and (noise.p or 0) > _IN_TURN:
            return "= each gets its turns: closer than chance would bring them"
        case Finding.CHANCE:
            return "≈ differences this size are chance"
    if noise.outlier is None:
        return ""
    when = " when idle" if algorithm == "random_two" else ""
    return _outlying(noise.outlier, is_sure=noise.finding is Finding.NO_CHANCE) + when


def _outlying(outlier: Outlier, *, is_sure: bool) -> str:
    if not outlier.expected:
        return f"≠ {outlier.port} got {percent(outlier.share)}, where nothing was expected"
    where = "behind" if outlier.share < outlier.expected else "ahead"
    certainty = "by more than chance" if is_sure else "and hardly by chance"
    got, wanted = percent(outlier.share), percent(outlier.expected)
    return f"≠ {outlier.port} is {where} {certainty}: {got}, expected {wanted}"
