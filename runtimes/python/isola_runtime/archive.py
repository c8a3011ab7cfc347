"""Unpacks the code archive as it arrives: ustar with `x` records for long names; files and folders
only."""

from __future__ import annotations

import os

from .frames import FrameError

BLOCK_BYTES = 512
# A path is at most 4096 bytes on Linux; the record around it needs a few more.
PAX_BYTES_MAX = 8192
_ZEROS = bytes(BLOCK_BYTES)
_FILE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class ArchiveError(FrameError):
    """The platform sent an archive that it must not send."""


class Unpacker:
    """Life: header -> (path record | file) -> header ... -> ended. `feed` in order, then `finish`
    once.

    ArchiveError: the archive breaks its form. OSError: it cannot be written here.
    """

    def __init__(self, root: str) -> None:
        self._root = root
        self._buffer = bytearray()
        self._long_name: bytes | None = None
        self._fd = -1
        self._file_bytes_left = 0
        self._skip_bytes = 0
        self._is_ended = False
        self._folders: dict[str, None] = {}
        self.entries = 0
        os.makedirs(root, exist_ok=True)

    def feed(self, data: bytes) -> None:
        if self._fd >= 0 and not self._buffer:
            taken = self._file_bytes_left
            self._write(data[:taken])
            data = data[taken:]
        self._buffer += data
        while self._step():
            pass

    def finish(self) -> None:
        """The archive is complete: folders become read-only."""
        if not self._is_ended:
            raise ArchiveError("the code archive ends without its end mark")
        for folder in reversed(self._folders):
            os.chmod(folder, 0o555)
        try:
            os.chmod(self._root, 0o555)
        except PermissionError:
            # A mount point that belongs to the driver; what is below is ours.
            return

    def _step(self) -> bool:
        buffer = self._buffer
        if self._fd >= 0:
            taken = self._file_bytes_left
            self._write(bytes(buffer[:taken]))
            del buffer[:taken]
            return self._fd < 0
        if self._skip_bytes:
            skipped = min(self._skip_bytes, len(buffer))
            del buffer[:skipped]
            self._skip_bytes -= skipped
            return skipped > 0
        if len(buffer) < BLOCK_BYTES:
            return False
        header = bytes(buffer[:BLOCK_BYTES])
        if header == _ZEROS:
            self._is_ended = True
            del buffer[:BLOCK_BYTES]
            return True
        if self._is_ended:
            raise ArchiveError("the code archive goes on after its end mark")
        return self._entry(header)

    def _entry(self, header: bytes) -> bool:
        size = _checked_size(header)
        kind = header[156:157]
        if kind == b"x":
            return self._path_record(size)
        name = self._long_name or _short_name(header)
        self._long_name = None
        del self._buffer[:BLOCK_BYTES]
        self.entries += 1
        if kind == b"5":
            self._make_folder(_checked_path(name.rstrip(b"/")))
        elif kind in (b"0", b"\0"):
            self._open_file(_checked_path(name), size, _octal(header[100:108]))
        else:
            raise ArchiveError(f"the code archive holds an entry of type {kind!r}")
        return True

    def _path_record(self, size: int) -> bool:
        if size > PAX_BYTES_MAX:
            raise ArchiveError(f"path record of {size} bytes exceeds {PAX_BYTES_MAX}")
        end = BLOCK_BYTES + size
        padded = end + -size % BLOCK_BYTES
        if len(self._buffer) < padded:
            return False
        if self._long_name is not None:
            raise ArchiveError("two path records for one entry")
        self._long_name = _pax_path(bytes(self._buffer[BLOCK_BYTES:end]))
        del self._buffer[:padded]
        return True

    def _make_folder(self, path: str) -> None:
        full = f"{self._root}/{path}"
        if full in self._folders:
            return
        parent = path.rpartition("/")[0]
        if parent:
            self._make_folder(parent)
        try:
            os.mkdir(full, 0o755)
        except FileExistsError:
            raise ArchiveError(f"the code archive holds {path!r} twice") from None
        self._folders[full] = None

    def _open_file(self, path: str, size: int, mode: int) -> None:
        parent = path.rpartition("/")[0]
        if parent:
            self._make_folder(parent)
        try:
            fd = os.open(f"{self._root}/{path}", _FILE_FLAGS, 0o600)
        except FileExistsError:
            raise ArchiveError(f"the code archive holds {path!r} twice") from None
        os.fchmod(fd, 0o555 if mode & 0o100 else 0o444)
        self._fd = fd
        self._file_bytes_left = size
        self._skip_bytes = -size % BLOCK_BYTES
        if size == 0:
            self._close_file()

    def _write(self, data: bytes) -> None:
        """`data` belongs to the open file as a whole."""
        at = 0
        while at < len(data):
            at += os.write(self._fd, data[at:])
        self._file_bytes_left -= at
        if self._file_bytes_left == 0:
            self._close_file()

    def _close_file(self) -> None:
        os.close(self._fd)
        self._fd = -1


def _octal(field: bytes) -> int:
    text = field.strip(b"\0 ")
    if not text.isdigit() or b"8" in text or b"9" in text:
        raise ArchiveError(f"the code archive holds a wrong number {field!r}")
    return int(text, 8)


def _checked_size(header: bytes) -> int:
    if header[257:262] != b"ustar":
        raise ArchiveError("the code archive is not ustar")
    total = sum(header) - sum(header[148:156]) + 8 * 32
    if total != _octal(header[148:156]):
        raise ArchiveError("the code archive has a wrong checksum")
    return 0 if header[156:157] == b"5" else _octal(header[124:136])


def _short_name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0]
    return prefix + b"/" + name if prefix else name


def _pax_path(records: bytes) -> bytes:
    """`<length> path=<name>\\n`, and nothing else."""
    length, _, rest = records.partition(b" ")
    known = rest.startswith(b"path=") and rest.endswith(b"\n") and b"\n" not in rest[:-1]
    if not known or not length.isdigit() or int(length) != len(records):
        raise ArchiveError("the code archive holds a record other than one path")
    return rest[5:-1]


def _checked_path(name: bytes) -> str:
    try:
        path = name.decode("utf-8")
    except UnicodeDecodeError:
        raise ArchiveError(f"the code archive holds a name that is not UTF-8: {name!r}") from None
    if "\0" in path or any(part in ("", ".", "..") for part in path.split("/")):
        raise ArchiveError(f"the code archive holds the path {path!r}")
    return path
