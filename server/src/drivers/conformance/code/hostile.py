"""Code that takes all it can get, or does not want to end."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from typing import Any, Optional

from inside import inside_only

MiB = 1 << 20
FOREVER_S = 600
FILES_MAX = 1_000_000
# More than any limit of a test, and less than the machine has: a limit that does not hold ends the test, not the machine.
GROWTH_MAX = 2048 * MiB
HOPS_MAX = 1_000_000
STORM_S = 60
PROCESSES_MAX = 5000


def say(word: str) -> None:
    """Behind the runtime's back, so that it is heard even if nothing else runs any more."""
    os.write(1, f"{word}\n".encode())


def name_of(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, str(error.errno))


def bomb(event: dict[str, Any]) -> object:
    made = 0
    try:
        while made < PROCESSES_MAX:
            if os.fork() == 0:
                time.sleep(FOREVER_S)
                os._exit(0)
            made += 1
    except OSError as error:
        return {"made": made, "error": name_of(error)}
    return {"made": made, "error": None}


def threads(event: dict[str, Any]) -> object:
    made = 0
    done = threading.Event()
    try:
        while made < PROCESSES_MAX:
            threading.Thread(target=done.wait, daemon=True).start()
            made += 1
    except RuntimeError:
        return {"made": made, "error": "RuntimeError"}
    finally:
        done.set()
    return {"made": made, "error": None}


def storm(event: dict[str, Any]) -> None:
    say("storm")
    until = time.monotonic() + STORM_S
    while time.monotonic() < until:
        try:
            os.fork()
        except OSError:
            pass


@inside_only
def hop(event: dict[str, Any]) -> None:
    """A process that is another one each time somebody looks."""
    if os.fork() == 0:
        os.setsid()
        say("hopping")
        for _ in range(HOPS_MAX):
            try:
                if os.fork() > 0:
                    os._exit(0)
            except OSError:
                pass
        os._exit(0)
    time.sleep(FOREVER_S)


def orphan(event: dict[str, Any]) -> str:
    """A child of a child in a session of its own, which keeps the sandbox's output open."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(FOREVER_S)
        os._exit(0)
    return "left"


def grow(event: dict[str, Any]) -> None:
    kept = []
    while len(kept) < GROWTH_MAX // (4 * MiB):
        kept.append(bytearray(4 * MiB))


def grow_slowly(event: dict[str, Any]) -> None:
    """Below any limit while it is looked at."""
    kept = []
    say("growing")
    while True:
        kept.append(bytearray(1 << 10))
        time.sleep(0.001)


def grow_in_child(event: dict[str, Any]) -> None:
    if os.fork() == 0:
        grow(event)
    time.sleep(FOREVER_S)


@inside_only
def grow_in_files(event: dict[str, Any]) -> None:
    """Memory that is no process's own: pages of a file without a name."""
    at = os.memfd_create("kept")
    for _ in range(GROWTH_MAX // (4 * MiB)):
        os.write(at, bytes(4 * MiB))


@inside_only
def grow_in_sockets(event: dict[str, Any]) -> str:
    """Memory of the kernel: what is written to sockets and never read, by as many processes as there may be."""
    kept, written = [], 0
    while written < GROWTH_MAX:
        try:
            kept.append(socket.socketpair())
            kept[-1][0].setblocking(False)
            while True:
                written += kept[-1][0].send(bytes(4096))
        except BlockingIOError:
            continue
        except OSError:
            # No more descriptors: a child goes on with its own, and this one keeps what is in its sockets.
            if os.fork() > 0:
                time.sleep(FOREVER_S)
            for pair in kept:
                for each in pair:
                    each.close()
            kept = []
    return "grown"


@inside_only
def fill(event: dict[str, Any]) -> str:
    try:
        with open(event["path"], "wb", buffering=0) as file:
            for _ in range(GROWTH_MAX // MiB):
                file.write(bytes(MiB))
        return "filled"
    except OSError as error:
        return name_of(error)


@inside_only
def fill_task(event: dict[str, Any]) -> str:
    """Its owner may open the folder of the code again."""
    os.chmod("/var/task", 0o755)
    return fill({"path": "/var/task/full"})


@inside_only
def inodes(event: dict[str, Any]) -> object:
    """Files without content, which a limit in bytes does not see."""
    for at in range(FILES_MAX):
        try:
            os.close(os.open(f"/tmp/{at}", os.O_CREAT | os.O_WRONLY))
        except OSError as error:
            return {"made": at, "error": name_of(error)}
    return {"made": FILES_MAX, "error": None}


def descriptors(event: dict[str, Any]) -> object:
    opened: list[int] = []
    try:
        while True:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as error:
        return {"made": len(opened), "error": name_of(error)}
    finally:
        for each in opened:
            os.close(each)


def flood(event: dict[str, Any]) -> str:
    """Writes to where the event says: a descriptor behind the runtime's back, or what the runtime takes as log lines."""
    line = "x" * 1023 + "\n"
    for _ in range(event["mebibytes"] * 1024):
        if event["to"] == "log":
            print(line, end="")
        else:
            os.write(event["to"], line.encode())
    return "flooded"


def cores(event: dict[str, Any]) -> str:
    """Spins on more processes than there are processors, and goes on with the next event."""
    for _ in range(2 * (os.cpu_count() or 1)):
        if os.fork() == 0:
            while True:
                pass
    return "spinning"


def sleep_blocked(event: dict[str, Any]) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    say("asleep")
    time.sleep(FOREVER_S)


def regex(event: dict[str, Any]) -> bool:
    say("matching")
    return re.match(r"(a+)+$", "a" * 64 + "b") is not None


def stop(event: dict[str, Any]) -> None:
    say("stopping")
    os.kill(os.getpid(), signal.SIGSTOP)


def stop_all(event: dict[str, Any]) -> None:
    """Stopped children, and at last itself."""
    for _ in range(4):
        if os.fork() == 0:
            os.kill(os.getpid(), signal.SIGSTOP)
            os._exit(0)
    stop(event)


def leave(event: dict[str, Any]) -> None:
    os._exit(event["code"])


def abort(event: dict[str, Any]) -> None:
    os.abort()


def segfault(event: dict[str, Any]) -> None:
    ctypes.string_at(0)


@inside_only
def signal_everyone(event: dict[str, Any]) -> object:
    """To the first process and to all that there are: a signal that is ignored unless somebody listens, so that it harms nobody where it arrives."""
    results: list[Optional[str]] = []
    for pid in (1, -1):
        try:
            os.kill(pid, signal.SIGURG)
            results.append(None)
        except OSError as error:
            results.append(name_of(error))
    return results


def channels() -> list[str]:
    at = "/proc/self/fd/"
    links = [os.readlink(at + name) for name in os.listdir(at) if os.path.lexists(at + name)]
    return [link for link in links if link.startswith(("socket:", "pipe:", "host:"))]


def inherited(event: dict[str, Any]) -> object:
    """Sockets and pipes of the runtime, and those of them that a program started from the code finds open."""
    mine = channels()
    look = f"import os\n{inspect.getsource(channels)}\nprint(channels())"
    made = subprocess.run(
        [sys.executable, "-I", "-S", "-c", look],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        close_fds=False,
        check=True,
        text=True,
    )
    return {"mine": mine, "handedOn": [each for each in mine if each in made.stdout]}


def lie(event: dict[str, Any]) -> None:
    """Nonsense on the control stream, which is read and written on 3, or read on 3 and written on 4."""
    for fd in (3, 4):
        with contextlib.suppress(OSError):
            os.write(fd, b"\xff" * 64)
    time.sleep(FOREVER_S)
