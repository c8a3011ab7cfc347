"""The sending half of the control stream by itself."""

from __future__ import annotations

import socket
import unittest
from threading import Lock, Thread

from harness import HANG_GUARD_S
from isola_runtime.connection import Connection

LARGE = b"a" * 4_000_000


class LockWithHook:
    """Calls `hook` once, right before it is released for the first time."""

    def __init__(self, hook: Thread) -> None:
        self._lock = Lock()
        self._hook: Thread | None = hook

    def acquire(self, blocking: bool = True) -> bool:
        return self._lock.acquire(blocking)

    def release(self) -> None:
        hook, self._hook = self._hook, None
        if hook is not None:
            hook.start()
            hook.join(HANG_GUARD_S)
        self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class Sending(unittest.TestCase):
    def setUp(self) -> None:
        self.host, self.own = socket.socketpair()
        self.addCleanup(self.host.close)
        self.addCleanup(self.own.close)
        self.host.settimeout(HANG_GUARD_S)
        self.connection = Connection(self.own.fileno(), self.own.fileno())

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self.host.recv(1 << 20)
        return data

    def post_some(self) -> None:
        for _ in range(66):
            self.connection.post(b"b")

    def test_a_post_leaves_its_frames_to_a_send_under_way(self) -> None:
        sending = Thread(target=self.connection.send, args=(LARGE,), daemon=True)
        sending.start()
        first = self.host.recv(1)
        posting = Thread(target=self.connection.post, args=(b"b",), daemon=True)
        posting.start()
        posting.join(HANG_GUARD_S / 6)
        self.assertTrue(sending.is_alive())
        self.assertFalse(posting.is_alive())
        self.assertEqual(first + self.receive(len(LARGE)), LARGE + b"b")
        sending.join(HANG_GUARD_S)

    def test_posts_wait_once_too_many_do(self) -> None:
        sending = Thread(target=self.connection.send, args=(LARGE,), daemon=True)
        sending.start()
        received = self.host.recv(1)
        posting = Thread(target=self.post_some, daemon=True)
        posting.start()
        # One without a limit would have come to its end.
        posting.join(HANG_GUARD_S / 60)
        self.assertTrue(posting.is_alive())
        received += self.receive(len(LARGE) + 65)
        posting.join(HANG_GUARD_S)
        self.assertEqual(len(received), len(LARGE) + 66)

    def test_what_is_posted_after_the_last_look_of_a_send_goes_out(self) -> None:
        for first in (self.connection.send, self.connection.post):
            hook = Thread(target=self.connection.post, args=(b"b",))
            self.connection._lock = LockWithHook(hook)  # type: ignore[assignment]
            first(b"a")
            self.assertEqual(self.receive(2), b"ab")


if __name__ == "__main__":
    unittest.main()
