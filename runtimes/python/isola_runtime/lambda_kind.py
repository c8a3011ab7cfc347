"""Functions of the form `handler(event, context)`, synchronous or not."""

from __future__ import annotations

import json

from .answer import event_answer, http_answer
from .buffered import BufferedExchange
from .context import LambdaContext
from .event import http_event
from .exchange import CANCELLED
from .exits import leave
from .failure import Failure, failure_of
from .heads import BadResponse, InvocationHead
from .logs import LogSink, current_invocation
from .session import Session
from .settings import InitSettings

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable
    from typing import Any

    from .loop import LoopThread
    from .workers import Workers

    Handler = Callable[[Any, Any], Any]


class LambdaCalls:
    """The parts of a call that do not depend on how the handler runs."""

    def __init__(self, session: Session, sink: LogSink, handler: Handler) -> None:
        self.session = session
        self.sink = sink
        self.handler = handler
        self._settings: InitSettings = session.settings

    def exchange(self, number: int, head: InvocationHead) -> BufferedExchange:
        exchange = BufferedExchange(self.session, number, head)
        self.session.exchanges[number] = exchange
        return exchange

    def arguments(self, exchange: BufferedExchange) -> tuple[object, LambdaContext] | None:
        """Event and context; None when the event is not JSON, which has then been answered."""
        head = exchange.head
        context = LambdaContext(self._settings, head, exchange.deadline)
        if not head.is_event:
            return http_event(head, self._settings, exchange.body), context
        try:
            return json.loads(exchange.body or b"null"), context
        except ValueError as error:
            text = f"the event is not JSON: {error}"
            exchange.fail(Failure("function_error", "InvalidEvent", text))
            return None

    def answer(self, exchange: BufferedExchange, result: object) -> None:
        limit = self._settings.response_body_bytes_max
        convert = event_answer if exchange.head.is_event else http_answer
        try:
            head, body = convert(result, limit)
        except BadResponse as error:
            self.sink.end(exchange.number)
            exchange.fail(Failure("bad_response", "BadResponse", str(error)))
            return
        self.sink.end(exchange.number)
        exchange.respond(head, body)

    def failed(self, exchange: BufferedExchange, error: BaseException) -> None:
        """The handler raised `error`; SystemExit ends the process."""
        if isinstance(error, SystemExit):
            leave(error, self.sink)
        self.sink.end(exchange.number)
        is_cancelled = exchange.is_cancelled
        exchange.fail(CANCELLED if is_cancelled else failure_of("function_error", error))


class SyncLambda:
    """Runs the handler on a worker thread. A cancelled call is answered once the handler settles:
    it cannot be interrupted."""

    def __init__(self, calls: LambdaCalls, workers: Workers) -> None:
        self._calls = calls
        self._workers = workers

    def open(self, number: int, head: InvocationHead, is_complete: bool) -> BufferedExchange:
        exchange = self._calls.exchange(number, head)
        exchange.start(self._submit, is_complete)
        return exchange

    def stop(self) -> None:
        self._workers.stop()

    def _submit(self, exchange: BufferedExchange) -> None:
        open_exchanges = len(self._calls.session.exchanges)
        self._workers.submit(lambda: self._run(exchange), open_exchanges)

    def _run(self, exchange: BufferedExchange) -> None:
        current_invocation.set(exchange.number)
        calls = self._calls
        arguments = calls.arguments(exchange)
        if arguments is None:
            return
        try:
            result = calls.handler(*arguments)
            if hasattr(result, "__await__"):
                result = _finish_awaitable(result)
        except BaseException as error:
            calls.failed(exchange, error)
            return
        calls.answer(exchange, result)


class AsyncLambda:
    """Runs the handler as a task of the event loop; cancelling cancels the task."""

    def __init__(self, calls: LambdaCalls, loop: LoopThread) -> None:
        self._calls = calls
        self._loop = loop

    def open(self, number: int, head: InvocationHead, is_complete: bool) -> BufferedExchange:
        exchange = self._calls.exchange(number, head)
        exchange.send = self._loop.send
        exchange.start(self._submit, is_complete)
        return exchange

    def stop(self) -> None:
        self._loop.stop()

    def _submit(self, exchange: BufferedExchange) -> None:
        self._loop.post(lambda: self._start(exchange))

    def _start(self, exchange: BufferedExchange) -> None:
        task: asyncio.Task[None] = self._loop.start(
            self._run(exchange), lambda: exchange.fail(CANCELLED)
        )

        def abort() -> None:
            self._loop.post(task.cancel)

        exchange.on_abort = abort
        if exchange.is_cancelled:
            task.cancel()

    async def _run(self, exchange: BufferedExchange) -> None:
        current_invocation.set(exchange.number)
        calls = self._calls
        arguments = calls.arguments(exchange)
        if arguments is None:
            return
        try:
            result = await calls.handler(*arguments)
        except BaseException as error:
            calls.failed(exchange, error)
            return
        calls.answer(exchange, result)


def _finish_awaitable(awaitable: Awaitable[object]) -> object:
    """A plain function returned a coroutine (a decorator around an async handler, say)."""
    import asyncio

    async def wait() -> object:
        return await awaitable

    return asyncio.run(wait())
