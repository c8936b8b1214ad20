"""What a fetched citation means for the one we hold, and what standing it has: retracted, doubted, corrected.

Decided by NLM's markers alone (publication types and links), never by words in a title: a paper about
retractions is not retracted, and a retraction notice is not the paper it retracts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum, Flag, IntEnum

from monitor.core.citation import Author, Citation, PublicationType
from monitor.core.markup import plain

_FIELDS = tuple(field.name for field in fields(Citation))

RETRACTED_PUBLICATION = PublicationType("D016441", "Retracted Publication")
RETRACTION_NOTICE = PublicationType("D016440", "Retraction of Publication")
EXPRESSION_OF_CONCERN = PublicationType("D000075742", "Expression of Concern")
PREPRINT = PublicationType("D000076942", "Preprint")


class Weight(IntEnum):
    """How much a change matters to somebody who has read the paper."""

    BOOKKEEPING = 1
    NOTABLE = 2
    MAJOR = 3


class Change(Enum):
    """What happened to a citation; `words` are a reader's. Withdrawal and return are seen by polls, not by `compare`."""

    RETRACTED = ("retracted", Weight.MAJOR)
    RETRACTED_AND_REPUBLISHED = ("retracted and republished", Weight.MAJOR)
    REINSTATED = ("reinstated (no longer marked as retracted)", Weight.MAJOR)
    CONCERN = ("expression of concern published", Weight.MAJOR)
    CONCERN_WITHDRAWN = ("expression of concern withdrawn", Weight.MAJOR)
    WITHDRAWN = ("withdrawn from PubMed", Weight.MAJOR)
    RESTORED = ("restored to PubMed", Weight.MAJOR)
    CORRECTED_AND_REPUBLISHED = ("corrected and republished", Weight.MAJOR)
    ERRATUM = ("erratum published", Weight.MAJOR)
    PUBLISHED_AS_ARTICLE = ("published as an article (was a preprint)", Weight.MAJOR)
    PREPRINT_UPDATED = ("preprint updated", Weight.NOTABLE)
    UPDATED = ("update published", Weight.NOTABLE)
    REPUBLISHED = ("republished", Weight.NOTABLE)
    NEW_VERSION = ("new version published", Weight.NOTABLE)
    PUBLISHED_IN_ISSUE = ("published in an issue", Weight.NOTABLE)
    ABSTRACT_ADDED = ("abstract added", Weight.NOTABLE)
    ABSTRACT_REVISED = ("abstract revised", Weight.NOTABLE)
    ABSTRACT_REMOVED = ("abstract removed", Weight.NOTABLE)
    TITLE_REVISED = ("title revised", Weight.NOTABLE)
    AUTHORS_REVISED = ("authors revised", Weight.NOTABLE)
    SUMMARY_ADDED = ("summary for patients added", Weight.NOTABLE)
    COMMENT_ADDED = ("comment added", Weight.NOTABLE)
    INDEXED = ("indexed with MeSH", Weight.BOOKKEEPING)
    INDEXING_REVISED = ("MeSH indexing revised", Weight.BOOKKEEPING)
    NOT_INDEXED = ("will not be indexed with MeSH", Weight.BOOKKEEPING)
    IN_PMC = ("deposited in PMC", Weight.BOOKKEEPING)
    IDENTIFIERS_REVISED = ("identifiers revised", Weight.BOOKKEEPING)
    LINK_REMOVED = ("link to a related record removed", Weight.BOOKKEEPING)
    DETAILS_REVISED = ("details revised", Weight.BOOKKEEPING)

    def __init__(self, words: str, weight: Weight) -> None:
        self.words = words
        self.weight = weight


INTEGRITY = frozenset(
    {
        Change.RETRACTED,
        Change.RETRACTED_AND_REPUBLISHED,
        Change.REINSTATED,
        Change.CONCERN,
        Change.CONCERN_WITHDRAWN,
        Change.WITHDRAWN,
        Change.RESTORED,
        Change.CORRECTED_AND_REPUBLISHED,
        Change.ERRATUM,
    }
)
"""What bears on how far a paper stands: whoever kept or sent it has to know."""
REWORDED = frozenset({Change.TITLE_REVISED, Change.ABSTRACT_ADDED, Change.ABSTRACT_REVISED, Change.ABSTRACT_REMOVED})
"""Title or abstract are not the words that were read."""


@dataclass(frozen=True, slots=True)
class New:
    """We did not hold it."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Nothing differs, or what came is an older version than the one held."""


