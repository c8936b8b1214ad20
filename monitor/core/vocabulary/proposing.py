"""What the vocabulary proposes for a citation: tags with their reasons, and why it might be off the topic; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from monitor.core.citation import Citation
from monitor.core.patterns import Pattern
from monitor.core.query.mesh import MeshTree
from monitor.core.screening import read_tag
from monitor.core.vocabulary.polarity import Polarity, polarity, together
from monitor.core.vocabulary.terms import COMPARATOR, FLAGS, Facet, Scoring, Term, Vocabulary
from monitor.core.vocabulary.texts import Text, Texts

Role = Literal["studied", "comparator"]
REASONS_MAX: Final = 4
"""Reasons told of one suggestion; a term may be named thirty times in an abstract."""
_BEFORE: Final = 160
"""Characters before a hit in which a role cue is looked for."""


class Reason(NamedTuple):
    """Where something speaks for a term: place, the words there, the sentence of an abstract, and by which pattern.

    `pattern` is as the vocabulary has it: a regular expression, a UI, a type or a Chinese label.
    """

    place: str
    words: str
    sentence: int | None
    pattern: str


class Suggestion(NamedTuple):
    """A term that is proposed. `implied_by` names the one that brings it, where nothing else speaks for it."""

    term: str
    facet: str
    score: float
    preselected: bool
    role: Role
    polarity: Polarity | None
    reasons: tuple[Reason, ...]
    implied_by: str | None = None

    @property
    def tag(self) -> str:
        """The tag it becomes: `car-nk`, `car-t/comparator`, `crs/absent`."""
        qualifier = self.polarity or (COMPARATOR if self.role == COMPARATOR else None)
        return read_tag(f"{self.term}/{qualifier}" if qualifier is not None else self.term)


class OffTopic(NamedTuple):
    """A reason why the paper may be about something else, by its name in the vocabulary."""

    id: str
    score: float
    reasons: tuple[Reason, ...]


class Proposals(NamedTuple):
    """What is proposed, the likeliest first: `tags` are offered, `hidden` stand under "more"; `flags` stand for themselves."""

    tags: tuple[Suggestion, ...]
    hidden: tuple[Suggestion, ...]
    off_topic: tuple[OffTopic, ...]
    flags: tuple[Suggestion, ...]


class _Hit(NamedTuple):
    text: Text
    start: int
    end: int
    pattern: str
    weak: bool

    @property
    def reason(self) -> Reason:
        words = self.text.text[self.start : self.end]
        return Reason(self.text.place, words[:120], self.text.sentence(self.start), self.pattern)


@dataclass(slots=True)
class _Found:
    """What speaks for one term of one citation."""

    facet: Facet
    term: Term
    hits: list[_Hit] = field(default_factory=list)
    marks: list[tuple[str, Reason]] = field(default_factory=list)
    role: Role = "studied"
    score: float = 0
    best: float = 0
    implied_by: str | None = None


def propose(vocabulary: Vocabulary, citation: Citation, mesh: MeshTree, texts: Texts | None = None) -> Proposals:
    """Read a citation by the vocabulary. The same citation and vocabulary give the same proposals.

    `texts` are the citation's own, where somebody has made them already.
    """
    reader = _Reader(vocabulary, texts or Texts(citation), mesh)
    found: dict[tuple[str, str], _Found] = {}
    for facet in vocabulary.facets:
        for term in facet.terms:
            if (each := reader.read(facet, term)) is not None:
                found[facet.id, term.id] = each
    _imply(vocabulary, found)
    for facet in vocabulary.facets:
        if facet.single:
            _leave_one(facet, found, vocabulary.scoring)
    made = sorted((_suggest(vocabulary.scoring, each) for each in found.values()), key=lambda each: -each.score)
    offered = [each for each in made if each.facet != FLAGS]
    least = vocabulary.scoring.suggest_at
    return Proposals(
        tuple(each for each in offered if each.score >= least),
        tuple(each for each in offered if each.score < least),
        reader.off_topic(),
        tuple(each for each in made if each.facet == FLAGS and each.score >= least),
    )


class _Reader:
    """One citation as terms are held against it."""

    def __init__(self, vocabulary: Vocabulary, texts: Texts, mesh: MeshTree) -> None:
        citation = texts.citation
        self._vocabulary = vocabulary
        self._scoring = vocabulary.scoring
        self._texts = texts
        self._mesh = mesh
        self._headings: dict[str, bool] = {}
        for heading in citation.mesh_headings:
            if ui := heading.descriptor.ui:
                self._headings[ui] = self._headings.get(ui, False) or heading.major
        self._types = {name for each in citation.publication_types for name in (each.ui, each.name) if name}
        self._links = {each.kind for each in citation.corrections}
        self._substances = {each.ui for each in citation.chemicals} | {
            each.ui for each in citation.supplementary_concepts
        }
        self._chinese = self._read_chinese()

    def read(self, facet: Facet, term: Term) -> _Found | None:
        """Return what speaks for a term; None where nothing does."""
        found = _Found(facet, term)
        self._read_marks(term, found)
        self._read_words(term, found)
        found.hits += self._chinese.get((facet.id, term.id), ())
        if found.hits and term.veto:
            self._veto(term, found)
        if not found.hits and not found.marks:
            return None
        if facet.comparator and found.hits:
            found.role = _role(facet, found)
        self._score(found)
        return found

    def off_topic(self) -> tuple[OffTopic, ...]:
        """Return the reasons to dismiss that the texts and headings give, the likeliest first."""
        found = []
        for reason in self._vocabulary.off_topic:
            hits = [*self._search(reason.rx)]
            marks = [self._heading(ui) for ui in reason.mesh if ui in self._headings]
            if hits or marks:
                score = sum(self._best(hits).values()) + max((self._mark_score(place) for place, _ in marks), default=0)
                found.append(OffTopic(reason.id, score, _reasons(marks, hits)))
        return tuple(sorted(found, key=lambda each: -each.score))

    def _read_marks(self, term: Term, found: _Found) -> None:
        """Find NLM's markers: headings, publication types, substances, links."""
        headings = self._headings
        wanted = term.mesh.intersection(headings) if term.mesh else frozenset()
        if term.tree:
            wanted |= {ui for ui in headings if self._below(ui, term.tree)}
        if wanted and not (term.not_mesh_only and term.not_mesh_only.intersection(headings)):
            found.marks += [self._heading(ui) for ui in wanted]
        if term.mesh_all and term.mesh_all <= headings.keys():
            place = "major MeSH heading" if all(headings[ui] for ui in term.mesh_all) else "MeSH heading"
            names = " + ".join(self._mesh.name(ui) or ui for ui in sorted(term.mesh_all))
            found.marks.append((place, Reason(place, names, None, " + ".join(sorted(term.mesh_all)))))
        for name in sorted(term.types & self._types) if term.types else ():
            found.marks.append(("publication type", Reason("publication type", name, None, name)))
        if term.types_all and term.types_all <= self._types:
            names = " + ".join(sorted(term.types_all))
            found.marks.append(("publication type", Reason("publication type", names, None, names)))
        for ui in sorted(term.substances & self._substances) if term.substances else ():
            found.marks.append(("substance", Reason("substance", ui, None, ui)))
        for kind in sorted(term.links & self._links) if term.links else ():
            found.marks.append(("link", Reason("link", kind, None, kind)))

    def _read_words(self, term: Term, found: _Found) -> None:
        if term.only is not None:
            text = self._texts.of(term.only)
            for pattern in term.rx:
                if (match := pattern.regex.search(text.text)) is not None:
                    found.hits.append(_Hit(text, match.start(), match.end(), pattern.text, False))
            return
        found.hits += self._search(term.rx)
        if term.title:
            found.hits += _hits(term.title, (self._texts.title,), self._texts.folded)
        if term.affiliation:
            found.hits += _hits(term.affiliation, (self._texts.affiliations,), self._texts.affiliations_folded)
        if term.weak:
            weak = [*self._search(term.weak, weak=True)]
            if weak and any(
                each.possible(self._texts.folded) and any(each.regex.search(text.text) for text in self._texts.main)
                for each in term.context
            ):
                found.hits += weak

    def _search(self, patterns: Iterable[Pattern], *, weak: bool = False) -> Iterable[_Hit]:
        return _hits(patterns, self._texts.main, self._texts.folded, weak=weak)

    def _veto(self, term: Term, found: _Found) -> None:
        """Drop what words say where a veto stands, unless NLM's markers agree or the title is free of the veto."""
        if found.marks:
            return
        vetoes = [*self._search(term.veto)]
        if not vetoes:
            return
        clean = all(each.text.place != "title" for each in vetoes)
        if not (clean and any(each.text.place == "title" and not each.weak for each in found.hits)):
            found.hits.clear()

    def _score(self, found: _Found) -> None:
        places = self._best(found.hits)
        if found.marks:
            places["marks"] = max(self._mark_score(place) for place, _ in found.marks)
        if found.term.mesh_weak.intersection(self._headings):
            # Broader than the term: it supports what else speaks for it, and never suffices.
            places["broader"] = self._scoring.mesh * self._scoring.weak
            found.marks += [self._heading(ui) for ui in found.term.mesh_weak if ui in self._headings]
        found.score = sum(places.values())
        found.best = max(places.values())

    def _best(self, hits: Iterable[_Hit]) -> dict[str, float]:
        """Return what the best hit of each place counts."""
        places: dict[str, float] = {}
        for hit in hits:
            kind = _KINDS[hit.text.place]
            score: float = getattr(self._scoring, kind)
            if hit.weak:
                score *= self._scoring.weak
            if score > places.get(kind, 0):
                places[kind] = score
        return places

    def _mark_score(self, place: str) -> float:
        scoring = self._scoring
        if place in ("publication type", "link"):
            return scoring.publication_type
        return scoring.mesh_major if place == "major MeSH heading" else scoring.mesh

    def _heading(self, ui: str) -> tuple[str, Reason]:
        place = "major MeSH heading" if self._headings[ui] else "MeSH heading"
        return place, Reason(place, self._mesh.name(ui) or ui, None, ui)

    def _below(self, ui: str, tree: tuple[str, ...]) -> bool:
        heading = self._mesh.find(ui)
        numbers = heading.tree_numbers if heading is not None else ()
        return any(number == each or number.startswith(each + ".") for number in numbers for each in tree)

    def _read_chinese(self) -> Mapping[tuple[str, str], list[_Hit]]:
        """Find the Chinese labels in every text with Chinese in it, the longest where several begin at one place."""
        found: dict[tuple[str, str], list[_Hit]] = {}
        texts = self._texts.chinese
        if not texts:
            return found
        pattern, owners = self._vocabulary.chinese
        if pattern is None:
            return found
        for text in texts:
            for match in pattern.finditer(text.text):
                for term in owners[match[0]]:
                    hit = _Hit(text, match.start(), match.end(), match[0], False)
                    found.setdefault((term.facet, term.id), []).append(hit)
        return found


