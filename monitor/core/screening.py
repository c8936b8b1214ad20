"""Verdicts and tags: what stands after all that was said, what reopens it, and which words are known; pure.

Judgements are added, never edited. The newest row of a citation is what stands, so that a search need look at no other;
taking a decision back adds a row that repeats the one before it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Literal, NamedTuple, TypeVar

from monitor.core.citation import Citation
from monitor.core.markup import plain
from monitor.core.revision import abstract_words
from monitor.errors import UsageError

Facet = Literal["tag", "level", "claim"]

OFF_TOPIC: Final[Mapping[str, str]] = {
    "fish-cik": "CIK is a kidney cell line of the grass carp",
    "act1-ciks": "CIKS is the adaptor protein Act1",
    "neurokinin": "NK is a neurokinin receptor",
    "nk-lysin": "the peptide NK-lysin",
    "nk-disease": "a lymphoma or leukaemia of NK cells, not a therapy with them",
    "normal-karyotype": "NK stands for normal karyotype",
    "repro-nk": "NK cells of the uterus in pregnancy",
    "maize": "NK begins the code of a crop or product",
    "nattokinase": "the enzyme nattokinase",
    "car-ratio": "CAR is the ratio of C-reactive protein to albumin",
    "car-receptor": "CAR is the constitutive androstane receptor",
    "cxadr": "CAR is the coxsackievirus and adenovirus receptor",
    "cortisol": "CAR is the cortisol awakening response",
    "cart-peptide": "CART is a neuropeptide, or cART a treatment of HIV",
    "vehicles": "cars that drive",
    "crs-other": "CRS is a disease of the sinuses or an operation",
}
"""Why a paper is not about the field at all, by the names that the vocabulary gives these false friends."""

REASONS: Final[Mapping[str, str]] = {
    **OFF_TOPIC,
    "wrong-population": "other patients or subjects than ours",
    "wrong-intervention": "another treatment than ours",
    "not-primary": "no research of its own",
    "duplicate": "reported in another paper",
    "language": "in a language nobody here reads",
    "other": "another reason, told in a note",
}
"""Every reason for which a paper may be dismissed."""

LEVELS: Final[Mapping[str, str]] = {
    "A": "established",
    "B1": "randomised",
    "B2": "controlled, not randomised",
    "B3": "uncontrolled, five or more treated",
    "C": "single cases",
    "D": "preclinical",
    "E": "inferred",
    "X": "not evidence",
    "none": "no results to grade",
}
"""Levels of evidence, highest first."""

TAG_MAX: Final = 60
NOTE_MAX: Final = 2000
_CLAIM: Final = re.compile(r"[Cc]([0-9]{1,4})\Z")
_IN_TAGS: Final = frozenset(" -_./+&'")


class Verdict(StrEnum):
    """What a curator says of a paper."""

    KEEP = "keep"
    MAYBE = "maybe"
    DISMISS = "dismiss"


class Judgement(NamedTuple):
    """A verdict with what belongs to it: topics to a paper that is kept, a reason to one that is dismissed.

    Maybe may wait `until` a day, or for the person who was `asked`.
    """

    verdict: Verdict | None
    topics: tuple[str, ...] = ()
    reason: str | None = None
    note: str | None = None
    until: date | None = None
    asked: int | None = None


NOTHING: Final = Judgement(None)


@dataclass(frozen=True, slots=True)
class Decision:
    """A judgement as it was given: on which text, when, by whom, with the role held then.

    One that takes another back names it in `undoes` and repeats the judgement before that one, on the text read then.
    """

    id: int
    pmid: int
    judgement: Judgement
    fingerprint: bytes
    decided_at: datetime
    role: str
    person_id: int | None = None
    undoes: int | None = None
    step_id: int | None = None

    def reopened_by(self, citation: Citation) -> bool:
        """Say whether what was read has changed since. The verdict stands; somebody must read again."""
        return self.judgement.verdict is not None and self.fingerprint != fingerprint(citation)


@dataclass(frozen=True, slots=True)
class Tagging:
    """A term of a facet that was put on a paper or taken off it; one that takes another back names it in `undoes`."""

    id: int
    pmid: int
    facet: str
    term: str
    added: bool
    person_id: int | None = None
    undoes: int | None = None
    step_id: int | None = None


Undoable = TypeVar("Undoable", Decision, Tagging)


class Taken(NamedTuple):
    """What taking back finds: the decision that goes, and the one that stands again."""

    back: Decision
    again: Decision | None


def fingerprint(citation: Citation) -> bytes:
    """Return a hash of the title and abstract as they are read, without markup: what a verdict rests on."""
    parts = ["title", plain(citation.title)]
    for label, text in abstract_words(citation):
        parts += [label or "", text]
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def standing(decisions: Sequence[Decision]) -> Decision | None:
    """Return the verdict that stands of one citation's decisions, in the order given; None while there is none."""
    newest = decisions[-1] if decisions else None
    return newest if newest is not None and newest.judgement.verdict is not None else None


