"""How the dashboard gets on with a terminal that sends what is no text, was somebody else's for a while, or is gone."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver

if sys.platform == "win32":

    def forgiving(driver: "type[Driver]") -> "type[Driver]":
        """The same driver: Windows gives it characters, and knows neither hang-ups nor job control."""
        return driver

else:
    from typing import Any, TextIO

    from textual.drivers.linux_driver import LinuxDriver

    GONE = (errno.EIO, errno.EPIPE)

    class _Canvas:
        """What is painted on; nothing any more once it is gone, since Textual would wait for ever to get it written."""

        def __init__(self, file: "TextIO") -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, text: str) -> None:
            self._unless_gone(lambda: self._file.write(text))

        def flush(self) -> None:
            self._unless_gone(self._file.flush)

        def _unless_gone(self, paint: Callable[[], object]) -> None:
            try:
                paint()
            except OSError as error:
                if error.errno not in GONE:
                    raise
                with Path(os.devnull).open("wb") as nowhere:
                    os.dup2(nowhere.fileno(), self._file.fileno())

    class _ForgivingDriver(LinuxDriver):
        """Textual's driver for POSIX terminals, for the terminals there are."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            self._file: Any = _Canvas(self._file)

        def run_input_thread(self) -> None:
            """Drop what was typed together with a byte that isn't UTF-8, and read on."""
            while not self.exit_event.is_set():
                try:
                    super().run_input_thread()
                except UnicodeDecodeError:
                    continue

        def _sigcont_application(self, *arguments: Any) -> None:
            """Take the terminal anew; what was stopped without being asked must let go of it first."""
            if self._auto_restart and not self._must_signal_resume:
                self.suspend_application_mode()
            super()._sigcont_application(*arguments)

    def forgiving(driver: "type[Driver]") -> "type[Driver]":
        """The same driver; in place of the one for POSIX terminals, one that goes on."""
        return _ForgivingDriver if driver is LinuxDriver else driver
