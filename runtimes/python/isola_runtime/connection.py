"""The control stream as a descriptor. Imported before HELLO: keep it free of slow imports."""

from __future__ import annotations

import os
from _thread import allocate_lock, get_ident

# Below the size at which malloc maps and unmaps pages for every read.
_READ_BYTES = 65_536
# Sends that may be left to another thread.
_POSTED_MAX = 64


def open_control(place: str) -> int:
    """Opens what `ISOLA_CONTROL` names: `fd:N`, `unix:/path` or `file:/dev/...`. ValueError or
    OSError says why not."""
    scheme, _, rest = place.partition(":")
    if scheme == "fd" and rest.isdigit():
        fd = int(rest)
        os.set_inheritable(fd, False)
    elif scheme == "unix" and rest:
        import socket

        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(rest)
        fd = sock.detach()
    elif scheme == "file" and rest:
        fd = os.open(rest, os.O_RDWR | os.O_CLOEXEC | os.O_NOCTTY)
    else:
        raise ValueError(f"expected fd:N, unix:/path or file:/path, not {place!r}")
    os.set_blocking(fd, True)
    return fd


class Connection:
    """Reads for one thread, sends for any. A send blocks while the host does not read, and never
    splits another's frames."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._lock = allocate_lock()
        self._sender = 0
        # Whole frames in the order in which they will go out; only the holder of the lock removes.
        self._waiting: list[bytes] = []

    @property
    def is_detached(self) -> bool:
        """In a forked child, which must not speak on the parent's stream."""
        return self.fd < 0

    def read(self) -> bytes:
        """The next bytes; empty at the end of the stream. A reset is an end too."""
        try:
            return os.read(self.fd, _READ_BYTES)
        except ConnectionError:
            return b""

    def hold(self, data: bytes) -> None:
        """Puts whole frames before whatever is sent next."""
        self._waiting.append(data)

    def send(self, data: bytes = b"") -> None:
        """Sends whole frames, and all that were held, in one write. A host that has gone is no
        error here: reading notices it.

        A thread that is interrupted inside of a send (by a signal handler or destructor that
        prints) leaves its frames to the send it interrupted.
        """
        if data:
            self._waiting.append(data)
        if self._sender == get_ident():
            return
        with self._lock:
            self._drain()
        self._settle()

    def post(self, data: bytes) -> None:
        """As `send`, but leaves the frames to a send that is under way in another thread, if there
        is one: threads that answer at the same time share a write instead of waiting for one each.
        """
        self._waiting.append(data)
        if self._sender != get_ident():
            self._settle()

    def _settle(self) -> None:
        """Whoever has sent looks once more: another may have posted after the last look, and found
        the lock still taken. With too much waiting, waits for the lock as well."""
        waiting = self._waiting
        while waiting and self._lock.acquire(len(waiting) > _POSTED_MAX):
            try:
                self._drain()
            finally:
                self._lock.release()

    def _drain(self) -> None:
        waiting = self._waiting
        self._sender = get_ident()
        try:
            while waiting:
                if len(waiting) == 1:
                    self._write(waiting.pop(0))
                else:
                    self._write(b"".join([waiting.pop(0) for _ in range(len(waiting))]))
        finally:
            self._sender = 0

    def _write(self, data: bytes) -> None:
        try:
            sent = os.write(self.fd, data)
            while sent < len(data):
                sent += os.write(self.fd, memoryview(data)[sent:])
        except OSError:
            # The host closed its end; the reading thread ends the process.
            return

    def detach(self) -> None:
        """For a forked child: closes its copy of the descriptor."""
        self._lock = allocate_lock()
        self._sender = 0
        self._waiting = []
        os.close(self.fd)
        self.fd = -1
