"""JSON lines between the lab and its Python children: orders on stdin, events on stdout.

The guardian imports this too, so nothing here may take long to import.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]


def encode(message: Message) -> bytes:
    """One message as one line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def emit(message: Message) -> None:
    """Tell the lab something. A lab that is gone hears nothing, and stdin's EOF ends this process."""
    try:
        sys.stdout.buffer.write(encode(message))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - so that exit flushes quietly
