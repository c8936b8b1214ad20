"""The search index: the words the evaluator sees, on both databases, in step with whatever is kept."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    Author,
    AuthorList,
    Citation,
    InlineXml,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
)
from monitor.core.markup import loose
from monitor.core.query.document import TIERS
from monitor.core.query.words import split_words
from monitor.resources import load_mesh_tree
from monitor.storage import fulltext, indexing
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.fulltext import BOUNDARY, COLUMNS, LETTERS, entry, shown
from tests import factories
from tests.factories import FIRST_PMID, citation

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 22)
TREE = load_mesh_tree()


def kept(database: Database, *found: Citation, now: datetime = NOW, **how: bool) -> None:
    with database.write() as session:
        keep(session, found, now, **how)


def found(database: Database, column: str, phrase: str, *, token: bool = False) -> list[int]:
    """PMIDs whose column holds the words of a phrase one after the other, newest first."""
    words = phrase.split() if token else split_words(phrase)[0]
    with database.read() as session:
        if database.dialect == "sqlite":
            words = [fulltext.FACT + word for word in words] if column == "facets" else words
            query = "SELECT rowid FROM citation_fts WHERE citation_fts MATCH :q ORDER BY rowid"
            rows = session.scalars(text(query), {"q": f'{column} : "{" ".join(words)}"'})
            return [fulltext.MIRROR - row for row in rows]
        query = "SELECT pmid FROM citation_index WHERE search @@ CAST(:q AS tsquery) ORDER BY pmid DESC"
        return list(session.scalars(text(query), {"q": " <-> ".join(f"'{LETTERS[column]}{w}'" for w in words)}))


def sound(database: Database) -> None:
    with database.write() as session:
        indexing.check(session)


RICH = citation(
    title=InlineXml(
        "Anti-PD-1 and IL-2/IL-15 in CD8<sup>+</sup> T cells: was it β-catenin? CO<sub>2</sub> &amp; naïve Müller"
    ),
    abstract=Abstract(
        (AbstractSection(InlineXml("Invented ﬁrst µg of 免疫細胞 at 5×10³ cells_per user@example.com."), "AIMS"),)
    ),
    other_abstracts=(OtherAbstract((AbstractSection(InlineXml("Zusammenfassung.")),), "Publisher", "ger"),),
    keyword_lists=(
        KeywordList((Keyword(InlineXml("CAR-NK")),), "NOTNLM"),
        KeywordList((Keyword(InlineXml("Orbital words")),), "NASA"),
    ),
    mesh_headings=(
        MeshHeading(MeshTerm("D007694", "Killer Cells, Natural", True), (MeshTerm("Q000276", "immunology"),)),
        MeshHeading(MeshTerm("D006801", "Humans")),
    ),
)


@pytest.mark.parametrize(
    ("column", "phrase"),
    [
        ("title", "anti-PD-1"),
        ("title", "PD-1"),
        ("title", "IL-15"),
        ("title", "CD8 T cells"),
        ("title", "was it"),
        ("title", "β-catenin"),
        ("title", "CO2"),
        ("title", "NAÏVE MULLER"),
        ("body", "first μg"),
        ("body", "免疫"),
        ("body", "細胞"),
        ("body", "103 cells"),
        ("body", "cells per"),
        ("body", "aims"),
        ("body", "Zusammenfassung"),
        ("body", "CAR-NK"),
        ("terms", "killer cells natural"),
        ("terms", "immunology"),
        ("terms", "orbital words"),
        ("terms", "Journal Article"),
        ("rest", "Invented J Cell Ther"),
        ("rest", "Example AB"),
        ("rest", "institute of invented studies"),
    ],
)
def test_words_are_found_as_the_evaluator_sees_them(database: Database, column: str, phrase: str) -> None:
    other = citation(
        FIRST_PMID + 1, title=None, abstract=None, journal=None, publication_types={}, authors=["Nobody N"]
    )
    kept(database, RICH, other)
    assert found(database, column, phrase) == [FIRST_PMID]


@pytest.mark.parametrize(
    "token",
    [
        "every",
        f"uid{FIRST_PMID}",
        "mud007694",
        "jud007694",
        "mxd008214",  # Lymphocytes
        "mnkillerøcellsønatural",
        "shimmunology",
        "pud016428",
        "laeng",
        "joinventedøjøcelløther",
        "øexample",
        "øexampleładałbđ",
        "øexamplełabđ",
        "øadałbłexampleđ",
        "flhasabstract",
        "dpy2024",
        "dp20240115",
        "dam202401",
        "dd20261122",
    ],
)
def test_exact_facts_are_tokens(database: Database, token: str) -> None:
    kept(database, RICH)
    if token == "dam202401":  # published in March, on line in January: in no single month
        assert found(database, "facets", token, token=True) == []
        token = "day2024"
    assert found(database, "facets", token, token=True) == [FIRST_PMID]


def test_what_stands_elsewhere_is_not_found(database: Database) -> None:
    kept(database, RICH)
    for column, phrase in (("title", "invented first"), ("body", "naive"), ("title", "immune"), ("body", "PD-1")):
        assert found(database, column, phrase) == []


def test_no_phrase_runs_from_one_text_into_the_next(database: Database) -> None:
    kept(database, RICH)
    assert found(database, "body", "com zusammenfassung") == []
    assert found(database, "body", "zusammenfassung car") == []
    assert found(database, "body", BOUNDARY, token=True) == ([FIRST_PMID] if database.dialect == "sqlite" else [])


def test_a_text_that_recurs_is_indexed_once() -> None:
    place = Affiliation(InlineXml("Institute of Invented Studies"))
    authors = tuple(Author("Doe", initials=letter, affiliations=(place,)) for letter in "ABC")
    words = entry(citation(author_lists=(AuthorList(authors),)), TODAY, TREE).rest
    assert words.count("institute") == 1


def test_letters_that_unicode_does_not_take_apart_are_found_in_ascii(database: Database) -> None:
    kept(database, citation(title=InlineXml("Œdema after Ħal."), authors=["Sørensen-Łukasz Þ"]))
    assert found(database, "title", "oedema after hal") == [FIRST_PMID]
    assert found(database, "rest", "sorensen lukasz th") == [FIRST_PMID]
    assert found(database, "facets", "øsorensenølukasz", token=True) == [FIRST_PMID]


def test_the_newest_come_first(database: Database) -> None:
    kept(database, *(citation(FIRST_PMID + n) for n in (2, 0, 1)))
    assert found(database, "title", "killer cells") == [FIRST_PMID + 2, FIRST_PMID + 1, FIRST_PMID]


@settings(max_examples=60)
@given(factories.citations())
def test_a_column_holds_the_words_of_its_texts(each: Citation) -> None:
    words = entry(each, TODAY, TREE)
    for name, column in zip(COLUMNS, words, strict=False):
        if name in TIERS:
            texts = dict.fromkeys(text for _, _, texts in TIERS[name](each, loose) for text in texts if text)
            assert [part.split() for part in column.split(BOUNDARY)] == [split_words(one)[0] for one in texts] or (
                not texts and not column.strip()
            )
    assert len(words.facets.split()) == len(set(words.facets.split()))
    assert not any("\n" in line or not line for line in shown(each).split("\n")) or shown(each) == ""


def test_a_control_character_divides_words_and_nothing_else() -> None:
    each = citation(title=InlineXml("Natural\x01killer"), book=None)
    assert entry(each, TODAY, TREE).title.split() == ["natural", "killer"]


@pytest.mark.parametrize("sign", fulltext.SIGNS)
def test_a_common_sign_is_in_no_word(sign: str) -> None:
    """What is blanked ahead of the evaluator's own cutting must be a gap to the evaluator."""
    assert split_words(f"a{sign}b")[0] == ["a", "b"]


