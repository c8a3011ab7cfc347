"""The result as a tar: regular files alone."""

from __future__ import annotations

import os
import tarfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE_BYTES = 65_536


def files_below(folder: str, prefix: str) -> list[tuple[str, str]]:
    """Path and name in the archive of each; links are left out, wheels hold none."""
    files = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        below = os.path.relpath(place, folder)
        inside = prefix if below == "." else f"{prefix}/{below}"
        for name in sorted(names):
            path = os.path.join(place, name)
            if os.path.isfile(path) and not os.path.islink(path):
                files.append((path, f"{inside}/{name}"))
    return files


def tar_of(files: list[tuple[str, str]]) -> Iterator[bytes]:
    for path, name in files:
        entry = tarfile.TarInfo(name)
        with open(path, "rb") as file:
            status = os.fstat(file.fileno())
            entry.size = status.st_size
            entry.mode = 0o755 if status.st_mode & 0o111 else 0o644
            yield entry.tobuf(tarfile.PAX_FORMAT)
            left = entry.size
            while left > 0:
                piece = file.read(min(left, _PIECE_BYTES))
                if not piece:
                    raise OSError(f"{name} changed while it was packed")
                left -= len(piece)
                yield piece
        if entry.size % tarfile.BLOCKSIZE:
            yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
