"""Sends what the code writes to the host, with the number of the invocation that wrote it."""

from __future__ import annotations

import io
import os
import sys
from _thread import RLock
from contextvars import ContextVar

from .connection import Connection
from .frames import LOG_LEVELS, STDERR
from .log_lines import LineAssembler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# The stream number of the invocation in whose context code runs; 0 outside of any.
current_invocation: ContextVar[int] = ContextVar("isola_invocation", default=0)

ERROR_LEVEL = LOG_LEVELS.index("error")


class LogSink:
    """Everything that is logged goes through here. Each complete line is sent at once: a crash
    right after loses nothing."""

    def __init__(self, connection: Connection, limit: int, lone: Callable[[], int]) -> None:
        """`lone` names the invocation that runs alone, or 0: the owner of what has no context."""
        self._connection = connection
        self._limit = limit
        self._lone = lone
        self._lock = RLock()
        # By (invocation, is_stderr); entries are dropped at the end of each line.
        self._open: dict[tuple[int, bool], LineAssembler] = {}

    def owner(self) -> int:
        return current_invocation.get() or self._lone()

    def write(self, data: bytes, is_stderr: bool) -> None:
        """Bytes of a stream; lines are assembled per invocation."""
        if self._connection.is_detached:
            os.write(2 if is_stderr else 1, data)
            return
        number = self.owner()
        key = (number, is_stderr)
        with self._lock:
            lines = self._open.get(key) or self._assembler(number, is_stderr, 0)
            out = lines.feed(data)
            if lines.is_clean:
                self._open.pop(key, None)
            else:
                self._open[key] = lines
            if out:
                self._connection.send(b"".join(out))

    def record(self, text: str, level: int, is_stderr: bool = True) -> None:
        """A message with a level; each of its lines becomes a line of the log."""
        data = text.encode("utf-8", "backslashreplace")
        if self._connection.is_detached:
            os.write(2 if is_stderr else 1, data + b"\n")
            return
        lines = self._assembler(self.owner(), is_stderr, level)
        with self._lock:
            self._connection.send(b"".join(lines.feed(data + b"\n")))

    def flush(self, is_stderr: bool) -> None:
        """Sends what there is of an unfinished line."""
        if not self._open:
            return
        with self._lock:
            lines = self._open.get((self.owner(), is_stderr))
            out: list[bytes] = []
            if lines is not None:
                lines.send_partial(out)
            if out:
                self._connection.send(b"".join(out))

    def end(self, number: int) -> None:
        """The invocation is over: its unfinished lines are complete."""
        if not self._open:
            return
        out: list[bytes] = []
        with self._lock:
            for is_stderr in (False, True):
                lines = self._open.pop((number, is_stderr), None)
                if lines is not None:
                    lines.end_line(out)
            if out:
                self._connection.send(b"".join(out))

    def end_all(self) -> None:
        """Afterwards everything that was sent or posted is in the hands of the kernel."""
        for number, _ in list(self._open):
            self.end(number)
        self._connection.send()

    def detach(self) -> None:
        """In a forked child: writes go to its own descriptors 1 and 2 from now on."""
        self._lock = RLock()
        self._open = {}

    def _assembler(self, number: int, is_stderr: bool, level: int) -> LineAssembler:
        return LineAssembler(number, (STDERR if is_stderr else 0) | level << 4, self._limit)


class LogBytes(io.BufferedIOBase):
    """`sys.stdout.buffer`."""

    def __init__(self, sink: LogSink, is_stderr: bool) -> None:
        self._sink = sink
        self._is_stderr = is_stderr
        self.name = "<stderr>" if is_stderr else "<stdout>"
        self.mode = "wb"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """The real descriptor, for child processes; the host reads it."""
        return 2 if self._is_stderr else 1

    def write(self, data: object) -> int:
        chunk = data if isinstance(data, bytes) else memoryview(data).tobytes()  # type: ignore[arg-type]
        if chunk:
            self._sink.write(chunk, self._is_stderr)
        return len(chunk)

    def flush(self) -> None:
        self._sink.flush(self._is_stderr)

    def close(self) -> None:
        """Stays open: whatever closes stdout must not silence the function's later lines."""


class LogText(io.TextIOBase):
    """`sys.stdout` and `sys.stderr`."""

    mode = "w"
    # Read by printing code; kept as plain attributes, as io.TextIOWrapper has them.
    encoding = "utf-8"
    errors = "backslashreplace"
    line_buffering = True
    write_through = False

    def __init__(self, sink: LogSink, is_stderr: bool) -> None:
        self._sink = sink
        self._is_stderr = is_stderr
        self.buffer = LogBytes(sink, is_stderr)
        self.name = self.buffer.name

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.buffer.fileno()

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            self._sink.write(text.encode("utf-8", "backslashreplace"), self._is_stderr)
        return len(text)

    def flush(self) -> None:
        self._sink.flush(self._is_stderr)

    def reconfigure(self, **_options: object) -> None:
        """Accepted and without effect: the protocol carries UTF-8 lines only."""

    def close(self) -> None:
        """Stays open; see LogBytes.close."""


def install_streams(sink: LogSink) -> None:
    sys.stdout = LogText(sink, False)
    sys.stderr = LogText(sink, True)
