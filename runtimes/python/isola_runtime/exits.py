"""The orderly end of the process."""

from __future__ import annotations

import atexit
import os

from .logs import LogSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def leave(exiting: SystemExit, sink: LogSink) -> NoReturn:
    """Ends the process as `sys.exit` would, without waiting for threads that still run."""
    code = exiting.code
    if code is not None and not isinstance(code, int):
        sink.record(str(code), 0)
        code = 1
    try:
        # What the interpreter runs at its own end; `os._exit` below would skip it.
        atexit._run_exitfuncs()
    finally:
        sink.end_all()
        os._exit((code or 0) & 0xFF)
