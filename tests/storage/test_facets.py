"""Every value that facets show can be searched for, and then finds as many as they say."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest

from monitor.core.citation import Citation, PartialDate
from monitor.core.query import Own, parse
from monitor.storage.engine import Database
from monitor.storage.facets import KINDS, Counts, facets, narrowing
from monitor.storage.search import count
from tests.factories import FIRST_PMID, citation
from tests.storage.known_library import store
from tests.storage.query_dice import TODAY
from tests.unit.query.invented import TREE


def counts(database: Database, citations: list[Citation], known: Mapping[int, Own] | None = None) -> dict[str, Counts]:
    """What facets say of all there is, after every number was held against the search for its value."""
    store(database, citations, {each.pmid: (known or {}).get(each.pmid, Own()) for each in citations}, ())
    with database.read() as session:
        said = facets(session, parse("all[sb]"), TREE, TODAY).counts
        for kind in KINDS:
            for value, number in said[kind]:
                assert count(session, parse(narrowing(kind, value), own=True), TREE, TODAY) == number, (kind, value)
    return said


def in_journal(at: int, name: str) -> Citation:
    return citation(FIRST_PMID + at, journal={"title": name, "medline_ta": name, "iso_abbreviation": name})


def test_years_have_four_digits(database: Database) -> None:
    years = [
        citation(FIRST_PMID + at, journal={"pub_date": PartialDate(year)}) for at, year in enumerate((83, 999, 2024))
    ]
    assert counts(database, years)["year"] == (("2024", 3), ("999", 1), ("83", 1))


def test_spellings_that_no_search_tells_apart_are_one_value(database: Database) -> None:
    names = ["Cells Nonsense", "Cells & nonsense", "Cells and Nonsense", "Cells & nonsense", "Other"]
    said = counts(database, [in_journal(at, name) for at, name in enumerate(names)])
    assert said["journal"] == (("Cells & nonsense", 4), ("Other", 1))


def test_a_citation_with_two_spellings_counts_once(database: Database) -> None:
    kinds = [{"D000001": "Fable Type", "D000002": "fable-type"}, {"D000001": "Fable Type"}, {"D000002": "Other"}]
    said = counts(database, [citation(FIRST_PMID + at, publication_types=each) for at, each in enumerate(kinds)])
    assert said["type"] == (("Fable Type", 2), ("Other", 1))


def test_values_without_words_are_left_out(database: Database) -> None:
    odd = citation(
        FIRST_PMID, publication_types={"D000001": "—"}, languages=(" ", "eng"), journal={"medline_ta": " & and ,"}
    )
    said = counts(database, [odd])
    assert (said["type"], said["journal"], said["language"]) == ((), (), (("eng", 1),))


def test_tags_of_two_spellings_are_one_value(database: Database) -> None:
    known = {
        FIRST_PMID: Own(tags=frozenset({"solid tumour", "Solid-Tumour"})),
        FIRST_PMID + 1: Own(tags=frozenset({"solid tumour"})),
        FIRST_PMID + 2: Own(tags=frozenset({"black and white"})),
        FIRST_PMID + 3: Own(tags=frozenset({"black white"})),
    }
    said = counts(database, [citation(FIRST_PMID + at) for at in range(4)], known)
    assert said["tag"] == (("solid tumour", 2), ("black and white", 1), ("black white", 1))


def test_a_tag_counts_with_any_qualifier_and_each_qualified_one_by_itself(database: Database) -> None:
    known = {
        FIRST_PMID: Own(tags=frozenset({"crs/absent"})),
        FIRST_PMID + 1: Own(tags=frozenset({"crs/reported", "crs"})),
        FIRST_PMID + 2: Own(tags=frozenset({"crs"})),
        FIRST_PMID + 3: Own(tags=frozenset({"car-t/comparator", "nk/t-cell lymphoma"})),
        FIRST_PMID + 4: Own(tags=frozenset({"nk", "CRS/absent"})),
    }
    said = counts(database, [citation(FIRST_PMID + at) for at in range(5)], known)
    assert {value.lower(): number for value, number in said["tag"]} == {
        "crs": 4,
        "crs/absent": 2,
        "crs/reported": 1,
        "car-t/comparator": 1,
        "nk/t-cell lymphoma": 1,
        "nk": 1,
    }


@pytest.mark.parametrize("seed", range(3))
def test_every_mixture_of_spellings_counts_what_its_searches_find(database: Database, seed: int) -> None:
    dice = random.Random(seed)

    def some(*values: str) -> list[str]:
        return dice.sample(values, dice.randrange(len(values)))

    mixed, known = [], {}
    for pmid in range(FIRST_PMID, FIRST_PMID + 60):
        types = some("Fable Type", "fable-type", "FABLE type", "Review", "—")
        name = dice.choice(("Cells & Nonsense", "Cells nonsense", "Other", "Ötherø", ""))
        mixed.append(
            citation(
                pmid,
                publication_types={f"D00000{at}": each for at, each in enumerate(types)},
                languages=tuple(some("eng", "ENG", "chi", "?")),
                journal={"title": name, "medline_ta": name or None, "iso_abbreviation": name or None},
            )
        )
        tags = frozenset(some("solid tumour", "solid-tumour", "safety", "tumour solid"))
        known[pmid] = Own(tags=tags, levels=frozenset(some("A", "B1")), claims=frozenset(some("C01", "C02")))
    said = counts(database, mixed, known)
    assert all(said[kind] for kind in ("type", "journal", "language", "tag", "level"))


@pytest.mark.parametrize(
    "sign", ['"', "“", "”", "„", "«", "″", "＂", "*", "＊", "(", ":", "[ta]", "'", "\\", "{0}", "%"]
)
def test_signs_in_a_value_mean_nothing(database: Database, sign: str) -> None:
    known = {
        FIRST_PMID: Own(tags=frozenset({f"car{sign}"})),
        FIRST_PMID + 1: Own(tags=frozenset({f"carbon {sign} cars"})),
    }
    said = counts(database, [in_journal(0, f"Nature{sign}"), in_journal(1, f"Natures {sign} own")], known)
    assert (len(said["journal"]), len(said["tag"])) == (2, 2)
