"""What the buttons of the search editor do: a form goes in, the form and what there is to say about it come out."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from monitor.core.difference import Difference, difference
from monitor.core.draft import Draft, read_block_name
from monitor.core.lint import MOVED, Finding
from monitor.core.people import Actor
from monitor.core.pmid import read_pmid
from monitor.core.strategy import Lane, Line, Strategy
from monitor.errors import MonitorError, NotFound, PubmedUnavailable, QuerySyntaxError, UsageError
from monitor.services.searches import Read
from monitor.services.strategies import Conflict, Refused, Saved
from monitor.services.suggesting import Phrase
from monitor.services.topics import Entry
from monitor.web.site import Site
from monitor.web.topicform import Part, TopicForm, with_blocks_of

_TRIES: Final = re.compile(r"\((\d+) tries\)")


@dataclass(frozen=True, slots=True)
class Told:
    """A finding with the key that its repair is asked for by; a key names the finding, not its place in a list."""

    finding: Finding
    key: str

    @property
    def repairable(self) -> bool:
        return self.finding.repair is not None or self.finding.code == MOVED


@dataclass(frozen=True, slots=True)
class Clash:
    """Somebody else saved in between: who and when, what they changed, what mine would change of theirs, and the marks
    by which mine can be put on top of theirs."""

    last: Entry
    theirs: Difference
    mine: Difference
    version: int
    title: str
    sentinels: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a button. `results` are by kind what a template shows; `wrong` keeps the form from being read or
    saved; `blocked` stands against saving and can be overruled; `saved` is done."""

    form: TopicForm
    results: Mapping[str, Any]
    wrong: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    clash: Clash | None = None
    saved: Saved | None = None
    kept: str | None = None

    @property
    def status(self) -> int:
        return 409 if self.clash is not None else 422 if self.wrong or self.blocked else 200


