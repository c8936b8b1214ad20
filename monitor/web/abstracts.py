"""A paper's abstract as pages show it: numbered sentences with what can be marked, in the languages there are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from monitor.core.citation import Citation
from monitor.core.highlights import Layer, figures, highlights
from monitor.core.markup import Run
from monitor.core.sentences import Section, abstract_of, translation_of

Words = Mapping[Layer, Sequence[re.Pattern[str]]]
CHINESE: Final = ("chi", "zho")


class Stretch(NamedTuple):
    """Characters that are marked alike; several runs where markup changes on the way."""

    layers: tuple[Layer, ...]
    runs: tuple[Run, ...]


class Line(NamedTuple):
    """One sentence. `other` is the same sentence in the other language, `odd` the numbers that only one of both has."""

    number: int
    stretches: tuple[Stretch, ...]
    other: tuple[Stretch, ...] = ()
    odd: tuple[str, ...] = ()


class Block(NamedTuple):
    """A section with its label as PubMed prints it; `other_label` is the other language's."""

    label: str | None
    lines: tuple[Line, ...]
    other_label: str | None = None


@dataclass(frozen=True, slots=True)
class AbstractView:
    """What the reader of one paper shows. `language` is that of `blocks`; `missing` says that PubMed has no abstract.

    `translation` is the Chinese abstract where its sentences cannot be set beside the others one by one; where they
    can, `paired`, every line carries its own.
    """

    pmid: int
    language: str
    blocks: tuple[Block, ...]
    translation: tuple[Block, ...]
    paired: bool
    missing: bool
    doi: str | None
    copyright: str | None

    @property
    def bilingual(self) -> bool:
        return self.paired or bool(self.translation)


def view(citation: Citation, words: Words | None = None) -> AbstractView:
    """Return an abstract as its reader shows it; `words` are the vocabulary's patterns for the layers of highlights."""
    known = words or {}
    own = abstract_of(citation)
    chinese = next((found for each in CHINESE if (found := translation_of(citation, each))), ())
    blocks = tuple(_block(each, known) for each in own)
    other = tuple(_block(each, known) for each in chinese)
    paired = bool(own) and [len(each.lines) for each in blocks] == [len(each.lines) for each in other]
    if paired:
        blocks = tuple(
            Block(mine.label, tuple(map(_pair, mine.lines, its.lines)), its.label)
            for mine, its in zip(blocks, other, strict=True)
        )
    return AbstractView(
        pmid=citation.pmid,
        language="zh-Hans" if chinese and not own else "en",
        blocks=blocks if own else other,
        translation=() if paired or not own else other,
        paired=paired,
        missing=not own and not chinese,
        doi=citation.doi,
        copyright=citation.abstract.copyright if own and citation.abstract is not None else None,
    )


def _block(section: Section, words: Words) -> Block:
    marks = highlights(section.text, words)
    edges: list[tuple[int, int, tuple[Layer, ...]]] = []
    at = 0
    for start, end, layers in marks:
        edges += [(at, start, ()), (start, end, layers)]
        at = end
    edges.append((at, len(section.text), ()))
    return Block(
        section.label,
        tuple(
            Line(
                each.number,
                tuple(
                    Stretch(layers, runs)
                    for start, end, layers in edges
                    if (runs := _within(section.runs, max(start, each.start), min(end, each.end)))
                ),
            )
            for each in section.sentences
        ),
    )


def _within(runs: Sequence[Run], start: int, end: int) -> tuple[Run, ...]:
    found = []
    at = 0
    for run in runs:
        cut = run.text[max(start - at, 0) : max(end - at, 0)]
        if cut:
            found.append(Run(cut, run.tags))
        at += len(run.text)
        if at >= end:
            break
    return tuple(found)


def _pair(mine: Line, its: Line) -> Line:
    texts = ["".join(run.text for each in line.stretches for run in each.runs) for line in (mine, its)]
    here, there = figures(texts[0]), figures(texts[1])
    return Line(mine.number, mine.stretches, its.stretches, tuple(sorted(here ^ there)))
