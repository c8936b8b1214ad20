"""Level and design of invented records, one for every pitfall that real ones showed; and what rules may say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from monitor.core.citation import (
    Citation,
    Correction,
    HistoryDate,
    InlineXml,
    MeshHeading,
    MeshTerm,
    PartialDate,
    PublicationType,
)
from monitor.core.faults import Faulty
from monitor.core.grading import Grade, grade, ocebm, read_rules
from monitor.core.screening import LEVELS
from monitor.core.vocabulary import propose
from monitor.resources import load_mesh_tree
from tests.factories import citation, citations
from tests.unit.vocabulary.shipped import rules, vocabulary

TODAY = date(2026, 11, 22)


def record(title: str = "Invented cells", abstract: str | None = "Invented.", *types: str, **fields: Any) -> Citation:
    headings = tuple(MeshHeading(MeshTerm(ui, ui)) for ui in fields.pop("mesh", ()))
    return citation(
        title=InlineXml(title),
        abstract=abstract,
        publication_types=tuple(PublicationType(None, each) for each in types),
        mesh_headings=headings,
        **fields,
    )


def graded(of: Citation, today: date = TODAY) -> Grade:
    flags = frozenset(each.term for each in propose(vocabulary(), of, load_mesh_tree()).flags)
    return grade(rules(), of, today, flags)


def short(of: Citation) -> tuple[str, str, str]:
    found = graded(of)
    return found.rule, found.design, found.level


# ---- the pitfalls


def test_a_meta_analysis_need_not_be_called_a_systematic_review() -> None:
    found = record("Cells after resection", "Eight RCTs with 1,000 patients were pooled.", "Meta-Analysis")
    assert short(found) == ("L08", "meta-analysis", "A")


def test_a_review_of_a_registry_stays_e_and_says_why() -> None:
    found = graded(
        record(
            "Cells: a report on an international registry",
            "In 106 trials 10,225 patients took part; phase II trials and retrospective cohorts were included.",
            "Review",
        )
    )
    assert (found.rule, found.level) == ("L19", "E")
    assert "however many patients" in found.reason
    assert ("publication type", "Review") in found.because


def test_types_of_phase_one_and_two_are_one_study_of_both() -> None:
    found = record("Cells", "Sixteen patients were treated.", "Clinical Trial, Phase I", "Clinical Trial, Phase II")
    assert short(found) == ("L14", "single-arm", "B3")
    phases = [each.term for each in propose(vocabulary(), found, load_mesh_tree()).tags if each.facet == "phase"]
    assert phases == ["ph-1-2"]


def test_two_designs_in_one_title_are_both_shown() -> None:
    found = record("Cells: real-world data and follow-up of a randomized controlled trial", "Patients lived longer.")
    assert short(found)[1:] == ("rct", "B1")
    proposed = propose(vocabulary(), found, load_mesh_tree())
    designs = {each.term for each in (*proposed.tags, *proposed.hidden) if each.facet == "design"}
    assert {"rct", "cohort"} <= designs


def test_a_synthesis_has_no_phase_of_its_own_and_is_no_phase_iv_trial() -> None:
    found = record("Cells: a meta-analysis", "We included 28 RCTs (phase IV) with 2,610 patients.", "Meta-Analysis")
    assert short(found) == ("L08", "meta-analysis", "A")


@pytest.mark.parametrize(
    "abstract",
    [
        "Mice were randomly assigned to cells; patients may profit.",
        "A mendelian randomization study of patients, randomised in a trial of nature.",
        "In this non-randomized, open study patients received cells.",
    ],
)
def test_what_only_sounds_randomised_is_no_randomised_trial(abstract: str) -> None:
    assert graded(record("Cells", abstract)).design != "rct"


def test_a_young_record_without_headings_is_provisional_until_a_day() -> None:
    history = (HistoryDate("entrez", PartialDate(2026, 11, 10)),)
    young = record("A randomised controlled trial of cells", "Patients were randomly assigned.", history=history)
    found = graded(young)
    assert (found.rule, found.level, found.provisional) == ("L11", "B1", True)
    assert found.provisional_until == date(2026, 12, 10)
    assert not graded(young, date(2026, 12, 10)).provisional


def test_headings_end_what_is_provisional() -> None:
    history = (HistoryDate("entrez", PartialDate(2026, 11, 10)),)
    assert not graded(record("Cells", "Patients.", history=history, mesh=["D006801"])).provisional


def test_an_english_abstract_of_a_foreign_paper_is_flagged() -> None:
    found = graded(record("[Cells]", "Patients got cells.", "English Abstract", languages=("chi",)))
    assert "other-language" in found.flags


def test_the_sentence_that_stands_for_an_abstract_is_none() -> None:
    found = graded(record("Cells in vitro", "Abstract available from the publisher.", "Journal Article"))
    assert "no-abstract" in found.flags
    assert found.cap == 1


def test_a_title_marked_as_retracted_asks_to_read_the_notice() -> None:
    for title in ("RETRACTED: Cells", "[Retracted] Cells", "Retracted Article: Cells"):
        found = graded(record(title, "Patients.", "Journal Article"))
        assert (found.level, found.design) == ("X", "retracted")
        assert found.ask is not None
        assert "notice" in found.ask


def test_a_paper_about_retractions_is_not_retracted() -> None:
    assert graded(record("Retracted trials in oncology", "A registry of papers.", "Journal Article")).level != "X"


# ---- the other rules


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (record("Retraction of: cells", None, "Retraction of Publication"), ("L01", "retraction-notice", "X")),
        (record("Cells", "x", "Retracted Publication", "Randomized Controlled Trial"), ("L02", "retracted", "X")),
        (record("Cells", "x", corrections=(Correction("RetractionIn"),)), ("L02", "retracted", "X")),
        (record("Erratum", None, "Published Erratum"), ("L03", "notice", "X")),
        (record("Cells for the liver: study protocol", "Patients will be randomised."), ("L04", "protocol", "none")),
        (record("Hope", "x", "Editorial"), ("L05", "opinion", "E")),
        (record("Advice", "x", "Practice Guideline"), ("L06", "guideline", "A")),
        (record("A systematic review of cells", "We looked at mice."), ("L07", "systematic-review", "D")),
        (record("A scoping review of cells", "Many kinds."), ("L09", "systematic-review", "B2")),
        (record("Cells", "x", "Randomized Controlled Trial"), ("L10", "rct", "B1")),
        (record("Cells", "Patients against historical controls."), ("L12", "controlled-nonrandom", "B2")),
        (record("Cells", "x", "Clinical Trial, Phase III"), ("L13", "rct", "B1")),
        (record("Cells", "A first-in-human study."), ("L14", "single-arm", "B3")),
        (record("Cells", "A retrospective look at 20 patients."), ("L15", "cohort", "B3")),
        (record("Cells: a case report", "A man."), ("L16", "case-report", "C")),
        (record("Cells", "x", mesh=["D051379"]), ("L17", "animal", "D")),
        (record("Cells", "Xenografts shrank."), ("L18", "animal", "D")),
        (record("Cells", "x", "Review"), ("L19", "review", "E")),
        (record("Cells", "A bioinformatic look."), ("L20", "in-silico", "E")),
        (record("Cells", "Killing in vitro."), ("L21", "in-vitro", "D")),
        (record("Cells", "x", "Letter"), ("L22", "opinion", "E")),
        (record("Cells", "x"), ("L99", "unknown", "none")),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_each_rule(found: Citation, expected: tuple[str, str, str]) -> None:
    assert short(found) == expected


def test_humans_among_mice_is_no_animal_study() -> None:
    assert graded(record("Cells", "x", mesh=["D051379", "D006801"])).rule == "L99"


def test_a_type_is_known_by_its_ui_as_well() -> None:
    found = citation(publication_types={"D016441": "Withdrawn by another name"})
    assert graded(found).rule == "L02"


def test_a_preprint_keeps_its_level_and_cannot_settle_anything() -> None:
    found = graded(record("Cells", "x", "Preprint", "Randomized Controlled Trial"))
    assert (found.level, found.flags) == ("B1", ("preprint",))
    assert any("well supported" in each for each in found.notes)


def test_a_concern_holds_the_paper() -> None:
    found = graded(record("Cells", "x", "Journal Article", corrections=(Correction("ExpressionOfConcernIn"),)))
    assert found.hold
    assert "concern" in found.flags


def test_a_second_look_names_its_family() -> None:
    found = graded(record("Extended follow-up of a trial", "x", "Randomized Controlled Trial"))
    assert "secondary" in found.flags
    assert any("family" in each for each in found.notes)


@pytest.mark.parametrize(
    ("level", "design", "badge"),
    [("A", "meta-analysis", 1), ("A", "guideline", None), ("B1", "rct", 2), ("B2", "cohort", 3), ("B3", "cohort", 4)]
    + [("C", "case-report", 4), ("D", "animal", 5), ("E", "review", 5), ("X", "notice", None)],
)
def test_badge_of_oxford(level: str, design: str, badge: int | None) -> None:
    assert ocebm(Grade(level, design, "L", "reason")) == badge


def test_every_design_of_the_rules_is_a_term_of_the_vocabulary() -> None:
    assert [each for each in rules().designs if vocabulary().term(each, "design") is None] == []


@given(citations(depth=4))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_citation_has_a_level_of_the_list(found: Citation) -> None:
    given_level = graded(found)
    assert given_level.level in LEVELS
    assert given_level == graded(found)


# ---- reading


def test_all_faults_are_told_at_their_places() -> None:
    with pytest.raises(Faulty) as told:
        read_rules(
            {
                "version": 1,
                "colour": "green",
                "rules": [
                    {"id": "L1", "if": {"any_rx": "(a"}, "design": "rct", "level": "B9", "reason": "x"},
                    {"id": "L1", "if": {"page": 3}, "design": "rct", "level": "B1", "reason": "x"},
                    {"id": "L2", "if": {"any": []}, "design": "rct", "level": "B1"},
                ],
                "modifiers": [{"if": {"flag": 7}, "then": "hold"}],
            }
        )
    words = [each.words for each in told.value.faults]
    assert any("colour: unknown key" in each for each in words)
    assert any("rules 1, if, any_rx" in each and "column" in each for each in words)
    assert any("rules 1, level" in each and "B9" in each for each in words)
    assert any("rules 2, id: L1 stands twice" in each for each in words)
    assert any("rules 2, if, page: unknown key" in each for each in words)
    assert any("rules 3, if, any: a list of conditions" in each for each in words)
    assert any("rules 3, reason" in each for each in words)
    assert any("modifiers 1, if, flag" in each for each in words)
    assert any("the last rule must hold" in each for each in words)


def test_a_version_of_the_form_that_is_not_known_is_refused() -> None:
    with pytest.raises(Faulty, match="version 2 is not known"):
        read_rules({"version": 2, "rules": [{"id": "L", "if": {}, "design": "x", "level": "E", "reason": "r"}]})
