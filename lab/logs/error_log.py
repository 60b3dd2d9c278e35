"""The error log that nginx writes: finds what a person should know of at once."""

import re

from lab.logs.log_file import LogFile

_GRAVE = re.compile(rb"\[(?:alert|emerg)\] \d+#\d+: (?:\*\d+ )?(?P<text>.*?)(?:, client: .*)?$")
"""Both are of nginx's own trouble; `[error]` and `[crit]` are of requests, which the figures show."""
_WORKER_DEATH = re.compile(r"worker process (?P<pid>\d+) exited on signal (?P<signal>\d+)")


class ErrorLog(LogFile):
    """What nginx complains of."""

    def read(self) -> list[str]:
        """Its grave complaints since the last time, in its own words."""
        found = (_GRAVE.search(line) for line in self.lines())
        return [each["text"].decode(errors="replace") for each in found if each is not None]


def worker_death(complaint: str) -> tuple[int, int] | None:
    """PID and signal, if the complaint is of a worker that was killed."""
    death = _WORKER_DEATH.match(complaint)
    return None if death is None else (int(death["pid"]), int(death["signal"]))
