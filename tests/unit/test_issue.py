"""What an issue carries: order, limits, reasons, and whether silence may be called quiet."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.citation import Correction, HistoryDate, InlineXml, PartialDate
from monitor.core.contents import Setting, byline, clean, contents, key_sentence, why_code
from monitor.core.issue import (
    Candidate,
    FollowUp,
    Found,
    Health,
    Issue,
    Match,
    Run,
    Topic,
    Why,
    fingerprint,
    health_of,
    select,
    short_name,
)
from monitor.core.ranking import chips, newest, published, rank
from tests.factories import FIRST_PMID, citation, citations

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
TOPICS = (Topic("car-nk", "CAR-NK cells", "CAR-NK"), Topic("cik", "Cytokine-induced killer cells", "CIK"))
FINE = tuple(Health(topic.id, "fine", NOW - timedelta(hours=1), 7) for topic in TOPICS)


def types(*names: str) -> dict[str, str]:
    return {f"D{number:06}": name for number, name in enumerate(names, 1)}


def candidate(number: int, *topics: str, flags: frozenset[str] = frozenset(), **overrides: Any) -> Candidate:
    found = tuple(Found(topic, (2,), Match("title", "CAR-NK")) for topic in topics or ("car-nk",))
    return Candidate(citation(FIRST_PMID + number, **overrides), number + 1, found, flags)


def chosen(*candidates: Candidate, cards: int = 12, follow_ups: tuple[FollowUp, ...] = ()) -> Issue:
    return select(TOPICS, candidates, follow_ups, FINE, cards)


def numbers(issue: Issue) -> list[int]:
    return [entry.candidate.citation.pmid - FIRST_PMID for entry in issue.entries]


def test_the_better_design_comes_first_then_the_newest() -> None:
    def created(day: int) -> tuple[HistoryDate, ...]:
        return (HistoryDate("entrez", PartialDate(2026, 11, day)),)

    issue = chosen(
        candidate(0, publication_types=types("Editorial", "Journal Article")),
        candidate(1, publication_types=types("Journal Article"), history=created(3)),
        candidate(2, publication_types=types("Journal Article"), history=created(9)),
        candidate(3, publication_types=types("Review")),
        candidate(4, publication_types=types("Randomized Controlled Trial", "Journal Article")),
        candidate(5, publication_types=types("Clinical Trial, Phase I")),
        candidate(6, publication_types=types("Systematic Review", "Review")),
        candidate(7, publication_types=types("Case Reports")),
        candidate(8, publication_types=types("Published Erratum")),
    )
    assert numbers(issue) == [6, 4, 5, 3, 2, 1, 7, 0, 8]


def test_a_comment_on_a_trial_is_no_trial() -> None:
    assert rank(citation(publication_types=types("Randomized Controlled Trial", "Comment"))) == rank(
        citation(publication_types=types("Letter"))
    )


def test_a_preprint_stands_behind_its_equals() -> None:
    first = candidate(1, flags=frozenset({"preprint"}))
    assert numbers(chosen(first, candidate(0))) == [0, 1]


def test_a_citation_of_two_topics_appears_once_under_the_first_and_names_both() -> None:
    issue = chosen(candidate(0, "cik", "car-nk"))
    (section,) = issue.sections
    (entry,) = section.entries
    assert section.topic.id == "car-nk"
    assert entry.why == (
        Why("title", "CAR-NK"),
        Why("follow", "CAR-NK cells"),
        Why("also", "Cytokine-induced killer cells"),
    )


def test_a_topic_the_reader_does_not_follow_is_no_reason() -> None:
    issue = select(TOPICS[1:], [candidate(0, "cik", "car-nk"), candidate(1, "car-nk")], (), FINE[1:], 12)
    (entry,) = issue.entries
    assert [why.text for why in entry.why if why.kind != "title"] == ["Cytokine-induced killer cells", "2"]


def test_a_retracted_citation_found_now_is_never_ordinary_news() -> None:
    retracted = candidate(0, flags=frozenset({"retracted"}), publication_types=types("Meta-Analysis"))
    concern = candidate(2, flags=frozenset({"concern"}))
    issue = chosen(concern, retracted, candidate(1))
    assert [entry.candidate.citation.pmid for entry in issue.integrity] == [FIRST_PMID, FIRST_PMID + 2]
    assert [entry.candidate.citation.pmid for section in issue.sections for entry in section.entries] == [
        FIRST_PMID + 1
    ]
    assert all(entry.why and not entry.card for entry in issue.integrity)


def test_cards_go_round_the_topics() -> None:
    many = [candidate(number, "car-nk") for number in range(20)]
    issue = chosen(*many, candidate(30, "cik"), candidate(31, "cik"), cards=5)
    cards = [entry.topic for entry in issue.entries if entry.card]
    assert sorted(cards) == ["car-nk"] * 3 + ["cik"] * 2


def test_corrections_put_retractions_first() -> None:
    def follow_up(number: int, change: str, *flags: str) -> FollowUp:
        return FollowUp(citation(FIRST_PMID + number), 5, (change,), NOW, frozenset(flags))

    issue = chosen(
        follow_ups=(follow_up(1, "erratum"), follow_up(2, "concern", "concern"), follow_up(3, "retracted", "retracted"))
    )
    assert [each.citation.pmid - FIRST_PMID for each in issue.corrections] == [3, 2, 1]
    assert issue.kind == "news"


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(citations(depth=2), st.sets(st.sampled_from(["car-nk", "cik", "other"]), min_size=1)),
        max_size=8,
        unique_by=lambda each: each[0].pmid,
    ),
    st.integers(0, 12),
)
def test_every_selection_keeps_its_promises(drawn: list[tuple[Any, set[str]]], cards: int) -> None:
    candidates = [Candidate(each, 1, tuple(Found(topic, ()) for topic in sorted(found))) for each, found in drawn]
    issue = select(TOPICS, candidates, (), FINE, cards)
    followed = {each.citation.pmid for each in candidates if {f.topic for f in each.found} & {"car-nk", "cik"}}
    shown = [entry.candidate.citation.pmid for entry in issue.entries]
    assert sorted(shown) == sorted(followed)  # all, once
    assert sum(entry.card for entry in issue.entries) == min(cards, len(followed))
    assert all(1 <= len(entry.why) <= 3 for entry in issue.entries)
    assert issue.kind == ("news" if followed else "quiet")
    assert fingerprint(issue) == fingerprint(select(TOPICS, reversed(candidates), (), FINE, cards))


def run(hours: float, state: str, *phrases: str, error: str | None = None, missing: int = 0) -> Run:
    return Run(NOW - timedelta(hours=hours), state, error, phrases, missing)


WEEK = NOW - timedelta(days=7)


@pytest.mark.parametrize(
    ("runs", "state", "failures", "blind"),
    [
        ([], "never", 0, True),
        ([run(1, "done"), run(25, "done")], "fine", 0, False),
        ([run(1, "done"), run(25, "failed", error="busy"), run(49, "done")], "fine", 1, False),
        ([run(1, "failed", error="busy"), run(25, "done")], "failed", 1, True),
        ([run(1, "interrupted"), run(25, "done")], "failed", 1, True),
        ([run(40, "done")], "stale", 0, True),
        ([run(1, "warned", "CAR-iNK therapy")], "warned", 0, False),
        ([run(1, "warned", missing=3), run(25, "done")], "warned", 0, False),
        ([run(1, "done", missing=1)], "warned", 0, False),
        ([run(1, "done"), run(25, "warned", missing=3)], "fine", 0, False),
        ([run(400, "failed")], "failed", 0, True),
    ],
)
def test_health_of_a_search(runs: list[Any], state: str, failures: int, blind: bool) -> None:
    health = health_of("car-nk", runs, WEEK, NOW)
    assert (health.state, health.failures, health.blind) == (state, failures, blind)


def test_papers_that_the_last_success_did_not_get_are_counted_and_told() -> None:
    health = health_of("car-nk", [run(1, "warned", "CAR-iNK", missing=3), run(25, "warned", missing=8)], WEEK, NOW)
    assert (health.missing, health.unknown_phrases) == (3, ("CAR-iNK",))
    lacking = select(TOPICS, (), (), (health, FINE[1]), 12)
    fewer = select(TOPICS, (), (), (replace(health, missing=2), FINE[1]), 12)
    assert fingerprint(lacking) != fingerprint(fewer)


def test_nothing_new_with_a_failed_search_is_not_quiet() -> None:
    assert select(TOPICS, (), (), FINE, 12).kind == "quiet"
    failed = (FINE[0], Health("cik", "failed", None, 7, 3, (), "busy"))
    assert select(TOPICS, (), (), failed, 12).kind == "blind"


@pytest.mark.parametrize(
    ("topic", "title", "short"),
    [
        ("car-nk", "CAR-NK cells", "CAR-NK"),
        ("ipsc-nk", "iPSC-derived NK (iPSC-NK, CAR-iNK)", "iPSC-NK"),
        ("cik", "Cytokine-induced killer cells", "CIK"),
        ("nk-engager", "NK-cell engagers", "NK-engager"),
        ("safety", "Safety (CRS, ICANS, GvHD and others)", "Safety"),
    ],
)
def test_short_names(topic: str, title: str, short: str) -> None:
    assert short_name(topic, title) == short


def test_chips_put_flags_first_and_leave_out_what_is_implied() -> None:
    found = citation(publication_types=types("Journal Article", "Meta-Analysis", "Systematic Review", "Review"))
    assert chips(found, {"preprint", "retracted"}) == ["retracted", "preprint", "meta-analysis"]
    trial = citation(
        publication_types=types("Clinical Trial", "Clinical Trial, Phase II", "Randomized Controlled Trial")
    )
    assert chips(trial, ()) == ["rct", "phase-2"]


def test_dates_prefer_what_is_known_to_the_day() -> None:
    found = citation()
    assert published(found) == PartialDate(2024, 1, 15)
    assert newest(citation(history=(), article_dates=())) == (2024, 3, 0)


def test_a_key_sentence_comes_whole_from_the_conclusions() -> None:
    found = citation(
        abstract={
            "RESULTS": "Nothing to see here at all.",
            "CONCLUSIONS": "Invented cells worked vs. none. More is needed.",
        }
    )
    assert key_sentence(found) == "Invented cells worked vs. none."
    assert key_sentence(citation(abstract="An invented abstract without any labels at all.")) is None
    assert key_sentence(citation(abstract={"CONCLUSIONS": "x" * 400})) is None
    assert key_sentence(citation(abstract=None)) is None


def test_byline_names_three_and_says_when_there_are_more() -> None:
    assert byline(citation(authors=["One A", "Two B", "Three C", "Four D"])) == (["One A", "Two B", "Three C"], True)
    assert byline(citation(authors=["One A"])) == (["One A"], False)


def test_text_that_would_reorder_its_surroundings_is_cleaned() -> None:
    assert clean("safe\u202e evil\x00\n text\u2066") == "safe evil text"


def test_contents_are_json_and_complete() -> None:
    import json

    notice = Correction("RetractionIn", "Invented J Cell Ther. 2026;1:2", 90_000_900)
    gone = FollowUp(citation(90_000_500, corrections=(notice,)), 3, ("retracted",), NOW, frozenset({"retracted"}))
    issue = chosen(candidate(0), candidate(1, title=InlineXml("CD3<sup>+</sup> &lt;b&gt;")), follow_ups=(gone,))
    setting = Setting(
        "NK evidence", date(2026, 11, 23), "2026-W48", WEEK, NOW, 0, 0, 7, "UTC", "en", 12, "a@b.example", {}
    )
    told = json.loads(json.dumps(contents(issue, setting)))
    assert told["counts"] == {"news": 2, "corrections": 1, "retractions": 1, "concerns": 0, "good": 0, "flagged": 0}
    assert told["corrections"][0]["notices"] == [
        {"change": "retracted", "source": "Invented J Cell Ther. 2026;1:2", "pmid": 90_000_900}
    ]
    titles = {entry["title"] for section in told["sections"] for entry in section["entries"]}
    assert "CD3⁺ <b>" in titles
    assert told["searches"]["fine"] == 2


def test_reasons_are_archived_as_one_string() -> None:
    assert why_code(Why("title", "CAR-NK")) == "title:CAR-NK"
