"""What became of a title and an abstract, word by word; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final, Literal, NamedTuple

from monitor.core.citation import Citation
from monitor.core.markup import plain
from monitor.core.revision import abstract_words

_LONG: Final = 4000
"""Words from which on two texts are told as one gone and one come: comparing them word by word would take seconds."""
_WORDS: Final = re.compile(r"\s*(?:[\u3400-\u9fff\uf900-\ufaff]|[^\s\u3400-\u9fff\uf900-\ufaff]+)\s*|\s+")
"""A word with the space around it. Chinese is compared sign by sign; it has no spaces between its words."""


class Piece(NamedTuple):
    """Some words as they stand in a text, spaces included, and what became of them."""

    kind: Literal["kept", "added", "removed"]
    words: str


Pieces = tuple[Piece, ...]


class Section(NamedTuple):
    """One section of an abstract under its label, both as pieces."""

    label: Pieces
    text: Pieces


@dataclass(frozen=True, slots=True)
class Rewording:
    """Title and abstract as they were read and as they are; false when every word is the same."""

    title: Pieces
    abstract: tuple[Section, ...]

    def __bool__(self) -> bool:
        pieces = [*self.title, *(piece for section in self.abstract for part in section for piece in part)]
        return any(piece.kind != "kept" for piece in pieces)


def rewording(before: Citation, after: Citation) -> Rewording:
    """Compare what was read with what is there now."""
    return Rewording(
        pieces(plain(before.title), plain(after.title)), tuple(_sections(abstract_words(before), abstract_words(after)))
    )


def pieces(before: str, after: str) -> Pieces:
    """Return both texts as one, each stretch of words kept, added or removed; a removed one before what replaces it.

    The kept and added ones together are `after`, letter by letter.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) > _LONG or len(new) > _LONG:
        found = [Piece("kept", after)] if before == after else [Piece("removed", before), Piece("added", after)]
        return tuple(piece for piece in found if piece.words)
    told: list[Piece] = []
    matcher = SequenceMatcher(None, [each.strip() for each in old], [each.strip() for each in new], autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            told.append(Piece("kept", "".join(new[c:d])))
        else:
            told += [Piece("removed", "".join(old[a:b])), Piece("added", "".join(new[c:d]))]
    return _joined(told)


def _joined(told: Iterable[Piece]) -> Pieces:
    """Return one removed and one added piece between every two that are kept."""
    found: list[Piece] = []
    for kept, run in groupby((each for each in told if each.words), key=lambda each: each.kind == "kept"):
        several = list(run)
        for kind in ("kept",) if kept else ("removed", "added"):
            words = "".join(each.words for each in several if each.kind == kind)
            if words:
                found.append(Piece(kind, words))  # type: ignore[arg-type]
    return tuple(found)


def _sections(before: Sequence[tuple[str | None, str]], after: Sequence[tuple[str | None, str]]) -> Iterable[Section]:
    """Yield sections side by side: those of one label, else those in the same place."""
    matcher = SequenceMatcher(None, [label for label, _ in before], [label for label, _ in after], autojunk=False)
    for _, a, b, c, d in matcher.get_opcodes():
        for at in range(max(b - a, d - c)):
            old = before[a + at] if a + at < b else (None, "")
            new = after[c + at] if c + at < d else (None, "")
            yield Section(pieces(old[0] or "", new[0] or ""), pieces(old[1], new[1]))
