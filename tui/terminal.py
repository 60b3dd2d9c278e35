"""How the dashboard reads the terminal, where not all that comes is text."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.driver import Driver

if sys.platform == "win32":

    def forgiving(driver: "type[Driver]") -> "type[Driver]":
        """The same driver: Windows gives it characters."""
        return driver

else:
    from textual.drivers.linux_driver import LinuxDriver

    class _ForgivingDriver(LinuxDriver):
        """Drops what was typed together with a byte that isn't UTF-8, and reads on."""

        def run_input_thread(self) -> None:
            while not self.exit_event.is_set():
                try:
                    super().run_input_thread()
                except UnicodeDecodeError:
                    continue

    def forgiving(driver: "type[Driver]") -> "type[Driver]":
        """The same driver; in place of the one for POSIX terminals, which such a byte ends, one that it doesn't."""
        return _ForgivingDriver if driver is LinuxDriver else driver
