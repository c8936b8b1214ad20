"""An abstract as numbered sentences: its sections keep their labels, and every sentence its place in the text; pure.

The numbers are the places that quotes, reasons and highlights name, so they depend on nothing but the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from monitor.core.citation import AbstractSection, Citation, OtherAbstract
from monitor.core.markup import Run, bare, runs

PLACEHOLDER: Final = re.compile(r"\W*abstract available from the publisher\W*", re.IGNORECASE)
"""What PubMed prints where it has no abstract in that language."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ABBREVIATED: Final = _words(
    "e.g i.e vs cf viz approx ca fig figs tab ref refs eq eqs nos dr drs prof mr mrs ms st eds pp dept univ resp incl "
    "excl spp subsp var ph.d m.d"
)
"""Words whose point ends no sentence, whatever follows; without their last point, in lower case."""
_MAY_END: Final = _words(
    "al i.v iv s.c p.o i.p i.m b.i.d t.i.d q.d q.o.d a.m p.m u.s u.k u.s.a e.u inc ltd co corp jr sr etc ed vol sp"
)
"""Words whose point ends a sentence only where the next one begins like a sentence."""
_STARTERS: Final = _words(
    "a additionally adverse after all although among an and as at background because both but by clinical conclusion "
    "conclusions cytokine data despite during each eight eleven eligible finally five for four from furthermore grade "
    "he here hence herein how however if importantly in infusion it its last mean median methods mice moreover most "
    "nevertheless nine no none notably of on one only other our overall participants patients phase primary recent "
    "recently response responses results safety second serious seven several similarly since six some studies such "
    "survival ten that the their then there therefore these they this those three thus to together toxicity treatment "
    "twelve two under until we were what when where whereas whether which while with within"
)
_END: Final = re.compile(
    r"""(?P<wide>[。！？]+[”’"'」』）)\]]*\s*)"""  # full-width: a sentence may follow at once
    r"""|(?P<point>[.!?]+[”’"'»)\]]*)\s+(?=(?P<next>[“‘"'«(\[]*[^\s“‘"'«(\[]+))"""
)
_WORD: Final = re.compile(r"[^\s(\[“\"']*\Z")
_SMALL_START: Final = re.compile(r"[a-z]{1,3}-?[A-Z0-9]|[α-ω]")


class Sentence(NamedTuple):
    """One sentence by its place in its section's text; white space that follows it belongs to it."""

    number: int
    start: int
    end: int


class Section(NamedTuple):
    """One section of an abstract; `text` is what `core.markup.bare` gives, and the runs and sentences make it up."""

    label: str | None
    text: str
    runs: tuple[Run, ...]
    sentences: tuple[Sentence, ...]


def split(text: str) -> list[str]:
    """Cut a text into sentences; put together they are the text again. Nothing is cut within numbers or abbreviations."""
    pieces = []
    start = 0
    for end in _END.finditer(text):
        if end["wide"] is None and not _ends(text[start : end.start()], end["point"], end["next"]):
            continue
        pieces.append(text[start : end.end()])
        start = end.end()
    if start < len(text):
        pieces.append(text[start:])
    return pieces


def sections(abstract: Sequence[AbstractSection]) -> tuple[Section, ...]:
    """Return the sections with their sentences, numbered through the whole abstract from 1."""
    found = []
    number = 0
    for each in abstract:
        text = bare(each.text)
        sentences, at = [], 0
        for piece in split(text):
            number += 1
            sentences.append(Sentence(number, at, at + len(piece)))
            at += len(piece)
        label = each.label if each.label and each.label.strip(" :.") else None
        found.append(Section(label, text, runs(each.text), tuple(sentences)))
    return tuple(found)


def abstract_of(citation: Citation) -> tuple[Section, ...]:
    """Return a citation's own abstract; nothing where it has none, or only the sentence that stands for one."""
    return _unless_placeholder(citation.abstract.sections if citation.abstract is not None else ())


def translation_of(citation: Citation, language: str) -> tuple[Section, ...]:
    """Return the abstract that PubMed carries in another language, named as in MARC; nothing where there is none."""
    named = (each for each in citation.other_abstracts if _is_translation(each, language))
    return next((found for each in named if (found := _unless_placeholder(each.sections))), ())


def _is_translation(abstract: OtherAbstract, language: str) -> bool:
    return abstract.language == language and abstract.kind.lower() != "plain-language-summary"


def _unless_placeholder(abstract: Sequence[AbstractSection]) -> tuple[Section, ...]:
    found = tuple(each for each in sections(abstract) if each.text or each.label)
    if not any(each.text for each in found) or PLACEHOLDER.fullmatch(" ".join(each.text for each in found)):
        return ()
    return found


def _ends(before: str, point: str, after: str) -> bool:
    """Say whether a sentence ends at a point, by the word before it and the word that follows."""
    first = after.lstrip("“‘\"'«([")
    if not (first[:1].isupper() or first[:1].isdigit() or not first[:1].isascii() or _SMALL_START.match(first)):
        return False
    if not point.startswith(".") or len(point.rstrip("”’\"'»)]")) > 1:
        return True
    found = _WORD.search(before)
    word = found[0] if found is not None else ""
    name = word.lower().strip(".,;:").removeprefix("(")
    starts = re.split(r"\W", first.lower(), maxsplit=1)[0] in _STARTERS
    if name == "no":
        return not first[:1].isdigit()
    if name in _ABBREVIATED:
        return False
    if name in _MAY_END or (len(word) == 1 and word.isupper()) or re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word):
        return starts
    return True
