"""Walks the way of a claim and of a first call before the gate, in a child that ends then. This
process stays as it is; what the kernel has read and made ready for the child is there for it."""

from __future__ import annotations

import os
import select
import time

from . import frames
from .connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

# A machine on a busy host that is emulated needs long.
_SECONDS_MAX = 30
_ANSWER_BYTES_MAX = 65_536
_NAME = "index.py"
_CODE = b'def handler(event, context):\n    return {"statusCode": 200, "body": ""}\n'
_SETTINGS = (
    '{"sandbox":"","project":"","function":"","revision":1,"handler":"index.handler",'
    '"concurrency":1,"memoryMiB":1,"timeoutMs":1000,"initTimeoutMs":1000,"env":{},'
    '"requestBodyBytesMax":9,"responseBodyBytesMax":99,"logLineBytesMax":9,"taskRoot":"%s"}'
)
_HEAD = "\n".join(
    (
        *("id", "GET", "/a?b=c", "", "127.0.0.1", "HTTP/1.1", "http", "$default", "d=e"),
        *("host", "localhost", "accept", "*/*"),
    )
)


def rehearse(serve: Callable[[Connection], None]) -> None:
    """`serve`: what a process does with its control stream. Where it cannot be done (no folder to
    write to, no more processes) it is left out: warm or not, the sandbox works."""
    folder = f"/tmp/isola-rehearsal-{os.getpid()}"
    try:
        os.mkdir(folder, 0o700)
    except OSError:
        return
    try:
        _with_child(serve, folder)
    except (OSError, EOFError, frames.FrameError):
        pass
    finally:
        os.chmod(folder, 0o700)
        if os.path.exists(f"{folder}/{_NAME}"):
            os.unlink(f"{folder}/{_NAME}")
        os.rmdir(folder)


def _with_child(serve: Callable[[Connection], None], folder: str) -> None:
    there, asked = os.pipe()
    answered, here = os.pipe()
    ends = (there, asked, answered, here)
    try:
        pid = os.fork()
    except OSError:
        for fd in ends:
            os.close(fd)
        raise
    if pid == 0:
        os.close(asked)
        os.close(answered)
        try:
            serve(Connection(there, here))
        finally:
            os._exit(0)
    os.close(there)
    os.close(here)
    try:
        _play_host(asked, answered, folder)
    finally:
        os.close(asked)
        os.close(answered)
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def _play_host(asked: int, answered: int, folder: str) -> None:
    until = time.monotonic() + _SECONDS_MAX
    os.write(asked, frames.frame(frames.INIT, 0, 0, (_SETTINGS % folder).encode()))
    os.write(asked, frames.frame(frames.CODE, frames.END, 0, archive_of(_NAME, _CODE)))
    _await(answered, frames.READY, 0, until)
    os.write(asked, frames.invoke(frames.END, 1, (1000, 0.0), _HEAD))
    _await(answered, frames.HEAD, 1, until)


def _await(fd: int, kind: int, stream: int, until: float) -> None:
    """Reads until a frame of the kind has come; EOFError where none does."""
    reader = frames.FrameReader("host")
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    while poll.poll(max(0.0, until - time.monotonic()) * 1000):
        data = os.read(fd, _ANSWER_BYTES_MAX)
        if not data:
            break
        for found, _, on, _ in reader.push(data):
            if found == frames.ERROR:
                raise EOFError
            if (found, on) == (kind, stream):
                return
    raise EOFError


def archive_of(name: str, content: bytes) -> bytes:
    """A ustar archive of one file."""
    header = bytearray(512)
    header[: len(name)] = name.encode()
    header[100:108] = b"0000444\0"
    header[124:136] = b"%011o\0" % len(content)
    header[148:156] = b" " * 8
    header[156:157] = b"0"
    header[257:265] = b"ustar\x0000"
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + content + bytes(-len(content) % 512) + bytes(1024)
