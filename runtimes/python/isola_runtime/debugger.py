"""Opens debugpy, which the function's package brings, and the relay between it and the host."""

from __future__ import annotations

import os
import sys

from .load import LoadError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .settings import DebugSettings

_MISSING = (
    "a debugger was asked for, and the package has no debugpy: "
    "add a line `debugpy` to its requirements.txt"
)


def open_debugger(debug: DebugSettings) -> None:
    """Listens on the sandbox's own loopback. Raises LoadError where there is no debugpy."""
    place = next((path for path in debug.sockets if os.path.exists(path)), None)
    if place is None:
        raise LoadError(f"none of {', '.join(debug.sockets)} leads to the debugger")
    # Else debugpy writes a warning about the interpreter's frozen modules into the function's log.
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    try:
        import debugpy  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise LoadError(_MISSING, error) from None
    debugpy.configure(python=sys.executable, subProcess=False)
    _, port = debugpy.listen(("127.0.0.1", 0))
    _start_relay(place, int(port))
    if debug.is_awaited:
        debugpy.wait_for_client()


def _start_relay(place: str, port: int) -> None:
    """A process of its own: at a breakpoint no thread of this one runs."""
    from subprocess import DEVNULL, Popen

    relay = os.path.join(os.path.dirname(__file__), "debugger_relay.py")
    command = [sys.executable, "-I", "-S", "-B", relay, place, str(port)]
    # Left to its own end, which the sandbox's is at the latest.
    child = Popen(command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, env={})
    child.returncode = 0
