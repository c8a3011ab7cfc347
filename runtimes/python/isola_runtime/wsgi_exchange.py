"""The streams of one WSGI request: a worker thread waits where the reading thread wakes it."""

from __future__ import annotations

import io
from collections import deque
from threading import Condition

from .exchange import Exchange
from .heads import InvocationHead
from .session import Session


class CallerGone(OSError):
    """Reading or writing after the invocation was cancelled."""


class WsgiExchange(Exchange):
    """`take_*` run on the reading thread and wake the worker; the rest runs on the worker."""

    def __init__(
        self, session: Session, number: int, head: InvocationHead, is_complete: bool
    ) -> None:
        super().__init__(session, number, head)
        self.is_request_ended = is_complete
        # At most one window of bytes.
        self._chunks: deque[bytes] = deque()
        self._has_all = is_complete
        self._changed = Condition()

    def on_body(self, data: bytes, is_end: bool) -> None:
        with self._changed:
            if data:
                self._chunks.append(data)
            self._has_all = is_end
            self._changed.notify_all()

    def on_credit(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def on_cancel(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def next_chunk(self) -> bytes:
        """Waits for request bytes; empty at their end. Raises CallerGone."""
        with self._changed:
            while not self._chunks and not self._has_all and not self.is_cancelled:
                self._changed.wait()
            if self.is_cancelled:
                raise CallerGone("the caller has gone")
            data = self._chunks.popleft() if self._chunks else b""
        self.consumed(len(data))
        return data

    def wait_window(self) -> int:
        """Waits until response bytes may be sent; returns how many. Raises CallerGone."""
        with self._changed:
            while self.window_bytes <= 0 and not self.is_cancelled:
                self._changed.wait()
        if self.is_cancelled:
            raise CallerGone("the caller has gone")
        return self.window_bytes


class RequestBody(io.RawIOBase):
    """`wsgi.input`: read, readline, readlines and iteration over the body as it arrives."""

    def __init__(self, exchange: WsgiExchange) -> None:
        self._exchange = exchange
        self._rest = b""
        self._is_ended = False

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Up to `size` bytes, fewer only at the end of the body; without a size, all of it."""
        if size is None or size < 0:
            return self._take(-1)
        return self._take(size)

    def readinto(self, buffer: object, /) -> int:
        """What is there, at least one byte unless the body has ended."""
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        if not self._rest:
            self._fill()
        data = self._rest[: len(view)]
        self._rest = self._rest[len(data) :]
        view[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1, /) -> bytes:
        limit = -1 if size is None else size
        searched = 0
        while True:
            found = self._rest.find(b"\n", searched)
            if found >= 0:
                return self._cut(found + 1, limit)
            searched = len(self._rest)
            if 0 <= limit <= searched or not self._fill():
                return self._cut(len(self._rest), limit)

    def _take(self, size: int) -> bytes:
        parts = [self._rest]
        have = len(self._rest)
        self._rest = b""
        while (size < 0 or have < size) and self._fill():
            parts.append(self._rest)
            have += len(self._rest)
            self._rest = b""
        data = b"".join(parts)
        if 0 <= size < len(data):
            self._rest = data[size:]
            return data[:size]
        return data

    def _cut(self, end: int, limit: int) -> bytes:
        if 0 <= limit < end:
            end = limit
        data = self._rest[:end]
        self._rest = self._rest[end:]
        return data

    def _fill(self) -> bool:
        """Appends the next chunk; False at the end of the body."""
        if self._is_ended:
            return False
        data = self._exchange.next_chunk()
        self._is_ended = not data
        self._rest += data
        return not self._is_ended
