"""How much a citation is likely to matter by its types, the short marks it wears, and the date it is known by; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.core.citation import Citation, PartialDate

RANKS: tuple[tuple[str, frozenset[str]], ...] = (
    (
        "synthesis",
        frozenset({"Systematic Review", "Meta-Analysis", "Network Meta-Analysis", "Practice Guideline", "Guideline"}),
    ),
    (
        "rct",
        frozenset(
            {
                "Randomized Controlled Trial",
                "Clinical Trial, Phase III",
                "Pragmatic Clinical Trial",
                "Equivalence Trial",
            }
        ),
    ),
    (
        "trial",
        frozenset(
            {
                "Clinical Trial",
                "Clinical Trial, Phase I",
                "Clinical Trial, Phase II",
                "Clinical Trial, Phase IV",
                "Controlled Clinical Trial",
                "Adaptive Clinical Trial",
            }
        ),
    ),
    ("review", frozenset({"Review", "Scoping Review", "Consensus Development Conference"})),
    ("research", frozenset()),
    ("case", frozenset({"Case Reports"})),
    ("opinion", frozenset({"Editorial", "Comment", "Letter", "News", "Newspaper Article", "Interview", "Biography"})),
    ("notice", frozenset({"Published Erratum"})),
)
"""Publication types by how much they are likely to matter; the first row that names one of a citation's types wins.

Only two rows look past a better type: opinion and notices, because a Comment on a trial is no trial. Types are
compared by name, which is how NLM defines them in the yearly list; UIs are the same list under other names.
"""
_RESEARCH = next(n for n, (name, _) in enumerate(RANKS) if name == "research")
_LOW = tuple(n for n, (name, _) in enumerate(RANKS) if name in ("opinion", "notice"))

CHIPS: Mapping[str, str] = {
    "Meta-Analysis": "meta-analysis",
    "Network Meta-Analysis": "meta-analysis",
    "Systematic Review": "systematic-review",
    "Practice Guideline": "guideline",
    "Guideline": "guideline",
    "Randomized Controlled Trial": "rct",
    "Clinical Trial, Phase III": "phase-3",
    "Clinical Trial, Phase II": "phase-2",
    "Clinical Trial, Phase I": "phase-1",
    "Clinical Trial, Phase IV": "phase-4",
    "Clinical Trial": "trial",
    "Controlled Clinical Trial": "controlled-trial",
    "Clinical Trial Protocol": "protocol",
    "Observational Study": "observational",
    "Review": "review",
    "Case Reports": "case",
    "Editorial": "editorial",
    "Comment": "comment",
    "Letter": "letter",
    "Published Erratum": "erratum-notice",
}
_IMPLIED: Mapping[str, frozenset[str]] = {
    "systematic-review": frozenset({"review"}),
    "meta-analysis": frozenset({"review", "systematic-review"}),
    "controlled-trial": frozenset({"trial"}),
    **dict.fromkeys(("rct", "phase-1", "phase-2", "phase-3", "phase-4"), frozenset({"trial", "controlled-trial"})),
}
_FLAG_ORDER = ("retracted", "withdrawn", "concern", "retraction-notice", "concern-notice", "preprint")
INTEGRITY = frozenset({"retracted", "withdrawn", "concern", "retraction-notice", "concern-notice"})


def rank(citation: Citation) -> int:
    """Return the row of `RANKS` a citation stands in; 0 matters most."""
    names = {each.name for each in citation.publication_types}
    for low in _LOW:
        if names & RANKS[low][1]:
            return low
    return next((n for n, (_, types) in enumerate(RANKS) if names & types), _RESEARCH)


def chips(citation: Citation, flags: Iterable[str]) -> list[str]:
    """Return short marks for a citation: flags first, then at most two publication types that say most."""
    names = {each.name for each in citation.publication_types}
    types = [chip for name, chip in CHIPS.items() if name in names]
    hidden: frozenset[str] = frozenset().union(*(_IMPLIED.get(chip, ()) for chip in types))
    shown = [chip for chip in dict.fromkeys(types) if chip not in hidden]
    return [flag for flag in _FLAG_ORDER if flag in set(flags)] + shown[:2]


def newest(citation: Citation) -> tuple[int, int, int]:
    """When PubMed created the citation, else when it was published, as precisely as is known."""
    for date in (citation.history_date("entrez"), citation.electronic_date, citation.pub_date):
        if date is not None and date.year is not None:
            return date.year, date.month or 0, date.day or 0
    return 0, 0, 0


def published(citation: Citation) -> PartialDate | None:
    """The date a reader is shown: online first, where that is known to the day, else the issue's."""
    online = citation.electronic_date
    return online if online is not None and online.day is not None else citation.pub_date or online


def seriousness(flags: frozenset[str]) -> int:
    """Return how far up a citation with these flags stands among those in question; 0 is the gravest."""
    return next((n for n, flag in enumerate(_FLAG_ORDER) if flag in flags), len(_FLAG_ORDER))
