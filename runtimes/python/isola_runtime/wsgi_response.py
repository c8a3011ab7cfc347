"""`start_response`, `write` and the frames they become."""

from __future__ import annotations

from . import frames
from .frames import BODY, END, HEAD, PAYLOAD_BYTES_MAX
from .heads import BadResponse, header_bytes, response_head
from .wsgi_exchange import WsgiExchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    ExcInfo = tuple[type[BaseException], BaseException, TracebackType]


class WsgiResponse:
    """Life: waiting -> started (head held, replaceable) -> sending -> complete. The head goes out
    with the first non-empty chunk."""

    def __init__(self, exchange: WsgiExchange) -> None:
        self._exchange = exchange
        self._head: bytes | None = None
        self._is_head_sent = False

    def start(
        self,
        status: str,
        headers: list[tuple[str, str]],
        exc_info: ExcInfo | None = None,
    ) -> Callable[[bytes], None]:
        """PEP 3333's `start_response`; returns `write`."""
        if exc_info is not None:
            try:
                if self._is_head_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None
        elif self._head is not None:
            raise RuntimeError("start_response was called twice without exc_info")
        code = status[:3]
        if not code.isdigit() or status[3:4] not in ("", " "):
            raise BadResponse(f"status must be like '200 OK', not {status!r:.100}")
        encoded = [header_bytes(name, value) for name, value in headers]
        self._head = response_head(int(code), encoded)
        return self.write

    def write(self, data: bytes) -> None:
        """Sends a chunk as far as the caller reads; raises CallerGone once it has gone."""
        data = self._checked(data)
        if data:
            self._send(data, False)
        elif self._exchange.is_cancelled:
            self._exchange.wait_window()

    def complete(self, data: bytes) -> None:
        """The last chunk, which may be empty."""
        data = self._checked(data)
        exchange = self._exchange
        if data:
            self._send(data, True)
        elif self._is_head_sent:
            exchange.finish(frames.frame(BODY, END, exchange.number))
        else:
            exchange.finish(self._head_frame(END))

    def _checked(self, data: bytes) -> bytes:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise BadResponse(f"the response body must be bytes, not {type(data).__name__}")
        if self._head is None:
            raise BadResponse("the application returned without calling start_response")
        return bytes(data)

    def _send(self, data: bytes, is_last: bool) -> None:
        exchange = self._exchange
        start = b"" if self._is_head_sent else self._head_frame(0)
        at = 0
        while at < len(data):
            window = exchange.window_bytes
            if window <= 0 or exchange.is_cancelled:
                if start:
                    exchange.send(start)
                    start = b""
                window = exchange.wait_window()
            piece = data[at : at + min(window, PAYLOAD_BYTES_MAX)]
            at += len(piece)
            exchange.count_sent(len(piece))
            if is_last and at == len(data):
                exchange.finish(start + frames.frame(BODY, END, exchange.number, piece))
            else:
                exchange.send(start + frames.frame(BODY, 0, exchange.number, piece))
            start = b""

    def _head_frame(self, flags: int) -> bytes:
        assert self._head is not None
        self._is_head_sent = True
        return frames.frame(HEAD, flags, self._exchange.number, self._head)
