"""Registers what code tries in order to get out, and says how far it got."""

from __future__ import annotations

import errno
from typing import Any, Callable, Optional

from inside import require_sandbox

# Gets the event; returns None when it got nowhere, or what it reached. OSError is the kernel's refusal.
# An attempt changes nothing even where it succeeds: it asks for what already is, or in a way that fails
# only after the question of permission.
Attempt = Callable[[dict[str, Any]], Optional[object]]
groups: dict[str, dict[str, Attempt]] = {}


def attempt(group: str) -> Callable[[Attempt], Attempt]:
    def register(run: Attempt) -> Attempt:
        add(group, run.__name__, run)
        return run

    return register


def add(group: str, name: str, run: Attempt) -> None:
    groups.setdefault(group, {})[name] = run


def make(event: dict[str, Any]) -> dict[str, dict[str, object]]:
    """All attempts of a group: those that were refused with the error's name, and those that reached something."""
    require_sandbox()
    refused: dict[str, object] = {}
    reached: dict[str, object] = {}
    for name, run in groups[event["group"]].items():
        try:
            got = run(event)
        except OSError as error:
            refused[name] = errno.errorcode.get(error.errno or 0, str(error.errno))
        else:
            if got is None:
                refused[name] = "nothing"
            else:
                reached[name] = repr(got)[:200]
    return {"refused": refused, "reached": reached}