def to_take_back(decisions: Sequence[Decision]) -> Taken | None:
    """Return what the next undo takes back of one citation's decisions, in the order given; None when nothing is left.

    What was taken back is gone for good, so that undoing again goes one decision further.
    """
    left = not_taken_back(decisions)
    if not left:
        return None
    return Taken(left[-1], left[-2] if len(left) > 1 else None)


def not_taken_back(rows: Iterable[Undoable]) -> list[Undoable]:
    """Return the rows of one paper, or of one term on it, that nobody has taken back, in the order given."""
    left: list[Undoable] = []
    for each in rows:
        if each.undoes is None:
            left.append(each)
        else:
            left = [other for other in left if other.id != each.undoes]
    return left


def judge(
    verdict: str,
    topics: Sequence[str] = (),
    reason: str | None = None,
    note: str | None = None,
    *,
    known: Collection[str],
    until: date | None = None,
    asked: int | None = None,
) -> Judgement:
    """Check a judgement; raises UsageError with what is missing. `known` are the topics there are."""
    try:
        given = Verdict(verdict)
    except ValueError:
        raise UsageError(f"{verdict!r} is no verdict; choose from {', '.join(Verdict)}") from None
    text = read_note(note)
    if given is not Verdict.KEEP and topics:
        raise UsageError(f"topics go with keep: a paper is kept in them; {given} names none")
    if given is not Verdict.DISMISS and reason is not None:
        raise UsageError(f"a reason goes with dismiss; {given} may carry a note instead")
    if given is not Verdict.MAYBE and (until is not None or asked is not None):
        raise UsageError(f"a day to wait for, or a person to ask, goes with maybe; {given} waits for nothing")
    if given is Verdict.KEEP and not topics:
        raise UsageError(f"keep needs at least one topic that the paper is kept in; topics are {', '.join(known)}")
    if unknown := [each for each in topics if each not in known]:
        raise UsageError(f"no topic is called {', '.join(unknown)}; topics are {', '.join(known)}")
    if given is Verdict.DISMISS:
        if reason is None:
            raise UsageError(f"dismiss needs a reason, one of\n{_listed(REASONS)}")
        if reason not in REASONS:
            raise UsageError(f"{reason!r} is no reason to dismiss; choose from\n{_listed(REASONS)}")
        if reason == "other" and text is None:
            raise UsageError("the reason other needs a note that says which")
    return Judgement(given, tuple(dict.fromkeys(topics)), reason, text, until, asked)


def read_note(text: str | None) -> str | None:
    """Return a note without outer space; None for an empty one. Raises UsageError for one too long or unreadable."""
    note = (text or "").strip()
    if len(note) > NOTE_MAX:
        raise UsageError(f"a note is at most {NOTE_MAX:,} characters; this one has {len(note):,}")
    if any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in note):
        raise UsageError("a note may hold no control characters")
    return note or None


def read_tag(text: str) -> str:
    """Return a tag as it is kept: in lower case, one space at a time. Raises UsageError for what searches cannot name."""
    tag = unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", text).casefold().split()))
    odd = sorted({c for c in tag if not (c.isalnum() or unicodedata.category(c)[0] == "M" or c in _IN_TAGS)})
    if odd:
        raise UsageError(
            f"tag {text!r}: {' '.join(map(repr, odd))} cannot stand in a tag; use letters, digits, - _ . / + & '"
        )
    if not any(c.isalnum() for c in tag):
        raise UsageError(f"tag {text!r}: a tag has at least one letter or digit")
    if len(tag) > TAG_MAX:
        raise UsageError(f"tag {text!r}: a tag is at most {TAG_MAX} characters")
    return tag


def read_level(text: str) -> str:
    """Return a level of `LEVELS`, however it is written; raises UsageError for another."""
    found = next((level for level in LEVELS if level.casefold() == text.strip().casefold()), None)
    if found is None:
        raise UsageError(f"{text!r} is no level of evidence; choose from\n{_listed(LEVELS)}")
    return found


def read_claim(text: str) -> str:
    """Return a claim's number as it is printed, such as C12; raises UsageError for what is none."""
    found = _CLAIM.match(text.strip())
    if found is None or not int(found[1]):
        raise UsageError(f"{text!r} is no claim; claims are numbered like C12")
    return f"C{int(found[1]):02d}"


READERS: Final = {"tag": read_tag, "level": read_level, "claim": read_claim}


def _listed(words: Mapping[str, str]) -> str:
    return "\n".join(f"  {name:<18} {meaning}" for name, meaning in words.items())