class Editing:
    """Does what the buttons say; every method leaves what was typed as it was typed."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def look(self, form: TopicForm, *, library: bool = False) -> tuple[Read | None, tuple[Told, ...], str | None]:
        """Read the form as it stands, without PubMed: rendered lanes and findings, or why it cannot be read."""
        try:
            read = self._site.searches.read(form.rough(self._base(form)), library=library)
        except MonitorError as error:
            return None, (), str(error)
        return read, told(read.findings), read.unreadable

    def do(
        self, form: TopicForm, button: str, actor: Actor, *, pmid: str = "", clash: TopicForm | None = None
    ) -> Outcome:
        """Press a button; `clash` is the form put on top of what somebody else saved."""
        verb, _, more = button.partition(":")
        try:
            match verb:
                case "up" | "down" | "gone" | "back" | "add":
                    return Outcome(_arranged(form, verb, more), {})
                case "block":
                    return Outcome(_with_block(form, more), {})
                case "fix" | "other":
                    return self._repaired(form, more, other=verb == "other")
                case "line":
                    return Outcome(form.with_line("core", Line(more, f"Finds PMID {pmid}", "lab")), {})
                case "check" | "preview" | "dry" | "compare":
                    return self._asked(form, verb, more)
                case "test":
                    return self._tested(form, pmid)
                case "save":
                    return self._saved(form, actor)
                case "keep":
                    return self._saved(clash or form, actor)
                case _:
                    return Outcome(form, {})
        except (UsageError, QuerySyntaxError, NotFound) as error:
            return Outcome(form, {}, wrong=tuple(str(error).splitlines()))
        except PubmedUnavailable as error:
            return Outcome(form, {"unreached": str(error)})

    def _asked(self, form: TopicForm, verb: str, more: str) -> Outcome:
        draft = form.draft(self._base(form))
        if verb == "check":
            check = self._site.strategies.check(draft)
            changes = difference(self._stored(draft), self._whole(draft).topic)
            results: dict[str, Any] = {"check": check, "changes": changes, "findings": told(check.findings)}
            return Outcome(with_blocks_of(form, self._whole(draft).strategy), results)
        if verb == "preview":
            lane: Lane = "wide" if more == "wide" else "core"
            return Outcome(form, {"preview": self._site.trials.preview(draft, lane)})
        if verb == "dry":
            return Outcome(form, {"dry": self._site.searches.dry_run(draft)})
        stored = self._stored(draft)
        if stored is None:
            raise UsageError("nothing is saved yet that this could be compared with; Preview counts what it finds")
        return Outcome(form, {"compare": self._site.trials.diff(stored.strategy, draft)})

    def _tested(self, form: TopicForm, text: str) -> Outcome:
        pmid = read_pmid(text.strip())
        if pmid is None:
            raise UsageError(f"{text.strip()[:40]!r} is no PMID: a PMID is a number, such as 90000001")
        tested = self._site.trials.test(form.draft(self._base(form)), pmid)
        phrases: tuple[Phrase, ...] = ()
        if (
            tested.paper.held
            and form.based_on is not None
            and not any(e.found for e in tested.lanes if e.lane == "core")
        ):
            phrases = self._site.trials.phrases_for_core(form.topic_id, pmid).phrases
        return Outcome(form, {"test": tested, "phrases": phrases})

    def _repaired(self, form: TopicForm, key: str, *, other: bool) -> Outcome:
        for library in (False, True):
            _, findings, _ = self.look(form, library=library)
            found = next((each.finding for each in findings if each.key == key), None)
            if found is not None:
                break
        else:
            raise UsageError("The text has changed since, and that finding is no longer there. Nothing was changed")
        if found.code == MOVED:
            return Outcome(replace(form, renewed=(*form.renewed, found.block)), {})
        repair = found.alternative if other else found.repair
        if repair is None:
            raise UsageError("nothing can be repaired by itself here; change the line")
        return Outcome(form.with_repair(found.block, found.position, repair.query, enabled=repair.enabled), {})

    def _saved(self, form: TopicForm, actor: Actor) -> Outcome:
        strategies = self._site.strategies
        draft = form.draft(self._base(form))
        try:
            plans = strategies.plan([draft])
            if not plans[0].difference:
                return Outcome(form, {"same": True})
            (saved,) = strategies.commit(plans, form.message, actor, because=form.because.strip() or None)
        except Refused as error:
            results = {"check": error.check, "changes": plans[0].difference, "findings": told(error.check.findings)}
            return Outcome(form, results, blocked=error.check.blocking)
        except Conflict as error:
            return Outcome(form, {}, clash=self._clash(form, draft, error))
        return Outcome(form, {}, saved=saved)

    def _clash(self, form: TopicForm, draft: Draft, error: Conflict) -> Clash:
        held = self._site.topics.one(draft.topic_id).stored
        return Clash(
            self._site.topics.history(draft.topic_id)[0],
            error.changes,
            difference(held.topic, self._whole(draft).topic),
            held.version,
            held.topic.title,
            " ".join(map(str, held.topic.sentinels)),
        )

    def _base(self, form: TopicForm) -> Strategy | None:
        if form.based_on is None:
            return None
        return self._site.strategies.version(form.topic_id, form.based_on)

    def _stored(self, draft: Draft) -> Any:
        return self._site.topics.one(draft.topic_id).stored.topic if draft.based_on is not None else None

    def _whole(self, draft: Draft) -> Draft:
        return replace(draft, strategy=self._site.searches.read(draft).strategy)


def told(findings: Sequence[Finding]) -> tuple[Told, ...]:
    """Give each finding its key."""
    return tuple(Told(each, _key(each)) for each in findings)


def tries(why: str | None) -> int | None:
    """Return how often PubMed was asked in vain, where a sentence about it says so."""
    found = _TRIES.search(why or "")
    return int(found[1]) if found is not None else None


def _key(finding: Finding) -> str:
    parts = (finding.code, finding.block, finding.position, finding.column, finding.message, finding.repair)
    return hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()


def _arranged(form: TopicForm, verb: str, more: str) -> TopicForm:
    name, _, place = more.partition(":")
    part = form.part(name)
    if part is None:
        return form
    return form.with_part(part.changed(verb, int(place) if place.isascii() and place.isdigit() else -1))


def _with_block(form: TopicForm, name: str) -> TopicForm:
    name = read_block_name(name.strip().upper())
    if form.part(name) is not None:
        raise UsageError(f"there is a block {name} already; change its lines")
    return form.with_part(Part(name))
