"""Keeps hostile code from running where nothing holds it: a suite may not harm the machine it fails on."""

from __future__ import annotations

import functools
import os
from typing import Any, Callable

Op = Callable[[dict[str, Any]], object]


def require_sandbox() -> None:
    """Raises where this process shares the mounts or the processes of the host that runs the suite."""
    for kind, host in zip(("mnt", "pid"), os.environ["HOST_NAMESPACES"].split()):
        # Where it cannot be read nothing is tried either.
        if os.readlink(f"/proc/self/ns/{kind}") == host:
            raise RuntimeError(f"not tried: this is the {kind} namespace of the host")


def inside_only(run: Op) -> Op:
    @functools.wraps(run)
    def guarded(event: dict[str, Any]) -> object:
        require_sandbox()
        return run(event)

    return guarded
