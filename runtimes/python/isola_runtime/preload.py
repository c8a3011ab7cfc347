"""Imports what most functions need while the sandbox is blank and nobody waits."""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .connection import Connection

# In order of need: first what every function waits for.
_MODULES = (
    "json",
    "isola_runtime.session",
    "isola_runtime.log_hooks",
    "isola_runtime.service",
    "isola_runtime.workers",
    "inspect",
    "asyncio",
    "isola_runtime.loop",
    "isola_runtime.asgi",
    "isola_runtime.lifespan",
    "isola_runtime.wsgi",
    "datetime",
    "dataclasses",
    "typing",
)


def preload(connection: Connection) -> None:
    """Stops as soon as the host sends something: from then on only what is needed is imported."""
    poll = select.poll()
    poll.register(connection.fd, select.POLLIN)
    for name in _MODULES:
        if poll.poll(0):
            return
        __import__(name)
    _settle()


def preload_whole() -> None:
    """The same to its end, where no host can be heard yet."""
    for name in (*_MODULES, "_sitebuiltins"):
        __import__(name)
    _settle()


def _settle() -> None:
    """What is there now lives as long as the process; collections need not look at it."""
    import gc

    gc.freeze()
