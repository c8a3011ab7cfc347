"""What the host may say, and when: the sandbox's side of the protocol's order."""

from __future__ import annotations

import os
import time
from _thread import start_new_thread

from . import frames
from .archive import Unpacker
from .connection import Connection
from .environment import apply_environment
from .exchange import Exchange
from .frames import END, EVENT, FrameError, FrameReader
from .heads import InvocationHead
from .settings import InitSettings, parse_settings
from .stats import pong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, Protocol

    from .failure import Failure

    class Service(Protocol):
        """A loaded function. `open` runs on the reading thread."""

        def open(self, number: int, head: InvocationHead, is_complete: bool) -> Exchange: ...

        def stop(self) -> None:
            """Lets the main thread leave its serving loop. May be called more than once."""


BREACH_EXIT_CODE = 70
DEFECT_EXIT_CODE = 71

_MOVES: dict[str, tuple[str, ...]] = {
    "blank": ("receiving",),
    "receiving": ("loading",),
    "loading": ("ready", "failed"),
    "ready": (),
    "failed": (),
}


class Session:
    """Life: blank -> receiving (code) -> loading -> ready, or failed: then it waits for its end."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.state = "blank"
        self.exchanges: dict[int, Exchange] = {}
        # Why the code could not be written below its root; told once all of it has arrived.
        self.unpack_error: OSError | None = None
        self._reader = FrameReader("sandbox")
        self._settings: InitSettings | None = None
        self._unpacker: Unpacker | None = None
        self._service: Service | None = None
        self._last_stream = 0
        self._is_stopping = False

    @property
    def settings(self) -> InitSettings:
        assert self._settings is not None
        return self._settings

    def move(self, state: str) -> None:
        assert state in _MOVES[self.state], f"{self.state} -> {state}"
        self.state = state

    def start_service(self, service: Service, ready: bytes) -> None:
        """From here on the host may invoke."""
        self._service = service
        self.move("ready")
        self.connection.send(frames.frame(frames.READY, 0, 0, ready))

    def refuse(self, failure: Failure) -> None:
        """The code cannot be loaded: the sandbox will never be ready."""
        self.move("failed")
        self.connection.send(failure.frame(0))

    def read_until_loading(self) -> None:
        """Runs on the main thread until the code is there."""
        while self.state in ("blank", "receiving"):
            self._read()

    def read_forever(self) -> None:
        """The reading thread: answers PING and hears CANCEL whatever the function does."""
        try:
            while True:
                self._read()
        except Exception:
            import traceback

            os.write(2, ("isola: defect in the runtime\n" + traceback.format_exc()).encode())
            os._exit(DEFECT_EXIT_CODE)

    def lone_exchange(self) -> int:
        """The number of the invocation that runs alone, or 0."""
        try:
            return next(iter(self.exchanges)) if len(self.exchanges) == 1 else 0
        except (StopIteration, RuntimeError):
            # Another thread ended it between the two looks.
            return 0

    def release(self, number: int) -> None:
        self.exchanges.pop(number, None)

    def stop_if_idle(self) -> None:
        if self._is_stopping and not self.exchanges and self._service is not None:
            self._service.stop()

    def _read(self) -> None:
        data = self.connection.read()
        if not data:
            if self._reader.pending_bytes:
                _breach("the host closed the stream inside a frame")
            os._exit(0)
        try:
            for kind, flags, stream, payload in self._reader.push(data):
                self._on_frame(kind, flags, stream, payload)
        except FrameError as error:
            _breach(str(error))

    def _on_frame(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        if kind == frames.INVOKE:
            self._on_invoke(flags, stream, payload)
        elif stream:
            self._on_stream(kind, flags, stream, payload)
        elif kind == frames.PING:
            self.connection.send(pong(payload, len(self.exchanges)))
        elif kind == frames.CODE:
            self._on_code(payload, bool(flags & END))
        elif kind == frames.INIT:
            self._on_init(payload)
        elif kind == frames.SHUTDOWN:
            self._on_shutdown(frames.unpack_u32(payload)[0])

    def _on_init(self, payload: bytes) -> None:
        if self.state != "blank":
            raise FrameError("second init")
        self.move("receiving")
        self._settings = parse_settings(payload)
        self._try_unpack(self._open_archive)

    def _on_code(self, payload: bytes, is_end: bool) -> None:
        if self.state != "receiving":
            raise FrameError("code outside of init")
        unpacker = self._unpacker
        if unpacker is not None and self.unpack_error is None:
            self._try_unpack(lambda: unpacker.feed(payload))
            if is_end and self.unpack_error is None:
                self._try_unpack(unpacker.finish)
        if is_end:
            self._unpacker = None
            self.move("loading")

    def _open_archive(self) -> None:
        self._unpacker = Unpacker(self.settings.task_root)
        apply_environment(self.settings)

    def _try_unpack(self, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            # A full or read-only disk is no breach by the host: it ends the init.
            self.unpack_error = error

    def _on_invoke(self, flags: int, stream: int, payload: bytes) -> None:
        service = self._service
        if service is None:
            raise FrameError("invoke before ready")
        if stream != self._last_stream + 1:
            raise FrameError(f"invoke on stream {stream} instead of {self._last_stream + 1}")
        if len(self.exchanges) >= self.settings.concurrency:
            raise FrameError(f"more than {self.settings.concurrency} invocations at once")
        self._last_stream = stream
        head = InvocationHead(payload, bool(flags & EVENT))
        service.open(stream, head, bool(flags & END))

    def _on_stream(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        exchange = self.exchanges.get(stream)
        if exchange is None:
            if stream > self._last_stream:
                raise FrameError(f"frame on stream {stream}, which never was")
            return
        if kind == frames.BODY:
            exchange.take_body(payload, bool(flags & END))
        elif kind == frames.CREDIT:
            exchange.take_credit(frames.unpack_u32(payload)[0])
        elif kind == frames.CANCEL:
            exchange.take_cancel()

    def _on_shutdown(self, grace_ms: int) -> None:
        if self.state != "ready" or grace_ms == 0:
            os._exit(0)
        if self._is_stopping:
            return

        def end_after_grace() -> None:
            time.sleep(grace_ms / 1000)
            os._exit(0)

        start_new_thread(end_after_grace, ())
        self._is_stopping = True
        self.stop_if_idle()


def _breach(reason: str) -> NoReturn:
    os.write(2, f"isola: breach of the protocol by the host: {reason}\n".encode())
    os._exit(BREACH_EXIT_CODE)