def test_what_facets_show() -> None:
    each = citation(
        publication_types={"D016428": "Journal Article", "D016441": "Retracted Publication"}, languages=("eng", "chi")
    )
    facts, journal = shown(each).split("\n")
    assert journal == "jInvented J Cell Ther"
    assert facts.split("\t") == ["y2024", "tJournal Article", "tRetracted Publication", "leng", "lchi", "fretracted"]


def test_these_words_are_version_4() -> None:
    """Other words need another VERSION: without it, libraries would hold words of both kinds."""
    words = "\n".join(" ".join(column.split()) for column in entry(RICH, TODAY, TREE))
    checksum = hashlib.blake2b(words.encode(), digest_size=8).hexdigest()
    assert (indexing.VERSION, checksum) == (4, "6f30e1af9fffaa58")


def test_a_replaced_citation_is_found_by_its_new_words_alone(database: Database) -> None:
    kept(database, citation())
    kept(database, citation(title=InlineXml("Revised wording.")), now=datetime(2026, 11, 25, tzinfo=UTC))
    assert found(database, "title", "killer") == []
    assert found(database, "title", "revised wording") == [FIRST_PMID]
    assert found(database, "facets", "dd20261122", token=True) == [FIRST_PMID]
    sound(database)


def test_a_provisional_citation_is_found_and_replaced_whole(database: Database) -> None:
    named = citation(title=InlineXml("Named by a file."), publication_types={})
    kept(database, named, provisional=True)
    assert found(database, "title", "by a file") == [FIRST_PMID]
    kept(database, named, provisional=True)
    kept(database, citation())
    assert found(database, "title", "file") == []
    assert found(database, "title", "killer cells") == [FIRST_PMID]
    sound(database)


def test_several_versions_in_one_batch_leave_the_last(database: Database) -> None:
    titles = ("First words.", "Second words.", "Third words.")
    kept(database, *(citation(version=at + 1, title=InlineXml(title)) for at, title in enumerate(titles)))
    assert found(database, "title", "third") == [FIRST_PMID]
    assert found(database, "title", "first") == found(database, "title", "second") == []
    sound(database)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=factories.citations(), second=factories.citations())
def test_any_words_come_out_as_they_went_in(sqlite_database: Database, first: Citation, second: Citation) -> None:
    """FTS5's own check would find a word that was left behind."""
    with sqlite_database.write() as session:
        for each in (first, second):
            fulltext.clear(session)
            session.execute(text("PRAGMA defer_foreign_keys=ON"))
            fulltext.write(session, [(each, NOW)])
            fulltext.remove(session, [(each, NOW)])
            session.execute(text("INSERT INTO citation_fts(citation_fts) VALUES ('integrity-check')"))
            assert fulltext.count(session) == 0
            left = session.scalar(text("SELECT count(*) FROM citation_fts WHERE citation_fts MATCH 'facets : øevery'"))
            assert left == 0
