"""From loaded code to a service of its kind."""

from __future__ import annotations

from .detect import detect_kind
from .exits import leave
from .lambda_kind import AsyncLambda, LambdaCalls, SyncLambda
from .load import LoadError, add_dependencies, load_handler
from .logs import LogSink
from .session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_READY = '{{"kind":"{}","buffered":{}}}'


def ready_payload(kind: str) -> bytes:
    return _READY.format(kind, "true" if kind == "lambda" else "false").encode()


def run_function(session: Session, sink: LogSink) -> None:
    """Loads the code, says READY, serves until the host says SHUTDOWN. Raises LoadError before
    READY."""
    settings = session.settings
    add_dependencies(settings.task_root)
    if settings.debug is not None:
        from .debugger import open_debugger

        open_debugger(settings.debug)
    handler: Any = load_handler(settings.handler, settings.task_root)
    kind = detect_kind(settings.handler, handler)
    if kind in ("lambda", "wsgi"):
        _run_sync(session, sink, kind, handler)
    else:
        _run_async(session, sink, kind, handler)
    leave(SystemExit(0), sink)


def _run_sync(session: Session, sink: LogSink, kind: str, handler: Any) -> None:
    from .workers import Workers

    workers = Workers(session.connection, sink, session.settings.concurrency)
    if kind == "wsgi":
        from .wsgi import WsgiKind

        session.start_service(WsgiKind(session, sink, handler, workers), ready_payload(kind))
    else:
        calls = LambdaCalls(session, sink, handler)
        session.start_service(SyncLambda(calls, workers), ready_payload(kind))
    workers.run()


def _run_async(session: Session, sink: LogSink, kind: str, handler: Any) -> None:
    from .loop import LoopThread

    loop = LoopThread(session.connection, sink)
    if kind == "async-lambda":
        calls = LambdaCalls(session, sink, handler)
        session.start_service(AsyncLambda(calls, loop), ready_payload("lambda"))
        loop.run()
        loop.close()
        return
    from .asgi import AsgiKind
    from .lifespan import Lifespan, LifespanFailed

    service = AsgiKind(session, sink, handler, loop)
    lifespan = Lifespan(handler, service.state, sink)
    try:
        loop.loop.run_until_complete(lifespan.startup())
    except LifespanFailed as error:
        raise LoadError(f"handler {session.settings.handler!r}: start-up failed: {error}") from None
    session.start_service(service, ready_payload(kind))
    loop.run()
    loop.loop.run_until_complete(lifespan.shutdown())
    loop.close()
