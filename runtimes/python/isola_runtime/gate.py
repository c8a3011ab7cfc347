"""The gate of a virtual machine whose snapshot may be taken while the process stands at it."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_RANDOM_BYTES = 64
GATE_EXIT_CODE = 72


def pass_gate(place: str, is_control: bool = False) -> None:
    """Says that everything is loaded, and waits. What this process knows so far all siblings from
    a snapshot know too: nothing random and nothing of the past clock is used afterwards.

    `is_control`: the control stream begins where the randomness has ended.
    """
    scheme, _, rest = place.partition(":")
    if scheme != "fd" or not rest.isdigit():
        raise ValueError(f"ISOLA_GATE must be fd:N, not {place!r}")
    fd = int(rest)
    os.write(fd, b"\0")
    seed = b""
    while len(seed) < _RANDOM_BYTES:
        data = os.read(fd, _RANDOM_BYTES - len(seed))
        if not data:
            os._exit(GATE_EXIT_CODE)
        seed += data
    if not is_control:
        os.close(fd)
    renew(seed)


def renew(seed: bytes) -> None:
    """Of modules that are loaded: those that come later begin anew. The hashes of strings stay as
    they are, for as long as the process lives."""
    modules: dict[str, Any] = sys.modules
    if "random" in modules:
        # A number is taken as it is; bytes would be hashed before.
        modules["random"].seed(int.from_bytes(seed, "little"))
    if "_ssl" in modules:
        # Behind it all that OpenSSL's other generators give begins anew.
        modules["_ssl"].RAND_add(os.urandom(_RANDOM_BYTES), float(_RANDOM_BYTES))
    if "tempfile" in modules:
        # Made at its first use, with a generator of its own.
        modules["tempfile"]._name_sequence = None
    if "uuid" in modules:
        modules["uuid"]._last_timestamp = None
    if "logging" in modules:
        # Whole nanoseconds from Python 3.13 on, seconds before it.
        is_whole = isinstance(modules["logging"]._startTime, int)
        modules["logging"]._startTime = time.time_ns() if is_whole else time.time()
