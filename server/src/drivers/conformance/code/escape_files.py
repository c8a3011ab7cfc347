"""Ways to files of the host, to devices, and to places where code could leave something."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import Any, Callable, Iterator, Optional

import raw
from attempts import attempt

WALK_MAX = 50_000
runtime = os.path.realpath(sys.modules["__main__"].__file__ or "")
# Ordinary character devices by (major, minor): null, zero, full, random, urandom, tty, console, ptmx.
HARMLESS = {(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)}
PTS_MAJORS = range(136, 144)


def read(path: str) -> str:
    with open(path, encoding="latin1") as file:
        return file.read(1000)


def secret_by(event: dict[str, Any], path: str) -> Optional[str]:
    """The path, if the host's secret is behind it."""
    try:
        return path if event["secret"] in read(path) else None
    except OSError:
        return None


@attempt("files")
def secret_directly(event: dict[str, Any]) -> Optional[object]:
    return secret_by(event, event["path"])


@attempt("files")
def secret_through_roots_of_processes(event: dict[str, Any]) -> Optional[object]:
    found = []
    for pid in [*filter(str.isdigit, os.listdir("/proc")), "self", "thread-self"]:
        found += [secret_by(event, f"/proc/{pid}/{at}{event['path']}") for at in ("root", "cwd")]
    return [each for each in found if each] or None


@attempt("files")
def secret_above_the_mounts(event: dict[str, Any]) -> Optional[object]:
    points = [line.split()[4] for line in open("/proc/self/mountinfo", encoding="latin1")]
    found = []
    for point in [*points, "/proc/self/cwd", "/proc/1/cwd"]:
        folder = point if os.path.isdir(point) else os.path.dirname(point)
        found.append(secret_by(event, folder + "/.." * 16 + event["path"]))
    return [each for each in found if each] or None


@attempt("files")
def secret_through_a_symbolic_link(event: dict[str, Any]) -> Optional[object]:
    link = f"/tmp/link-{os.getpid()}"
    os.symlink(event["path"], link)
    try:
        return secret_by(event, link)
    finally:
        os.unlink(link)


@attempt("files")
def hard_links_out_of_tmp(event: dict[str, Any]) -> Optional[object]:
    made = []
    link = f"/tmp/hard-{os.getpid()}"
    for path in [event["path"], "/etc/passwd", "/proc/self/exe", runtime]:
        try:
            os.link(path, link, follow_symlinks=True)
        except OSError:
            continue
        os.unlink(link)
        made.append(path)
    return made or None


@attempt("files")
def chroot(event: dict[str, Any]) -> Optional[object]:
    """To where it is, which takes the same right."""
    os.chroot("/")
    return "done"


@attempt("files")
def another_root(event: dict[str, Any]) -> Optional[object]:
    return permitted(lambda: raw.call("pivot_root", NO_MOUNT, NO_MOUNT))


@attempt("files")
def file_by_handle(event: dict[str, Any]) -> Optional[object]:
    """Inode 2 is the root of most file systems; a bind mount leads to all of its file system."""
    for folder in (b"/etc", b"/usr/lib", b"/var/task"):
        at = os.open(folder, os.O_RDONLY)
        handle = (8).to_bytes(4, "little") + (1).to_bytes(4, "little") + (2).to_bytes(8, "little")
        return raw.call("open_by_handle_at", at, handle, os.O_RDONLY)
    return None


# Never a mount point: whoever may mount is told EINVAL, all others EPERM.
NO_MOUNT = b"/proc/self/status"
REFUSALS = (errno.EPERM, errno.EACCES, errno.ENOSYS)
BIND, REMOUNT = 4096, 32


def permitted(work: Callable[[], object]) -> Optional[object]:
    """For calls made so that they fail after the question of permission: any other error has passed it."""
    try:
        return work()
    except OSError as error:
        if error.errno in REFUSALS:
            raise
        return f"permitted: {error}"


@attempt("files")
def telltales_of_the_machine(event: dict[str, Any]) -> Optional[object]:
    """Keys, timers and interrupts of everybody."""
    names = ("keys", "timer_list", "interrupts", "sched_debug")
    return [name for name in names if opened(f"/proc/{name}")] or None


@attempt("mounts")
def mount(event: dict[str, Any]) -> Optional[object]:
    return permitted(lambda: raw.call("mount", b"none", b"/tmp", b"no-such-type", 0, None))


@attempt("mounts")
def bind_mount(event: dict[str, Any]) -> Optional[object]:
    return permitted(lambda: raw.call("mount", b"/no/such/folder", b"/tmp", None, BIND, None))


