"""What the desk says decides what an issue carries, in what order, and what it leaves out in words."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.curation import FLOORS, Curation, LeftOut, Tag, named, sift
from monitor.core.issue import Candidate, Issue, Topic, Why, explain, fingerprint, select
from monitor.core.screening import LEVELS, Verdict
from monitor.core.vocabulary import Facet, Term, Vocabulary
from tests.factories import FIRST_PMID
from tests.unit.test_issue import FINE, TOPICS, candidate, numbers

KEPT = Curation(Verdict.KEEP, ("car-nk",), "Ada")
DISMISSED = Curation(Verdict.DISMISS)
curations = st.builds(
    Curation,
    verdict=st.sampled_from([None, *Verdict]),
    topics=st.sampled_from([(), ("car-nk",), ("cik",), ("car-nk", "cik"), ("elsewhere",)]),
    by=st.sampled_from([None, "Ada"]),
    note=st.sampled_from([None, "Read table 2."]),
    level=st.sampled_from([None, *LEVELS]),
    proposed=st.booleans(),
)


def with_curation(number: int, curation: Curation, *topics: str) -> Candidate:
    return replace(candidate(number, *topics), curation=curation)


def chosen(*candidates: Candidate, cards: int = 12, floor: str | None = None) -> Issue:
    return select(TOPICS, candidates, (), FINE, cards, floor)


def test_what_was_kept_comes_first_and_what_was_dismissed_never() -> None:
    issue = chosen(
        candidate(0, publication_types={"D1": "Meta-Analysis"}),
        with_curation(1, KEPT),
        with_curation(2, DISMISSED),
        with_curation(3, Curation(Verdict.MAYBE)),
    )
    assert numbers(issue) == [1, 0, 3]
    assert [entry.kept for entry in issue.entries] == [True, False, False]


def test_levels_order_what_was_kept_and_what_was_not() -> None:
    levels = ("X", "D", None, "A", "B3", "none", "C")
    kept = [with_curation(n, replace(KEPT, level=level)) for n, level in enumerate(levels)]
    other = [with_curation(10 + n, Curation(level=level, proposed=True)) for n, level in enumerate(levels)]
    order = [3, 4, 6, 1, 2, 0, 5]
    assert numbers(chosen(*other, *kept)) == [*order, *(10 + n for n in order)]


def test_cards_go_to_what_was_kept_before_anything_else() -> None:
    undecided = [with_curation(n, Curation(level="A"), "car-nk") for n in range(3)]
    kept = with_curation(9, Curation(Verdict.KEEP, ("cik",), level="D"), "cik")
    issue = chosen(*undecided, kept, cards=1)
    assert [entry.candidate.citation.pmid for entry in issue.entries if entry.card] == [FIRST_PMID + 9]


def test_a_paper_of_two_topics_stands_under_the_one_it_was_kept_in() -> None:
    issue = chosen(with_curation(0, Curation(Verdict.KEEP, ("cik",)), "car-nk", "cik"))
    assert [section.topic.id for section in issue.sections] == ["cik"]
    (entry,) = issue.entries
    assert entry.kept
    assert entry.why[0] == Why("kept", "\nCytokine-induced killer cells")


def test_kept_in_another_topic_is_kept_for_its_readers_only() -> None:
    (entry,) = chosen(with_curation(0, Curation(Verdict.KEEP, ("elsewhere",)))).entries
    assert not entry.kept
    assert [why.kind for why in entry.why] == ["title", "follow", "line"]


def test_the_floor_leaves_out_what_is_below_and_what_has_no_level() -> None:
    papers = [with_curation(n, Curation(level=level)) for n, level in enumerate(("B1", "B3", "C", None))]
    assert numbers(chosen(*papers, floor="B3")) == [0, 1]
    assert sift((each.curation for each in papers), "B3") == LeftOut(0, 1, 1)
    assert sift((each.curation for each in papers), None) == LeftOut()
    assert sift([replace(DISMISSED, level="D")], "B3") == LeftOut(1, 0, 0), "told once"


def test_reasons_name_who_kept_it_and_who_or_what_gave_its_level() -> None:
    titles = {topic.id: topic.title for topic in TOPICS}
    found = candidate(0).found
    confirmed = explain(found, titles, replace(KEPT, level="B1", confirmed_by="Bob"))
    assert [tuple(why) for why in confirmed] == [
        ("kept", "Ada\nCAR-NK cells"),
        ("level", "B1\nBob"),
        ("title", "CAR-NK"),
    ]
    proposed = explain(found, titles, replace(KEPT, level="B1", proposed=True, rule="a randomised trial"))
    assert proposed[1] == Why("proposed", "B1\na randomised trial")


@given(st.lists(st.tuples(curations, st.sampled_from([("car-nk",), ("cik",), ("cik", "car-nk")])), max_size=12))
def test_every_selection_of_curated_papers_keeps_its_promises(drawn: list[tuple[Curation, tuple[str, ...]]]) -> None:
    papers = [with_curation(n, curation, *topics) for n, (curation, topics) in enumerate(drawn)]
    for floor in (None, "B3"):
        issue = chosen(*papers, cards=3, floor=floor)
        shown = set(numbers(issue))
        left_out = sift((each.curation for each in papers), floor)
        assert len(shown) + sum(left_out) == len(papers)
        cards = [entry.card for entry in issue.entries]
        assert sum(cards) == min(3, len(shown))
        if any(entry.kept and not entry.card for entry in issue.entries):
            assert all(entry.kept for entry in issue.entries if entry.card)
        for entry in issue.entries:
            assert entry.why
            assert not entry.candidate.curation.dismissed
            assert entry.candidate.curation.reaches(floor)
        for section in issue.sections:
            kept = [entry.kept for entry in section.entries]
            assert kept == sorted(kept, reverse=True)
            for group in (True, False):
                ranks = [entry.candidate.curation.rank for entry in section.entries if entry.kept is group]
                assert ranks == sorted(ranks)


def test_what_a_curator_says_makes_another_issue() -> None:
    one = fingerprint(chosen(with_curation(0, KEPT)))
    assert fingerprint(chosen(with_curation(0, replace(KEPT, note="Read table 2.")))) != one
    assert fingerprint(chosen(with_curation(0, KEPT), floor="E")) != one
    assert fingerprint(chosen(with_curation(0, KEPT))) == one


def test_floors_are_the_levels_of_evidence() -> None:
    assert FLOORS == ("A", "B1", "B2", "B3", "C", "D", "E")


def test_tags_are_named_in_the_order_of_facets_with_what_goes_with_them() -> None:
    def facet(name: str, *terms: tuple[str, str, str]) -> Facet:
        return Facet(name, name, name, tuple(Term(id, name, en, zh) for id, en, zh in terms))

    vocabulary = Vocabulary(
        (
            facet("therapy", ("car-nk", "CAR-NK", "CAR-NK细胞")),
            facet("design", ("rct", "Randomised trial", "随机试验")),
            facet("safety", ("crs", "Cytokine release syndrome", "细胞因子释放综合征")),
        )
    )
    tags = ("car-nk", "crs/absent", "our own", "rct")
    assert named(tags, vocabulary, "en") == (
        Tag("CAR-NK", None),
        Tag("Cytokine release syndrome", "absent"),
        Tag("our own", None),
    )
    assert named(("crs/absent",), vocabulary, "zh-Hans") == (Tag("细胞因子释放综合征", "absent"),)


def test_a_topic_without_readers_of_it_is_no_reason_to_call_it_kept() -> None:
    topics = (Topic("cik", "CIK", "CIK"),)
    issue = select(topics, [with_curation(0, KEPT, "car-nk", "cik")], (), FINE, 12)
    assert [entry.kept for entry in issue.entries] == [False]
