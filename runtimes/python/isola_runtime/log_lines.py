"""Assembles lines of bytes and cuts them into LOG frames."""

from __future__ import annotations

import time

from . import frames
from .frames import LOG_TEXT_BYTES_MAX, PARTIAL, TRUNCATED


class LineAssembler:
    """One line under construction, of one invocation and one file.

    Life: whole -> (PARTIAL pieces sent) -> (dropping: the limit was passed) -> whole, at each line
    feed.
    Holds at most LOG_TEXT_BYTES_MAX bytes between calls.
    """

    __slots__ = ("_data", "_flags", "_is_dropping", "_is_open", "_limit", "_sent", "_stream")

    def __init__(self, stream: int, flags: int, limit: int) -> None:
        self._stream = stream
        self._flags = flags
        self._limit = limit
        self._data = bytearray()
        self._sent = 0
        self._is_open = False
        self._is_dropping = False

    @property
    def is_clean(self) -> bool:
        """Nothing of a line is waiting or half sent."""
        return not (self._data or self._is_open or self._is_dropping)

    def feed(self, data: bytes) -> list[bytes]:
        """Takes what was written; returns the frames that are due."""
        out: list[bytes] = []
        if b"\n" not in data:
            self._add(data, out)
            return out
        lines = data.split(b"\n")
        for line in lines[:-1]:
            self._add(line, out)
            self.end_line(out)
        if lines[-1]:
            self._add(lines[-1], out)
        return out

    def end_line(self, out: list[bytes]) -> None:
        if not self._is_dropping:
            self._emit(bytes(self._data), 0, out)
        self._data.clear()
        self._sent = 0
        self._is_open = self._is_dropping = False

    def send_partial(self, out: list[bytes]) -> None:
        """Sends what is there of an unfinished line."""
        if self._data:
            self._sent += len(self._data)
            self._emit(bytes(self._data), PARTIAL, out)
            self._data.clear()

    def _add(self, piece: bytes, out: list[bytes]) -> None:
        if self._is_dropping:
            return
        room = self._limit - self._sent - len(self._data)
        self._data += piece if len(piece) <= room else piece[: _boundary(piece, room)]
        while len(self._data) > LOG_TEXT_BYTES_MAX:
            cut = _boundary(self._data, LOG_TEXT_BYTES_MAX)
            self._sent += cut
            self._emit(bytes(self._data[:cut]), PARTIAL, out)
            del self._data[:cut]
        if len(piece) > room:
            self._emit(bytes(self._data), TRUNCATED, out)
            self._data.clear()
            self._is_dropping = True

    def _emit(self, text: bytes, mark: int, out: list[bytes]) -> None:
        self._is_open = bool(mark & PARTIAL)
        out.append(frames.log(self._flags | mark, self._stream, time.time() * 1000, text))


def _boundary(data: bytes | bytearray, at: int) -> int:
    """The greatest place up to `at` that does not divide a UTF-8 character."""
    for place in range(at, max(at - 4, 0), -1):
        if place >= len(data) or data[place] & 0xC0 != 0x80:
            return place
    return at