_KINDS: Final = {
    "title": "title",
    "Chinese title": "title",
    "abstract": "abstract",
    "Chinese abstract": "abstract",
    "keyword": "keyword",
    "affiliation": "affiliation",
}


def _hits(patterns: Iterable[Pattern], texts: Iterable[Text], folded: str, *, weak: bool = False) -> Iterable[_Hit]:
    for pattern in patterns:
        if pattern.possible(folded):
            for text in texts:
                for match in pattern.matches(text.text):
                    yield _Hit(text, match.start(), match.end(), pattern.text, weak)


def _role(facet: Facet, found: _Found) -> Role:
    """Say whether a term is studied or stands for comparison: the title decides where it has the term, else any cue."""
    if any(place == "major MeSH heading" for place, _ in found.marks):
        return "studied"
    titles = [each for each in found.hits if _KINDS[each.text.place] == "title"]
    if titles:
        return "comparator" if all(_cued(facet, each) for each in titles) else "studied"
    return "comparator" if any(_cued(facet, each) for each in found.hits) else "studied"


def _cued(facet: Facet, hit: _Hit) -> bool:
    before = hit.text.text[max(0, hit.start - _BEFORE) : hit.start]
    return any(each.regex.search(before) for each in facet.comparator)


def _imply(vocabulary: Vocabulary, found: dict[tuple[str, str], _Found]) -> None:
    """Add what a term brings with it, at its own score, and so on; what only stands for comparison brings nothing."""
    waiting = sorted(found.values(), key=lambda each: -each.score)
    facets = {each.id: each for each in vocabulary.facets}
    while waiting:
        source = waiting.pop(0)
        if source.role == COMPARATOR or source.score < vocabulary.scoring.suggest_at:
            continue
        for name in source.term.implies:
            term = vocabulary.term(name)
            if term is None:
                continue
            held = found.get((term.facet, term.id))
            if held is None:
                held = found[term.facet, term.id] = _Found(facets[term.facet], term, implied_by=source.term.id)
            elif held.score >= source.score:
                continue
            elif held.implied_by is None and not held.marks and all(each.weak for each in held.hits):
                held.implied_by = source.term.id
            held.score = max(held.score, source.score)
            held.best = max(held.best, source.best)
            waiting.append(held)


