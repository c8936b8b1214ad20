"""The shared pace of requests: one row, one place after the other, for every thread and process on this database."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import text

from monitor.storage.engine import Database

SPREAD: Final = 1.1
"""`rate` places take this many seconds, so that one more never falls into the same second, even when the network
shifts requests by a tenth of it (Biopython's 0.37 s at three a second come from the same experience)."""
HORIZON: Final = 2.0
"""Places are handed out this far ahead and no further, so that one beyond can only come from another clock: a reboot,
a clock set back, a database copied here."""
PAUSE: Final = 2.5
"""After such a find every place handed out before has passed when the next one comes."""

_POSTGRES_NOW: Final = "extract(epoch from clock_timestamp())::float8"


class DatabasePacer:
    """Reserves places under a limit of `rate` requests a second. Safe for any number of threads and processes.

    SQLite lives on one machine, whose steady clock never goes back (it restarts at a reboot); PostgreSQL's own clock
    serves several machines. `now` and `sleep` replace the clock in tests.
    """

    def __init__(
        self,
        database: Database,
        rate: float,
        *,
        key: str = "eutils",
        now: Callable[[], float] | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._database = database
        self._key = key
        self._step = SPREAD / rate
        self._own_clock = now is None and database.dialect == "postgresql"
        self._now = now if now is not None else time.monotonic
        self._sleep = sleep
        clock = _POSTGRES_NOW if self._own_clock else "CAST(:now AS double precision)"
        # One statement decides: the row's lock orders those who ask at the same moment. No row comes back when all
        # places within the horizon are taken.
        self._statement = text(
            f"INSERT INTO pace (key, next_at) VALUES (:key, {clock} + :step) "  # noqa: S608 - constants of this module
            "ON CONFLICT (key) DO UPDATE SET next_at = :step + CASE "
            f"WHEN pace.next_at > {clock} + :foreign THEN {clock} + :pause "
            f"WHEN pace.next_at > {clock} THEN pace.next_at ELSE {clock} END "
            f"WHERE pace.next_at <= {clock} + :horizon OR pace.next_at > {clock} + :foreign "
            f"RETURNING next_at - :step - {clock}"
        )

    def reserve(self) -> float:
        """Take the next free place and return the seconds until it comes; waits while there is none."""
        values: dict[str, object] = {
            "key": self._key,
            "step": self._step,
            "horizon": HORIZON,
            "foreign": PAUSE + 2 * self._step,
            "pause": PAUSE,
        }
        while True:
            with self._database.write() as session:
                if not self._own_clock:
                    # Read after the lock was won (SQLite: BEGIN IMMEDIATE): waiting for it must not eat the place.
                    session.connection()
                    values["now"] = self._now()
                wait = session.execute(self._statement, values).scalar_one_or_none()
            if wait is not None:
                return max(float(wait), 0.0)
            self._sleep(HORIZON / 4)
