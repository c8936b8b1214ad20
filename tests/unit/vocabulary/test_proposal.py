"""Vocabulary and level rules together: one design, no phase of a synthesis, and no firm tags from a bare title."""

from __future__ import annotations

from datetime import date

from monitor.cli.proposing import proposed_line, proposed_object
from monitor.core.citation import Citation
from monitor.core.proposal import Proposed, propose_all
from monitor.resources import load_mesh_tree
from tests.unit.test_grading import record
from tests.unit.vocabulary.shipped import rules, vocabulary


def proposed(found: Citation) -> Proposed:
    return propose_all(vocabulary(), rules(), found, load_mesh_tree(), date(2026, 11, 22))


def designs(found: Proposed) -> list[tuple[str, bool]]:
    return [(each.term, each.preselected) for each in found.tags if each.facet == "design"]


def test_the_level_rule_gives_the_design_with_its_reason() -> None:
    found = proposed(record("Cells for the liver", "Patients were randomly assigned.", "Randomized Controlled Trial"))
    assert designs(found) == [("rct", True)]
    (reason,) = found.tags[0].reasons
    assert (reason.place, reason.words, reason.pattern) == (
        "publication type",
        "Randomized Controlled Trial",
        "L10",
    )


def test_another_design_in_the_title_is_offered_beside_it() -> None:
    found = proposed(record("Cells: real-world data and follow-up of a randomized controlled trial", "Patients lived."))
    assert designs(found) == [("rct", True), ("cohort", False)]


def test_an_unknown_design_is_no_tag() -> None:
    assert designs(proposed(record("Cells", "x"))) == []


def test_a_synthesis_has_no_phase() -> None:
    found = proposed(record("Phase IV trials of CIK therapy: a meta-analysis", "28 RCTs (phase IV).", "Meta-Analysis"))
    assert [each for each in (*found.tags, *found.hidden) if each.facet == "phase"] == []
    assert found.sample.studies == 28


def test_a_title_alone_preselects_nothing() -> None:
    found = proposed(record("CAR-NK cells for lymphoma: a case report", None, "Case Reports"))
    assert "car-nk" in {each.term for each in found.tags}
    assert not any(each.preselected for each in found.tags)
    assert any("cap suggestions" in each for each in found.grade.notes)


def test_a_suggestion_is_found_by_its_tag_or_another_qualifier_of_it() -> None:
    found = proposed(record("CAR-NK cells", "No cytokine release syndrome was seen."))
    crs = found.suggestion("crs/absent")
    assert crs is not None
    assert crs.polarity == "absent"
    assert found.suggestion("crs/reported") == crs
    assert found.suggestion("melanoma") is None


def test_the_command_line_tells_it_in_one_line_and_whole_to_scripts() -> None:
    found = proposed(record("CAR-NK cells: a phase 1 trial", "We treated 37 patients (NCT01234567)."))
    line = proposed_line(found)
    assert line.startswith("level B3 (L14: uncontrolled trial); 37 people; NCT01234567; single-arm*, ")
    assert "car-nk*" in line
    assert proposed_line(proposed(record("Invented", "x"))) == "no level (L99: nothing matched)"
    told = proposed_object(found)
    assert (told["level"], told["participants"], told["registry"][0]["registry"]) == ("B3", 37, "ClinicalTrials.gov")
    reasons = {each["tag"]: each["reasons"] for each in told["tags"]}
    assert reasons["car-nk"][0]["place"] == "title"
