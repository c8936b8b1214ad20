"""The library searched on both databases: pages, numbers, order, facets, and what only one of them finds hard."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import Affiliation, Author, AuthorList, Citation, InlineXml, Keyword, KeywordList
from monitor.core.query import And, MeshTree, Own, Term, document, matches, parse
from monitor.errors import UsageError
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.facets import KINDS, Facets, facets, narrowing
from monitor.storage.fulltext import MIRROR
from monitor.storage.lookup import Near, Phrase, Token
from monitor.storage.search import Page, count, page, pmids, relevant
from monitor.storage.search_plan import (
    EVERY,
    NONE,
    All,
    Between,
    Except,
    Node,
    children,
    every,
    indexed,
    rebuilt,
    some,
    without,
)
from monitor.storage.search_sqlite import match
from tests.factories import FIRST_PMID, citation
from tests.storage.known_library import store
from tests.storage.query_dice import TODAY, TOPICS, invented, known_of
from tests.unit.query.invented import TREE

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def kept(database: Database, *citations: Citation) -> None:
    with database.write() as session:
        keep(session, citations, NOW)


def titled(*titles: str) -> list[Citation]:
    return [citation(FIRST_PMID + at, title=InlineXml(title), abstract=None) for at, title in enumerate(titles)]


def found(database: Database, search: str, today: date | None = TODAY, tree: MeshTree = TREE) -> list[int]:
    """The whole answer as numbers from 0 upwards, after its count was held against it."""
    query = parse(search, own=True)
    with database.read() as session:
        answer = list(pmids(session, query, tree, today))
        assert count(session, query, tree, today) == len(answer)
    return [pmid - FIRST_PMID for pmid in answer]


def best(database: Database, search: str, **more: Any) -> list[int]:
    with database.read() as session:
        return [pmid - FIRST_PMID for pmid in relevant(session, parse(search, own=True), TREE, TODAY, **more)]


def counted(database: Database, search: str, **more: Any) -> Facets:
    with database.read() as session:
        return facets(session, parse(search, own=True), TREE, TODAY, **more)


def test_pages_divide_the_answer(database: Database) -> None:
    kept(database, *titled(*["fable cells"] * 7, "other"))
    query = parse("fable[ti]")
    pages: list[Page] = []
    before = None
    with database.read() as session:
        while not pages or before is not None:
            pages.append(page(session, query, TREE, TODAY, before=before, limit=3))
            before = pages[-1].next_before
    assert [[pmid - FIRST_PMID for pmid in each.pmids] for each in pages] == [[6, 5, 4], [3, 2, 1], [0]]
    assert [each.next_before for each in pages] == [FIRST_PMID + 4, FIRST_PMID + 1, None]


def test_a_full_last_page_is_the_last(database: Database) -> None:
    kept(database, *titled(*["fable"] * 4))
    with database.read() as session:
        last = page(session, parse("fable[ti]"), TREE, TODAY, before=FIRST_PMID + 2, limit=2)
    assert last == Page((FIRST_PMID + 1, FIRST_PMID), None)


@pytest.mark.parametrize(
    "search", ["fable[ti]", "the of", "fable[ti] NOT other[ti]", "open[decision]", "1:3000[uid]", "a[tag]"]
)
def test_an_empty_library_answers(database: Database, search: str) -> None:
    assert found(database, search) == []
    assert best(database, search) == []
    assert counted(database, search) == Facets(dict.fromkeys(KINDS, ()), 0, True)


def test_a_search_of_ignored_words_finds_nothing(database: Database) -> None:
    kept(database, *titled("the fable of it"))
    assert found(database, "the of") == []
    assert found(database, "the of AND fable[ti]") == [0]
    assert found(database, "the[ti] NOT absent[ti]") == [0]


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("fable[ti] OR #3", "#3: the library keeps no earlier searches"),
        ('fable[ti] AND "last 3 days"[added]', "needs to know what day it is"),
    ],
)
def test_what_nobody_can_answer_is_refused(database: Database, search: str, words: str) -> None:
    query = parse(search, own=True)
    with database.read() as session:
        for ask in (page, count, pmids, relevant, facets):
            with pytest.raises(UsageError, match=words):
                ask(session, query, TREE, None)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("PD-1[tiab]", [1, 0]), ('"anti-PD-1"[tiab]', [0]), ("anti-PD-1[ti]", [0]), ('"pd 1"[ti]', [1, 0]),
        ("细胞[ti]", [2]), ("杀伤细[ti]", [2]), ("杀胞[ti]", []), ("NK 细胞[ti]", []), ("it[ti]", []), ('"it was"[ti]', [3]),
        ("sorensen[ti]", [4]), ("IFN-γ[ti]", [4]), ("o'fable[ti]", [3]), ("fabl[ti]", []), ("fabl*[ti]", [4, 3]),
        ('"was o\'fabl*"[ti]', [3]), ("\"'; DROP TABLE citation; --\"[ti]", []), ("near fable[ti]", []), ("every[all]", []),
    ],
)  # fmt: skip
def test_words_are_those_of_the_evaluator(database: Database, search: str, expected: list[int]) -> None:
    kept(
        database,
        *titled(
            "An anti-PD-1 antibody", "Blocking PD-1", "自然杀伤细胞", "It was o'fable", "Sørensen's IFN-γ (fables)"
        ),
    )
    assert found(database, search) == expected


def test_a_phrase_does_not_cross_texts(database: Database) -> None:
    words = (Keyword(InlineXml("fable")), Keyword(InlineXml("cells")))
    kept(database, citation(FIRST_PMID, title=InlineXml("One"), keyword_lists=(KeywordList(words, "NOTNLM"),)))
    assert found(database, '"fable cells"[tiab]') == []
    assert found(database, '"fable cells"[tiab:~9]') == []
    assert found(database, "fable[tiab] AND cells[tiab]") == [0]


def nested(levels: int) -> str:
    """`(a OR (b AND (a OR ...)))`: every level has a meaning of its own."""
    text = "c[ti]"
    for level in range(levels):
        text = f"{'ab'[level % 2]}[ti] {('OR', 'AND')[level % 2]} ({text})"
    return text


@pytest.mark.parametrize("levels", [5, 18, 19, 20, 21, 40, 140])
@pytest.mark.parametrize("tail", ["", " AND open[decision]", " NOT keep[decision]"])
def test_deep_searches_are_answered(database: Database, levels: int, tail: str) -> None:
    citations = titled("a", "b", "c", "a b", "a c", "b c", "a b c", "d")
    kept(database, *citations)
    search = f"({nested(levels)}){tail}"
    query = parse(search, own=True)
    right = [each.pmid - FIRST_PMID for each in citations if matches(query, document(each), TREE)]
    assert right
    assert found(database, search) == right[::-1]


def test_wide_searches_are_answered(database: Database) -> None:
    kept(database, *titled("fable", "other"))
    search = " OR ".join(f"word{number}[tiab]" for number in range(3000)) + " OR fable[ti]"
    assert found(database, search) == [0]
    assert found(database, f"{' '.join(map(str, range(1, 3000)))} {FIRST_PMID + 1}[uid] AND other[ti]") == [1]


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        (f"{FIRST_PMID + 1}:{FIRST_PMID + 2}[uid]", [2, 1]), (f"{FIRST_PMID + 2}:{FIRST_PMID}[uid]", []),
        (f"fable[ti] AND {FIRST_PMID + 1}:99999999[uid]", [3, 1]), (f"fable[ti] NOT {FIRST_PMID + 1}:99999999[uid]", [0]),
        (f"other[ti] OR {FIRST_PMID}:{FIRST_PMID}[uid]", [2, 0]), (f"{FIRST_PMID} {FIRST_PMID + 3}", [3, 0]),
    ],
)  # fmt: skip
def test_ranges_of_pmids(database: Database, search: str, expected: list[int]) -> None:
    kept(database, *titled("fable", "fable", "other", "fable"))
    assert found(database, search) == expected


def test_numbers_on_both_sides_of_the_mirror_come_newest_first(database: Database) -> None:
    held = [1, MIRROR - 1, MIRROR, MIRROR + 1, 3 * MIRROR]
    kept(database, *(citation(pmid, title=InlineXml("fable")) for pmid in (*held[::2], *held[1::2])))
    with database.read() as session:
        for search in ("fable", f"fable AND {MIRROR}:{3 * MIRROR}[uid]", f"fable NOT {MIRROR}[uid]"):
            query = parse(search, own=True)
            right = [
                pmid
                for pmid in reversed(held)
                if matches(query, document(citation(pmid, title=InlineXml("fable"))), TREE)
            ]
            assert list(page(session, query, TREE, TODAY).pmids) == right
            assert list(page(session, query, TREE, TODAY, before=right[0]).pmids) == right[1:]
            assert count(session, query, TREE, TODAY) == len(right)
            assert relevant(session, query, TREE, TODAY) == tuple(right)


def same(database: Database, citations: Sequence[Citation], searches: Sequence[str]) -> None:
    """Hold the database against the evaluator."""
    documents = [document(each) for each in reversed(citations)]
    for search in searches:
        query = parse(search)
        right = [each.citation.pmid - FIRST_PMID for each in documents if matches(query, each, TREE)]
        assert found(database, search) == right, search[:100]


def test_places_beyond_what_a_tsvector_holds(database: Database) -> None:
    """256 places of a word, the place 16,383, a word of 2,046 bytes: PostgreSQL stops there, and the index says so."""
    many = "fable " * 300 + "story other fable cells"
    far = " ".join(f"w{number}" for number in range(16_500)) + " fable cells story"
    long = "x" * 3000
    citations = [
        citation(FIRST_PMID, abstract=many),
        citation(FIRST_PMID + 1, abstract=far),
        citation(FIRST_PMID + 2, abstract=f"fable {long} cells"),
        citation(FIRST_PMID + 3, abstract="fable cells"),
        citation(FIRST_PMID + 4, abstract="cells of another fable"),
    ]
    kept(database, *citations)
    same(
        database,
        citations,
        [
            '"fable cells"[tiab]', '"cells fable"[tiab]', '"story fable"[tiab]', '"fable story"[tiab]', '"w16498 w16499"[tiab]',
            '"w16499 w16498"[tiab]', 'fable[tiab] NOT "fable cells"[tiab]', 'fable[tiab] NOT "story other"[tiab]',
            '"fable cells"[tiab:~0]', '"cells story"[tiab:~1]', '"fable cells story"[tiab:~3]', 'fable[tiab] NOT "cells fable"[tiab:~2]',
            f"{long}[tiab]", f"{long[:-1]}[tiab]", f"{long[:2500]}*[tiab]", f'"fable {long}"[tiab]', f"fable[tiab] NOT {long}[tiab]",
        ],
    )  # fmt: skip


def test_more_words_than_a_tsvector_holds(database: Database) -> None:
    """PostgreSQL takes 1 MB of words."""
    place = " ".join(f"affiliation{number:09}" for number in range(50_000))
    immense = AuthorList((Author("Invented", affiliations=(Affiliation(InlineXml(f"{place} last words")),)),))
    citations = [citation(FIRST_PMID, author_lists=(immense,)), citation(FIRST_PMID + 1)]
    kept(database, *citations)
    same(
        database,
        citations,
        ["words", '"last words"[ad]', "killer NOT words", "affiliation00004999*[all]", "absent NOT words"],
    )


def test_the_newest_judgement_stands(database: Database) -> None:
    citations = titled(*["fable"] * 12)
    known = known_of(citations, seed=3)
    store(database, citations, known, TOPICS)
    for search in (*(f"{topic}[{field}]" for topic in TOPICS for field in ("topic", "wide")),
                   *(f"{verdict}[decision]" for verdict in ("keep", "maybe", "dismiss", "open")),
                   '"solid tumour"[tag]', "s*[tag]", '"no such"[tag]', "b1[level]", "c*[claim]", "2026/11[added]"):  # fmt: skip
        query = parse(search, own=True)
        right = [e.pmid - FIRST_PMID for e in reversed(citations) if matches(query, document(e, known[e.pmid]), TREE)]
        assert found(database, search) == right, search


def test_the_best_come_first_and_ties_newest_first(database: Database) -> None:
    texts = (
        ("fable cells", "other"),
        ("other", "a fable"),
        ("other", "nothing"),
        ("fable", "fable fable fable"),
        ("other", "a fable"),
    )
    kept(database, *(citation(FIRST_PMID + at, title=InlineXml(t), abstract=a) for at, (t, a) in enumerate(texts)))
    assert best(database, "fable") == [3, 0, 4, 1]
    assert best(database, "fable", limit=2) == [3, 0]
    assert best(database, "fable", limit=2, offset=2) == [4, 1]
    assert best(database, "fable NOT keep[decision]") == [3, 0, 4, 1]
    assert set(best(database, "cells[ti] OR (fable[tiab] AND open[decision])", limit=2)) == {0, 3}
    assert best(database, "eng[la] NOT fable") == [2]
    assert best(database, "open[decision]") == [4, 3, 2, 1, 0]


def test_facets_count_what_their_searches_find(database: Database) -> None:
    # [ta] finds a journal by any of its names, the facet has one: they agree where all records have that one.
    citations = [each for each in invented(90, TREE, seed=5) if each.journal and each.journal.medline_ta]
    store(database, citations, known_of(citations), TOPICS)
    for search in ("cells", "all[sb]", "cells NOT car-nk[topic]", '"killer cells"[tiab:~3]'):
        said = counted(database, search)
        query = parse(search, own=True)
        with database.read() as session:
            assert said.whole
            assert said.counted == count(session, query, TREE, TODAY) > 0
            for kind in KINDS:
                values = said.counts[kind]
                order = [(0, -int(value)) if kind == "year" else (-number, value) for value, number in values]
                assert order == sorted(order)
                for value, number in values:
                    narrowed = And((query, parse(narrowing(kind, value), own=True)))
                    assert number == count(session, narrowed, TREE, TODAY), (search, kind, value)
    assert all(counted(database, "all[sb]").counts.values())


def test_facets_of_the_newest_hits_say_that_there_are_more(database: Database) -> None:
    kept(database, *titled(*["fable"] * 5))
    said = counted(database, "fable", newest=3)
    assert (said.counted, said.whole) == (3, False)
    assert said.counts["language"] == (("eng", 3),)
    assert counted(database, "fable", newest=5).whole


def test_a_publication_type_that_changed_its_name_is_counted_once(database: Database) -> None:
    kept(
        database,
        citation(FIRST_PMID, publication_types={"D016440": "Retraction of Publication"}),
        citation(FIRST_PMID + 1, publication_types={"D016440": "Retraction Notice"}),
    )
    assert counted(database, "all[sb]").counts["type"] == (("Retraction of Publication", 2),)


# The tree that a plan is ---------------------------------------------------------------------------------------------

A, B, C = Token("a"), Phrase(("title",), ("b",)), Near(("title", "body"), ("c", "d"), 2)
nodes = st.recursive(
    st.sampled_from([A, B, C, EVERY, NONE]),
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(every),
        st.lists(parts, min_size=1, max_size=3).map(some),
        st.builds(without, parts, parts),
    ),
)


def holds(node: Node, true: frozenset[Node]) -> bool:
    if isinstance(node, Except):
        return holds(node.base, true) and not holds(node.excluded, true)
    if indexed(node) and node in (A, B, C):
        return node in true
    parts = [holds(part, true) for part in children(node)]
    return all(parts) if isinstance(node, All) else any(parts)


@given(st.lists(nodes, min_size=1, max_size=4), st.sets(st.sampled_from([A, B, C])))
def test_joining_keeps_the_meaning(parts: list[Node], chosen: set[Node]) -> None:
    true = frozenset(chosen)
    values = [holds(part, true) for part in parts]
    assert holds(every(parts), true) is all(values)
    assert holds(some(parts), true) is any(values)
    assert holds(without(parts[0], parts[-1]), true) is (values[0] and not values[-1])
    if children(parts[0]):
        assert rebuilt(parts[0], children(parts[0])) == parts[0]


def test_what_fts5_is_asked() -> None:
    node = without(every([A, some([B, C])]), Token("f", prefix=True))
    assert match(node) == ('("øa" AND ({title} : "b" OR {title body} : NEAR("c" "d", 2))) NOT "øf" *')
    assert not indexed(every([A, Between(1, 2)]))


def test_a_citation_that_is_not_ours_has_nothing_standing() -> None:
    assert not matches(Term("x", "tag"), document(citation()), TREE)
    assert matches(Term("x", "tag"), document(citation(), Own(tags=frozenset({"X"}))), TREE)


def test_pages_where_thousands_of_values_stand(database: Database) -> None:
    topic, other = sorted(TOPICS)[:2]
    papers = titled(*(["fable cells", "other cells"] * 1400))
    known = {
        each.pmid: Own(
            topics=frozenset({topic} if at % 5 else {other}),
            tags=frozenset({"first"} if at % 7 else ()),
            decision="keep" if at % 8 else "open",
        )
        for at, each in enumerate(papers)
    }
    store(database, papers, known, (topic, other))
    with database.read() as session:
        for search in (
            f"{topic}[topic] NOT keep[decision]",
            f"{topic}[topic] AND open[decision]",
            f"{topic}[topic] AND keep[decision] AND first[tag]",
            f"first[tag] NOT {topic}[topic]",
            f"keep[decision] NOT (first[tag] OR {other}[topic])",
            f"fable[ti] AND {topic}[topic] NOT keep[decision]",
            f"(fable[ti] OR {other}[topic]) NOT first[tag]",
        ):
            query = parse(search, own=True)
            right = [each.pmid for each in papers if matches(query, document(each, known[each.pmid]), TREE, TODAY)][
                ::-1
            ]
            assert len(right) > 25, search
            shown = page(session, query, TREE, TODAY, limit=20)
            assert list(shown.pmids) == right[:20], search
            assert list(page(session, query, TREE, TODAY, before=shown.next_before, limit=5).pmids) == right[20:25], (
                search
            )
            assert list(pmids(session, query, TREE, TODAY)) == right, search
