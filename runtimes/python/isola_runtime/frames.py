"""The codec of protocol/README.md. Imported before HELLO: keep it free of slow imports."""

from __future__ import annotations

from struct import Struct

PROTOCOL_VERSION = 1
HEADER_BYTES = 12
PAYLOAD_BYTES_MAX = 65_536
WINDOW_BYTES = 262_144
CREDIT_BYTES_MAX = 2**31 - 1
# Log text carried by one frame; a longer line goes in PARTIAL pieces.
LOG_TEXT_BYTES_MAX = 65_000

HELLO = 0x01
INIT = 0x02
CODE = 0x03
READY = 0x04
INVOKE = 0x10
BODY = 0x11
HEAD = 0x12
ERROR = 0x13
CANCEL = 0x14
CREDIT = 0x15
LOG = 0x20
PING = 0x21
PONG = 0x22
SHUTDOWN = 0x23

END = 0x01
EVENT = 0x02
STDERR = 0x01
PARTIAL = 0x02
TRUNCATED = 0x04
LOG_LEVELS = ("none", "trace", "debug", "info", "warn", "error", "fatal")

_FROM_HOST = 1
_FROM_SANDBOX = 2
_ON_CONNECTION = 1
_ON_STREAM = 2

# type: who sends it, on which streams, which flag bits, payload bytes at least and at most
_RULES = {
    HELLO: (_FROM_SANDBOX, _ON_CONNECTION, 0, 2, PAYLOAD_BYTES_MAX),
    INIT: (_FROM_HOST, _ON_CONNECTION, 0, 2, PAYLOAD_BYTES_MAX),
    CODE: (_FROM_HOST, _ON_CONNECTION, END, 0, PAYLOAD_BYTES_MAX),
    READY: (_FROM_SANDBOX, _ON_CONNECTION, 0, 2, PAYLOAD_BYTES_MAX),
    INVOKE: (_FROM_HOST, _ON_STREAM, END | EVENT, 12, PAYLOAD_BYTES_MAX),
    BODY: (_FROM_HOST | _FROM_SANDBOX, _ON_STREAM, END, 0, PAYLOAD_BYTES_MAX),
    HEAD: (_FROM_SANDBOX, _ON_STREAM, END, 3, PAYLOAD_BYTES_MAX),
    ERROR: (_FROM_SANDBOX, _ON_CONNECTION | _ON_STREAM, 0, 2, PAYLOAD_BYTES_MAX),
    CANCEL: (_FROM_HOST, _ON_STREAM, 0, 0, PAYLOAD_BYTES_MAX),
    CREDIT: (_FROM_HOST | _FROM_SANDBOX, _ON_STREAM, 0, 4, 4),
    LOG: (_FROM_SANDBOX, _ON_CONNECTION | _ON_STREAM, 0x77, 8, PAYLOAD_BYTES_MAX),
    PING: (_FROM_HOST, _ON_CONNECTION, 0, 8, 8),
    PONG: (_FROM_SANDBOX, _ON_CONNECTION, 0, 32, 32),
    SHUTDOWN: (_FROM_HOST, _ON_CONNECTION, 0, 4, 4),
}

_header = Struct("<IBBHI")
_u32 = Struct("<I")
_f64 = Struct("<d")
_u32_f64 = Struct("<Id")
_pong = Struct("<8sddd")

unpack_u32 = _u32.unpack_from
unpack_f64 = _f64.unpack_from
unpack_u32_f64 = _u32_f64.unpack_from
unpack_pong = _pong.unpack_from


class FrameError(Exception):
    """A breach of the protocol: the connection ends with this reason."""


