"""The one door for changing topics: drafts are checked, versions added, topics retired and brought back, all of it logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from monitor.core.difference import Difference, difference
from monitor.core.draft import LAB, Draft, one_line
from monitor.core.lint import MOVED, Finding, apply
from monitor.core.people import COMMAND_LINE, Actor
from monitor.core.phrases import Phrase
from monitor.core.query import MeshTree
from monitor.core.strategy import Strategy
from monitor.core.topicfile import read_file, write_file
from monitor.errors import MonitorError, UsageError
from monitor.services.checking import Check, Checking
from monitor.services.drafting import filled, renewed, searchable
from monitor.services.ports import Clock, PubmedSource
from monitor.storage import events, strategies
from monitor.storage.engine import Database
from monitor.storage.strategies import StoredTopic, StoredVersion


class Refused(MonitorError):
    """Problems stand against saving; nothing was stored. The same with `because` is saved with them on record."""

    def __init__(self, checks: Sequence[Check]) -> None:
        said = [f"{check.topic_id}: {each}" for check in checks for each in check.blocking]
        super().__init__("\n".join(["Not saved; the old version stands.", *said]))
        self.checks = tuple(checks)

    @property
    def check(self) -> Check:
        return self.checks[0]


class Conflict(MonitorError):
    """Somebody else saved in between; nothing was stored. `theirs` is the version that stands now."""

    def __init__(self, topic_id: str, theirs: StoredVersion, changes: Difference) -> None:
        who = theirs.by or f"the {theirs.maker}"
        said = [
            f"Not saved: {topic_id} was changed meanwhile. Version {theirs.version} stands, by {who}, "
            f"{theirs.at:%Y-%m-%d %H:%M} UTC: {theirs.reason}",
            *(f"  {each}" for each in changes.words),
        ]
        super().__init__("\n".join(said))
        self.topic_id = topic_id
        self.theirs = theirs
        self.changes = changes


@dataclass(frozen=True, slots=True)
class Overtaken:
    """A file that was made from an older version than the one that stands, and what came since."""

    based_on: int
    stands: StoredVersion
    changes: Difference

    @property
    def sentence(self) -> str:
        newest = self.stands.version
        if self.based_on > newest:
            return f"the file was made from version {self.based_on}, which is not here; version {newest} stands"
        return f"the file was made from version {self.based_on}, and would take back what came up to version {newest}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What saving a draft would do. `check` is None where nothing of the search changes, so that nothing is checked."""

    draft: Draft
    difference: Difference
    check: Check | None
    overtaken: Overtaken | None = None

    @property
    def blocking(self) -> tuple[str, ...]:
        return self.check.blocking if self.check is not None else ()


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved. `new` says that it is a new version; titles and sentinels change without one."""

    topic_id: str
    version: int
    new: bool
    plan: Plan

    @property
    def accepted(self) -> tuple[str, ...]:
        return self.plan.blocking


class Strategies:
    """Changes topics. Every method is whole or nothing, with its event in the same transaction."""

    def __init__(self, database: Database, source: PubmedSource | None, clock: Clock, tree: MeshTree) -> None:
        self._database = database
        self._clock = clock
        self._checking = Checking(database, source, clock, tree)

    def draft(self, topic_id: str, version: int | None = None) -> Draft:
        """Return a living topic as a draft to be edited, or with an older version of its strategy.

        Raises NotFound, or UsageError for a retired topic.
        """
        with self._database.read() as session:
            (stored,) = strategies.topics_named(session, [topic_id])
            draft = _drafted(stored)
            if version is not None:
                draft = replace(draft, strategy=strategies.version(session, topic_id, version))
        return draft

    def history(self, topic_id: str) -> tuple[StoredVersion, ...]:
        """Return every version of a topic, the oldest first; raises NotFound for an unknown topic."""
        with self._database.read() as session:
            strategies.one(session, topic_id)
            return tuple(strategies.history(session, topic_id))

    def version(self, topic_id: str, number: int) -> Strategy:
        """Return one version of a topic; raises NotFound."""
        with self._database.read() as session:
            strategies.one(session, topic_id)
            return strategies.version(session, topic_id, number)

    def lint(self, draft: Draft, *, library: bool = True) -> tuple[Finding, ...]:
        """Return what the linter says of a draft; dead lines are found only with a look into the library."""
        with self._database.read() as session:
            strategy = filled(session, draft.strategy)
        return self._checking.lint(strategy, library=library)

    def unknown_phrases(self, strategy: Strategy) -> tuple[Phrase, ...]:
        """Return the phrases of a strategy that PubMed did not know when it was last asked."""
        return tuple(key for key, known in self._checking.phrases(strategy).items() if known is False)

    def unchecked_phrases(self, draft: Draft) -> tuple[Phrase, ...]:
        """Return the phrases of a draft that PubMed was never asked about."""
        with self._database.read() as session:
            strategy = filled(session, draft.strategy)
        return tuple(key for key, known in self._checking.phrases(strategy).items() if known is None)

    def repaired(self, draft: Draft, which: str, *, other: bool = False) -> Draft:
        """Return the draft with a finding's repair applied: by its number from 1, or all findings of a code.

        With `other` it is the repair for the other meaning. Raises UsageError where there is nothing of the kind, or
        nothing to repair it with.
        """
        findings = self.lint(draft)
        if which.isascii() and which.isdigit():
            number = int(which)
            if not 1 <= number <= len(findings):
                raise UsageError(f"{draft.topic_id}: there is no finding {which}; there are {len(findings)}")
            return self._after(draft, findings[number - 1], other=other)
        if all(each.code != which for each in findings):
            codes = ", ".join(dict.fromkeys(each.code for each in findings)) or "none"
            raise UsageError(f"{draft.topic_id}: there is no finding {which!r}; there are {codes}")
        done: set[tuple[str, int, str]] = set()
        while True:
            # A repair gives the whole line, so that the next finding on it must be looked for anew.
            found = (each for each in self.lint(draft) if each.code == which and _can_be_repaired(each, other=other))
            finding = next((each for each in found if (each.block, each.position, each.message) not in done), None)
            if finding is None:
                break
            done.add((finding.block, finding.position, finding.message))
            draft = self._after(draft, finding, other=other)
        if not done:
            kind = "other reading" if other else "repair that can be applied"
            raise UsageError(f"{draft.topic_id}: {which} has no {kind}; change the line")
        return draft

    def _after(self, draft: Draft, finding: Finding, *, other: bool) -> Draft:
        if other and finding.alternative is None:
            raise UsageError(
                f"{draft.topic_id}: that finding has no other reading; leave --other out, or change the line"
            )
        if finding.code == MOVED:
            with self._database.read() as session:
                return replace(draft, strategy=renewed(session, draft.strategy, finding.block))
        return replace(draft, strategy=apply(draft.strategy, finding, finding.alternative if other else None))

    def check(self, draft: Draft) -> Check:
        """Look at everything that could stand against saving; raises UsageError for what cannot be searched at all."""
        with self._database.read() as session:
            return self._checking.check(searchable(session, draft))

    def plan(self, drafts: Sequence[Draft], *, overtake: bool = False) -> tuple[Plan, ...]:
        """Compare drafts with what stands, and check those that change something; nothing of them is stored.

        Raises UsageError for what cannot be searched or saved at all, Conflict where somebody else was quicker. With
        `overtake` that is no error but one more thing that stands against the save, to be overruled like the others.
        """
        plans: list[tuple[Draft, Difference, Overtaken | None]] = []
        with self._database.read() as session:
            for draft in drafts:
                whole = searchable(session, draft)
                stored = _stored(session, whole)
                changes = difference(stored.topic if stored is not None else None, whole.topic)
                overtaken = None
                if stored is not None and changes:
                    if overtake:
                        overtaken = _overtaken(session, whole, stored) if changes.strategy else None
                        whole = replace(whole, based_on=stored.version, held=stored.topic)
                    _refuse_stale(session, whole, stored)
                plans.append((whole, changes, overtaken))
        return tuple(
            Plan(whole, changes, self._checked(whole, changes, overtaken), overtaken)
            for whole, changes, overtaken in plans
        )

    def save(self, draft: Draft, reason: str, actor: Actor = COMMAND_LINE, *, because: str | None = None) -> Saved:
        """Check a draft and store it as the next version of its topic, or as a new topic.

        Raises UsageError, Conflict, or Refused where problems stand against it and no reason is given; nothing is
        stored then. With `because` they are stored with the version and stay visible.
        """
        return self.commit(self.plan([draft]), reason, actor, because=because)[0]

    def commit(
        self, plans: Sequence[Plan], reason: str, actor: Actor = COMMAND_LINE, *, because: str | None = None
    ) -> tuple[Saved, ...]:
        """Store what was planned, all of it in one transaction or none; raises as `save` does."""
        _admin(actor)
        blocked = [plan.check for plan in plans if plan.check is not None and plan.check.blocking]
        if blocked and not (because or "").strip():
            raise Refused(blocked)
        names = [plan.draft.topic_id for plan in plans]
        if len(set(names)) < len(names):
            raise UsageError("a topic stands here twice; save one of them")
        now = self._clock.now()
        try:
            with self._database.write() as session:
                strategies.lock(session, names)
                return tuple(_write(session, plan, reason, because, actor, now) for plan in plans)
        except IntegrityError as error:
            # Only inserting a topic of the same name at the same moment collides; versions wait for the lock.
            raise UsageError(
                f"Not saved: one of {', '.join(names)} was added by somebody else in this moment; look at it first"
            ) from error

    def restore(
        self, topic_id: str, number: int, reason: str, actor: Actor = COMMAND_LINE, *, because: str | None = None
    ) -> Saved:
        """Make an older version the newest one again, as a new version, checked like any other."""
        return self.save(self.draft(topic_id, number), reason or f"version {number} again", actor, because=because)

    def retire(self, topic_id: str, reason: str, actor: Actor = COMMAND_LINE) -> bool:
        """Stop polling a topic and telling of it; all that it found stays. False where it was retired already."""
        return self._set_retired(topic_id, reason, actor, retired=True)

    def bring_back(self, topic_id: str, reason: str = "", actor: Actor = COMMAND_LINE) -> bool:
        """Poll a retired topic again, from where it stopped; its followers hear of it again. False if it was living."""
        return self._set_retired(topic_id, reason, actor, retired=False)

    def read(self, values: object) -> tuple[tuple[Draft, ...], tuple[str, ...]]:
        """Return the drafts that a parsed topic file holds, and its blocks that nothing inserts.

        A draft is based on the version that the file names, else on the one that stands.
        """
        with self._database.read() as session:
            held = {each.id: each for each in strategies.all_topics(session, retired=True)}
        file = read_file(values, held={name: each.topic for name, each in held.items()})
        drafts = []
        for topic in file.topics:
            stored = held.get(topic.id)
            draft = Draft(topic.id, topic.title, topic.strategy, topic.sentinels)
            if stored is not None:
                based_on = file.based_on.get(topic.id)
                held_now = stored.topic if based_on is None else None
                draft = replace(draft, based_on=based_on or stored.version, held=held_now)
            drafts.append(draft)
        return tuple(drafts), file.unused

    def export(self, names: Sequence[str] = ()) -> dict[str, Any]:
        """Return topics, all living ones where none is named, as the plain form of a topic file."""
        with self._database.read() as session:
            stored = (
                [strategies.one(session, name) for name in dict.fromkeys(names)]
                if names
                else strategies.all_topics(session)
            )
        return write_file([each.topic for each in stored], {each.id: each.version for each in stored})

    def _checked(self, draft: Draft, changes: Difference, overtaken: Overtaken | None) -> Check | None:
        if changes.strategy:
            found = self._checking.check(draft)
            return found if overtaken is None else replace(found, blocking=(overtaken.sentence, *found.blocking))
        return self._checking.check_sentinels(draft) if changes.sentinels_gained else None

    def _set_retired(self, topic_id: str, reason: str, actor: Actor, *, retired: bool) -> bool:
        _admin(actor)
        now = self._clock.now()
        with self._database.write() as session:
            strategies.lock(session, [topic_id])
            stored = strategies.one(session, topic_id)
            if (stored.retired_at is not None) == retired:
                return False
            strategies.set_retired(session, topic_id, now if retired else None)
            action = "topic.retire" if retired else "topic.restore"
            events.record(session, actor, action, _subject(topic_id), now, after={"reason": reason})
            return True


def _write(session: Session, plan: Plan, reason: str, because: str | None, actor: Actor, now: datetime) -> Saved:
    """Store one planned draft; raises Conflict where somebody else saved since it was planned."""
    draft = plan.draft
    topic = draft.topic
    stored = _stored(session, draft)
    changes = difference(stored.topic if stored is not None else None, topic)
    if stored is not None:
        if not changes:
            return Saved(draft.topic_id, stored.version, False, plan)
        _refuse_stale(session, draft, stored)
    accepted = plan.blocking
    said = one_line(reason, "the reason") if reason.strip() else ""
    why = said or changes.summary
    standing = {"accepted": list(accepted), "because": because} if accepted else {}
    version = stored.version if stored is not None else 0
    subject = _subject(draft.topic_id)
    if stored is None:
        strategies.add_topic(session, topic.id, topic.title, now)
    if changes.strategy:
        strategies.save_version(
            session,
            topic.id,
            topic.strategy,
            origin=LAB,
            reason=f"{why.rstrip('.')}. Saved all the same: {one_line(because, 'the reason')}" if accepted else why,
            person_id=actor.person_id,
            now=now,
            accepted=accepted,
        )
        version += 1
        told: dict[str, Any] = {"version": version, "reason": why, **standing, "changes": list(changes.words)}
        if stored is None:
            told |= {"title": topic.title, "sentinels": sorted(topic.sentinels)}
        action = "topic.add" if stored is None else "topic.save"
        before = {"version": stored.version} if stored is not None else None
        events.record(session, actor, action, subject, now, before, told)
    if changes.title:
        strategies.set_title(session, topic.id, topic.title)
        old, new = changes.title
        events.record(session, actor, "topic.title", subject, now, {"title": old}, {"title": new, "reason": said})
    if changes.sentinels_gained or changes.sentinels_lost:
        strategies.set_sentinels(session, topic.id, topic.sentinels)
        if stored is not None:
            old_ones, new_ones = sorted(stored.topic.sentinels), sorted(topic.sentinels)
            after = {"sentinels": new_ones, "reason": said, **({} if changes.strategy else standing)}
            events.record(session, actor, "topic.sentinels", subject, now, {"sentinels": old_ones}, after)
    return Saved(draft.topic_id, version, changes.strategy, plan)


def _stored(session: Session, draft: Draft) -> StoredTopic | None:
    """Return the topic a draft would change; raises UsageError where it is retired, gone, or there and should not be."""
    held = {each.id: each for each in strategies.all_topics(session, retired=True)}
    stored = held.get(draft.topic_id)
    if stored is not None and stored.retired_at is not None:
        raise UsageError(
            f"{stored.id} is retired; `monitor topic restore {stored.id}` brings it back, then it can be changed"
        )
    if stored is None:
        if draft.based_on is not None:
            strategies.one(session, draft.topic_id)  # raises NotFound with the nearest name
        return None
    if draft.based_on is None:
        raise UsageError(f"a topic is called {stored.id} already; `monitor topic edit {stored.id}` changes it")
    return stored


def _overtaken(session: Session, draft: Draft, stored: StoredTopic) -> Overtaken | None:
    """Return what a draft would take back that was made from another version than the one that stands."""
    if draft.based_on is None or draft.based_on == stored.version:
        return None
    newest = strategies.history(session, stored.id)[-1]
    if draft.based_on > stored.version:
        return Overtaken(draft.based_on, newest, Difference())
    base = replace(stored.topic, strategy=strategies.version(session, stored.id, draft.based_on))
    changes = difference(base, stored.topic)
    return Overtaken(draft.based_on, newest, changes) if changes else None


def _refuse_stale(session: Session, draft: Draft, stored: StoredTopic) -> None:
    """Raise Conflict where the topic is no longer what the draft was made from."""
    assert draft.based_on is not None  # noqa: S101  a topic that is stored was read
    if draft.based_on > stored.version:
        raise UsageError(f"{stored.id} has no version {draft.based_on} to be based on; the newest is {stored.version}")
    held = draft.held
    base = replace(stored.topic, strategy=strategies.version(session, stored.id, draft.based_on))
    if held is not None:
        base = replace(base, title=held.title, sentinels=held.sentinels)
    changes = difference(base, stored.topic)
    if draft.based_on != stored.version or changes:
        newest = strategies.history(session, stored.id)[-1]
        raise Conflict(stored.id, newest, changes)


def _drafted(stored: StoredTopic) -> Draft:
    topic = stored.topic
    return Draft(topic.id, topic.title, topic.strategy, topic.sentinels, stored.version, topic)


def _can_be_repaired(finding: Finding, *, other: bool) -> bool:
    if other:
        return finding.alternative is not None
    return finding.repair is not None or finding.code == MOVED


def _subject(topic_id: str) -> str:
    return f"topic:{topic_id}"


def _admin(actor: Actor) -> None:
    if actor.role != "admin":
        raise UsageError(f"only admins change searches; {actor.name} is {actor.role}")


__all__ = ["Check", "Conflict", "Draft", "Overtaken", "Plan", "Refused", "Saved", "Strategies"]
