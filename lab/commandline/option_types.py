"""What people write on the command line, and what it means: durations, ramps, faults, weights, headers, rules."""

from typing import Any

import click

from lab.durations import seconds_of
from lab.errors import UsageError
from lab.faults.plan import PlannedFault, planned
from lab.nginx.retry_rules import OFF, in_order
from lab.traffic.plan import Ramp


class Duration(click.ParamType[float]):
    """`500ms`, `5s`, `2m`; a bare number is seconds. The value is in seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds from the text; figures of a configuration file are seconds already."""
        try:
            return seconds_of(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class ChosenDuration(Duration):
    """A duration whose unit must be said: 20 for a service time would be 20 s, and hardly ever is meant so."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds from the text, or a configuration file's whole number; what is a float was converted before."""
        seconds = super().convert(value, param, ctx)
        if seconds and str(value).strip()[-1].isdigit() and not isinstance(value, float):
            self.fail(f"{value!r} has no unit: write it like {value}ms or {value}s.", param, ctx)
        return seconds


class RampType(click.ParamType[Ramp]):
    """`10:500:30s`: from 10 to 500 requests a second within 30 s."""

    name = "ramp"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Ramp:
        """The ramp from the text."""
        if isinstance(value, Ramp):
            return value
        start, _, rest = str(value).partition(":")
        end, _, duration = rest.partition(":")
        try:
            return Ramp(float(start), float(end), seconds_of(duration))
        except ValueError:
            self.fail(f"{value!r} is no ramp: write it like 10:500:30s.", param, ctx)


class FaultType(click.ParamType[PlannedFault]):
    """`kill:73@2s`, `slow:72:300ms@3s..6s`: a fault by the clock."""

    name = "fault"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> PlannedFault:
        """The fault from the text."""
        if isinstance(value, PlannedFault):
            return value
        try:
            return planned(str(value))
        except UsageError as error:
            self.fail(str(error), param, ctx)


class Weights(click.ParamType[tuple[int, ...]]):
    """`5,1,1`: a whole number for each backend."""

    name = "weights"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers; a configuration file may give them as an array."""
        parts = value.split(",") if isinstance(value, str) else value
        try:
            return tuple(int(str(part)) for part in parts)
        except (TypeError, ValueError):
            self.fail(f"{value!r} are no weights: write whole numbers like 5,1,1.", param, ctx)


class Header(click.ParamType[tuple[str, str]]):
    """`X-Name: value`; in a variable one a line, since values have spaces."""

    name = "header"

    def split_envvar_value(self, rv: str) -> list[str]:
        """The lines that aren't empty."""
        return [line for line in rv.splitlines() if line.strip()]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Name and value from the text."""
        if isinstance(value, tuple):
            return value
        name, colon, text = str(value).partition(":")
        if not colon:
            self.fail(f"{value!r} is no header: write it like 'X-Name: value'.", param, ctx)
        return name.strip(), text.strip()


class RetryRules(click.ParamType[tuple[str, ...]]):
    """`error timeout http_500`, or `off`: the words of `proxy_next_upstream`."""

    name = "rules"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words in nginx's order; a configuration file may give them as an array."""
        words = str(value).replace(",", " ").split() if isinstance(value, str) else [str(word) for word in value]
        if words == [OFF]:
            return ()
        if not words:
            self.fail(f"Retry rules need a word: give some like 'error timeout', or {OFF!r} for none.", param, ctx)
        try:
            return in_order(words)
        except UsageError as error:
            self.fail(str(error), param, ctx)