@dataclass(frozen=True, slots=True)
class Revised:
    """It differs in `fields`; `changes` says what that means, weightiest first, and is never empty."""

    changes: tuple[Change, ...]
    fields: frozenset[str]

    @property
    def weight(self) -> Weight:
        return max(change.weight for change in self.changes)


class Integrity(Flag):
    """How far a paper still stands; several may hold at once."""

    SOUND = 0
    RETRACTED = 1
    RETRACTED_AND_REPUBLISHED = 2
    CONCERN = 4
    CORRECTED_AND_REPUBLISHED = 8
    ERRATUM = 16


def compare(held: Citation | None, fetched: Citation) -> New | Revised | Unchanged:
    """Say what a fetched citation means for the one we hold.

    A higher Version is a revision even where nothing else differs. A lower one than we hold is history and
    changes nothing. Two different PMIDs are the caller's mistake.
    """
    if held is None:
        return New()
    if held.pmid != fetched.pmid:
        raise ValueError(f"PMID {fetched.pmid} cannot be compared with PMID {held.pmid}")
    if fetched.version < held.version:
        return Unchanged()
    changed = frozenset(name for name in _FIELDS if getattr(held, name) != getattr(fetched, name))
    if not changed:
        return Unchanged()
    found = _changes(held, fetched, changed) or [Change.DETAILS_REVISED]
    return Revised(tuple(sorted(found, key=lambda change: -change.weight)), changed)


# ---- standing


def is_retracted(citation: Citation) -> bool:
    """Retracted means publication type Retracted Publication or a link RetractionIn, and nothing else."""
    return _has_type(citation, RETRACTED_PUBLICATION) or _has_link(citation, "RetractionIn")


def is_republished_after_retraction(citation: Citation) -> bool:
    """A state of its own: the flawed version was withdrawn and a sound one stands under another citation."""
    return _has_link(citation, "RetractedandRepublishedIn")


def is_retraction_notice(citation: Citation) -> bool:
    """The record that announces a retraction. NLM renamed the type to "Retraction Notice"; both names count."""
    return (
        _has_type(citation, RETRACTION_NOTICE)
        or any(each.name == "Retraction Notice" for each in citation.publication_types)
        or _has_link(citation, "RetractionOf")
    )


def has_concern(citation: Citation) -> bool:
    return _has_link(citation, "ExpressionOfConcernIn")


def has_erratum(citation: Citation) -> bool:
    """An erratum was published; since 2016 that includes partial retractions (PubMed User Guide)."""
    return _has_link(citation, "ErratumIn")


def is_preprint(citation: Citation) -> bool:
    return _has_type(citation, PREPRINT)


def integrity(citation: Citation) -> Integrity:
    """Everything that limits how far the paper stands."""
    found = Integrity.SOUND
    if is_retracted(citation):
        found |= Integrity.RETRACTED
    if is_republished_after_retraction(citation):
        found |= Integrity.RETRACTED_AND_REPUBLISHED
    if has_concern(citation):
        found |= Integrity.CONCERN
    if _has_link(citation, "CorrectedandRepublishedIn"):
        found |= Integrity.CORRECTED_AND_REPUBLISHED
    if has_erratum(citation):
        found |= Integrity.ERRATUM
    return found


def _has_type(citation: Citation, wanted: PublicationType) -> bool:
    ui, name = wanted.ui, wanted.name
    return any(each.ui == ui or each.name == name for each in citation.publication_types)


def _has_link(citation: Citation, kind: str) -> bool:
    return bool(citation.corrections) and any(link.kind == kind for link in citation.corrections)


# ---- changes


def _changes(held: Citation, fetched: Citation, changed: frozenset[str]) -> list[Change]:
    found = _standing_changes(held, fetched)
    if "corrections" in changed:
        found += _link_changes(held, fetched)
    if fetched.version > held.version:
        found.append(Change.PREPRINT_UPDATED if is_preprint(fetched) else Change.NEW_VERSION)
    if not _is_placed(held) and _is_placed(fetched):
        found.append(Change.PUBLISHED_IN_ISSUE)
    found += _text_changes(held, fetched)
    if "author_lists" in changed and _names(held) != _names(fetched):
        found.append(Change.AUTHORS_REVISED)
    found += _indexing_changes(held, fetched)
    if held.pmcid is None and fetched.pmcid is not None:
        found.append(Change.IN_PMC)
    if _identifiers(held) != _identifiers(fetched):
        found.append(Change.IDENTIFIERS_REVISED)
    return found


