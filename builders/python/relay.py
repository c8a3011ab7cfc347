"""pip speaks to a proxy by host and port; ours is behind a unix socket."""

from __future__ import annotations

import contextlib
import socket
import threading

_PIECE_BYTES = 65_536


class Relay:
    """A context manager that gives the port on 127.0.0.1; bytes go on as they are."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._server = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> int:
        threading.Thread(target=self._accept, daemon=True).start()
        port = self._server.getsockname()[1]
        assert isinstance(port, int)
        return port

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                inner, _ = self._server.accept()
            except OSError:
                return  # closed
            outer = socket.socket(socket.AF_UNIX)
            try:
                outer.connect(self._path)
            except OSError:
                inner.close()
                continue
            for source, sink in ((inner, outer), (outer, inner)):
                threading.Thread(target=_pass_on, args=(source, sink), daemon=True).start()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE_BYTES):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
