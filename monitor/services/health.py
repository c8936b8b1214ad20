"""The state of everything, for `monitor doctor`, the health page and programs that watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from monitor.core.health import Finding, Installation, State, examine
from monitor.services.ports import Clock
from monitor.services.subscribing import unknown_zones
from monitor.storage import facts as stored
from monitor.storage import soundness
from monitor.storage.engine import Database


class HealthCheck:
    """Reads the facts in one snapshot and judges them; changes nothing."""

    def __init__(
        self, database: Database, clock: Clock, installation: Installation, digests_overdue: Callable[[], int]
    ) -> None:
        self._database = database
        self._clock = clock
        self._installation = installation
        self._digests_overdue = digests_overdue

    def findings(self, *, expect_worker: bool = True, thorough: bool = False) -> list[Finding]:
        """Return what is fine, notable, suspicious or wrong, worst first.

        `thorough` reads the whole database for damage too, which takes a while on a large one.
        """
        now = self._clock.now()
        with self._database.read() as session:
            facts = stored.facts(session, now)
            unknown = unknown_zones(session)
        facts = replace(facts, digests_overdue=self._digests_overdue())
        if thorough:
            with self._database.write() as session:
                facts = replace(facts, damage=tuple(soundness.problems(session)))
        return [*_zones(unknown), *examine(facts, self._installation, now, expect_worker=expect_worker)]


def _zones(unknown: Mapping[str, int]) -> Iterator[Finding]:
    for zone, count in sorted(unknown.items()):
        yield Finding(
            "digests",
            State.PROBLEM,
            f"This machine does not know the time zone {zone} of {count} subscription{'s' if count > 1 else ''}: "
            "no digest is made for them.",
            "Install a newer tzdata, or set another zone: monitor person subscribe ADDRESS --zone ZONE.",
        )
