"""Invented citations: one readable value with overrides, and a Hypothesis strategy that reaches every element."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from monitor.core import citation as core
from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    ArticleDate,
    ArticleId,
    Author,
    AuthorList,
    Citation,
    ELocation,
    HistoryDate,
    InlineXml,
    Issn,
    Journal,
    Pagination,
    PartialDate,
    PublicationType,
)
from monitor.core.markup import escape_text

FIRST_PMID = 90_000_001
"""Real PMIDs are far below; everything invented stands at or above this number."""


def author(name: str, **overrides: Any) -> Author:
    """`author("Doe-Invented JQ")`: last name and initials as NLM prints them."""
    last, _, initials = name.rpartition(" ")
    fields: dict[str, Any] = {"last_name": last or initials, "initials": initials if last else None, "fore_name": None}
    if last:
        fields["fore_name"] = " ".join(initials)
    return Author(**{**fields, **overrides})


def citation(pmid: int = FIRST_PMID, **overrides: Any) -> Citation:
    """One complete invented citation.

    Every field of `Citation` may be overridden. For brevity `abstract` may be plain text (or a mapping of
    label to text), `authors` a sequence of names as in `author()`, `publication_types` a mapping of UI to name,
    `doi` and `pmcid` plain values, and `journal` keyword arguments that replace parts of the default journal.
    """
    journal = Journal(
        title="Invented journal of cell therapy",
        iso_abbreviation="Invented J. Cell Ther.",
        medline_ta="Invented J Cell Ther",
        nlm_unique_id="999000001",
        issn=Issn("9999-0001", "Electronic"),
        issn_linking="9999-0001",
        country="England",
        volume="12",
        issue="3",
        cited_medium="Internet",
        pub_date=PartialDate(2024, 3),
    )
    doi = overrides.pop("doi", f"10.99999/invented.{pmid}")
    pmcid = overrides.pop("pmcid", None)
    names = overrides.pop("authors", None)
    fields: dict[str, Any] = {
        "version": 1,
        "status": "PubMed-not-MEDLINE",
        "owner": "NLM",
        "revised_on": PartialDate(2024, 3, 20),
        "pub_model": "Print-Electronic",
        "journal": journal,
        "title": InlineXml("Invented natural killer cells carry an invented receptor."),
        "pagination": Pagination("101", "109", "101-109"),
        "elocations": (ELocation(doi, "doi"),) if doi else (),
        "abstract": Abstract((AbstractSection(InlineXml("Invented cells killed invented targets.")),)),
        "author_lists": (
            AuthorList(
                (
                    Author(
                        "Example",
                        "Ada B",
                        "AB",
                        affiliations=(Affiliation(InlineXml("Institute of Invented Studies, Nowhere.")),),
                    ),
                    Author("Placeholder", "Carl", "C"),
                ),
                kind="authors",
            ),
        ),
        "languages": ("eng",),
        "publication_types": (PublicationType("D016428", "Journal Article"),),
        "article_dates": (ArticleDate(PartialDate(2024, 1, 15)),),
        "history": (
            HistoryDate("pubmed", PartialDate(2024, 1, 16), 6, 42),
            HistoryDate("entrez", PartialDate(2024, 1, 16), 3, 12),
        ),
        "publication_status": "ppublish",
        "article_ids": (
            ArticleId(str(pmid)),
            *((ArticleId(doi, "doi"),) if doi else ()),
            *((ArticleId(pmcid, "pmc"),) if pmcid else ()),
        ),
    }
    if names is not None:
        fields["author_lists"] = (AuthorList(tuple(author(name) for name in names), kind="authors"),)
    if isinstance(overrides.get("abstract"), str):
        overrides["abstract"] = Abstract((AbstractSection(escape_text(overrides["abstract"])),))
    elif isinstance(overrides.get("abstract"), Mapping):
        sections = overrides["abstract"].items()
        overrides["abstract"] = Abstract(tuple(AbstractSection(escape_text(text), label) for label, text in sections))
    if isinstance(overrides.get("journal"), Mapping):
        overrides["journal"] = journal._replace(**overrides["journal"])
    if isinstance(overrides.get("publication_types"), Mapping):
        overrides["publication_types"] = tuple(
            PublicationType(*each) for each in overrides["publication_types"].items()
        )
    return Citation(pmid=pmid, **{**fields, **overrides})


HOSTILE = (
    "\n", "\r\n", "\r", "\t", "\u2028", "\x85", "ER  - ", "\nPMID- 1", "\n\nTY  - JOUR", "@article{x,", "}", "{", "\\", "%", "$x_1^2$", "#", "~",
    '"', "'", ",", ";", "=1+1", "+1", "-1", "@SUM(A1)", "\ufeff", "é", "e\u0301", "漢字", "𝒳", "&", "<", ">", "<b>", "]]>", "&amp;", ". ", "..", " ",
    "RETRACTED: ", "|", "//", "[doi]", "\xa0",
)  # fmt: skip
"""What has broken some writer of some format, once."""

_letters = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co"))
_pieces = st.one_of(st.text(_letters, max_size=8), st.sampled_from(HOSTILE))
_words = st.sampled_from(("Invented", "cells", "10.99999/x", "2024", "Smith J", "alpha-beta", "A", "12", "NK"))
texts = st.one_of(_words, st.lists(_pieces, max_size=4).map("".join))
"""Any text XML could hold, hostile more often than not; may be empty."""

_tags = st.sampled_from(("b", "i", "u", "sup", "sub"))
inline_xml = st.one_of(
    texts.map(escape_text),
    st.tuples(texts, _tags, texts, texts).map(
        lambda each: InlineXml(
            f"{escape_text(each[0])}<{each[1]}>{escape_text(each[2])}</{each[1]}>{escape_text(each[3])}"
        )
    ),
)
"""Well-formed inner XML."""

_seasons = st.none() | st.sampled_from(("Spring", "Summer", "Autumn", "Fall", "Winter"))
_nowhere: st.SearchStrategy[None] = st.none()
partial_dates = st.one_of(
    st.dates().map(lambda date: PartialDate(date.year, date.month, date.day)),
    st.builds(PartialDate, st.integers(1800, 2100), st.none() | st.integers(1, 12), _nowhere, _seasons),
    st.builds(
        PartialDate, st.none() | st.integers(1800, 2100), st.none() | st.integers(1, 12), _nowhere, _nowhere, texts
    ),
)

_FIELDS: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("Citation", "pmid"): st.integers(FIRST_PMID, 99_999_999),
    ("Citation", "version"): st.integers(1, 9),
    ("Citation", "pub_model"): st.none()
    | st.sampled_from(("Print", "Print-Electronic", "Electronic", "Electronic-Print", "Electronic-eCollection")),
    ("Citation", "publication_status"): st.none()
    | st.sampled_from(("ppublish", "epublish", "aheadofprint", "received", "accepted")),
    ("Citation", "languages"): st.lists(st.sampled_from(("eng", "chi", "fre", "ger", "mul", "und", "x")), max_size=2).map(tuple),
    ("AuthorList", "kind"): st.none() | st.sampled_from(("authors", "editors")),
    ("ELocation", "kind"): st.sampled_from(("doi", "pii")),
    ("ArticleId", "kind"): st.sampled_from(("pubmed", "doi", "pmc", "pii", "bookaccession", "mid", "pmcr")),
    ("Correction", "kind"): st.sampled_from(
        ("RetractionIn", "RetractionOf", "ErratumIn", "ErratumFor", "ExpressionOfConcernIn", "CommentIn", "UpdateOf", "PreprintOf", "Odd")
    ),
    ("Correction", "pmid"): st.none() | st.integers(FIRST_PMID, 99_999_999),
    ("PublicationType", "ui"): st.none() | st.sampled_from(("D016428", "D016441", "D016440", "D000076942", "D000078325", "D016454")),
    ("HistoryDate", "status"): st.sampled_from(("pubmed", "medline", "entrez", "received", "accepted", "pmc-release")),
    ("HistoryDate", "hour"): st.none() | st.integers(0, 23),
    ("HistoryDate", "minute"): st.none() | st.integers(0, 59),
    ("HistoryDate", "second"): st.none() | st.integers(0, 59),
}  # fmt: skip


def _of(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    if hint is InlineXml:
        return inline_xml
    if hint is core.PartialDate:
        return partial_dates
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(0, 99_999_999)
    if hint is str:
        return texts
    if hint is type(None):
        return _nowhere
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(
            *(_of(each, depth) for each in sorted(typing.get_args(hint), key=lambda h: h is not type(None)))
        )
    if origin is tuple:
        (inner, *_) = typing.get_args(hint)
        return st.just(()) if depth <= 0 else st.lists(_of(inner, depth - 1), max_size=2).map(tuple)
    return _build(hint, depth)


def _build(kind: Any, depth: int) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, has_default in _names(kind):
        each = _FIELDS.get((kind.__name__, name))
        if each is None:
            each = _later(hints[name], depth - 1)
        (optional if has_default else required)[name] = each
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: kind(**values))


def _later(hint: Any, depth: int) -> st.SearchStrategy[Any]:
    """Built when first drawn from, because a type may hold itself."""
    return st.deferred(lambda: _of(hint, depth))


def _names(kind: Any) -> list[tuple[str, bool]]:
    if dataclasses.is_dataclass(kind):
        return [(each.name, each.default is not dataclasses.MISSING) for each in dataclasses.fields(kind)]
    return [(name, name in kind._field_defaults) for name in kind._fields]


def citations(depth: int = 7) -> st.SearchStrategy[Citation]:
    """Any citation the types allow, hostile text included; `depth` bounds lists within lists."""
    return typing.cast("st.SearchStrategy[Citation]", _build(Citation, depth))
