"""pip, as a process of its own."""

from __future__ import annotations

import collections
import os
import subprocess
import sys
import tempfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TAIL_LINES = 50
_TAIL_LINE_CHARS = 500
_ONLY_WHEELS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "only_wheels.py")


class BuildFailure(Exception):
    """What the package or its dependencies are to blame for; `output`: the tool's last lines."""

    def __init__(self, message: str, output: list[str] | None = None) -> None:
        super().__init__(message)
        self.output = output or []


def install(
    order: dict[str, Any], folder: str, target: str, pip_path: str, port: int, certificates: str
) -> None:
    """`order`: `requirements`, a file of the folder or a list; `scripts`, whether packages may be
    built from source; `index`, the URL of a mirror or None."""
    proxy = f"http://127.0.0.1:{port}"
    args = ["install", "--target", target, "--no-input", "--disable-pip-version-check"]
    args += ["--no-cache-dir", "--no-compile", "--progress-bar", "off", "--no-color"]
    args += ["--retries", "2", "--timeout", "30", "--proxy", proxy, "--cert", certificates]
    args += ["--root-user-action", "ignore"]
    if not order["scripts"]:
        args += ["--only-binary", ":all:"]
    if order["index"] is not None:
        args += ["--index-url", order["index"]]
    wanted = order["requirements"]
    args += ["--requirement", wanted] if isinstance(wanted, str) else ["--", *wanted]
    env = {
        "PATH": os.path.dirname(sys.executable) + ":/usr/local/bin:/usr/bin:/bin",
        "HOME": tempfile.gettempdir(),
        "TMPDIR": tempfile.gettempdir(),
        "LANG": "C.UTF-8",
        "PYTHONPATH": pip_path,
        "PYTHONUNBUFFERED": "1",
        "PIP_CONFIG_FILE": os.devnull,
        "HTTPS_PROXY": proxy,
        "HTTP_PROXY": proxy,
    }
    try:
        pip = ["-m", "pip"] if order["scripts"] else [_ONLY_WHEELS]
        _run("pip install", [sys.executable, "-S", *pip, *args], folder, env)
    except BuildFailure as failure:
        told = ("from versions: none", "builds from source are off")
        if order["scripts"] or not any(
            any(text in line for text in told) for line in failure.output
        ):
            raise
        hint = "only wheels are taken; build.scripts allows builds from source"
        raise BuildFailure(f"{failure} ({hint})", failure.output) from None


def _run(name: str, command: list[str], folder: str, env: dict[str, str]) -> None:
    tail: collections.deque[str] = collections.deque(maxlen=_TAIL_LINES)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line.rstrip("\n"))
            tail.append(line.rstrip("\n")[:_TAIL_LINE_CHARS])
    if child.returncode != 0:
        raise BuildFailure(f"{name} failed with status {child.returncode}", list(tail))
