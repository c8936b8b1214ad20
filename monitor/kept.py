"""The settings that the pages keep: a file in the home, written whole, that counts from the next request on."""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from monitor.errors import SettingsError
from monitor.services.installing import Standing
from monitor.settings import HOME_FILE, KEPT, Settings, Sources, read_kept

_ABOUT = "# Written by the set-up pages. The environment and monitor.toml count for more than this file.\n"

_LOCK = threading.Lock()
"""One for all: what was read still stands when it is written, though settings are made anew in between."""


class Kept:
    """Keeps settings of one installation. Without `sources` nothing can be changed: it was put together by a program."""

    def __init__(self, settings: Settings, sources: Sources | None, changed: Callable[[], object]) -> None:
        self._settings = settings
        self._sources = sources
        self._changed = changed

    @property
    def path(self) -> Path:
        return self._settings.home / HOME_FILE

    def standing(self) -> Standing:
        """Return the values in force, and what fixes those that cannot be changed here."""
        held = self._settings
        values = {
            "mail_url": held.mail_url.get_secret_value(),
            "mail_from": held.mail_from,
            "ncbi_email": held.ncbi_email or "",
            "ncbi_api_key": held.ncbi_api_key.get_secret_value() if held.ncbi_api_key is not None else "",
        }
        fixed = self._sources.fixed() if self._sources is not None else dict.fromkeys(KEPT, "")
        return Standing(values, fixed, str(self.path), held.mail_plain_relays)

    def keep(self, changes: Mapping[str, str | None]) -> None:
        """Write values, and forget those that are None; raises SettingsError with every problem, and then keeps the old."""
        if self._sources is None:
            raise SettingsError(["settings cannot be changed while this runs"])
        with _LOCK:
            held = read_kept(self._settings.home)
            wanted = {name: value for name, value in {**held, **changes}.items() if value is not None}
            self._sources.load(wanted)
            if wanted != held:
                try:
                    _write(self.path, wanted)
                except OSError as error:
                    raise SettingsError([f"{self.path} cannot be written: {error.strerror}"]) from error
        self._changed()


def _write(path: Path, values: Mapping[str, str]) -> None:
    """Write the file whole or not at all, for its owner's eyes only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A string of JSON without escapes past ASCII is a basic string of TOML 1.0.
    lines = [f"{name} = {json.dumps(values[name], ensure_ascii=False)}\n" for name in KEPT if name in values]
    descriptor, unfinished = tempfile.mkstemp(prefix=".settings-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(_ABOUT + "".join(lines))
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).replace(path)
    except OSError:
        Path(unfinished).unlink(missing_ok=True)
        raise
