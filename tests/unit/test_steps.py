"""What of a step can be taken back or repeated, one paper or one term at a time; and what two votes come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.screening import NOTE_MAX, Judgement, Tagging, Verdict
from monitor.core.steps import Relabelled, Step, labelled_again, relabelled, repeating, taking, told
from monitor.core.voting import Vote, outcome, pairs

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ME, OTHER = 1, 2


def row(id: int, step: int, *, term: str = "a", on: bool = True, by: int = ME, undoes: int | None = None) -> Tagging:
    return Tagging(id, 1, "level" if term.isupper() else "tag", term, on, by, undoes, step)


def test_the_rows_of_a_step_go_last_first() -> None:
    rows = [row(1, 5, term="A", on=False), row(2, 5, term="B1")]
    assert taking(rows, 5).rows == (rows[1], rows[0])
    assert taking(rows, 6).rows == ()


def test_a_row_of_another_step_on_top_or_between_stands_in_the_way() -> None:
    rows = [row(1, 5), row(2, 6, on=False, by=OTHER)]
    assert taking(rows, 5).blocked_by == rows[1]
    between = [row(1, 5, term="A"), row(2, 6, term="B1"), row(3, 5, term="C")]
    assert taking(between, 5).blocked_by == between[1]
    gone = [*rows, row(3, 6, by=OTHER, undoes=2)]
    assert taking(gone, 5).rows == (rows[0],)


def test_only_what_a_step_took_back_itself_is_repeated() -> None:
    rows = [row(1, 5), row(2, 5, on=False, undoes=1)]
    assert repeating(rows, 5, ME).rows == (rows[0],)
    assert repeating(rows[:1], 5, ME).rows == ()
    elsewhere = [row(1, 5), row(2, 6, on=False, undoes=1)]
    assert repeating(elsewhere, 5, ME).rows == ()
    theirs = [*rows, row(3, 7, by=OTHER)]
    assert repeating(theirs, 5, ME).blocked_by == theirs[2]
    mine = [*rows, row(3, 7)]
    assert repeating(mine, 5, ME).rows == (rows[0],)


def test_what_is_repeated_twice_is_what_was_there_last() -> None:
    rows = [row(1, 5), row(2, 5, undoes=1), row(3, 5), row(4, 5, undoes=3)]
    assert repeating(rows, 5, ME).rows == (rows[2],)


def test_taking_a_level_back_brings_what_the_rest_says() -> None:
    first, off, on = row(1, 4, term="A"), row(2, 5, term="A", on=False), row(3, 5, term="B1")
    assert relabelled([first, off, on], [on, off]) == [Relabelled("B1", False, 3), Relabelled("A", True, 2)]
    assert relabelled([off, on], [on, off]) == [Relabelled("B1", False, 3), Relabelled("A", False, 2)]


def test_a_level_that_is_repeated_is_the_only_one_that_stands() -> None:
    rows = [row(1, 4, term="A"), row(2, 6, term="D")]
    assert labelled_again(rows, [row(9, 5, term="B1")]) == [
        Relabelled("A", False),
        Relabelled("D", False),
        Relabelled("B1", True),
    ]
    assert labelled_again([row(1, 4)], [row(9, 5, term="b")]) == [Relabelled("b", True)]


def test_a_step_is_read_as_it_was_stored_and_no_more() -> None:
    stored = {"pmids": [1, 2], "verdict": "keep", "topics": ["x"], "on": {"tag": ["a"]}, "of another version": 1}
    step = Step(1, ME, "Ada", "decide", NOW, **told(stored))
    assert (step.pmids, step.topics, dict(step.on), dict(step.off)) == ((1, 2), ("x",), {"tag": ("a",)}, {})
    assert step.may_be_taken_back(NOW + timedelta(hours=24))
    assert not step.may_be_taken_back(NOW + timedelta(hours=24, seconds=1))


# ---- votes


def vote(person: int, verdict: str, *topics: str, read: bytes = b"x", **more: object) -> Vote:
    note, reason, level = (more.get(name) for name in ("note", "reason", "level"))
    judgement = Judgement(Verdict(verdict), topics, reason, note)  # type: ignore[arg-type]
    return Vote(person, 1, person, f"P{person}", "curator", judgement, ("x", "y"), (), level, read, NOW)  # type: ignore[arg-type]


def test_two_agree_by_verdict_and_by_the_topics_that_two_screen() -> None:
    assert outcome([vote(1, "keep", "x"), vote(2, "dismiss", reason="language")]) is None
    assert outcome([vote(1, "keep", "x"), vote(2, "keep", "y")]) is None
    agreed = outcome([vote(1, "keep", "x", "z"), vote(2, "keep", "x", "w")])
    assert agreed is not None
    assert agreed.judgement.topics == ("x", "z", "w")


def test_the_first_reason_stands_and_a_level_only_if_it_is_the_only_one() -> None:
    agreed = outcome([vote(1, "dismiss", reason="language"), vote(2, "dismiss", reason="duplicate", level="X")])
    assert agreed is not None
    assert (agreed.judgement.reason, agreed.level) == ("language", "X")
    differing = outcome([vote(1, "maybe", level="A"), vote(2, "maybe", level="B1")])
    assert differing is not None
    assert differing.level is None


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("a", "b", "a\n\nb"),
        ("a", "a", "a"),
        (None, "b", "b"),
        (None, None, None),
        ("a" * NOTE_MAX, "b", "a" * NOTE_MAX),
    ],
)
def test_notes_of_both_go_together_as_far_as_a_note_reaches(one: str, other: str, both: str) -> None:
    agreed = outcome([vote(1, "maybe", note=one), vote(2, "maybe", note=other)])
    assert agreed is not None
    assert agreed.judgement.note == both


def test_pairs_are_those_on_the_same_words_lower_person_first() -> None:
    votes = [vote(2, "keep", "x"), vote(1, "keep", "y"), vote(3, "maybe", read=b"other"), vote(4, "maybe", read=b"z")]
    (found,) = pairs(votes, "x")
    assert (found.first, found.second, found.verdicts) == (1, 2, ("elsewhere", "keep"))
    assert pairs(votes, "w") == []
