"""Names who holds a piece of work, so that another process can tell whether its holder still lives."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager

_ours: set[str] = set()


@contextmanager
def owner() -> Iterator[str]:
    """Give a name for one run in this process: machine, process, and a part that nobody else has."""
    name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(6)}"
    _ours.add(name)
    try:
        yield name
    finally:
        _ours.discard(name)


def is_gone(name: str) -> bool:
    """Say whether the owner is certainly no more. Of other machines nothing is known: their lease decides."""
    host, _, rest = name.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdigit():
        return False
    if int(rest) == os.getpid():
        # The number is ours: a run of this process, or of one before it in a container that starts at 1 again.
        return name not in _ours
    if os.name != "posix":
        return False  # where signal 0 is not a question
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
