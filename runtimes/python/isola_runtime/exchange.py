"""One invocation as the runtime holds it: its head, its windows, its end."""

from __future__ import annotations

import time

from . import frames
from .failure import Failure
from .frames import CREDIT_BYTES_MAX, WINDOW_BYTES, FrameError
from .heads import InvocationHead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .session import Session

CANCELLED = Failure("cancelled", "Cancelled", "the invocation was cancelled")
_CREDIT_STEP_BYTES = WINDOW_BYTES // 4


class Exchange:
    """Life: open -> done, by `finish` or `fail`, whichever comes first; after that nothing is sent.

    `take_*` run on the thread that reads, everything else on the one that serves (subclasses say
    which). Each counter has one writing thread, so that none needs a lock.
    """

    def __init__(self, session: Session, number: int, head: InvocationHead) -> None:
        self.session = session
        self.number = number
        self.head = head
        # Asynchronous kinds put the loop's own here, which sends once per turn.
        self.send: Callable[[bytes], None] = session.connection.post
        self.deadline = time.monotonic() + head.timeout_ms / 1000
        self.is_request_ended = False
        self.is_cancelled = False
        self.is_done = False
        self._received_bytes = 0
        self._granted_bytes = 0
        self._owed_bytes = 0
        self._sent_bytes = 0
        self._credit_bytes = 0

    def take_body(self, data: bytes, is_end: bool) -> None:
        if self.is_request_ended:
            raise FrameError(f"request body goes on after its end on stream {self.number}")
        self._received_bytes += len(data)
        over = self._received_bytes - WINDOW_BYTES - self._granted_bytes
        if over > 0:
            raise FrameError(f"stream {self.number} was sent {over} bytes beyond its window")
        self.is_request_ended = is_end
        self.on_body(data, is_end)

    def take_credit(self, amount: int) -> None:
        if WINDOW_BYTES + self._credit_bytes + amount - self._sent_bytes > CREDIT_BYTES_MAX:
            raise FrameError(f"credit overflows the window of stream {self.number}")
        self._credit_bytes += amount
        self.on_credit()

    def take_cancel(self) -> None:
        if self.is_cancelled:
            return
        self.is_cancelled = True
        self.on_cancel()

    def on_body(self, data: bytes, is_end: bool) -> None:
        raise NotImplementedError

    def on_credit(self) -> None:
        raise NotImplementedError

    def on_cancel(self) -> None:
        raise NotImplementedError

    @property
    def window_bytes(self) -> int:
        """Response bytes that may be sent now."""
        return WINDOW_BYTES + self._credit_bytes - self._sent_bytes

    def count_sent(self, amount: int) -> None:
        self._sent_bytes += amount

    def consumed(self, amount: int) -> None:
        """Request bytes have found their place; gives their room back to the host, in steps."""
        self._owed_bytes += amount
        if self._owed_bytes < _CREDIT_STEP_BYTES or self.is_request_ended or self.is_done:
            return
        owed = self._owed_bytes
        self._owed_bytes = 0
        # Before the frame goes out: what the host sends on the strength of it is within the window.
        self._granted_bytes += owed
        self.send(frames.credit(self.number, owed))

    def finish(self, last: bytes) -> None:
        """Sends the frames that end the stream. A host that has them may use the slot at once."""
        if self.is_done:
            return
        self.is_done = True
        session = self.session
        session.release(self.number)
        # With no other call open there is nothing to share a send with, and no turn to wait for.
        send = self.send if session.exchanges else session.connection.post
        send(last)
        session.stop_if_idle()

    def fail(self, failure: Failure) -> None:
        if self.is_done:
            return
        self.finish(failure.frame(self.number))
