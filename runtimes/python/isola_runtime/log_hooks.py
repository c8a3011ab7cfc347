"""Joins `logging` and Python's last-resort hooks to the log sink."""

from __future__ import annotations

import logging
import os
import sys
import threading
from types import TracebackType

from .connection import Connection
from .failure import stack_of
from .logs import ERROR_LEVEL, LogSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from threading import ExceptHookArgs


class LogHandler(logging.Handler):
    """The root handler: sends the record's level beside its text, so the text has neither level
    nor time."""

    def __init__(self, sink: LogSink) -> None:
        super().__init__()
        self._sink = sink

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._sink.record(self.format(record), _level_of(record.levelno))
        except Exception:
            # The function's formatter or arguments failed; logging reports that on stderr.
            self.handleError(record)


def _level_of(number: int) -> int:
    """NOTSET none, below DEBUG trace, ... CRITICAL fatal."""
    if number <= 0:
        return 0
    return 1 if number < logging.DEBUG else min(number // 10 + 1, 6)


def install_hooks(sink: LogSink, connection: Connection) -> None:
    logging.getLogger().addHandler(LogHandler(sink))

    def log_thread_error(args: ExceptHookArgs) -> None:
        if args.exc_value is None or isinstance(args.exc_value, SystemExit):
            return
        name = args.thread.name if args.thread else "unknown"
        sink.record(f"Exception in thread {name}:\n{stack_of(args.exc_value)}", ERROR_LEVEL)

    def log_unraisable(args: UnraisableHookArgs) -> None:
        about = args.err_msg or "Exception ignored in"
        error = args.exc_value
        text = stack_of(error) if error is not None else args.exc_type.__name__
        sink.record(f"{about}: {_shown(args.object)}\n{text}", ERROR_LEVEL)

    def log_uncaught(
        kind: type[BaseException], error: BaseException, _trace: TracebackType | None
    ) -> None:
        sink.record(f"Uncaught {kind.__name__}:\n{stack_of(error)}", ERROR_LEVEL)

    threading.excepthook = log_thread_error
    sys.unraisablehook = log_unraisable
    sys.excepthook = log_uncaught

    def detach() -> None:
        if not connection.is_detached:
            connection.detach()
        sink.detach()

    os.register_at_fork(after_in_child=detach)


def _shown(value: object) -> str:
    try:
        return repr(value)[:500]
    except Exception:
        # The object is being torn down; its type has to do.
        return f"<{type(value).__name__}>"
