"""pip that cannot build from source, whatever requirements say: packages are built by programs that
are started for it, and none is."""

from __future__ import annotations

import runpy
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_STARTS = {
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.forkpty",
}
# It is asked for the version of musl, without arguments.
_MUSL_LOADER = "/lib/ld-musl-"


def _refuse(event: str, args: tuple[Any, ...]) -> None:
    if event not in _STARTS:
        return
    if event == "subprocess.Popen" and len(args[1]) == 1 and args[1][0].startswith(_MUSL_LOADER):
        return
    # pip does without what it asks other programs of the machine for, where these are not there.
    raise PermissionError("builds from source are off (build.scripts)")


if __name__ == "__main__":
    # Else a file beside this one, or of the package, could stand in for a module of Python's.
    sys.path.pop(0)
    sys.addaudithook(_refuse)
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
