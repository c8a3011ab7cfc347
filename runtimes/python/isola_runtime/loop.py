"""The event loop of asynchronous functions, on the main thread."""

from __future__ import annotations

import asyncio
from _thread import get_ident
from contextvars import copy_context

from .connection import Connection
from .exits import leave
from .failure import stack_of
from .logs import ERROR_LEVEL, LogSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class LoopThread:
    """Life: created on the main thread, `run` there until `stop`, `close` once."""

    def __init__(self, connection: Connection, sink: LogSink) -> None:
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.loop.set_exception_handler(self._log_loop_error)
        self._connection = connection
        self._sink = sink
        self._context = copy_context()
        self._thread = get_ident()
        self._is_flush_due = False
        # The loop keeps weak references only; a task that nobody holds may vanish.
        self._tasks: set[asyncio.Task[None]] = set()

    def post(self, job: Callable[[], object]) -> None:
        """Runs `job` on the loop. For other threads; nothing happens once the loop is closed."""
        try:
            self.loop.call_soon_threadsafe(job, context=self._context)
        except RuntimeError:
            # Closed: the process is about to exit, and every exchange with it.
            return

    def start(
        self, work: Coroutine[object, object, None], on_unstarted: Callable[[], None]
    ) -> asyncio.Task[None]:
        """`work` handles its own errors. A task that is cancelled before its first step never runs:
        then `on_unstarted` does what `work` would have done at its end."""
        task = self.loop.create_task(work)
        task.add_done_callback(lambda done: on_unstarted() if done.cancelled() else None)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def send(self, frames: bytes) -> None:
        """On the loop: with everything else of this turn. From other threads: at once, after what
        waits."""
        if get_ident() != self._thread:
            self._connection.send(frames)
            return
        self._connection.hold(frames)
        if not self._is_flush_due:
            self._is_flush_due = True
            self.loop.call_soon(self._flush)

    def run(self) -> None:
        """Context variables set on import are seen by every invocation."""
        self._context = copy_context()
        try:
            self.loop.run_forever()
        except SystemExit as exiting:
            leave(exiting, self._sink)

    def stop(self) -> None:
        self.post(self.loop.stop)

    def close(self) -> None:
        """Ends what still runs on the loop, then the loop."""
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self._flush()
        self.loop.close()

    def _flush(self) -> None:
        self._is_flush_due = False
        self._connection.send()

    def _log_loop_error(self, _loop: asyncio.AbstractEventLoop, details: dict[str, object]) -> None:
        message = str(details.get("message", "unhandled error in the event loop"))
        error = details.get("exception")
        text = f"{message}\n{stack_of(error)}" if isinstance(error, BaseException) else message
        self._sink.record(text, ERROR_LEVEL)
