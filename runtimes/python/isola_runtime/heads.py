"""Text forms of the invocation head and the response head."""

from __future__ import annotations

from .frames import PAYLOAD_BYTES_MAX, FrameError, unpack_u32_f64

_CONTROL = bytes(range(9)) + bytes(range(10, 32)) + b"\x7f"
_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


class BadResponse(Exception):
    """What the function answered cannot be sent; the message says why."""


class InvocationHead:
    """One request as received; header names are in lower case."""

    __slots__ = (
        "deadline_ms",
        "header_lines",
        "http_version",
        "id",
        "is_event",
        "method",
        "path_parameters",
        "prefix",
        "route_key",
        "scheme",
        "source_address",
        "target",
        "timeout_ms",
    )

    def __init__(self, payload: bytes, is_event: bool) -> None:
        self.timeout_ms, self.deadline_ms = unpack_u32_f64(payload)
        text = payload[12:].decode("latin-1")
        if "\r" in text or "\0" in text:
            raise FrameError("an invocation head holds CR or NUL")
        lines = text.split("\n")
        if len(lines) < 9:
            raise FrameError(f"an invocation head has {len(lines)} lines instead of 9")
        if len(lines) % 2 == 0:
            raise FrameError("an invocation head has a header name without a value")
        self.is_event = is_event
        (
            self.id,
            self.method,
            self.target,
            self.prefix,
            self.source_address,
            self.http_version,
            self.scheme,
            self.route_key,
            self.path_parameters,
        ) = lines[:9]
        # name, value, name, value ...
        self.header_lines = lines[9:]

    def headers(self) -> list[tuple[str, str]]:
        lines = self.header_lines
        return list(zip(lines[::2], lines[1::2]))

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        for at in range(0, len(self.header_lines), 2):
            if self.header_lines[at] == name:
                return self.header_lines[at + 1]
        return None


def response_head(status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Checks and encodes. Raises BadResponse for what HTTP does not allow."""
    if not 200 <= status <= 599:
        raise BadResponse(f"status must be from 200 to 599, not {status}")
    lines = [b"%d" % status]
    for name, value in headers:
        if not name or name.translate(None, _TOKEN):
            raise BadResponse(f"header name {_shown(name)} holds what HTTP does not allow")
        if len(value.translate(None, _CONTROL)) != len(value):
            raise BadResponse(f"value of header {_shown(name)} holds a control character")
        lines.append(name.lower())
        lines.append(value.strip(b" \t"))
    head = b"\n".join(lines)
    if len(head) > PAYLOAD_BYTES_MAX:
        raise BadResponse(f"response headers of {len(head)} bytes exceed {PAYLOAD_BYTES_MAX}")
    return head


def header_bytes(name: str, value: str) -> tuple[bytes, bytes]:
    """Raises BadResponse for characters that headers cannot carry."""
    try:
        return name.encode("ascii"), value.encode("latin-1")
    except UnicodeEncodeError:
        raise BadResponse(f"header {name[:100]!r} holds characters beyond ISO-8859-1") from None


def _shown(name: bytes) -> str:
    return repr(name[:100].decode("latin-1"))
