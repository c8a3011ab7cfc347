"""Joins connections of the host's socket with the debugger's port; started by debugger.py.
Arguments: the socket's path, the port."""

from __future__ import annotations

import socket
import sys
from contextlib import suppress
from threading import Thread

_PIECE_BYTES = 65_536


def main() -> None:
    """One connection always waits; the host's first byte, which means nothing else, takes it into
    use. Ends with the host's socket."""
    place, port = sys.argv[1], int(sys.argv[2])
    while True:
        host = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        host.connect(place)
        if not host.recv(1):
            return
        Thread(target=_join, args=(host, port)).start()


def _join(host: socket.socket, port: int) -> None:
    try:
        inner = socket.create_connection(("127.0.0.1", port))
    except OSError:
        host.close()
        return
    back = Thread(target=_pump, args=(inner, host))
    back.start()
    _pump(host, inner)
    back.join()
    host.close()
    inner.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # one of the two has gone, which ends both
        while data := source.recv(_PIECE_BYTES):
            target.sendall(data)
    for end in (source, target):
        with suppress(OSError):  # it has ended already
            end.shutdown(socket.SHUT_RDWR)


if __name__ == "__main__":
    with suppress(OSError):  # the host takes no more connections
        main()
