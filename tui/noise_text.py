"""Noise or real, in one line: whether the backends' shares are what the algorithm promises.

Chance has its test where nginx draws. Elsewhere the shares are held against the picks of the X-ray's model, if it has
any.
"""

from lab.counts.noise import Finding, Noise, Outlier
from lab.models import Snapshot
from lab.states import BackendState
from lab.xray.view import Deviation, RuleCheck
from tui.formatting import percent, shorten

_FOLLOWED = {
    "least_conn": "shares follow who is free",
    "least_time": "shares follow who is fast",
    "ip_hash": "shares follow the clients' addresses",
    "hash": "shares follow the URIs",
    "hash_consistent": "shares follow the URIs",
}
_REASONS = {"round_robin": "it gains its weight back step by step", "least_conn": "it was busier"}
"""Why a backend that wasn't passed over got less than its weight says."""


def share_line(snapshot: Snapshot, width: int) -> str:
    """What the grid and the X-ray say of the shares and, where there is room, how fair they were."""
    noise = snapshot.noise
    if noise is None:
        return ""
    said = finding_of(snapshot)
    fairness = f" · fairness {noise.jain:.2f}" if noise.jain is not None else ""
    return said + fairness if len(said + fairness) <= width else shorten(said, width)


def finding_of(snapshot: Snapshot) -> str:
    """Whether the shares are as they should be."""
    if (rule := _rule(snapshot)) is not None:
        if rule.off_rule is not None and _is_untold(rule.off_rule, snapshot):
            return f"? {rule.off_rule.port} hasn't answered yet: nginx logs requests when they are over"
        return _ruled(rule, snapshot.algorithm)
    return "" if snapshot.noise is None else _said(snapshot.noise, snapshot.algorithm)


def is_alarming(snapshot: Snapshot) -> bool:
    """Whether the shares aren't what they should be, for sure."""
    if (rule := _rule(snapshot)) is not None:
        return rule.off_rule is not None and not _is_untold(rule.off_rule, snapshot)
    return snapshot.noise is not None and snapshot.noise.finding is Finding.NO_CHANCE


def _rule(snapshot: Snapshot) -> RuleCheck | None:
    """What is known of the algorithm in force; the X-ray's word, while it has one."""
    xray = snapshot.xray
    return None if xray is None or xray.is_lost or xray.algorithm != snapshot.algorithm else xray.rule


def _is_untold(deviation: Deviation, snapshot: Snapshot) -> bool:
    """Whether it may have got requests of which the log can't tell yet, since it sits on some now."""
    backend = next((each for each in snapshot.backends if each.port == deviation.port), None)
    if backend is None or deviation.by > 0:
        return False
    is_holding = (backend.is_slowed or backend.fault is not None) and bool(backend.in_flight)
    return backend.state is BackendState.FROZEN or is_holding


def _ruled(rule: RuleCheck, algorithm: str) -> str:
    if not rule.picks:
        return "? no request came yet"
    if rule.off_rule is not None:
        return f"≠ {_by(rule.off_rule)} than the rule says, of {rule.picks:,}"
    if (short := rule.off_weight) is not None:
        return f"= as the rule wants: {_by(short)} than its weight says, {short.why or _REASONS[algorithm]}"
    return f"= as the rule wants: {_FOLLOWED.get(algorithm, 'each gets its turns')}"


def _by(deviation: Deviation) -> str:
    return f"{deviation.port} got {abs(deviation.by):,} {'more' if deviation.by > 0 else 'fewer'}"


def _said(noise: Noise, algorithm: str) -> str:
    match noise.finding:
        case Finding.NOTHING_EXPECTED:
            reason = _FOLLOWED.get(algorithm, "no backend can take requests")
            return f"{reason}: there is none to expect"
        case Finding.TOO_FEW:
            return "? too few requests yet to tell noise from real"
        case Finding.CHANCE if algorithm == "round_robin":
            return "= each gets its turns"
        case Finding.CHANCE:
            return "≈ differences this size are chance"
    if noise.outlier is None:
        return ""
    when = " when idle" if algorithm == "random_two" else ""
    certainty = " by more than chance" if noise.finding is Finding.NO_CHANCE else " and hardly by chance"
    return _outlying(noise.outlier, certainty if algorithm != "round_robin" else "") + when


def _outlying(outlier: Outlier, certainty: str) -> str:
    if not outlier.expected:
        return f"≠ {outlier.port} got {percent(outlier.share)}, where nothing was expected"
    where = "behind" if outlier.share < outlier.expected else "ahead"
    got, wanted = percent(outlier.share), percent(outlier.expected)
    return f"≠ {outlier.port} is {where}{certainty}: {got}, expected {wanted}"