def _check_header(sender: int, header: tuple[int, int, int, int, int]) -> None:
    length, kind, flags, reserved, stream = header
    rule = _RULES.get(kind)
    if rule is None:
        raise FrameError(f"unknown frame type 0x{kind:02x}")
    senders, places, known_flags, least, most = rule
    if not senders & sender:
        raise FrameError(f"frame type 0x{kind:02x} is not for this direction")
    if length > PAYLOAD_BYTES_MAX:
        raise FrameError(f"frame of {length} bytes exceeds {PAYLOAD_BYTES_MAX}")
    if length < least or length > most:
        needed = least if length < least else most
        raise FrameError(f"frame type 0x{kind:02x} needs {needed} bytes, has {length}")
    if flags & ~known_flags:
        raise FrameError(f"frame type 0x{kind:02x} has unknown flags {flags}")
    if kind == LOG and flags >> 4 >= len(LOG_LEVELS):
        raise FrameError(f"unknown log level {flags >> 4}")
    if reserved:
        raise FrameError("reserved bits are not zero")
    if not places & (_ON_STREAM if stream else _ON_CONNECTION):
        raise FrameError(f"frame type 0x{kind:02x} is not allowed on stream {stream}")


class FrameReader:
    """Cuts a byte stream into frames. `side` is the reader's own: "sandbox" or "host"."""

    def __init__(self, side: str) -> None:
        self._sender = _FROM_HOST if side == "sandbox" else _FROM_SANDBOX
        self._rest = b""
        self._is_failed = False

    @property
    def pending_bytes(self) -> int:
        """Bytes of an unfinished frame; at the end of the stream more than 0: it was cut."""
        return len(self._rest)

    def push(self, chunk: bytes) -> list[tuple[int, int, int, bytes]]:
        """Takes the next bytes; returns `(type, flags, stream, payload)` of each whole frame.
        Raises FrameError on a breach, and then reads nothing any more."""
        if self._is_failed:
            return []
        data = self._rest + chunk if self._rest else chunk
        size = len(data)
        at = 0
        found: list[tuple[int, int, int, bytes]] = []
        while size - at >= HEADER_BYTES:
            header = _header.unpack_from(data, at)
            try:
                _check_header(self._sender, header)
            except FrameError:
                self._is_failed = True
                self._rest = b""
                raise
            start = at + HEADER_BYTES
            end = start + header[0]
            if end > size:
                break
            found.append((header[1], header[2], header[4], data[start:end]))
            at = end
        self._rest = data[at:]
        return found


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame; `payload` at most PAYLOAD_BYTES_MAX bytes, or FrameError."""
    length = len(payload)
    if length > PAYLOAD_BYTES_MAX:
        raise FrameError(f"frame of {length} bytes exceeds {PAYLOAD_BYTES_MAX}")
    return _header.pack(length, kind, flags, 0, stream) + payload


def credit(stream: int, bytes_more: int) -> bytes:
    return _header.pack(4, CREDIT, 0, 0, stream) + _u32.pack(bytes_more)


def invoke(flags: int, stream: int, timing: tuple[int, float], text: str) -> bytes:
    """`timing` is timeoutMs and deadlineMs."""
    return frame(INVOKE, flags, stream, _u32_f64.pack(*timing) + text.encode("latin-1"))


def log(flags: int, stream: int, at_ms: float, text: bytes) -> bytes:
    return frame(LOG, flags, stream, _f64.pack(at_ms) + text)


def pong(opaque: bytes, cpu_micros: float, resident_bytes: float, running: float) -> bytes:
    return frame(PONG, 0, 0, _pong.pack(opaque, cpu_micros, resident_bytes, running))


def shutdown(grace_ms: int) -> bytes:
    return frame(SHUTDOWN, 0, 0, _u32.pack(grace_ms))


def body(flags: int, stream: int, data: bytes) -> bytes:
    """A body of any size, cut into frames; `flags` go on the last."""
    if len(data) <= PAYLOAD_BYTES_MAX:
        return _header.pack(len(data), BODY, flags, 0, stream) + data
    pieces = []
    last = (len(data) - 1) // PAYLOAD_BYTES_MAX * PAYLOAD_BYTES_MAX
    for at in range(0, last + 1, PAYLOAD_BYTES_MAX):
        piece = data[at : at + PAYLOAD_BYTES_MAX]
        pieces.append(_header.pack(len(piece), BODY, flags if at == last else 0, 0, stream))
        pieces.append(piece)
    return b"".join(pieces)