@attempt("mounts")
def make_writable(event: dict[str, Any]) -> Optional[object]:
    flags = REMOUNT | BIND
    return permitted(lambda: raw.call("mount", None, NO_MOUNT, None, flags, None))


@attempt("mounts")
def unmount(event: dict[str, Any]) -> Optional[object]:
    return permitted(lambda: raw.call("umount2", NO_MOUNT, 0))


@attempt("mounts")
def new_mount_calls(event: dict[str, Any]) -> Optional[object]:
    return permitted(lambda: raw.call("fsopen", b"no-such-type", 0))


@attempt("mounts")
def cloned_mount(event: dict[str, Any]) -> Optional[object]:
    """OPEN_TREE_CLONE."""
    return raw.call("open_tree", -100, b"/", 1)


@attempt("devices")
def memory_of_the_machine(event: dict[str, Any]) -> Optional[object]:
    paths = ("/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/proc/kcore", "/proc/kmsg")
    return [path for path in paths if opened(path)] or None


@attempt("devices")
def devices_that_are_there(event: dict[str, Any]) -> Optional[object]:
    return [path for path, status in walk("/dev") if is_foreign_device(status)] or None


@attempt("devices")
def devices_that_are_made(event: dict[str, Any]) -> Optional[object]:
    """Memory, the first disks."""
    made = []
    for folder in filter(os.path.isdir, ("/tmp", "/var/task", "/dev/shm")):
        for kind, major, minor in [
            (stat.S_IFCHR, 1, 1),
            (stat.S_IFBLK, 254, 0),
            (stat.S_IFBLK, 8, 0),
        ]:
            path = f"{folder}/made-{os.getpid()}"
            try:
                os.mknod(path, kind | 0o600, os.makedev(major, minor))
            except OSError:
                continue
            os.unlink(path)
            made.append(f"{folder} {major}:{minor}")
    return made or None


@attempt("platform-files")
def write_the_platform(event: dict[str, Any]) -> Optional[object]:
    """The interpreter, the runtime, libraries: what the next sandbox would run too."""
    places = [os.path.realpath("/proc/self/exe"), runtime, os.__file__, "/etc/passwd"]
    places += [line.split()[-1] for line in open("/proc/self/maps") if "/" in line]
    return sorted({path for path in places if is_writable(path)}) or None


@attempt("platform-files")
def replace_the_platform(event: dict[str, Any]) -> Optional[object]:
    """Whether their folders can be written, and whether they take the mode and times that they have."""
    changes = (in_writable_folder, same_mode, same_times)
    done = []
    for path in [os.path.realpath("/proc/self/exe"), runtime, os.__file__]:
        for change in changes:
            try:
                change(path)
                done.append(f"{change.__name__} {path}")
            except OSError:
                continue
    return done or None


@attempt("kernel-settings")
def settings_open_for_writing(event: dict[str, Any]) -> Optional[object]:
    found = [path for top in ("/proc", "/sys") for path, _ in walk(top) if is_writable(path)]
    return found or None


def in_writable_folder(path: str) -> None:
    if not os.access(os.path.dirname(path), os.W_OK):
        raise PermissionError(errno.EACCES, path)


def same_mode(path: str) -> None:
    os.chmod(path, stat.S_IMODE(os.stat(path).st_mode))


def same_times(path: str) -> None:
    status = os.stat(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def is_masked(path: str) -> bool:
    """What stands there is the null device."""
    try:
        return os.stat(path).st_rdev == os.stat("/dev/null").st_rdev
    except OSError:
        return False


def opened(path: str) -> bool:
    if is_masked(path):
        return False
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))
        return True
    except OSError:
        return False


def is_writable(path: str) -> bool:
    """Whether it can be opened; nothing is written, as a test may not change the machine it fails on."""
    if is_masked(path):
        return False
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW))
        return True
    except OSError:
        return False


def is_foreign_device(status: os.stat_result) -> bool:
    if stat.S_ISBLK(status.st_mode):
        return True
    number = (os.major(status.st_rdev), os.minor(status.st_rdev))
    is_terminal = number[0] in PTS_MAJORS
    return stat.S_ISCHR(status.st_mode) and number not in HARMLESS and not is_terminal


def walk(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Everything below a folder that is no folder and no link; threads of processes as well."""
    seen = 0
    for folder, _, names in os.walk(top):
        for name in names:
            seen += 1
            assert seen < WALK_MAX, f"{top} has more than {WALK_MAX} files"
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
            except OSError:
                continue
            if not stat.S_ISLNK(status.st_mode):
                yield path, status
