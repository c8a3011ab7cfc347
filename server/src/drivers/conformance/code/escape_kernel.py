"""Ways into other processes, namespaces, rights and seldom used parts of the kernel."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import resource
import signal
import socket
import struct
import tempfile
from typing import Any, Callable, Optional

import raw
from attempts import Attempt, add, attempt

SEIZE = 0x4206
NAMESPACES = {
    "mount": 0x00020000,
    "cgroup": 0x02000000,
    "host_name": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "network": 0x40000000,
}
HIGHEST_SIGNAL_PROBED = 4096


def on_host(work: Callable[[int], object]) -> Attempt:
    """Does it to the process of the host that runs the test."""

    def run(event: dict[str, Any]) -> Optional[object]:
        return work(event["hostPid"])

    return run


def read_memory(pid: int) -> object:
    """Any answer but "no such process" or "not permitted" has found it."""
    buffer = ctypes.create_string_buffer(8)
    vector = struct.pack("PN", ctypes.addressof(buffer), 8)
    return raw.call("process_vm_readv", pid, vector, 1, vector, 1, 0)


for name, work in {
    "signal": lambda pid: [os.kill(pid, 0)],
    "seize": lambda pid: raw.call("ptrace", SEIZE, pid, 0, 0),
    "read_memory": read_memory,
    "environment": lambda pid: open(f"/proc/{pid}/environ", "rb").read(10),
    "memory_file": lambda pid: open(f"/proc/{pid}/mem", "rb"),
    "descriptors": lambda pid: os.listdir(f"/proc/{pid}/fd"),
    "working_folder": lambda pid: os.listdir(f"/proc/{pid}/cwd"),
    "handle": lambda pid: raw.call("pidfd_open", pid, 0),
    "limits": lambda pid: resource.prlimit(pid, resource.RLIMIT_NOFILE),
    "renice": lambda pid: [
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid))
    ],
    "processors": lambda pid: os.sched_getaffinity(pid),
    "session": lambda pid: os.getsid(pid),
}.items():
    add("host-processes", name, on_host(work))


@attempt("host-processes")
def processes_that_answer(event: dict[str, Any]) -> Optional[object]:
    """Pids that exist for signals without standing in /proc."""
    listed = {int(name) for name in os.listdir("/proc") if name.isdigit()}
    found = [pid for pid in range(1, HIGHEST_SIGNAL_PROBED) if answers(pid) and pid not in listed]
    threads = {int(name) for pid in listed for name in os.listdir(f"/proc/{pid}/task")}
    return [pid for pid in found if pid not in threads] or None


def answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return True
    except OSError:
        return False


def in_new(flag: int) -> Attempt:
    def run(event: dict[str, Any]) -> Optional[object]:
        return raw.call("unshare", flag)

    return run


def child_in_new(flag: int) -> Attempt:
    def run(event: dict[str, Any]) -> Optional[object]:
        pid = raw.call("clone", flag | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        return pid

    return run


for name, flag in NAMESPACES.items():
    add("namespaces", f"unshare_{name}", in_new(flag))
    add("namespaces", f"clone_{name}", child_in_new(flag))


@attempt("namespaces")
def user_and_mount_at_once(event: dict[str, Any]) -> Optional[object]:
    return raw.call("unshare", NAMESPACES["user"] | NAMESPACES["mount"])


@attempt("namespaces")
def flags_that_no_filter_sees(event: dict[str, Any]) -> Optional[object]:
    arguments = struct.pack("8Q", NAMESPACES["user"], 0, 0, 0, signal.SIGCHLD, 0, 0, 0)
    pid = raw.call("clone3", arguments, len(arguments))
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


@attempt("namespaces")
def join_those_of_the_first_process(event: dict[str, Any]) -> Optional[object]:
    joined = []
    for name in os.listdir("/proc/1/ns"):
        try:
            raw.call("setns", os.open(f"/proc/1/ns/{name}", os.O_RDONLY), 0)
            joined.append(name)
        except OSError:
            continue
    return joined or None


def to_root(work: Callable[[], object]) -> Attempt:
    def run(event: dict[str, Any]) -> Optional[object]:
        work()
        return "done"

    return run


for name, work in {
    "user": lambda: os.setresuid(0, 0, 0),
    "group": lambda: os.setresgid(0, 0, 0),
    "groups": lambda: os.setgroups([0]),
    "owner": lambda: give_a_file_to_root(),
    "capabilities": lambda: raw_capset(),
    "open_files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 16, 1 << 16)),
    "processes": lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1 << 20, 1 << 20)),
    "core_files": lambda: resource.setrlimit(resource.RLIMIT_CORE, (1 << 20, 1 << 20)),
    "locked_memory": lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (1 << 40, 1 << 40)),
    "niceness": lambda: os.nice(-1),
    "real_time": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "clock": lambda: set_clock_wrongly(),
    "host_name": lambda: passes_permission(raw.libc.sethostname(b"planted", TOO_LONG)),
}.items():
    add("rights", name, to_root(lambda work=work: refused_as_os_error(work)))


TOO_LONG = 1000


def passes_permission(result: int) -> None:
    """For calls with arguments that are refused only to those who have the right."""
    code = ctypes.get_errno()
    if result != 0 and code in (errno.EPERM, errno.EACCES, errno.ENOSYS):
        raise OSError(code, os.strerror(code))


def refused_as_os_error(work: Callable[[], object]) -> None:
    """Python says of a limit that may not be raised that it is a wrong value."""
    try:
        work()
    except ValueError as error:
        raise PermissionError(1, str(error)) from error


def give_a_file_to_root() -> None:
    with tempfile.NamedTemporaryFile(dir="/tmp") as file:
        os.chown(file.name, 0, 0)


def set_clock_wrongly() -> None:
    """ADJ_TICK with a tick of 0: whoever may set the clock is told EINVAL."""
    passes_permission(raw.libc.adjtimex(ctypes.create_string_buffer(struct.pack("I", 0x4000), 256)))


def raw_capset() -> None:
    """All capabilities, by version 3 of the call."""
    header = struct.pack("Ii", 0x20080522, 0)
    data = struct.pack("6I", *[0xFFFFFFFF] * 3, *[0x1FF] * 3)
    passes_permission(raw.libc.capset(header, data))


def calls(group: str, table: dict[str, tuple[Any, ...]]) -> None:
    for name, arguments in table.items():
        add(group, name, lambda event, name=name, arguments=arguments: raw.call(name, *arguments))


calls(
    "keyrings",
    {
        "keyctl": (0, -3, 1),
        "add_key": (b"user", b"planted", b"x", 1, -2),
        "request_key": (b"user", b"planted", None, 0),
    },
)
calls("tracing", {"ptrace": (0, 0, 0, 0), "kcmp": (os.getpid(), os.getpid(), 0, 1, 2)})
handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
# A software counter of this process without the kernel's side, which is open to all by default.
counter = struct.pack("IIQQQQQ", 1, 112, 1, 0, 0, 0, 0x60) + bytes(64)
calls(
    "kernel-parts",
    {
        "bpf": (0, struct.pack("4I", 2, 4, 4, 1) + bytes(112), 128),
        "perf_event_open": (counter, 0, -1, -1, 0),
        "userfaultfd": (1,),
        "io_uring_setup": (1, ctypes.create_string_buffer(120)),
        "name_to_handle_at": (-100, b"/tmp", handle, ctypes.create_string_buffer(8), 0),
        "personality": (0x0040000,),
        "syslog": (3, ctypes.create_string_buffer(64), 64),
        "swapon": (b"/tmp/none", 0),
        "quotactl": (0x80000100, None, 0, None),
        "init_module": (b"", 0, b""),
        "reboot": (0, 0, 0, 0),
    },
)


@attempt("kernel-parts")
def unknown_calls(event: dict[str, Any]) -> Optional[object]:
    return raw.call_number(1000)


@attempt("foreign-abi")
def call_of_another_architecture(event: dict[str, Any]) -> Optional[object]:
    """In a child, as a refusal may end the process that makes it."""
    if not raw.IS_X64:
        return None
    pid = os.fork()
    if pid == 0:
        os._exit(0 if raw.foreign_getpid() == os.getpid() else 1)
    _, status = os.waitpid(pid, 0)
    return "the kernel answered" if status == 0 else None


@attempt("foreign-abi")
def second_abi_of_the_machine(event: dict[str, Any]) -> Optional[object]:
    """x32: `getpid` with bit 30. In a child, as a refusal may end the process that makes it."""
    if not raw.IS_X64:
        return None
    pid = os.fork()
    if pid == 0:
        try:
            raw.call_number(0x40000000 + 39)
            os._exit(0)
        except OSError:
            os._exit(1)
    _, status = os.waitpid(pid, 0)
    return "the kernel answered" if status == 0 else None


def on_own_terminal(request: int, argument: bytes) -> Attempt:
    def run(event: dict[str, Any]) -> Optional[object]:
        for at in os.openpty():
            fcntl.ioctl(at, request, argument)
        return "done"

    return run


TYPE_INTO, SET_LINE_DISCIPLINE, LINUX_CONSOLE = 0x5412, 0x5423, 0x541C
add("terminals", "type_into", on_own_terminal(TYPE_INTO, b"x"))
add("terminals", "line_discipline", on_own_terminal(SET_LINE_DISCIPLINE, bytes(4)))
add("terminals", "console", on_own_terminal(LINUX_CONSOLE, b"\x02"))


def opens(family: int, kind: int, protocol: int = 0) -> Attempt:
    def run(event: dict[str, Any]) -> Optional[object]:
        with socket.socket(family, kind, protocol) as made:
            return repr(made)

    return run


VSOCK, ALG, PACKET, NETLINK, BLUETOOTH, XDP = 40, 38, 17, 16, 31, 44
for name, family, kind, protocol in [
    ("vsock", VSOCK, socket.SOCK_STREAM, 0),
    ("vsock_datagram", VSOCK, socket.SOCK_DGRAM, 0),
    ("alg", ALG, socket.SOCK_SEQPACKET, 0),
    ("packet", PACKET, socket.SOCK_RAW, 768),
    ("packet_datagram", PACKET, socket.SOCK_DGRAM, 768),
    ("raw_ip", socket.AF_INET, socket.SOCK_RAW, 1),
    ("raw_ip6", socket.AF_INET6, socket.SOCK_RAW, 58),
    ("sctp", socket.AF_INET, socket.SOCK_STREAM, 132),
    ("multipath_tcp", socket.AF_INET, socket.SOCK_STREAM, 262),
    ("uevents", NETLINK, socket.SOCK_RAW, 15),
    ("audit", NETLINK, socket.SOCK_RAW, 9),
    ("netfilter", NETLINK, socket.SOCK_RAW, 12),
    ("xfrm", NETLINK, socket.SOCK_RAW, 6),
    ("bluetooth", BLUETOOTH, socket.SOCK_RAW, 1),
    ("xdp", XDP, socket.SOCK_RAW, 0),
]:
    add("socket-kinds", name, opens(family, kind, protocol))


def connects(address: Callable[[dict[str, Any]], Any]) -> Attempt:
    def run(event: dict[str, Any]) -> Optional[object]:
        with socket.socket(socket.AF_UNIX) as made:
            made.connect(address(event))
            return "connected"

    return run


add("host-sockets", "abstract", connects(lambda event: "\0" + event["abstract"]))
add("host-sockets", "by_path", connects(lambda event: event["socketPath"]))
add("host-sockets", "through_the_first_root", connects(lambda e: "/proc/1/root" + e["socketPath"]))
