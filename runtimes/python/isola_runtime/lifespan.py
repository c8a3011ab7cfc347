"""The lifespan protocol of ASGI: start-up before READY, shutdown before the process ends."""

from __future__ import annotations

import asyncio

from .asgi import VERSIONS
from .failure import stack_of
from .logs import ERROR_LEVEL, LogSink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .asgi import AsgiApp, Message


class LifespanFailed(Exception):
    """The application refused to start; the message is its own."""


class Lifespan:
    """Life: starting -> running -> stopping -> over; or unsupported, when the application leaves
    before it has answered."""

    def __init__(self, app: AsgiApp, state: dict[str, Any], sink: LogSink) -> None:
        self._app = app
        self._state = state
        self._sink = sink
        self._phase = "starting"
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._answered = asyncio.Event()
        self._failure: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Raises LifespanFailed when the application says so."""
        self._inbox.put_nowait({"type": "lifespan.startup"})
        self._task = asyncio.get_running_loop().create_task(self._run())
        await self._answered.wait()
        if self._failure is not None:
            raise LifespanFailed(self._failure or "the application's start-up failed")
        if self._phase == "starting":
            self._phase = "running"

    async def shutdown(self) -> None:
        """Resolves once the application has shut down; the caller bounds the time."""
        if self._phase != "running":
            return
        self._phase = "stopping"
        self._answered.clear()
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        await self._answered.wait()
        if self._failure is not None:
            self._sink.record(f"application shutdown failed: {self._failure}", ERROR_LEVEL)

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": VERSIONS, "state": self._state}
        try:
            await self._app(scope, self._inbox.get, self._send)
        except Exception as error:
            # Before any answer: the way in which applications without lifespan refuse the scope.
            if self._phase != "starting" and self._failure is None:
                self._sink.record(f"lifespan failed:\n{stack_of(error)}", ERROR_LEVEL)
        finally:
            self._phase = "over"
            self._answered.set()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind not in (f"lifespan.{self._step}.complete", f"lifespan.{self._step}.failed"):
            raise RuntimeError(f"message type {kind!r} is not expected during {self._step}")
        if kind.endswith(".failed"):
            self._failure = str(message.get("message", ""))
        self._answered.set()

    @property
    def _step(self) -> str:
        return "startup" if self._phase == "starting" else "shutdown"
