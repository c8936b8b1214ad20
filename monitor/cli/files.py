"""Files that commands write."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from monitor.errors import UsageError


def write_out(pieces: Iterable[str], output: Path | None) -> None:
    """Write text as UTF-8, unchanged, to a file that is replaced when all is written, or to standard output."""
    if output is not None:
        with replaced_when_whole(output) as file:
            file.writelines(piece.encode("utf-8", "replace") for piece in pieces)
        return
    for piece in pieces:
        sys.stdout.buffer.write(piece.encode("utf-8", "replace"))
    sys.stdout.buffer.flush()


@contextmanager
def replaced_when_whole(path: Path) -> Iterator[IO[bytes]]:
    """Write beside `path` and take its place at the end; after an error the old file stands untouched."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file to write")
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        mask = os.umask(0)
        os.umask(mask)
        Path(name).chmod(0o666 & ~mask)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
