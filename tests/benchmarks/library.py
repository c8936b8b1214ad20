"""A library of invented citations to search in: words as frequent as in real abstracts, headings, people, journals, dates.

Citations are made as values, not as XML, and stored by `keep`; the newest has the highest PMID, as in PubMed.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    ArticleId,
    Author,
    AuthorList,
    Citation,
    HistoryDate,
    InlineXml,
    Journal,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
    PartialDate,
    PublicationType,
)
from monitor.resources import resource_dir
from monitor.storage.bulk import insert
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.tables import DecisionRow, HitRow, PollRow, StrategyRow, TaggingRow, TopicRow
from tests.benchmarks.corpus import FIRST_PMID

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1990, 2026
TOPICS = {"car-nk": 0.10, "ipsc-nk": 0.02, "cik": 0.005}
TAGS = (
    "first in human",
    "solid tumour",
    "manufacturing",
    "persistence",
    "safety",
    "off the shelf",
    "cytokines",
    "review",
)
LEVELS = ("A", "B1", "B2", "B3", "C", "D", "E", "none")

_WORDS = 200_000
_BATCH = 500
# Words that searches ask for, at the rank that gives them about their share of real abstracts.
_KNOWN = {
    "the": 0, "of": 1, "and": 2, "in": 3, "to": 4, "a": 5, "with": 6, "for": 7, "was": 8, "were": 9, "that": 10, "by": 11,
    "patients": 100, "cells": 105, "treatment": 115, "cell": 130, "cancer": 180, "therapy": 210, "receptor": 300, "cytotoxicity": 900,
    "immunotherapy": 600, "immune": 260, "immunity": 700, "immunoglobulin": 1500, "immunosuppression": 2600, "expansion": 800,
    "natural": 500, "killer": 1100, "nk": 1000, "persistence": 2200, "donor": 750, "infusion": 1300, "receptors": 420,
}  # fmt: skip
# Runs of words that stand together in this share of the abstracts.
_PHRASES = (
    ("natural killer cells", 0.02), ("NK cells", 0.03), ("NK cell", 0.015), ("CAR-NK cells", 0.004), ("anti-PD-1 therapy", 0.004),
    ("NK cell expansion", 0.003), ("expansion of NK cells", 0.003), ("chimeric antigen receptor", 0.01), ("cord blood", 0.006),
)  # fmt: skip
_CHINESE = (
    "自然 杀伤 细胞 免疫 治疗 肿瘤 患者 安全 有效 研究 临床 试验 扩增 输注 缓解 反应 表达 受体 白血病 淋巴瘤".split()  # noqa: SIM905
)
_SYLLABLES = [
    consonant + vowel
    for consonant in "b c d f g h j k l m n p r s t v w z br cr dr gl pl pr st tr".split()  # noqa: SIM905
    for vowel in "aeiou"
]
_GIVEN = "A B C D E F G H J K L M N P R S T W X Y Z".split()  # noqa: SIM905
_TYPES = (
    (("D016428", "Journal Article"), 0.92), (("D016454", "Review"), 0.14), (("D016449", "Randomized Controlled Trial"), 0.03),
    (("D016430", "Clinical Trial"), 0.03), (("D017418", "Meta-Analysis"), 0.015), (("D002363", "Case Reports"), 0.05),
    (("D016420", "Comment"), 0.03), (("D016441", "Retracted Publication"), 0.001),
)  # fmt: skip


class Maker:
    """Makes invented citations; equal seeds make equal ones."""

    def __init__(self, seed: int = 1) -> None:
        self.dice = random.Random(seed)
        dice = random.Random("words")
        taken: dict[str, None] = dict.fromkeys(_KNOWN)
        while len(taken) < _WORDS:
            stem = "".join(dice.choices(_SYLLABLES, k=dice.choice((1, 2, 2, 3, 3, 3, 4, 4, 5))))
            taken[stem + dice.choice(("", "n", "r", "s", "t", "l", "x", "m"))] = None
        # As many words begin with immun- as in real abstracts, because that is what people truncate.
        others = iter(
            [f"immun{word}" if at % 600 == 599 else word for at, word in enumerate(taken) if word not in _KNOWN]
        )
        by_rank = {rank: word for word, rank in _KNOWN.items()}
        self.words = [by_rank.get(rank) or next(others) for rank in range(len(taken))]
        # Zipf with Mandelbrot's shift; the tail is as heavy as that of real abstracts.
        self.weights = list(itertools.accumulate(1 / (rank + 8) ** 1.15 for rank in range(len(self.words))))
        self.surnames = ["Wang", "Zhang", "Li", "Smith", *(word.capitalize() for word in self.words[3000:30000])]
        self.surname_weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(len(self.surnames))))
        self.journals = [
            (f"Invented J {word.capitalize()}", f"99{rank:05}") for rank, word in enumerate(self.words[3000:7000])
        ]
        self.journal_weights = list(itertools.accumulate(1 / (rank + 5) for rank in range(len(self.journals))))
        self.headings = _headings()
        self.heading_weights = list(itertools.accumulate(1 / (rank + 4) for rank in range(len(self.headings))))

    def citations(self, count: int, first: int = FIRST_PMID) -> Iterator[Citation]:
        for at in range(count):
            yield self.citation(first + at, at / count)

    def citation(self, pmid: int, age: float) -> Citation:
        """Make one; `age` runs from 0, the oldest, to 1."""
        dice = self.dice
        moment = FIRST_YEAR + age * (LAST_YEAR - FIRST_YEAR + 0.88)
        year, month = int(moment), int(moment % 1 * 12) + 1
        day = PartialDate(year, month, dice.randint(1, 28))
        text = dice.choices(self.words, cum_weights=self.weights, k=dice.randint(120, 230))
        for phrase, share in _PHRASES:
            if dice.random() < share:
                text[dice.randrange(len(text))] = phrase
        title = dice.choices(self.words, cum_weights=self.weights, k=dice.randint(8, 16))
        journal, number = dice.choices(self.journals, cum_weights=self.journal_weights)[0]
        surnames = dice.choices(self.surnames, cum_weights=self.surname_weights, k=dice.randint(2, 9))
        people = tuple(
            Author(name, f"{(given := dice.choice(_GIVEN))} {(second := dice.choice(_GIVEN))}", given + second)
            for name in surnames
        )
        headings = {
            each[0]: each
            for each in dice.choices(self.headings, cum_weights=self.heading_weights, k=dice.randint(5, 12))
        }
        chinese = "".join(dice.choices(_CHINESE, k=12)) + "自然杀伤细胞" if dice.random() < 0.01 else None
        return Citation(
            pmid=pmid,
            status="MEDLINE",
            owner="NLM",
            completed_on=day,
            revised_on=day,
            pub_model="Print",
            journal=Journal(
                title=journal, medline_ta=journal, nlm_unique_id=number, country="Utopia", volume=str(year - 1970),
                issue=str(month), pub_date=PartialDate(year, month),
            ),
            title=InlineXml(" ".join(title).capitalize()),
            abstract=Abstract((AbstractSection(InlineXml(" ".join(text).capitalize() + ".")),)),
            other_abstracts=(OtherAbstract((AbstractSection(InlineXml(chinese)),), "Publisher", "chi"),) if chinese else (),
            author_lists=(AuthorList(people, kind="authors"),),
            languages=("eng",) if dice.random() < 0.95 else (dice.choice(("chi", "ger", "fre")),),
            publication_types=tuple(PublicationType(*each) for each, share in _TYPES if dice.random() < share),
            mesh_headings=tuple(MeshHeading(MeshTerm(ui, name, dice.random() < 0.3)) for ui, name in headings.values()),
            keyword_lists=(
                KeywordList(tuple(Keyword(InlineXml(word)) for word in dice.choices(text, k=4)), "NOTNLM"),
            ),
            history=(HistoryDate("pubmed", day), HistoryDate("medline", day), HistoryDate("entrez", day)),
            publication_status="ppublish",
            article_ids=(ArticleId(str(pmid)), ArticleId(f"10.99999/invented.{pmid}", "doi")),
        )  # fmt: skip


def fill(database: Database, count: int, seed: int = 1) -> None:
    """Store so many citations, and hits, tags and verdicts on a share of them."""
    citations = Maker(seed).citations(count)
    strategies = add_topics(database)
    dice = random.Random(seed + 1)
    stored = 0
    while batch := list(itertools.islice(citations, _BATCH)):
        # What a lab has gathered came in over the last two years, day by day.
        moment = NOW - timedelta(days=730 * (1 - stored / count))
        with database.write() as session:
            keep(session, batch, moment)
            pmids = [each.pmid for each in batch]
            insert(session, HitRow, _HIT, list(_hits(dice, strategies, pmids, moment)))
            insert(session, TaggingRow, _TAGGING, list(_tags(dice, pmids, moment)))
            insert(session, DecisionRow, _DECISION, list(_decisions(dice, pmids, moment)))
        stored += len(batch)


_HIT = (
    "topic_id",
    "pmid",
    "lane",
    "strategy_id",
    "poll_id",
    "found_at",
    "news",
    "lines",
    "first_strategy_id",
    "first_lines",
    "route",
)
_TAGGING = ("pmid", "facet", "term", "added", "origin", "role", "tagged_at")
_DECISION = ("pmid", "verdict", "topics", "hash", "role", "decided_at")


def add_topics(database: Database) -> dict[str, tuple[int, int]]:
    """Store the topics; return strategy and poll of each."""
    found = {}
    with database.write() as session:
        for position, topic in enumerate(TOPICS):
            session.add(TopicRow(id=topic, title=topic, position=position, created_at=NOW))
            session.flush()
            strategy = StrategyRow(
                topic_id=topic,
                version=1,
                core="invented[tiab]",
                origin="lab",
                reason="invented",
                accepted=[],
                created_at=NOW,
            )
            session.add(strategy)
            session.flush()
            poll = PollRow(
                topic_id=topic, strategy_id=strategy.id, lane="core", kind="full", state="done", started_at=NOW,
                query="invented[tiab]", covers=True, warnings=[], unknown_phrases=[], refused=[],
            )  # fmt: skip
            session.add(poll)
            session.flush()
            found[topic] = (strategy.id, poll.id)
    return found


def _hits(
    dice: random.Random, strategies: dict[str, tuple[int, int]], pmids: list[int], now: datetime
) -> Iterator[tuple[object, ...]]:
    for topic, share in TOPICS.items():
        strategy, poll = strategies[topic]
        for pmid in pmids:
            if dice.random() < share:
                yield topic, pmid, "core", strategy, poll, now, False, [1], strategy, [1], "backfilled"


def _tags(dice: random.Random, pmids: list[int], now: datetime) -> Iterator[tuple[object, ...]]:
    for pmid in pmids:
        if dice.random() < 0.1:
            for term in dict.fromkeys(dice.choices(TAGS, k=3)):
                yield pmid, "tag", term, True, "person", "curator", now
            yield pmid, "level", dice.choice(LEVELS), True, "person", "curator", now


def _decisions(dice: random.Random, pmids: list[int], now: datetime) -> Iterator[tuple[object, ...]]:
    for pmid in pmids:
        if dice.random() < 0.06:
            verdict = dice.choice(("keep", "maybe", "dismiss"))
            yield pmid, verdict, ["car-nk"] if verdict == "keep" else [], b"invented", "curator", now


def _headings() -> list[tuple[str, str]]:
    """Return the descriptors of the tree that ships, in an order that puts searched ones among the frequent."""
    lines = (resource_dir("db") / "seed" / "mesh_tree.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    names = {ui: name for ui, name, numbers, _ in rows if not numbers.startswith("V")}
    first = [ui for ui in ("D006801", "D007694", "D009369", "D000818", "D008297") if ui in names]
    others = sorted(names.keys() - set(first))
    random.Random("headings").shuffle(others)
    return [(ui, names[ui]) for ui in (*first, *others)]
