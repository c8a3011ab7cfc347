"""Turns exceptions into the payload of ERROR and into log text."""

from __future__ import annotations

import json
import traceback
from types import TracebackType

from . import frames

_OURS = __file__.rpartition("/")[0] + "/"
_IMPORT_MACHINERY = ("<frozen importlib", "<frozen runpy")
_MESSAGE_CHARS_MAX = 8192
_STACK_CHARS_MAX = 32_768


class Failure:
    """Why an invocation or the init has failed, in the words of ERROR."""

    __slots__ = ("code", "kind", "message", "stack")

    def __init__(self, code: str, kind: str, message: str, stack: str = "") -> None:
        self.code = code
        self.kind = kind
        self.message = message
        self.stack = stack

    def frame(self, stream: int) -> bytes:
        message = self.message[:_MESSAGE_CHARS_MAX]
        stack = self.stack[:_STACK_CHARS_MAX]
        while True:
            value = {
                "code": self.code,
                "type": self.kind[:200],
                "message": message,
                "stack": stack,
            }
            payload = json.dumps(value).encode()
            if len(payload) <= frames.PAYLOAD_BYTES_MAX:
                return frames.frame(frames.ERROR, 0, stream, payload)
            # Escapes made it longer than the frame; both halves shrink until it fits.
            stack = stack[: len(stack) // 2]
            message = message[: max(len(message) // 2, 1000)]


def failure_of(code: str, error: BaseException) -> Failure:
    return Failure(code, type(error).__name__, message_of(error), stack_of(error))


def message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # The function's own __str__ failed; that must not hide the error itself.
        return f"<{type(error).__name__} without a printable message>"


def stack_of(error: BaseException) -> str:
    """The traceback as Python prints it, from the first frame that is the function's."""
    try:
        shown = traceback.TracebackException(type(error), error, _user_part(error.__traceback__))
        return "".join(shown.format()).rstrip("\n")
    except Exception:
        # Formatting runs code of the function's exception classes; the error is told without it.
        return f"{type(error).__name__}: {message_of(error)}"


def _user_part(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and _is_machinery(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    return trace


def _is_machinery(filename: str) -> bool:
    return filename.startswith((_OURS, *_IMPORT_MACHINERY)) or filename.endswith(
        "/importlib/__init__.py"
    )
