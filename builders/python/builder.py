"""Runs in a build sandbox, as a function does: installs what the package beside it needs with pip,
and answers with a tar of what is to be added. What it cannot do it answers as JSON, status 422."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile

from install import BuildFailure, install
from packing import files_below, tar_of
from relay import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_HERE = os.path.dirname(os.path.abspath(__file__))
_BASE = os.path.join(tempfile.gettempdir(), "build")
_FOLDER = os.path.join(_BASE, "package")
_TARGET = os.path.join(_BASE, "python")
# Below the package; `runtimes/python/isola_runtime/load.py` has it on the path.
_PREFIX = ".isola/python"


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    del environ
    try:
        files = _build()
    except BuildFailure as failure:
        body = json.dumps({"message": str(failure), "output": failure.output}).encode()
        start_response("422 Unprocessable Content", [("content-type", "application/json")])
        return [body]
    start_response("200 OK", [("content-type", "application/x-tar")])
    return tar_of(files)


def _build() -> list[tuple[str, str]]:
    with open(os.path.join(_HERE, "build.json"), encoding="utf-8") as file:
        order = json.load(file)
    shutil.copytree(os.path.join(_HERE, "input"), _FOLDER, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(_FOLDER):
        os.chmod(folder, 0o755)
    places = json.loads(os.environ["ISOLA_BUILD_PLACES"])
    with Relay(_found(places, "socket")) as port:
        install(order, _FOLDER, _TARGET, _pip_path(places), port, os.path.join(_HERE, "ca.pem"))
    _compile(_TARGET)
    files = files_below(_TARGET, _PREFIX)
    if not files:
        raise BuildFailure("nothing was installed")
    size = sum(os.stat(path).st_size for path, _ in files)
    if len(files) > order["entriesMax"] or size > order["bytesMax"]:
        most = f"at most {order['entriesMax']} with {order['bytesMax']} bytes are taken"
        raise BuildFailure(f"the result has {len(files)} files with {size} bytes; {most}")
    return files


def _found(places: dict[str, list[str]], name: str) -> str:
    """Inside a sandbox with a view of its own, or as the host has it."""
    for path in places.get(name, []):
        if os.path.exists(path):
            return path
    raise BuildFailure(f"{name} is missing in the build sandbox")


def _pip_path(places: dict[str, list[str]]) -> str:
    if "tools/pip.whl" in places:
        return _found(places, "tools/pip.whl")
    return os.path.dirname(_found(places, "tools/pip/pip"))


def _compile(folder: str) -> None:
    """Sandboxes cannot keep what they compile; by hash, as times mean nothing in a package."""
    args = ["-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", folder]
    # What cannot be compiled is data, or fails when it is imported.
    subprocess.run(
        [sys.executable, "-I", "-S", *args],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"},
    )
