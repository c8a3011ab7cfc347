"""The control stream as a descriptor. Imported before HELLO: keep it free of slow imports."""

from __future__ import annotations

import os
from _thread import allocate_lock, get_ident

# Below the size at which malloc maps and unmaps pages for every read.
_READ_BYTES = 65_536
# Sends that may be left to another thread.
_POSTED_MAX = 64


def open_control(place: str) -> tuple[int, int]:
    """Opens what `ISOLA_CONTROL` names: `fd:N`, `stdio`, `unix:/path` or `file:/dev/...`. Returns
    the descriptor to read and the one to write. ValueError or OSError says why not."""
    if place == "stdio":
        return _take_stdio()
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
        raise ValueError(f"expected fd:N, stdio, unix:/path or file:/path, not {place!r}")
    os.set_blocking(fd, True)
    return fd, fd


def _take_stdio() -> tuple[int, int]:
    """The pipes on 0 and 1 go on under other numbers, closed in child processes; 0 becomes
    /dev/null and 1 what 2 is."""
    pipes = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    for fd in pipes:
        os.set_blocking(fd, True)
    return pipes


class Connection:
    """Reads for one thread, sends for any. A send blocks while the host does not read, and never
    splits another's frames."""

    def __init__(self, fd: int, out: int) -> None:
        # Where to read, and where to write: mostly the same.
        self.fd = fd
        self._out = out
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
            sent = os.write(self._out, data)
            while sent < len(data):
                sent += os.write(self._out, memoryview(data)[sent:])
        except OSError:
            # The host closed its end; the reading thread ends the process.
            return

    def detach(self) -> None:
        """For a forked child: closes its copies of the descriptors."""
        self._lock = allocate_lock()
        self._sender = 0
        self._waiting = []
        for fd in {self.fd, self._out}:
            os.close(fd)
        self.fd = self._out = -1
