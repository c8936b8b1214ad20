"""The 23 links that PubMed draws between citations (`CommentsCorrections/@RefType`), in words a reader understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from monitor.core.citation import Citation, Correction


class Relation(NamedTuple):
    """One RefType: its tag in the PubMed format, how it reads before the other work, and the link that answers it."""

    kind: str
    tag: str | None
    words: str
    counterpart: str | None


class Notice(NamedTuple):
    """A link of a citation with the words that introduce it: "Retraction in" `Invented J. 2024;1:2.`"""

    words: str
    link: Correction


# Names, tags and words: PubMed User Guide, "Comments/Corrections"; RefTypes: pubmed_250101.dtd.
_ROWS = (
    Relation("AssociatedDataset", "DDIN", "Dataset described in", None),
    Relation("AssociatedPublication", "DRIN", "Dataset use reported in", None),
    Relation("CommentIn", "CIN", "Comment in", "CommentOn"),
    Relation("CommentOn", "CON", "Comment on", "CommentIn"),
    Relation("CorrectedandRepublishedIn", "CRI", "Corrected and republished in", "CorrectedandRepublishedFrom"),
    Relation("CorrectedandRepublishedFrom", "CRF", "Corrected and republished from", "CorrectedandRepublishedIn"),
    Relation("ErratumIn", "EIN", "Erratum in", "ErratumFor"),
    Relation("ErratumFor", "EFR", "Erratum for", "ErratumIn"),
    Relation("ExpressionOfConcernIn", "ECI", "Expression of concern in", "ExpressionOfConcernFor"),
    Relation("ExpressionOfConcernFor", "ECF", "Expression of concern for", "ExpressionOfConcernIn"),
    Relation("RepublishedIn", "RPI", "Republished in", "RepublishedFrom"),
    Relation("RepublishedFrom", "RPF", "Republished from", "RepublishedIn"),
    Relation("RetractedandRepublishedIn", "RRI", "Retracted and republished in", "RetractedandRepublishedFrom"),
    Relation("RetractedandRepublishedFrom", "RRF", "Retracted and republished from", "RetractedandRepublishedIn"),
    Relation("RetractionIn", "RIN", "Retraction in", "RetractionOf"),
    Relation("RetractionOf", "ROF", "Retraction of", "RetractionIn"),
    Relation("UpdateIn", "UIN", "Update in", "UpdateOf"),
    Relation("UpdateOf", "UOF", "Update of", "UpdateIn"),
    Relation("SummaryForPatientsIn", "SPIN", "Summary for patients in", "OriginalReportIn"),
    Relation("OriginalReportIn", "ORI", "Original report in", "SummaryForPatientsIn"),
    Relation("ReprintIn", None, "Reprint in", "ReprintOf"),
    Relation("ReprintOf", None, "Reprint of", "ReprintIn"),
    Relation("Cites", None, "Cites", None),
)
RELATIONS: Mapping[str, Relation] = MappingProxyType({row.kind: row for row in _ROWS})

_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def relation(kind: str) -> Relation:
    """Describe a RefType; one that NLM added since reads as its own words, `FooBarIn` as "Foo bar in"."""
    known = RELATIONS.get(kind)
    if known is not None:
        return known
    return Relation(kind, None, _CAPITAL.sub(" ", kind).capitalize(), None)


def notices(citation: Citation) -> tuple[Notice, ...]:
    """The links of a citation in PubMed's order, each with its words; plain references (`Cites`) are left out."""
    return tuple(Notice(relation(link.kind).words, link) for link in citation.corrections if link.kind != "Cites")
