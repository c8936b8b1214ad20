"""What belongs to a person alone: how the pages look to them, what is held about them, and leaving."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from monitor.core.highlights import LAYERS
from monitor.core.people import Actor, Person, Preferences
from monitor.errors import NotFound, UsageError
from monitor.resources import LANGUAGES
from monitor.services.people import take_out
from monitor.services.ports import Clock
from monitor.services.subscribing import Meanwhile
from monitor.storage import events, people, personal
from monitor.storage.engine import Database


class Personal:
    """Each person's own affairs. Every change is one transaction with its event in it."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def prefer(self, person_id: int, preferences: Preferences, version: int, actor: Actor) -> Person:
        """Keep how somebody wants the pages; raises Meanwhile where the person was changed since `version`.

        Keys are kept as they are given: which actions there are is the pages' to know.
        """
        _check(preferences)
        now = self._clock.now()
        with self._database.write() as session:
            person = people.find_by_id(session, person_id)
            if person is None:
                raise NotFound("there is no such person")
            if person.preferences == preferences:
                return person
            if not people.count_change(session, person_id, version):
                raise Meanwhile(person)
            before, after = _stored(person.preferences), _stored(preferences)
            people.change(session, person_id, preferences=after)
            changed = {name for name in after if after[name] != before[name]}
            events.record(
                session,
                actor,
                "person.prefer",
                f"person:{person_id}",
                now,
                {name: before[name] for name in sorted(changed)},
                {name: after[name] for name in sorted(changed)},
            )
            return replace(person, preferences=preferences, version=version + 1)

    def speak(self, person: Person, language: str, actor: Actor) -> None:
        """Switch the language of the pages, and nothing else."""
        if language not in LANGUAGES:
            raise UsageError(f"the pages speak {' and '.join(LANGUAGES)}, not {language!r}")
        with self._database.write() as session:
            now = people.find_by_id(session, person.id)
            if now is None or now.preferences.language == language:
                return
            people.change(session, person.id, preferences=_stored(replace(now.preferences, language=language)))
            people.touch(session, person.id)
            before, after = {"language": now.preferences.language}, {"language": language}
            events.record(session, actor, "person.prefer", f"person:{person.id}", self._clock.now(), before, after)

    def held(self, person: Person) -> dict[str, Any]:
        """Return everything that is held about a person as JSON values; no password, no session's or link's secret."""
        with self._database.read() as session:
            rows = personal.everything(session, person)
        return {"about": person.address, "made_at": self._clock.now().isoformat(), **rows}

    def leave(self, person: Person, actor: Actor) -> None:
        """End somebody's digest and account at their own wish; what they decided and wrote stays in the log.

        Raises UsageError for the last admin: nobody could let anybody in again.
        """
        now = self._clock.now()
        with self._database.write() as session:
            found = people.find_by_id(session, person.id)
            if found is not None and found.disabled_at is None:
                take_out(session, found, actor, now)
                events.record(session, actor, "person.leave", f"person:{person.id}", now)


def _check(preferences: Preferences) -> None:
    problems = []
    if preferences.language is not None and preferences.language not in LANGUAGES:
        problems.append(f"the pages speak {' and '.join(LANGUAGES)}, not {preferences.language!r}")
    for name, known in (
        ("content", ("en", "zh", "both")),
        ("theme", ("auto", "light", "dark")),
        ("shortcuts", ("on", "alt", "off")),
    ):
        if getattr(preferences, name) not in known:
            problems.append(f"{name} is one of {', '.join(known)}, not {getattr(preferences, name)!r}")
    if unknown := [each for each in preferences.highlights if each not in LAYERS]:
        problems.append(f"no highlight is called {', '.join(unknown)}")
    if any(len(name) > 40 or len(key) > 20 for name, key in preferences.keys.items()) or len(preferences.keys) > 60:
        problems.append("a key is at most 20 characters")
    if problems:
        raise UsageError("; ".join(problems))


def _stored(preferences: Preferences) -> dict[str, Any]:
    return {**asdict(preferences), "highlights": list(preferences.highlights)}
