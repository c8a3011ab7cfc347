"""The host's side of the protocol, for tests: spawns the real runtime and speaks frames with it."""

from __future__ import annotations

import atexit
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple, Union

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from isola_runtime import frames as frames  # noqa: E402 -- after the path is set

# A guard against hanging, far above what anything here takes.
HANG_GUARD_S = 30
_folder = tempfile.mkdtemp(prefix="isola-python-test-")
atexit.register(lambda: remove_tree(_folder))

Files = dict[str, Union[str, bytes]]


def remove_tree(folder: str) -> None:
    for parent, _, _ in os.walk(folder):
        os.chmod(parent, 0o755)
    shutil.rmtree(folder)


class Frame(NamedTuple):
    type: int
    flags: int
    stream: int
    payload: bytes


class Log(NamedTuple):
    stream: int
    text: str
    level: str
    is_stderr: bool
    is_partial: bool
    is_truncated: bool


class Answer:
    """What came back on one stream."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self.error: dict[str, str] | None = None

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return dict(self.headers).get(name)


def code_archive(files: Files) -> bytes:
    """A tar as the platform makes it: sorted, folders included, path records for long names."""
    entries: dict[str, bytes | None] = {}
    for name, data in files.items():
        for end in (at for at, char in enumerate(name) if char == "/"):
            entries[name[:end]] = None
        entries[name] = data.encode() if isinstance(data, str) else data
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(entries):
            info = tarfile.TarInfo(name)
            content = entries[name]
            if content is None:
                info.type = tarfile.DIRTYPE
                info.mode = 0o755
                archive.addfile(info)
            else:
                info.size = len(content)
                info.mode = 0o755 if name.endswith(".sh") else 0o644
                archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


class Host:
    """Life: spawned -> `hello` -> `init` -> `invoke` ... -> `close`. Use as a context manager."""

    def __init__(
        self, python: str = sys.executable, has_gate: bool = False, is_gated: bool = False
    ) -> None:
        ours, theirs = socket.socketpair()
        self.gate, gate = socket.socketpair()
        self.gate.settimeout(HANG_GUARD_S)
        gates = {"ISOLA_GATE": f"fd:{gate.fileno()}"} if has_gate else {}
        if is_gated:
            # By the control stream itself.
            gates = {"ISOLA_GATE": f"fd:{theirs.fileno()}"}
        with theirs, gate:
            cache = f"pycache_prefix={_folder}/pycache"
            flags = ["-I", "-S", "-u", "-X", "utf8", "-X", cache]
            self.process = subprocess.Popen(
                [python, *flags, str(ROOT / "main.py")],
                env={
                    "ISOLA_CONTROL": f"fd:{theirs.fileno()}",
                    "PATH": os.environ["PATH"],
                    **gates,
                },
                pass_fds=[theirs.fileno(), *([gate.fileno()] if has_gate else [])],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
            )
        ours.settimeout(HANG_GUARD_S)
        self.socket = ours
        self.reader = frames.FrameReader("host")
        self.frames: list[Frame] = []
        self.logs: list[Log] = []
        self.answers: dict[int, Answer] = {}
        self.grants_credit = True
        self.last_stream = 0
        self.task_root = tempfile.mkdtemp(dir=_folder)

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.gate.close()
        self.socket.close()
        self.process.kill()
        self.process.communicate()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def next(self) -> Frame:
        """The next frame; EOFError at the end of the stream."""
        while not self.frames:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError("the runtime closed its stream")
            self.frames += [Frame(*found) for found in self.reader.push(data)]
        frame = self.frames.pop(0)
        self._account(frame)
        return frame

    def until(self, kind: int, stream: int | None = None) -> Frame:
        while True:
            frame = self.next()
            if frame.type == kind and stream in (None, frame.stream):
                return frame

    def log(self, text: str) -> Log:
        """The next log line that holds `text`, waiting for it."""
        while True:
            for log in self.logs:
                if text in log.text:
                    return log
            self.next()

    def hello(self) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.until(frames.HELLO).payload)
        return result

    def init(self, files: Files, **settings: Any) -> Frame:
        """Claims the sandbox; returns the READY or ERROR frame."""
        self.send_init(settings)
        archive = code_archive(files)
        for at in range(0, len(archive), frames.PAYLOAD_BYTES_MAX):
            piece = archive[at : at + frames.PAYLOAD_BYTES_MAX]
            self.send(frames.frame(frames.CODE, 0, 0, piece))
        self.send(frames.frame(frames.CODE, frames.END, 0))
        while True:
            frame = self.next()
            if frame.type == frames.READY or (frame.type == frames.ERROR and frame.stream == 0):
                return frame

    def send_init(self, settings: dict[str, Any]) -> None:
        values = {
            "sandbox": "sb-1-1",
            "project": "default",
            "function": "hello",
            "revision": 3,
            "handler": "app.handler",
            "concurrency": 1,
            "memoryMiB": 256,
            "timeoutMs": 30000,
            "initTimeoutMs": 10000,
            "env": {},
            "taskRoot": self.task_root,
            "requestBodyBytesMax": 6291456,
            "responseBodyBytesMax": 6291456,
            "logLineBytesMax": 262144,
            **settings,
        }
        self.send(frames.frame(frames.INIT, 0, 0, json.dumps(values).encode()))

    def invoke(self, target: str = "/", body: bytes | None = None, **head: Any) -> int:
        """Sends an invocation with a body that fits the window, if any; returns its number."""
        stream = self.open(target, body is None, **head)
        if body is not None:
            self.send(frames.body(frames.END, stream, body))
        return stream

    def open(self, target: str = "/", is_complete: bool = False, **head: Any) -> int:
        self.last_stream += 1
        stream = self.last_stream
        self.answers[stream] = Answer()
        is_event = head.get("is_event", False)
        fixed = [head.get("id", f"inv-{stream}")]
        if is_event:
            fixed += [""] * 8
        else:
            fixed += [
                head.get("method", "GET"),
                target,
                head.get("prefix", ""),
                "192.0.2.7",
                "HTTP/1.1",
                head.get("scheme", "http"),
                head.get("route_key", "$default"),
                head.get("path_parameters", ""),
            ]
        for name, value in head.get("headers", []):
            fixed += [name, value]
        flags = (frames.END if is_complete else 0) | (frames.EVENT if is_event else 0)
        timing = (head.get("timeout_ms", 30000), time.time() * 1000 + 30000)
        invoke = frames.invoke(flags, stream, timing, "\n".join(fixed))
        self.send(invoke + head.get("sent_with", b""))
        return stream

    def answer(self, stream: int) -> Answer:
        """Reads until the stream is done."""
        while not self._is_done(stream):
            self.next()
        return self.answers[stream]

    def call(self, target: str = "/", body: bytes | None = None, **head: Any) -> Answer:
        return self.answer(self.invoke(target, body, **head))

    def event(self, value: Any) -> Answer:
        return self.call("", json.dumps(value).encode(), is_event=True)

    def cancel(self, stream: int) -> None:
        self.send(frames.frame(frames.CANCEL, 0, stream, b"the caller has gone"))

    def ping(self) -> tuple[bytes, float, float, float]:
        self.send(frames.frame(frames.PING, 0, 0, b"12345678"))
        payload = self.until(frames.PONG).payload
        opaque, cpu, memory, running = frames.unpack_pong(payload)
        return opaque, cpu, memory, running

    def exit_code(self) -> int:
        """Waits for the end of the process."""
        return self.process.wait(HANG_GUARD_S)

    def end(self) -> tuple[int, str]:
        """Reads to the end of the stream; exit code and what was written to descriptor 2."""
        try:
            while True:
                self.next()
        except EOFError:
            pass
        _, errors = self.process.communicate(timeout=HANG_GUARD_S)
        return self.process.returncode, errors.decode()

    def _is_done(self, stream: int) -> bool:
        return getattr(self.answers[stream], "done", False)

    def _account(self, frame: Frame) -> None:
        kind, flags, stream, payload = frame
        if kind == frames.LOG:
            (at,) = frames.unpack_f64(payload)
            assert abs(at - time.time() * 1000) < 60_000
            self.logs.append(
                Log(
                    stream,
                    payload[8:].decode(),
                    frames.LOG_LEVELS[flags >> 4],
                    bool(flags & frames.STDERR),
                    bool(flags & frames.PARTIAL),
                    bool(flags & frames.TRUNCATED),
                )
            )
            return
        answer = self.answers.get(stream)
        if answer is None or kind == frames.CREDIT:
            return
        assert not self._is_done(stream), f"frame {kind} on stream {stream} after its end"
        if kind == frames.HEAD:
            status, *lines = payload.decode("latin-1").split("\n")
            answer.status = int(status)
            answer.headers = list(zip(lines[::2], lines[1::2]))
        elif kind == frames.BODY:
            assert answer.status, "body before head"
            answer.body += payload
            if self.grants_credit and payload and not flags & frames.END:
                self.send(frames.credit(stream, len(payload)))
        elif kind == frames.ERROR:
            answer.error = json.loads(payload)
        if kind == frames.ERROR or (kind in (frames.HEAD, frames.BODY) and flags & frames.END):
            answer.done = True  # type: ignore[attr-defined]


def started(files: Files, **settings: Any) -> Host:
    """A runtime that is ready."""
    host = Host()
    host.hello()
    frame = host.init(files, **settings)
    if frame.type != frames.READY:
        host.close()
        raise AssertionError(frame.payload.decode())
    return host
