"""The payload of INIT."""

from __future__ import annotations

import json

from .frames import FrameError

_TYPES: dict[str, type] = {
    "sandbox": str,
    "project": str,
    "function": str,
    "revision": int,
    "handler": str,
    "concurrency": int,
    "memoryMiB": int,
    "timeoutMs": int,
    "initTimeoutMs": int,
    "env": dict,
    "taskRoot": str,
    "requestBodyBytesMax": int,
    "responseBodyBytesMax": int,
    "logLineBytesMax": int,
}


class DebugSettings:
    """How the debugger's bytes leave the sandbox."""

    def __init__(self, value: object) -> None:
        sockets = value.get("sockets") if isinstance(value, dict) else None
        is_awaited = value.get("isAwaited") if isinstance(value, dict) else None
        if (
            not isinstance(sockets, list)
            or not all(isinstance(path, str) for path in sockets)
            or not isinstance(is_awaited, bool)
        ):
            raise FrameError("init: debug must have sockets and isAwaited")
        self.sockets: list[str] = sockets
        self.is_awaited = is_awaited


class InitSettings:
    """What a sandbox is claimed for. Names and units are those of the protocol."""

    def __init__(self, values: dict[str, object]) -> None:
        self.sandbox = str(values["sandbox"])
        self.project = str(values["project"])
        self.function = str(values["function"])
        self.revision = _int(values["revision"])
        self.handler = str(values["handler"])
        self.concurrency = _int(values["concurrency"])
        self.memory_mib = _int(values["memoryMiB"])
        self.env = _env(values["env"])
        self.task_root = str(values["taskRoot"])
        self.request_body_bytes_max = _int(values["requestBodyBytesMax"])
        self.response_body_bytes_max = _int(values["responseBodyBytesMax"])
        self.log_line_bytes_max = _int(values["logLineBytesMax"])
        debug = values.get("debug")
        self.debug = None if debug is None else DebugSettings(debug)
        if self.concurrency < 1:
            raise FrameError(f"init: concurrency must be at least 1, not {self.concurrency}")
        if not self.task_root.startswith("/"):
            raise FrameError(f"init: taskRoot must be absolute, not {self.task_root!r}")


def parse_settings(payload: bytes) -> InitSettings:
    """FrameError names the member that is missing or of another type."""
    try:
        values = json.loads(payload)
    except ValueError:
        raise FrameError("init is not JSON") from None
    if not isinstance(values, dict):
        raise FrameError("init is not a JSON object")
    for name, kind in _TYPES.items():
        value = values.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise FrameError(f"init: {name} must be of type {kind.__name__}")
    return InitSettings(values)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _env(value: object) -> dict[str, str]:
    assert isinstance(value, dict)
    for name, text in value.items():
        if not isinstance(text, str) or not name or "=" in name or "\0" in name + text:
            raise FrameError(f"init: env {name!r} cannot be an environment variable")
    return value