def _standing_changes(held: Citation, fetched: Citation) -> list[Change]:
    found = []
    was, now = is_retracted(held), is_retracted(fetched)
    if now and not was:
        found.append(Change.RETRACTED)
    if was and not now:
        found.append(Change.REINSTATED)
    if has_concern(held) and not has_concern(fetched):
        found.append(Change.CONCERN_WITHDRAWN)
    return found


_NEWS_OF_LINKS = {
    "RetractedandRepublishedIn": Change.RETRACTED_AND_REPUBLISHED,
    "CorrectedandRepublishedIn": Change.CORRECTED_AND_REPUBLISHED,
    "RepublishedIn": Change.REPUBLISHED,
    "ExpressionOfConcernIn": Change.CONCERN,
    "ErratumIn": Change.ERRATUM,
    "SummaryForPatientsIn": Change.SUMMARY_ADDED,
    "CommentIn": Change.COMMENT_ADDED,
}


def _link_changes(held: Citation, fetched: Citation) -> list[Change]:
    """News from links that appeared. Links gained or lost by a count, so that one that is only completed is no news."""
    found = []
    before, after = _links(held), _links(fetched)
    for kind, change in _NEWS_OF_LINKS.items():
        if len(after.get(kind, ())) > len(before.get(kind, ())) or _replaced(before.get(kind), after.get(kind)):
            found.append(change)
    if len(after.get("UpdateIn", ())) > len(before.get("UpdateIn", ())):
        found.append(Change.PUBLISHED_AS_ARTICLE if is_preprint(fetched) else Change.UPDATED)
    explained = {"RetractionIn", "ExpressionOfConcernIn"}
    if any(len(links) > len(after.get(kind, ())) for kind, links in before.items() if kind not in explained):
        found.append(Change.LINK_REMOVED)
    return found


def _links(citation: Citation) -> dict[str, list[int | None]]:
    found: dict[str, list[int | None]] = {}
    for link in citation.corrections:
        found.setdefault(link.kind, []).append(link.pmid)
    return found


def _replaced(before: list[int | None] | None, after: list[int | None] | None) -> bool:
    """As many links as before, but to another record: every PMID was known, and one is new."""
    if not before or not after or None in before:
        return False
    return any(pmid is not None and pmid not in before for pmid in after)


def _is_placed(citation: Citation) -> bool:
    """Whether it stands in an issue or volume; ahead of print it does not, whatever else is filled in."""
    if citation.journal is None or citation.publication_status == "aheadofprint":
        return False
    return bool(citation.journal.volume or citation.journal.issue or citation.pagination)


def _text_changes(held: Citation, fetched: Citation) -> list[Change]:
    """Words alone count: markup and white space are details."""
    found = []
    before, after = abstract_words(held), abstract_words(fetched)
    if before != after:
        if not before:
            found.append(Change.ABSTRACT_ADDED)
        elif not after:
            found.append(Change.ABSTRACT_REMOVED)
        else:
            found.append(Change.ABSTRACT_REVISED)
    if plain(held.title) != plain(fetched.title):
        found.append(Change.TITLE_REVISED)
    if found and fetched.version == held.version and is_preprint(fetched):
        found.append(Change.PREPRINT_UPDATED)
    return found


def abstract_words(citation: Citation) -> tuple[tuple[str | None, str], ...]:
    """Return each section of the abstract as it is read: its label and its text without markup."""
    if citation.abstract is None:
        return ()
    return tuple((section.label, plain(section.text)) for section in citation.abstract.sections)


def _names(citation: Citation) -> list[tuple[object, ...]]:
    return [
        (each.kind, each.complete, tuple(_name(author) for author in each.authors if author.valid))
        for each in citation.author_lists
    ]


def _name(author: Author) -> tuple[str | None, ...]:
    suffix, group = plain(author.suffix), plain(author.collective_name)
    return (author.last_name, author.fore_name, author.initials, suffix, group)


def _indexing_changes(held: Citation, fetched: Citation) -> list[Change]:
    if held.mesh_headings != fetched.mesh_headings:
        return [Change.INDEXING_REVISED if held.mesh_headings else Change.INDEXED]
    if fetched.status == "PubMed-not-MEDLINE" != held.status:
        return [Change.NOT_INDEXED]
    return []


def _identifiers(citation: Citation) -> tuple[object, ...]:
    """The DOI, PII and other ids by which people find the paper; the PMC id is news of its own kind when it appears."""
    own = sorted((each.kind, each.value) for each in citation.article_ids if each.kind not in ("pmc", "pmcid"))
    return (citation.doi, sorted(location for location in citation.elocations if location.valid), own)
