"""System calls by number, as code that does not ask a library would make them."""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
from typing import Any, Optional

IS_X64 = platform.machine() == "x86_64"
libc = ctypes.CDLL(None, use_errno=True)

# name: (x86_64, aarch64)
NUMBERS = {
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}


def call(name: str, *arguments: Any) -> int:
    """Raises OSError where the kernel refuses."""
    return call_number(NUMBERS[name][0 if IS_X64 else 1], *arguments)


def call_number(number: int, *arguments: Any) -> int:
    result: int = libc.syscall(ctypes.c_long(number), *[_widened(each) for each in arguments])
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _widened(argument: Any) -> Any:
    """A plain int would be passed as 32 bits."""
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def foreign_getpid() -> Optional[int]:
    """`getpid` by the 32-bit way into the same kernel (`int 0x80`); None where the machine has none."""
    if not IS_X64:
        return None
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    pid: int = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
    return pid
