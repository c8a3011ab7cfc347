"""Exchange of a kind that holds both bodies whole in memory."""

from __future__ import annotations

from _thread import allocate_lock

from . import frames
from .exchange import CANCELLED, Exchange
from .failure import Failure
from .frames import BODY, END, HEAD, PAYLOAD_BYTES_MAX
from .heads import InvocationHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Session


class BufferedExchange(Exchange):
    """Life: collecting -> serving -> sending -> done. The reading thread owns `collecting`; from
    `respond` on, the lock does.

    A response that does not fit the window is sent on as credit arrives, by the reading thread: no
    handler thread waits for a slow caller.
    """

    def __init__(self, session: Session, number: int, head: InvocationHead) -> None:
        super().__init__(session, number, head)
        self.on_complete: Callable[[BufferedExchange], None] | None = None
        self.on_abort: Callable[[], None] | None = None
        self._chunks: list[bytes] = []
        self._request_bytes = 0
        self._rest: memoryview | None = None
        self._is_serving = False
        self._lock = allocate_lock()

    @property
    def body(self) -> bytes:
        return self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)

    def start(self, on_complete: Callable[[BufferedExchange], None], is_complete: bool) -> None:
        """`on_complete` runs on the reading thread, once the request is there as a whole."""
        self.on_complete = on_complete
        if is_complete:
            self.is_request_ended = self._is_serving = True
            on_complete(self)

    def on_body(self, data: bytes, is_end: bool) -> None:
        limit = self.session.settings.request_body_bytes_max
        self._request_bytes += len(data)
        if self._request_bytes > limit:
            text = f"request body exceeds {limit} bytes"
            self.fail(Failure("request_too_large", "RequestTooLarge", text))
            return
        if data:
            self._chunks.append(data)
        if not is_end:
            self.consumed(len(data))
            return
        self._is_serving = True
        if self.on_complete is not None:
            self.on_complete(self)

    def on_cancel(self) -> None:
        with self._lock:
            if self._rest is not None or not self._is_serving:
                self.fail(CANCELLED)
                return
        if self.on_abort is not None:
            self.on_abort()

    def respond(self, head: bytes, body: bytes) -> None:
        """Sends the response, or `cancelled` when the host has asked for that."""
        with self._lock:
            if self.is_cancelled:
                self.fail(CANCELLED)
                return
            size = len(body)
            if size == 0:
                self.finish(frames.frame(HEAD, END, self.number, head))
                return
            start = frames.frame(HEAD, 0, self.number, head)
            if size <= PAYLOAD_BYTES_MAX and size <= self.window_bytes:
                self.finish(start + frames.frame(BODY, END, self.number, body))
                return
            self._rest = memoryview(body)
            self._send_on(start)

    def on_credit(self) -> None:
        with self._lock:
            if self._rest is not None and not self.is_done:
                self._send_on(b"")

    def _send_on(self, start: bytes) -> None:
        """As much of the rest as the window allows, in one send."""
        assert self._rest is not None
        now = min(len(self._rest), self.window_bytes)
        piece = bytes(self._rest[:now])
        self._rest = self._rest[now:]
        self.count_sent(now)
        if not self._rest:
            self.finish(start + frames.body(END, self.number, piece))
        elif now or start:
            more = frames.body(0, self.number, piece) if now else b""
            self.send(start + more)
