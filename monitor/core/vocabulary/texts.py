"""The texts of one citation that patterns are held against, made even once (`core.patterns.normal`)."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from typing import Final, Literal, NamedTuple

from monitor.core.citation import Citation, InlineXml
from monitor.core.markup import bare
from monitor.core.patterns import TEXT_MAX, fold, normal
from monitor.core.sentences import abstract_of, translation_of

Place = Literal[
    "title",
    "abstract",
    "keyword",
    "affiliation",
    "Chinese title",
    "Chinese abstract",
    "MeSH heading",
    "major MeSH heading",
    "substance",
    "publication type",
    "link",
    "rule",
]
"""Where a reason may stand; the last is a rule of the levels."""
CHINESE: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]")


class Text(NamedTuple):
    """One text; `starts` are where its sentences begin, for an abstract, and `asides` those that tell no result."""

    place: Place
    text: str
    starts: tuple[int, ...] = ()
    asides: frozenset[int] = frozenset()

    def sentence(self, at: int) -> int | None:
        """Return the number, from 1, of the sentence at a place."""
        return bisect_right(self.starts, at) if self.starts else None

    def sentence_around(self, at: int) -> tuple[int, int]:
        """Return where the sentence at a place begins and ends; the whole text where it is not cut into sentences."""
        number = bisect_right(self.starts, at)
        start = self.starts[number - 1] if number else 0
        return start, self.starts[number] if number < len(self.starts) else len(self.text)


_ASIDES: Final = re.compile(
    r"background|objective|introduction|aim|purpose|method|material|design|importance|context", re.I
)


class Texts:
    """Title, abstract and keywords of a citation, and what else may be asked for."""

    def __init__(self, citation: Citation) -> None:
        self.citation = citation
        self.title = Text("title", _title(citation))
        self.abstract = _abstract(citation)
        self.keywords = Text(
            "keyword",
            "; ".join(normal(bare(each.text)) for group in citation.keyword_lists for each in group.keywords)[
                :TEXT_MAX
            ],
        )
        self.main = tuple(each for each in (self.title, self.abstract, self.keywords) if each.text)
        self.folded = fold("\n".join(each.text for each in self.main))

    @cached_property
    def affiliations(self) -> Text:
        """Where the authors work, each place once."""
        places = {
            place.text: None
            for authors in self.citation.author_lists
            for each in authors.authors
            for place in each.affiliations
        }
        return Text("affiliation", "\n".join(normal(bare(each)) for each in places)[:TEXT_MAX])

    @cached_property
    def affiliations_folded(self) -> str:
        return fold(self.affiliations.text)

    @cached_property
    def chinese(self) -> tuple[Text, ...]:
        """Every text with Chinese in it: original title and abstract, and whatever else is."""
        found = [Text("Chinese title", _even(self.citation.vernacular_title)), *self.main]
        if self.citation.other_abstracts:
            sections = translation_of(self.citation, "chi")
            found.append(Text("Chinese abstract", normal(" ".join(each.text for each in sections))))
        return tuple(each for each in found if not each.text.isascii() and CHINESE.search(each.text))

    def of(self, place: str) -> Text:
        """Return the text of one place, as `only` of a term names it."""
        return {"title": self.title, "abstract": self.abstract, "keyword": self.keywords}.get(
            place
        ) or self.affiliations


def _title(citation: Citation) -> str:
    title = citation.title or (citation.book.title.text if citation.book is not None else None)
    return _even(title or citation.vernacular_title)


def _even(xml: InlineXml | None) -> str:
    return normal(bare(xml))


def _abstract(citation: Citation) -> Text:
    """Return the abstract with the sentences that `core.sentences` numbers; one that only stands for it is none."""
    pieces: list[str] = []
    starts: list[int] = []
    asides: set[int] = set()
    at = 0
    for section in abstract_of(citation):
        aside = section.label is not None and _ASIDES.search(section.label) is not None
        for sentence in section.sentences:
            piece = normal(section.text[sentence.start : sentence.end])
            if aside:
                asides.add(sentence.number)
            starts.append(at)
            pieces.append(piece)
            at += len(piece) + 1
    return Text("abstract", " ".join(pieces)[:TEXT_MAX], tuple(starts), frozenset(asides))