def _leave_one(facet: Facet, found: dict[tuple[str, str], _Found], scoring: Scoring) -> None:
    """Keep the first listed term of those with the best place; the others go where they can still be chosen by hand."""
    rivals = [each for term in facet.terms if (each := found.get((facet.id, term.id))) is not None]
    if rivals:
        first = max(rivals, key=lambda each: each.best)
        for each in rivals:
            if each is not first:
                each.score = min(each.score, scoring.suggest_at * scoring.weak)


def _suggest(scoring: Scoring, found: _Found) -> Suggestion:
    said: Polarity | None = None
    if found.facet.polar:
        said = together(polarity(found.facet, each.text, each.start, each.end) for each in found.hits)
    return Suggestion(
        found.term.id,
        found.facet.id,
        round(found.score, 2),
        found.score >= scoring.preselect_at,
        found.role,
        said,
        _reasons(found.marks, found.hits),
        found.implied_by,
    )


def _reasons(marks: Iterable[tuple[str, Reason]], hits: Iterable[_Hit]) -> tuple[Reason, ...]:
    """Return the weightiest reasons, each once: the title's words, NLM's markers, then the rest as it stands."""
    told = [*(each.reason for each in hits), *(each for _, each in marks)]
    seen: set[tuple[str, str]] = set()
    kept: list[Reason] = []
    for each in sorted(told, key=lambda each: _ORDER.get(each.place, 9)):
        key = (each.place, each.words.casefold())
        if key not in seen and sum(other.place == each.place for other in kept) < REASONS_MAX // 2:
            seen.add(key)
            kept.append(each)
    return tuple(kept[:REASONS_MAX])


_ORDER: Final = {
    "title": 0,
    "Chinese title": 1,
    "major MeSH heading": 2,
    "publication type": 3,
    "link": 3,
    "MeSH heading": 4,
    "substance": 4,
    "keyword": 5,
    "abstract": 6,
    "Chinese abstract": 7,
    "affiliation": 8,
}

__all__ = ["OffTopic", "Proposals", "Reason", "Suggestion", "propose"]
