"""What stands after verdicts were given and taken back, what reopens one, and which words are known."""

from __future__ import annotations

import dataclasses
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from monitor.core.citation import Abstract, AbstractSection, InlineXml, PublicationType
from monitor.core.screening import (
    LEVELS,
    NOTHING,
    OFF_TOPIC,
    READERS,
    REASONS,
    Decision,
    Judgement,
    Verdict,
    fingerprint,
    judge,
    read_claim,
    read_level,
    read_note,
    read_tag,
    standing,
    to_take_back,
)
from monitor.errors import UsageError
from tests.factories import FIRST_PMID, citation
from tests.shared import STARTER, needs_shared

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KNOWN = ("car-nk", "cik")

judgements = st.one_of(
    st.sampled_from([("car-nk",), ("cik",), ("car-nk", "cik")]).map(lambda topics: Judgement(Verdict.KEEP, topics)),
    st.just(Judgement(Verdict.MAYBE)),
    st.sampled_from(sorted(REASONS)).map(lambda reason: Judgement(Verdict.DISMISS, (), reason)),
)


class Screening(RuleBasedStateMachine):
    """Rows that are only ever added, beside a stack that forgets: what stands must always be the same."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Decision] = []
        self.stack: list[tuple[Judgement, bytes]] = []

    def add(self, judgement: Judgement, read: bytes, undoes: int | None = None) -> None:
        self.rows.append(Decision(len(self.rows) + 1, FIRST_PMID, judgement, read, NOW, "curator", undoes=undoes))

    @rule(judgement=judgements, read=st.binary(min_size=1, max_size=1))
    def decide(self, judgement: Judgement, read: bytes) -> None:
        self.add(judgement, read)
        self.stack.append((judgement, read))

    @precondition(lambda self: self.stack)
    @rule()
    def undo(self) -> None:
        taken = to_take_back(self.rows)
        assert taken is not None
        again = taken.again or taken.back
        self.add(taken.again.judgement if taken.again else NOTHING, again.fingerprint, taken.back.id)
        self.stack.pop()

    @invariant()
    def the_newest_row_says_what_stands(self) -> None:
        stands = standing(self.rows)
        assert (stands and (stands.judgement, stands.fingerprint)) == (self.stack[-1] if self.stack else None)

    @invariant()
    def there_is_something_to_take_back_while_anything_stands(self) -> None:
        assert (to_take_back(self.rows) is None) == (not self.stack)


TestScreening = Screening.TestCase


def decided(**changes: object) -> Decision:
    return Decision(1, FIRST_PMID, Judgement(Verdict.MAYBE), fingerprint(citation(**changes)), NOW, "curator")


@pytest.mark.parametrize(
    ("changed", "reopens"),
    [
        ({}, False),
        ({"title": InlineXml("Another invented title.")}, True),
        ({"abstract": "Invented cells did not kill invented targets."}, True),
        ({"abstract": None}, True),
        ({"abstract": {"RESULTS": "Invented cells killed invented targets."}}, True),
        ({"title": InlineXml("Invented <i>natural killer</i>  cells carry an invented receptor.")}, False),
        ({"publication_types": {"D016441": "Retracted Publication"}}, False),
        ({"authors": ["Nobody X"]}, False),
    ],
    ids=lambda each: next(iter(each), "same") if isinstance(each, dict) else "",
)
def test_other_words_in_title_or_abstract_reopen_a_verdict_and_nothing_else(
    changed: dict[str, object], reopens: bool
) -> None:
    assert decided().reopened_by(citation(**changed)) is reopens


def test_a_verdict_that_was_taken_back_cannot_be_reopened() -> None:
    taken = dataclasses.replace(decided(), judgement=NOTHING)
    assert not taken.reopened_by(citation(abstract="Something else."))


def test_where_one_section_ends_and_the_next_begins_belongs_to_what_was_read() -> None:
    def of(*sections: tuple[str | None, str]) -> bytes:
        return fingerprint(
            citation(abstract=Abstract(tuple(AbstractSection(InlineXml(text), label) for label, text in sections)))
        )

    assert of((None, "A"), (None, "B")) != of((None, "A B"))
    assert of(("A", "B")) != of((None, "A"), (None, "B"))


def test_what_is_not_read_is_not_part_of_the_fingerprint() -> None:
    plain = citation()
    assert fingerprint(plain) == fingerprint(
        dataclasses.replace(plain, pmid=FIRST_PMID + 1, publication_types=(PublicationType("D016454", "Review"),))
    )


@pytest.mark.parametrize(
    ("verdict", "more", "says"),
    [
        ("accept", {}, "no verdict; choose from keep, maybe, dismiss"),
        ("open", {}, "no verdict"),
        ("keep", {}, "at least one topic.*car-nk, cik"),
        ("keep", {"topics": ["car-t"]}, "no topic is called car-t; topics are car-nk, cik"),
        ("keep", {"topics": ["car-nk"], "reason": "other"}, "a reason goes with dismiss"),
        ("maybe", {"topics": ["car-nk"]}, "topics go with keep"),
        ("dismiss", {}, "needs a reason, one of\n  fish-cik  "),
        ("dismiss", {"reason": "boring"}, "'boring' is no reason"),
        ("dismiss", {"reason": "other", "note": " "}, "needs a note"),
        ("maybe", {"note": "x" * 2001}, "at most 2,000"),
        ("maybe", {"note": "a\x1b[31m"}, "control characters"),
    ],
)
def test_a_judgement_with_something_missing_or_unknown_is_refused(
    verdict: str, more: dict[str, object], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        judge(verdict, **more, known=KNOWN)  # type: ignore[arg-type]


def test_a_judgement_carries_what_belongs_to_it() -> None:
    assert judge("keep", ["cik", "car-nk", "cik"], known=KNOWN) == Judgement(Verdict.KEEP, ("cik", "car-nk"))
    assert judge("dismiss", reason="other", note=" a poster \n", known=KNOWN) == Judgement(
        Verdict.DISMISS, (), "other", "a poster"
    )
    assert read_note("two\nlines\tof it") == "two\nlines\tof it"


@given(st.text(max_size=70))
def test_a_tag_is_read_once_and_for_all_or_refused(text: str) -> None:
    try:
        tag = read_tag(text)
    except UsageError:
        return
    assert read_tag(tag) == tag
    assert tag == " ".join(tag.split())
    assert not set(tag) & set('"[]()*:,')


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (" CAR-NK ", "car-nk"),
        ("phase  1/2", "phase 1/2"),
        ("肝细胞癌", "肝细胞癌"),
        ("Straße", "strasse"),
        ("e\u0301tude", "étude"),
    ],
)
def test_tags_are_kept_in_one_spelling(text: str, tag: str) -> None:
    assert read_tag(text) == tag


@pytest.mark.parametrize("text", ["", " ", "-", "a*", '"a"', "a,b", "a[b]", "a\x00b", "x" * 61, "a\u202eb"])
def test_what_a_search_could_not_name_is_no_tag(text: str) -> None:
    with pytest.raises(UsageError, match="tag"):
        read_tag(text)


def test_levels_and_claims_are_read_however_they_are_written() -> None:
    assert [read_level(each) for each in ("a", "B1", " b3 ", "NONE", "x")] == ["A", "B1", "B3", "none", "X"]
    assert [read_claim(each) for each in ("c1", "C01", "C12", " c0123 ")] == ["C01", "C01", "C12", "C123"]
    assert set(READERS) == {"tag", "level", "claim"}


@pytest.mark.parametrize("text", ["B", "B4", "", "AA"])
def test_other_levels_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="(?s)choose from\n  A  .*\n  none  "):
        read_level(text)


@pytest.mark.parametrize("text", ["", "C", "C0", "C00000", "12", "D1", "C1²", "C12345", "C-1"])
def test_other_claims_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="numbered like C12"):
        read_claim(text)


@needs_shared
def test_reasons_are_those_of_the_vocabulary() -> None:
    import yaml

    given = yaml.safe_load((STARTER / "vocabulary.yaml").read_text(encoding="utf-8"))
    assert list(OFF_TOPIC) == [each["id"] for each in given["offtopic_reasons"]]
    assert list(REASONS) == list(OFF_TOPIC) + [each["id"] for each in given["general_reasons"]]
    levels = (STARTER / "levels.yaml").read_text(encoding="utf-8")
    found = re.search(r"Levels: ([^.]*)\.", levels)
    assert found is not None
    assert re.findall(r"\b([A-EX][1-3]?|none)\b(?= \(|,|$)", found[1]) == list(LEVELS)
