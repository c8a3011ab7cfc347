"""ASGI applications (specification 3.0, HTTP 2.4), streaming both ways."""

from __future__ import annotations

import asyncio
from collections import deque
from urllib.parse import unquote

from . import frames
from .exchange import CANCELLED, Exchange
from .exits import leave
from .failure import Failure, failure_of
from .frames import BODY, END, HEAD, PAYLOAD_BYTES_MAX
from .heads import BadResponse, InvocationHead, response_head
from .logs import ERROR_LEVEL, LogSink, current_invocation
from .loop import LoopThread
from .refusal import NOT_AN_EVENT_FUNCTION
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    Message = dict[str, Any]
    AsgiApp = Callable[
        [dict[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
        Awaitable[None],
    ]

VERSIONS = {"version": "3.0", "spec_version": "2.4"}
# How long an application that listens for http.disconnect has before its task is cancelled.
DISCONNECT_GRACE_S = 0.05


class Disconnected(OSError):
    """`send` after the caller has gone."""


class Gate:
    """Coroutines wait here until the next `open`."""

    def __init__(self) -> None:
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def is_awaited(self) -> bool:
        return any(not waiter.done() for waiter in self._waiters)

    async def wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def open(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


class AsgiExchange(Exchange):
    """One request on the loop. `take_*` only posts to the loop; everything else runs there."""

    def __init__(
        self, session: Session, number: int, head: InvocationHead, loop: LoopThread
    ) -> None:
        super().__init__(session, number, head)
        self.send = loop.send
        self.task: asyncio.Task[None] | None = None
        self._loop = loop
        # At most one window of bytes.
        self._chunks: deque[bytes] = deque()
        self._has_all = False
        self._end_told = False
        self._readable = Gate()
        self._writable = Gate()
        # Held until the first body event, as the specification asks.
        self._held_head: bytes | None = None
        self._has_started = False

    def on_body(self, data: bytes, is_end: bool) -> None:
        self._loop.post(lambda: self.add_body(data, is_end))

    def on_credit(self) -> None:
        self._loop.post(self._writable.open)

    def on_cancel(self) -> None:
        self._loop.post(self._abort)

    def add_body(self, data: bytes, is_end: bool) -> None:
        if data:
            self._chunks.append(data)
        self._has_all = self._has_all or is_end
        self._readable.open()

    def finish(self, last: bytes) -> None:
        super().finish(last)
        self._chunks.clear()
        self._readable.open()

    def _abort(self) -> None:
        """A listener gets the disconnect first; whoever does not listen is cancelled at once."""
        if self.task is None or self.is_done:
            return
        is_listening = self._readable.is_awaited
        self._chunks.clear()
        self._readable.open()
        self._writable.open()
        if is_listening:
            self._loop.loop.call_later(DISCONNECT_GRACE_S, self.task.cancel)
        else:
            self.task.cancel()

    async def receive(self) -> Message:
        while True:
            if self.is_cancelled or self.is_done:
                return {"type": "http.disconnect"}
            if self._chunks:
                data = self._chunks.popleft()
                self.consumed(len(data))
                is_last = self._has_all and not self._chunks
                self._end_told = is_last
                return {"type": "http.request", "body": data, "more_body": not is_last}
            if self._has_all and not self._end_told:
                self._end_told = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self._readable.wait()

    async def send_message(self, message: Message) -> None:
        if self.is_cancelled:
            raise Disconnected("the caller has gone")
        if self.is_done:
            raise RuntimeError(f"{message['type']} after the response was complete")
        kind = message["type"]
        if kind == "http.response.start":
            self._start(message)
        elif kind == "http.response.body":
            await self._send_body(message.get("body", b""), bool(message.get("more_body", False)))
        else:
            raise RuntimeError(f"message type {kind!r} is not one of an HTTP response")

    def _start(self, message: Message) -> None:
        if self._has_started:
            raise RuntimeError("second http.response.start")
        headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
        self._held_head = response_head(int(message["status"]), headers)
        self._has_started = True

    async def _send_body(self, data: bytes, is_more: bool) -> None:
        if not self._has_started:
            raise RuntimeError("http.response.body before http.response.start")
        data = bytes(data)
        start = b""
        if self._held_head is not None:
            is_all = not data and not is_more
            start = frames.frame(HEAD, END if is_all else 0, self.number, self._held_head)
            self._held_head = None
            if is_all:
                self.finish(start)
                return
        at = 0
        while len(data) - at > 0:
            piece = data[at : at + min(self.window_bytes, PAYLOAD_BYTES_MAX)]
            if not piece:
                self._send_start(start)
                start = b""
                await self._wait_writable()
                continue
            at += len(piece)
            self.count_sent(len(piece))
            if at == len(data) and not is_more:
                self.finish(start + frames.frame(BODY, END, self.number, piece))
                return
            self.send(start + frames.frame(BODY, 0, self.number, piece))
            start = b""
        if not is_more:
            self.finish(frames.frame(BODY, END, self.number))
            return
        self._send_start(start)
        if self.window_bytes <= 0:
            # Here, too, so that a fast producer never holds more than one chunk beyond the window.
            await self._wait_writable()

    def _send_start(self, start: bytes) -> None:
        if start:
            self.send(start)

    async def _wait_writable(self) -> None:
        while self.window_bytes <= 0:
            await self._writable.wait()
            if self.is_cancelled or self.is_done:
                raise Disconnected("the caller has gone")


class AsgiKind:
    """Serves an ASGI application; each request is a task of the loop."""

    def __init__(self, session: Session, sink: LogSink, app: AsgiApp, loop: LoopThread) -> None:
        self._session = session
        self._sink = sink
        self._app = app
        self._loop = loop
        # What lifespan start-up put there; each request gets a shallow copy.
        self.state: dict[str, Any] = {}

    def open(self, number: int, head: InvocationHead, is_complete: bool) -> Exchange:
        exchange = AsgiExchange(self._session, number, head, self._loop)
        self._session.exchanges[number] = exchange
        if head.is_event:
            exchange.fail(NOT_AN_EVENT_FUNCTION)
            return exchange
        exchange.is_request_ended = is_complete
        self._loop.post(lambda: self._start(exchange, is_complete))
        return exchange

    def stop(self) -> None:
        self._loop.stop()

    def _start(self, exchange: AsgiExchange, is_complete: bool) -> None:
        if is_complete:
            exchange.add_body(b"", True)
        exchange.task = self._loop.start(self._run(exchange), lambda: exchange.fail(CANCELLED))
        if exchange.is_cancelled:
            exchange.task.cancel()

    async def _run(self, exchange: AsgiExchange) -> None:
        current_invocation.set(exchange.number)
        failure: Failure | None = None
        try:
            scope = http_scope(exchange.head, dict(self.state))
            await self._app(scope, exchange.receive, exchange.send_message)
        except SystemExit as exiting:
            leave(exiting, self._sink)
        except BadResponse as error:
            failure = Failure("bad_response", "BadResponse", str(error))
        except BaseException as error:
            failure = failure_of("function_error", error)
            if exchange.is_done and not exchange.is_cancelled:
                # The response is out already; only the log can tell.
                self._sink.record(failure.stack, ERROR_LEVEL)
        else:
            text = "the application returned without completing its response"
            failure = Failure("bad_response", "BadResponse", text)
        self._sink.end(exchange.number)
        exchange.fail(CANCELLED if exchange.is_cancelled else failure)


def http_scope(head: InvocationHead, state: dict[str, Any]) -> dict[str, Any]:
    """`path` begins with `root_path`, as servers do it that mount an application below a prefix."""
    path, _, query = head.target.partition("?")
    host, _, port = (head.header("host") or "").rpartition(":")
    if not port.isdigit():
        host, port = head.header("host") or "localhost", "443" if head.scheme == "https" else "80"
    return {
        "type": "http",
        "asgi": VERSIONS,
        "http_version": head.http_version.rpartition("/")[2],
        "method": head.method,
        "scheme": head.scheme,
        "path": unquote(head.prefix + path),
        "raw_path": (head.prefix + path).encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": unquote(head.prefix),
        "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in head.headers()],
        "client": (head.source_address, 0) if head.source_address else None,
        "server": (host, int(port)),
        "state": state,
    }
