"""Serves synchronous functions: on the main thread, and on more where concurrency allows it."""

from __future__ import annotations

import os
from contextvars import Context, copy_context
from queue import SimpleQueue
from threading import Thread

from .connection import Connection
from .exits import leave
from .failure import stack_of
from .logs import ERROR_LEVEL, LogSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Job = Callable[[], None]


class Workers:
    """Life: `run` on the main thread until `stop`. A lone invocation runs on the main thread,
    where signals and some libraries need it.

    The queue holds at most one job per open invocation, so it is bounded by the concurrency.
    """

    def __init__(self, connection: Connection, sink: LogSink, concurrency: int) -> None:
        self._connection = connection
        self._sink = sink
        self._concurrency = concurrency
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = 1
        # Context variables set on import are seen by every invocation; those set by one are not.
        self._context: Context = copy_context()

    def submit(self, job: Job, open_exchanges: int) -> None:
        """Called by the reading thread alone; `open_exchanges` counts this one too."""
        if open_exchanges > self._threads and self._threads < self._concurrency:
            Thread(target=self._work, name=f"isola-{self._threads}", daemon=True).start()
            self._threads += 1
        self._queue.put(job)

    def run(self) -> None:
        self._context = copy_context()
        self._work()

    def stop(self) -> None:
        for _ in range(self._threads):
            self._queue.put(None)

    def _work(self) -> None:
        while True:
            try:
                job = self._queue.get()
                if job is None:
                    return
                self._context.copy().run(job)
            except SystemExit as exiting:
                leave(exiting, self._sink)
            except BaseException as error:
                # Raised between two invocations by something of the function's (an alarm, say).
                self._sink.record(f"outside of an invocation: {stack_of(error)}", ERROR_LEVEL)
            if self._connection.is_detached:
                # A child that the handler forked came back from it; only the parent may answer.
                os._exit(0)
