"""What a person can cause: each error is one sentence with its remedy, and knows its exit code."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `lablb`, as its users may rely on them."""

    DONE = 0
    RUN_FAILED = 1
    USAGE = 2
    NOT_READY = 3
    INTERRUPTED = 130


class LabError(Exception):
    """Something a person can mend: `str()` is the sentence they read."""

    exit_code = ExitCode.RUN_FAILED


class UsageError(LabError):
    """An option, a value or a combination of them makes no sense."""

    exit_code = ExitCode.USAGE


class NotReadyError(LabError):
    """The machine lacks something the lab needs: an nginx, a free port, a writable folder."""

    exit_code = ExitCode.NOT_READY


class NginxRefusedError(LabError):
    """nginx refused a configuration; the message is nginx's own. The running one is untouched."""


class InterruptedStartError(LabError):
    """A person ended the lab before it had started."""

    exit_code = ExitCode.INTERRUPTED
