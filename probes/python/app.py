"""Runs in a sandbox, as a function does: a fixed amount of one kind of work for each call, so that
`isola compare` can tell what a driver makes of it. The amounts stand in `mixSpecs` of
server/src/domain/comparison.ts; the Node.js probe does the same."""

from __future__ import annotations

import hashlib
import mmap
import os
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MIB = 1_048_576
_STATS = 2000
_BLOCK = bytes(_MIB)


def _syscall() -> int:
    return sum(os.stat("/").st_size for _ in range(_STATS))


def _cpu() -> str:
    digest = hashlib.sha256()
    for _ in range(4):
        digest.update(_BLOCK)
    return digest.hexdigest()


def _memory() -> int:
    # Straight from the kernel, and back to it.
    with mmap.mmap(-1, 32 * _MIB) as pages:
        for at in range(0, len(pages), mmap.PAGESIZE):
            pages[at] = 1
        return len(pages)


def _io() -> int:
    path = os.path.join(tempfile.gettempdir(), "probe")
    with open(path, "wb") as file:
        file.write(_BLOCK)
    with open(path, "rb") as file:
        size = len(file.read())
    os.remove(path)
    return size


_MIXES: dict[str, Callable[[], int | str]] = {
    "syscall": _syscall,
    "cpu": _cpu,
    "memory": _memory,
    "io": _io,
}


def handler(event: dict[str, str], context: object) -> dict[str, int | str]:
    return {"mix": event["mix"], "done": _MIXES[event["mix"]]()}
