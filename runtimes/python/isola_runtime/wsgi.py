"""WSGI applications (PEP 3333), streaming both ways, on worker threads."""

from __future__ import annotations

import sys
from urllib.parse import unquote_to_bytes

from .exchange import CANCELLED, Exchange
from .exits import leave
from .failure import Failure, failure_of
from .heads import BadResponse, InvocationHead
from .logs import ERROR_LEVEL, LogSink, current_invocation
from .refusal import NOT_AN_EVENT_FUNCTION
from .session import Session
from .workers import Workers
from .wsgi_exchange import CallerGone, RequestBody, WsgiExchange
from .wsgi_response import WsgiResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WsgiKind:
    """Serves a WSGI application. A cancelled call ends at its next read or write."""

    def __init__(self, session: Session, sink: LogSink, app: WsgiApp, workers: Workers) -> None:
        self._session = session
        self._sink = sink
        self._app = app
        self._workers = workers
        self._is_multithread = session.settings.concurrency > 1

    def open(self, number: int, head: InvocationHead, is_complete: bool) -> Exchange:
        exchange = WsgiExchange(self._session, number, head, is_complete)
        self._session.exchanges[number] = exchange
        if head.is_event:
            exchange.fail(NOT_AN_EVENT_FUNCTION)
            return exchange
        self._workers.submit(lambda: self._run(exchange), len(self._session.exchanges))
        return exchange

    def stop(self) -> None:
        self._workers.stop()

    def _run(self, exchange: WsgiExchange) -> None:
        current_invocation.set(exchange.number)
        failure: Failure | None = None
        try:
            self._respond(exchange)
        except SystemExit as exiting:
            leave(exiting, self._sink)
        except CallerGone:
            failure = CANCELLED
        except BadResponse as error:
            failure = Failure("bad_response", "BadResponse", str(error))
        except BaseException as error:
            failure = failure_of("function_error", error)
            if exchange.is_done and not exchange.is_cancelled:
                # The response is out already; only the log can tell.
                self._sink.record(failure.stack, ERROR_LEVEL)
        self._sink.end(exchange.number)
        if exchange.is_cancelled:
            failure = CANCELLED
        if failure is not None:
            exchange.fail(failure)

    def _respond(self, exchange: WsgiExchange) -> None:
        response = WsgiResponse(exchange)
        environ = wsgi_environ(exchange, self._is_multithread)
        chunks = self._app(environ, response.start)
        try:
            if isinstance(chunks, (list, tuple)):
                response.complete(b"".join(chunks))
                return
            for chunk in chunks:
                response.write(chunk)
            response.complete(b"")
        finally:
            close = getattr(chunks, "close", None)
            if close is not None:
                close()


def wsgi_environ(exchange: WsgiExchange, is_multithread: bool) -> dict[str, Any]:
    """Texts hold bytes as ISO-8859-1, as PEP 3333 wants them."""
    head = exchange.head
    path, _, query = head.target.partition("?")
    host, _, port = (head.header("host") or "").rpartition(":")
    if not port.isdigit():
        host, port = head.header("host") or "localhost", "443" if head.scheme == "https" else "80"
    environ: dict[str, Any] = {
        "REQUEST_METHOD": head.method,
        "SCRIPT_NAME": _decoded(head.prefix),
        "PATH_INFO": _decoded(path),
        "QUERY_STRING": query,
        "REQUEST_URI": head.prefix + head.target,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": head.http_version,
        "REMOTE_ADDR": head.source_address,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": head.scheme,
        "wsgi.input": RequestBody(exchange),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": is_multithread,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    _add_headers(environ, head.headers())
    return environ


def _add_headers(environ: dict[str, Any], headers: list[tuple[str, str]]) -> None:
    for name, value in headers:
        # With an underscore it could pose as another header.
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        separator = "; " if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value


def _decoded(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1")).decode("latin-1")
