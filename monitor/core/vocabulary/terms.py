"""The vocabulary as a value: facets of terms, each with what speaks for it, and reasons why a paper is off the topic."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from monitor.core.patterns import Pattern, normal
from monitor.core.vocabulary.texts import CHINESE

DESIGN: Final = "design"
"""The facet whose value is the study design that the level rules find; it gives them labels."""
FLAGS: Final = "flags"
"""The facet of what stands over a paper: not offered as tags, because nobody has to agree."""
POLARITIES: Final = ("reported", "absent", "mentioned")
"""Qualifiers of a safety term: it happened, it is said not to have happened, it is only spoken of."""
COMPARATOR: Final = "comparator"


@dataclass(frozen=True, slots=True)
class Scoring:
    """What a hit counts by its place. Places add up, each once; a weak pattern counts the share `weak` of its place."""

    title: float = 3
    mesh_major: float = 3
    mesh: float = 2
    keyword: float = 2
    abstract: float = 1
    weak: float = 0.5
    suggest_at: float = 1
    preselect_at: float = 3
    publication_type: float = 3
    affiliation: float = 1


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a facet and what speaks for it; `docs/vocabulary.md` tells what each means."""

    id: str
    facet: str
    en: str
    zh: str
    rx: tuple[Pattern, ...] = ()
    title: tuple[Pattern, ...] = ()
    affiliation: tuple[Pattern, ...] = ()
    weak: tuple[Pattern, ...] = ()
    context: tuple[Pattern, ...] = ()
    veto: tuple[Pattern, ...] = ()
    only: str | None = None
    mesh: frozenset[str] = frozenset()
    mesh_all: frozenset[str] = frozenset()
    mesh_weak: frozenset[str] = frozenset()
    not_mesh_only: frozenset[str] = frozenset()
    tree: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()
    types_all: frozenset[str] = frozenset()
    substances: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    implies: tuple[str, ...] = ()

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """What finds it in title, abstract and keywords, weak ones too."""
        return (*self.rx, *self.title, *self.weak)

    @property
    def words(self) -> tuple[str, ...]:
        """Its Chinese label as it is looked for: the whole, or its parts where / or brackets divide it."""
        return _parts(self.zh)


@dataclass(frozen=True, slots=True)
class Facet:
    """A kind of terms. `single`: one value a record. The cues say which role or polarity a hit has by what stands around it."""

    id: str
    en: str
    zh: str
    terms: tuple[Term, ...]
    single: bool = False
    comparator: tuple[Pattern, ...] = ()
    polar: bool = False
    absent: tuple[Pattern, ...] = ()
    absent_after: tuple[Pattern, ...] = ()
    severity: tuple[Pattern, ...] = ()
    reported: tuple[Pattern, ...] = ()


class Dismissal(NamedTuple):
    """Why a paper may be dismissed by one key; `general` ones are chosen by hand alone."""

    id: str
    en: str
    zh: str
    rx: tuple[Pattern, ...] = ()
    mesh: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Vocabulary:
    """Everything one version of the vocabulary says; make it with `read_vocabulary`."""

    facets: tuple[Facet, ...]
    off_topic: tuple[Dismissal, ...] = ()
    general: tuple[Dismissal, ...] = ()
    scoring: Scoring = field(default_factory=Scoring)

    def facet(self, name: str) -> Facet | None:
        return next((each for each in self.facets if each.id == name), None)

    def term(self, id: str, facet: str | None = None) -> Term | None:
        """Return a term by its id or by the tag it becomes, whatever the case and qualifier; the first of several facets."""
        key = id.partition("/")[0].casefold()
        if facet is not None:
            return self._by_facet.get((facet, key))
        return self._by_id.get(key)

    def label(self, tag: str, language: str) -> str:
        """Return what a tag is called in a language of the pages; a tag that is no term stands for itself."""
        term = self.term(tag)
        if term is None:
            return tag
        return term.zh if language.startswith("zh") else term.en

    def named(self, words: str) -> tuple[Term, ...]:
        """Return the terms that are called so: by id, or by a label in either language or a part of the Chinese one."""
        return self._by_name.get(normal(words).casefold(), ())

    @cached_property
    def _by_name(self) -> Mapping[str, tuple[Term, ...]]:
        found: dict[str, tuple[Term, ...]] = {}
        for facet in self.facets:
            for term in facet.terms:
                names = (term.id, term.en, term.zh, *term.words)
                for name in dict.fromkeys(normal(each).casefold() for each in names):
                    found[name] = (*found.get(name, ()), term)
        return found

    @property
    def patterns(self) -> tuple[Pattern, ...]:
        """Every pattern there is, cues and vetoes too."""
        found: list[Pattern] = []
        for facet in self.facets:
            for cues in (facet.comparator, facet.absent, facet.absent_after, facet.severity, facet.reported):
                found += cues
            for term in facet.terms:
                for each in (term.patterns, term.affiliation, term.context, term.veto):
                    found += each
        return (*found, *(each for reason in self.off_topic for each in reason.rx))

    def words(self, facet: str) -> tuple[re.Pattern[str], ...]:
        """Return the patterns that find a facet's terms in texts, to mark them there."""
        found = self.facet(facet)
        return tuple(each.regex for term in found.terms for each in term.patterns) if found is not None else ()

    @cached_property
    def _by_facet(self) -> Mapping[tuple[str, str], Term]:
        return {(term.facet, term.id.casefold()): term for facet in self.facets for term in facet.terms}

    @cached_property
    def _by_id(self) -> Mapping[str, Term]:
        found: dict[str, Term] = {}
        for facet in sorted(self.facets, key=lambda each: each.id == DESIGN):
            for term in facet.terms:
                found.setdefault(term.id.casefold(), term)
        return found

    @cached_property
    def chinese(self) -> tuple[re.Pattern[str] | None, Mapping[str, tuple[Term, ...]]]:
        """Return one pattern for all Chinese labels, the longest first, and the terms that each belongs to."""
        owners: dict[str, tuple[Term, ...]] = {}
        for facet in self.facets:
            for term in facet.terms:
                if _is_read(term):
                    for word in term.words:
                        owners[word] = (*owners.get(word, ()), term)
        if not owners:
            return None, {}
        # A label may begin or end with Latin letters: "CD5" must not be found in "CD56", nor "I期" in "II期".
        pieces = [
            ("(?<![A-Za-z0-9])" if word[0].isascii() and word[0].isalnum() else "")
            + re.escape(word)
            + ("(?![A-Za-z0-9])" if word[-1].isascii() and word[-1].isalnum() else "")
            for word in sorted(owners, key=len, reverse=True)
        ]
        return re.compile("|".join(pieces)), owners


def _is_read(term: Term) -> bool:
    """Say whether words may speak for a term at all; what NLM's markers alone decide is no matter of words."""
    if term.only is not None or term.affiliation:
        return False
    return bool(term.rx or term.title or term.weak or term.mesh)


def _parts(label: str) -> tuple[str, ...]:
    whole = normal(label)
    found = []
    for part in re.split(r"[()\[\]【】]", whole):
        pieces = [each.strip() for each in part.split("/")]
        # "I/II期" and "NK/T细胞" are one name with a stroke in it, "手术/术后辅助" are two.
        found += pieces if all(CHINESE.search(each) for each in pieces) else [part.strip()]
    return tuple(dict.fromkeys(each for each in found if len(each) > 1))
