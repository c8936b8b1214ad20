"""What a citation's links to corrections say of it, in the words that every format prints."""

from __future__ import annotations

import re

from monitor.core.citation import Citation, Correction
from monitor.core.relations import RELATIONS, relation
from monitor.core.revision import has_concern, is_preprint, is_republished_after_retraction, is_retracted
from monitor.formats import wording

__all__ = ["is_preprint", "remarks", "standing", "statements", "tag"]


STATED = (
    "RetractionIn",
    "RetractedandRepublishedIn",
    "RetractedandRepublishedFrom",
    "RetractionOf",
    "ExpressionOfConcernIn",
    "ExpressionOfConcernFor",
    "CorrectedandRepublishedIn",
    "CorrectedandRepublishedFrom",
    "RepublishedIn",
    "RepublishedFrom",
    "ErratumIn",
    "ErratumFor",
    "UpdateIn",
)
"""RefTypes that change how a paper is read; comments, data sets and cited works are left to the page.

PubMed's own Summary (text) of 109,286 citations of 2020-23 states ErratumIn, ErratumFor, RetractionIn and UpdateIn,
and no comments. The rarer ones are stated for the same reason.
"""


def standing(citation: Citation) -> str | None:
    """`retracted`, `retracted and republished`, `expression of concern`, or None; the first that holds."""
    if is_retracted(citation):
        return "retracted"
    if is_republished_after_retraction(citation):
        return "retracted and republished"
    return "expression of concern" if has_concern(citation) else None


def statements(citation: Citation) -> list[str]:
    """Linked notices as NLM appends them: `Retraction in: Cell. 2025 Dec 24;188(26):7629.`, retractions first."""
    linked = sorted(
        (each for each in citation.corrections if each.kind in STATED), key=lambda each: STATED.index(each.kind)
    )
    return [f"{relation(each.kind).words}: {_source(each)}" for each in linked]


def remarks(citation: Citation) -> list[str]:
    """The statements, after the paper's standing in capitals when it is retracted or under concern."""
    state = standing(citation)
    return [*((f"{state.upper()}.",) if state is not None else ()), *statements(citation)]


def _source(notice: Correction) -> str:
    """RefSource as NLM has it, odd ends (`2021 Jul 23;:`) and all, and a full stop unless it has a closing mark."""
    source = wording.one_line(notice.source)
    if not source:
        return f"PMID: {notice.pmid}." if notice.pmid is not None else "source not stated."
    return source if source.endswith((".", ":", "?", "!")) else source + "."


def tag(kind: str) -> str | None:
    """NBIB tag of a RefType, or None where the format has none."""
    return relation(kind).tag


def correction(nbib_tag: str, text: str) -> Correction | None:
    """Read the value of a notice's NBIB tag; None for any other tag."""
    kind = _KINDS.get(nbib_tag)
    if kind is None:
        return None
    found = re.fullmatch(r"(.*?)\s*PMID:\s*([1-9][0-9]{0,7})\.?", text)
    if found is None:
        return Correction(kind, text)
    return Correction(kind, found.group(1) or None, int(found.group(2)))


_KINDS = {known.tag: known.kind for known in RELATIONS.values() if known.tag is not None}
