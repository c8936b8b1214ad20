"""One paper put together for the desk: what is known, what is proposed, what stands, and what the person has begun."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from monitor.core.proposal import Proposed
from monitor.core.screening import Decision
from monitor.services.queue import AtDesk
from monitor.storage import marks, people
from monitor.storage.papers import PaperLine
from monitor.web import abstracts
from monitor.web.desk import (
    LAYERED,
    Before,
    Choice,
    Dismissal,
    Happened,
    Record,
    chips,
    dismissals,
    indexing,
    registered,
    sample_of,
)
from monitor.web.entering import Visitor
from monitor.web.site import Site


class Records:
    """Reads papers for the desk."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def of(self, who: Visitor, pmid: int, language: str, place: str | None = None) -> Record:
        """Return one paper; raises NotFound for one that is not held."""
        site = self._site
        found = site.queue.paper(pmid, who.actor)
        vocabulary = self._site.vocabularies.current()
        proposed = site.vocabularies.of(None, [pmid]).get(pmid)
        with site.database.read() as session:
            living = people.living_topics(session)
            saved = "saved" in marks.of(session, who.person.id, [pmid]).get(pmid, ())
        line, decision = found.line, found.decision
        groups, hidden = chips(vocabulary, proposed, line.tags, language, touched=decision is not None)
        abstract = abstracts.view(found.citation, {layer: vocabulary.words(facet) for layer, facet in LAYERED.items()})
        usual = line.level or _level_of(proposed)
        headings, keywords, types = indexing(found.citation)
        return Record(
            line=line,
            abstract=abstract,
            topics=_topics(living, line, decision),
            groups=groups,
            hidden=hidden,
            reasons=dismissals(vocabulary, proposed, language),
            expected=found.expected,
            place=place,
            held_by=found.held_by.name if found.held_by is not None else None,
            saved=saved,
            level=line.level,
            proposed=proposed.grade if proposed is not None else None,
            level_usual=usual,
            level_chosen=usual,
            sample=sample_of(proposed, abstract),
            registry=registered(proposed.registry) if proposed is not None else (),
            note=found.note.text,
            note_version=found.note.version,
            mesh=headings,
            keywords=keywords,
            types=types,
            rewording=found.rewording,
            before=_before(found),
            events=tuple(Happened(change.words, each.seen_at) for each in found.notices for change in each.changes),
            upto=found.upto,
            ballot=found.voting,
            standing=line.tags,
            offered=tuple(each.tag for group in groups for each in group.chips if each.checked and not each.confirmed),
        )

    def reasons(self, language: str) -> tuple[Dismissal, ...]:
        """Return every reason for which papers may be dismissed."""
        return dismissals(self._site.vocabularies.current(), None, language)

    def terms(self, language: str) -> list[tuple[str, str]]:
        """Return every tag that the vocabulary knows, with its label."""
        vocabulary = self._site.vocabularies.current()
        zh = language.startswith("zh")
        return [(term.id.casefold(), term.zh if zh else term.en) for facet in vocabulary.facets for term in facet.terms]


def _topics(living: Mapping[str, str], line: PaperLine, decision: Decision | None) -> tuple[Choice, ...]:
    """Offer every living topic: ticked are those it stands in, else those whose search finds it."""
    # A topic's wide search often finds what its core search finds as well; the core one counts.
    found = {each.topic for each in line.found}
    ticked: Collection[str] = {each.topic for each in line.found if each.lane == "core"} or found
    if decision is not None and decision.judgement.topics:
        ticked = decision.judgement.topics
    order = sorted(living, key=lambda topic: topic not in ticked)
    return tuple(Choice(topic, living[topic], topic in ticked, topic in ticked or topic in found) for topic in order)


def _level_of(proposed: Proposed | None) -> str:
    """Return the level that Keep confirms: the proposed one, unless the rule asks a person or may change its mind."""
    grade = proposed.grade if proposed is not None else None
    return "" if grade is None or grade.provisional or grade.ask else grade.level


def _before(found: AtDesk) -> Before | None:
    decision = found.decision
    if decision is None or decision.judgement.verdict is None:
        return None
    given = decision.judgement
    return Before(
        str(given.verdict),
        found.by,
        decision.decided_at,
        given.topics,
        given.reason,
        given.note,
        given.until,
        found.asked,
    )
