"""Keeps a comparison as a page, under a name that says what it is and that nothing has yet."""

from datetime import datetime
from pathlib import Path

from lab.comparison.page import as_html
from lab.comparison.result import Comparison
from lab.errors import LabError


def save(comparison: Comparison, folder: Path, moment: datetime) -> Path:
    """Write `lablb-SCENARIO-DATE-TIME.html` into the folder.

    Raises:
        LabError: that can't be.
    """
    path = folder / f"lablb-{comparison.scenario}-{moment:%Y-%m-%d-%H%M%S}.html"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(as_html(comparison))
    except FileExistsError:
        raise LabError(f"{path} is there already: wait a second, and save again.") from None
    except OSError as error:
        reason = f"{path} can't be written ({error.strerror})"
        raise LabError(f"{reason}: start the lab in a folder where you may write.") from None
    return path
