"""Searches in Chinese, on both databases: words of two characters, and papers in English by the tag they stand for."""

from __future__ import annotations

import pytest

from monitor.core.citation import AbstractSection, InlineXml, OtherAbstract
from monitor.core.vocabulary import Vocabulary
from monitor.formats.rulebook import vocabulary_of
from monitor.resources import load_mesh_tree, resource_dir
from monitor.services.library import Library
from monitor.services.screening import Screening
from monitor.storage import citations
from monitor.storage.engine import Database
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID, citation

ENGLISH, BOTH, STOMACH, SCATTERED, OTHER = range(FIRST_PMID + 1, FIRST_PMID + 6)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return vocabulary_of((resource_dir("db") / "seed" / "vocabulary.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def library(database: Database, vocabulary: Vocabulary) -> Library:
    world = World(database)
    with database.write() as session:
        citations.keep(
            session,
            [
                citation(ENGLISH, title=InlineXml("Invented cells against hepatocellular carcinoma.")),
                citation(
                    BOTH,
                    title=InlineXml("[Invented cells]."),
                    vernacular_title=InlineXml("发明的细胞治疗肝细胞癌的研究"),
                    languages=("chi",),
                ),
                citation(
                    STOMACH,
                    title=InlineXml("[Invented cells]."),
                    other_abstracts=(
                        OtherAbstract((AbstractSection(InlineXml("用于胃癌患者。")),), "Publisher", "chi"),
                    ),
                ),
                citation(SCATTERED, title=InlineXml("[Invented]."), vernacular_title=InlineXml("癌变的肝与细致的胞")),
                citation(OTHER, title=InlineXml("Invented cells in lymphoma.")),
            ],
            world.now(),
        )
    Screening(database, world).label([ENGLISH], tags=["hcc"])
    return Library(
        database, world, load_mesh_tree, lambda words: [each.id.casefold() for each in vocabulary.named(words)]
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("肝细胞癌", {ENGLISH, BOTH}),
        ("肝细胞癌[tt]", {BOTH}),
        ("胃癌", {STOMACH}),
        ("细胞 研究", {BOTH}),
        ("肝细胞癌 AND hepatocellular[ti]", {ENGLISH}),
        ("hepatocellular NOT 肝细胞癌", set()),
        ("肝细胞癌 AND maybe[decision]", set()),
        ("(hepatocellular OR hcc[tag]) AND maybe[decision]", set()),
    ],
)
def test_chinese_finds_what_says_it_and_what_is_tagged_so(library: Library, text: str, found: set[int]) -> None:
    assert set(library.find(text).pmids) == found
    assert library.count(text) == len(found)
    assert {each for each in range(ENGLISH, OTHER + 1) if library.explain(text, each).found} == found


def test_an_export_and_the_facets_ask_the_same(library: Library) -> None:
    assert "".join(library.export("csv", query="肝细胞癌")).count("9000000") >= 2
    assert dict(library.facets("肝细胞癌").counts["tag"]) == {"hcc": 1}
