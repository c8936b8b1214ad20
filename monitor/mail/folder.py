"""Mail into a folder: one .eml file a mail, whole or not at all, never over another."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from monitor.core.delivery import Envelope, Fate, Outcome


class FolderTransport:
    """Writes each mail to a file named after its Message-ID.

    The same mail a second time (after a crash) finds its own bytes there and is not written again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, envelope: Envelope, message: bytes, before_dot: Callable[[], None]) -> Outcome:
        """Keep one mail; `before_dot` is called when all is written but the name."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".writing-", dir=self.folder)
        except OSError as error:
            return Outcome(Fate.NOT_SENT, "connect", text=f"{self.folder}: {error.strerror or error}")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(message)
                file.flush()
                os.fsync(file.fileno())
            temporary.chmod(0o644)
            before_dot()
            path = self._give_name(temporary, envelope.message_id, message)
        except OSError as error:
            return Outcome(Fate.NOT_SENT, "connect", text=f"{self.folder}: {error.strerror or error}")
        finally:
            temporary.unlink(missing_ok=True)
        return Outcome(Fate.SENT, "dot", text=str(path))

    def close(self) -> None:
        """Nothing is held open."""

    def _give_name(self, temporary: Path, message_id: str, message: bytes) -> Path:
        stem = _stem(message_id)
        for number in range(1, 10_000):
            path = self.folder / (f"{stem}.eml" if number == 1 else f"{stem}-{number}.eml")
            try:
                os.link(temporary, path)
            except FileExistsError:
                if path.read_bytes() == message:
                    return path
            else:
                self._sync_folder()
                return path
        raise FileExistsError(None, "ten thousand different mails share this Message-ID")

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _stem(message_id: str) -> str:
    bare = message_id.strip("<>")
    safe = re.sub(r"[^A-Za-z0-9._@+-]", "_", bare).lstrip(".")[:120]
    if safe == bare:
        return safe
    return f"{safe}-{hashlib.blake2b(bare.encode(), digest_size=6, usedforsecurity=False).hexdigest()}"
