"""Vocabulary and levels as a lab uses them: what is proposed, when it is made again, and how versions are changed."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime

import pytest

from monitor.core.citation import HistoryDate, InlineXml, PartialDate
from monitor.core.faults import Faulty
from monitor.core.people import COMMAND_LINE, Actor
from monitor.errors import DatabaseBehind, NotFound, UsageError
from monitor.pubmed.sandbox import SetClock
from monitor.resources import load_mesh_tree
from monitor.services.rulebooks import Conflict, Rulebooks, Sample, load_starter, starter
from monitor.services.screening import Screening
from monitor.services.vocabulary import Vocabularies
from monitor.storage import citations, events, vocabulary
from monitor.storage.engine import Database
from monitor.storage.tables import PersonRow, StepRow
from monitor.storage.vocabulary import Kind, Use
from tests.factories import FIRST_PMID, citation

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
CAR_NK = citation(
    FIRST_PMID,
    title=InlineXml("CAR-NK cells for lymphoma: a phase 1 trial"),
    abstract="We treated 37 patients (NCT01234567). No cytokine release syndrome was seen.",
    history=(HistoryDate("entrez", PartialDate(2026, 11, 1)),),
)
FISH = citation(
    FIRST_PMID + 1,
    title=InlineXml("CIK cells of the grass carp"),
    abstract="Ctenopharyngodon idella kidney cells.",
)


@pytest.fixture
def clock() -> SetClock:
    found = SetClock()
    found.set(NOW)
    return found


@pytest.fixture
def desk(database: Database, clock: SetClock) -> tuple[Vocabularies, Rulebooks]:
    with database.write() as session:
        load_starter(session, NOW)
        citations.keep(session, [CAR_NK, FISH], now=NOW)
    vocabularies = Vocabularies(database, clock, load_mesh_tree)
    return vocabularies, Rulebooks(database, clock, load_mesh_tree, vocabularies)


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1
    return text.replace(old, new, 1)


GALLIC = (
    "rx: ['\\bCAR[- ]?NK(?:[- ]?92)?s?\\b'",
    "rx: ['\\bgallic cells\\b', '\\bCAR[- ]?NK(?:[- ]?92)?s?\\b'",
)


# ---- proposals


def test_what_is_proposed_is_kept_and_read_back_whole(desk: tuple[Vocabularies, Rulebooks], database: Database) -> None:
    vocabularies, _ = desk
    made = vocabularies.propose([CAR_NK.pmid, FISH.pmid, 99_999_999])
    assert [*made] == [CAR_NK.pmid, FISH.pmid]
    found = made[CAR_NK.pmid]
    assert {"car-nk", "nhl", "crs/absent"} <= {each.tag for each in found.tags} | {"nhl"}
    assert (found.grade.level, found.grade.design, found.sample.n) == ("B3", "single-arm", 37)
    assert [each.number for each in found.registry] == ["NCT01234567"]
    assert [each.id for each in made[FISH.pmid].off_topic] == ["fish-cik"]
    with database.read() as session:
        held = vocabulary.proposals(session, made, vocabularies.standing(session).versions, NOW.date())
    assert held == made
    assert vocabularies.refresh() == 0


def test_whoever_reads_in_a_session_gets_the_same_and_nothing_is_written(
    desk: tuple[Vocabularies, Rulebooks], database: Database
) -> None:
    vocabularies, _ = desk
    with database.read() as session:
        found = vocabularies.of(session, [CAR_NK.pmid])
        assert vocabulary.proposals(session, found, vocabularies.standing(session).versions, NOW.date()) == {}
    assert found == vocabularies.propose([CAR_NK.pmid])


def test_a_revised_abstract_is_read_again(
    desk: tuple[Vocabularies, Rulebooks], database: Database, clock: SetClock
) -> None:
    vocabularies, _ = desk
    assert vocabularies.refresh() == 2
    clock.set(datetime(2026, 11, 24, tzinfo=UTC))
    revised = dataclasses.replace(CAR_NK, title=InlineXml("CAR-T cells"), abstract=None)
    with database.write() as session:
        citations.keep(session, [revised], now=clock.now())
    assert vocabularies.refresh() == 1
    assert vocabularies.refresh() == 0
    tags = {each.tag for each in vocabularies.propose([CAR_NK.pmid])[CAR_NK.pmid].tags}
    assert "car-t" in tags
    assert "car-nk" not in tags


def test_a_provisional_level_is_looked_at_again_when_its_day_comes(
    desk: tuple[Vocabularies, Rulebooks], clock: SetClock
) -> None:
    vocabularies, _ = desk
    grade = vocabularies.propose([CAR_NK.pmid])[CAR_NK.pmid].grade
    assert (grade.provisional, grade.provisional_until) == (True, date(2026, 12, 1))
    vocabularies.refresh()
    clock.set(datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert vocabularies.refresh() == 1
    assert vocabularies.refresh() == 0
    assert not vocabularies.propose([CAR_NK.pmid])[CAR_NK.pmid].grade.provisional


def test_a_new_version_makes_every_proposal_anew(desk: tuple[Vocabularies, Rulebooks]) -> None:
    vocabularies, rulebooks = desk
    vocabularies.refresh()
    rulebooks.save("vocabulary", changed(starter("vocabulary"), *GALLIC), expected=1, reason="a new word")
    assert vocabularies.refresh() == 2
    assert vocabularies.standing().versions == (2, 1)
    rulebooks.save("levels", changed(starter("levels"), "uncontrolled trial", "trial without controls"), expected=1)
    assert vocabularies.propose([CAR_NK.pmid])[CAR_NK.pmid].grade.reason == "trial without controls"


def test_refreshing_goes_by_portions_and_stops_when_asked(
    desk: tuple[Vocabularies, Rulebooks], database: Database
) -> None:
    vocabularies, _ = desk
    with database.write() as session:
        citations.keep(session, [citation(FIRST_PMID + n) for n in range(10, 130)], now=NOW)
    assert vocabularies.refresh(stopping=lambda: True) == 0
    assert 50 <= vocabularies.refresh(limit=60) <= 110
    vocabularies.refresh()
    assert vocabularies.refresh() == 0


def test_nothing_is_proposed_before_a_vocabulary_was_loaded(database: Database, clock: SetClock) -> None:
    with pytest.raises(DatabaseBehind, match="monitor init"):
        Vocabularies(database, clock, load_mesh_tree).current()


def test_a_version_that_cannot_be_read_any_more_is_passed_over(
    desk: tuple[Vocabularies, Rulebooks], database: Database
) -> None:
    vocabularies, _ = desk
    with database.write() as session:
        vocabulary.add(session, "vocabulary", "version: 7\n", "lab", NOW)
    standing = vocabularies.standing()
    assert standing.versions.vocabulary == 2
    assert standing.vocabulary.term("car-nk") is not None


# ---- versions


def test_the_starter_is_loaded_once_renewed_over_itself_and_kept_over_a_labs(database: Database) -> None:
    def load() -> dict[Kind, str]:
        with database.write() as session:
            return load_starter(session, NOW)

    assert load() == {"vocabulary": "added", "levels": "added"}
    assert load() == {}
    with database.write() as session:
        vocabulary.add(session, "levels", "older\n", "starter", NOW)
        vocabulary.add(session, "vocabulary", "ours\n", "lab", NOW)
    assert load() == {"vocabulary": "kept", "levels": "renewed"}
    with database.read() as session:
        assert [each.origin for each in vocabulary.history(session, "vocabulary")] == ["lab", "starter"]
        assert [each.version for each in vocabulary.history(session, "levels")] == [3, 2, 1]


def test_saving_keeps_every_version_and_says_who(desk: tuple[Vocabularies, Rulebooks], database: Database) -> None:
    _, rulebooks = desk
    admin = Actor("admin@lab.example", "admin")
    text = changed(starter("vocabulary"), *GALLIC).replace("\n", "\r\n")
    saved = rulebooks.save("vocabulary", text, expected=1, reason=" a new word ", actor=admin)
    assert (saved.version, saved.origin, saved.reason) == (2, "lab", "a new word")
    assert "\r" not in saved.text
    lines = rulebooks.difference("vocabulary", 1, 2)
    assert sorted(each.kind for each in lines if each.kind in ("added", "removed")) == ["added", "removed"]
    with database.read() as session:
        (event,) = events.about(session, "rulebook:vocabulary")
    assert (event.action, event.actor, event.before) == ("vocabulary.save", "admin@lab.example", {"version": 1})
    again = rulebooks.restore("vocabulary", 1, expected=2, actor=admin)
    assert (again.version, again.text, again.reason) == (3, starter("vocabulary"), "version 1 again")
    assert [each.version for each in rulebooks.history("vocabulary")] == [3, 2, 1]


def test_two_who_save_meet_and_nothing_is_lost(desk: tuple[Vocabularies, Rulebooks]) -> None:
    _, rulebooks = desk
    rulebooks.save("vocabulary", changed(starter("vocabulary"), *GALLIC), expected=1)
    with pytest.raises(Conflict, match="version 2") as met:
        rulebooks.save("vocabulary", changed(starter("vocabulary"), "LAK cells", "LAK"), expected=1)
    assert met.value.newest.version == 2
    assert rulebooks.newest("vocabulary").version == 2


def test_saving_the_same_again_is_no_version(desk: tuple[Vocabularies, Rulebooks]) -> None:
    _, rulebooks = desk
    with pytest.raises(UsageError, match="says the same already"):
        rulebooks.save("vocabulary", starter("vocabulary"), expected=1)
    with pytest.raises(NotFound, match="no version 9"):
        rulebooks.restore("vocabulary", 9, expected=1)


def test_a_faulty_text_is_refused_with_its_lines(desk: tuple[Vocabularies, Rulebooks]) -> None:
    _, rulebooks = desk
    text = changed(starter("vocabulary"), "- {id: car-nk,", "- {id: car-nk, colour: red,")
    with pytest.raises(Faulty) as told:
        rulebooks.save("vocabulary", text, expected=1)
    (fault,) = told.value.faults
    assert fault.line == 1 + text[: text.index("colour")].count("\n")
    assert "colour: unknown key" in fault.words
    assert rulebooks.newest("vocabulary").version == 1


def test_a_pattern_that_would_hold_everything_up_is_refused(desk: tuple[Vocabularies, Rulebooks]) -> None:
    _, rulebooks = desk
    text = changed(starter("vocabulary"), "rx: ['\\bhepatocellular", "rx: ['(?:a|aa)+b', '\\bhepatocellular")
    with pytest.raises(Faulty, match="can take seconds") as told:
        rulebooks.check("vocabulary", text)
    assert told.value.faults[0].line == 1 + text[: text.index("(?:a|aa)")].count("\n")


# ---- trying


def test_a_try_shows_what_would_change_and_keeps_nothing(desk: tuple[Vocabularies, Rulebooks]) -> None:
    vocabularies, rulebooks = desk
    text = changed(starter("vocabulary"), *GALLIC).replace("\\bgrass carp\\b", "\\bgold carp\\b")
    found = rulebooks.try_out("vocabulary", text, Sample(newest=10))
    assert (found.read, found.changed) == (2, ())
    text = changed(text, "\\bCAR[- ]?NK(?:[- ]?92)?s?\\b", "\\bCARNK\\b")
    found = rulebooks.try_out("vocabulary", text, Sample(pmids=(CAR_NK.pmid, 12345678)))
    (difference,) = found.changed
    assert difference.title == "CAR-NK cells for lymphoma: a phase 1 trial"
    assert {"car-nk", "mod-car"} <= {each.tag for each in difference.removed}
    assert difference.added == ()
    assert found.unknown == (12345678,)
    assert vocabularies.standing().versions.vocabulary == 1


def test_a_pasted_text_is_read_whole(desk: tuple[Vocabularies, Rulebooks]) -> None:
    _, rulebooks = desk
    sample = Sample(title="Gallic cells & <sup>CD3</sup>", abstract="We treated 12 patients; <script>x</script>.")
    found = rulebooks.try_out("vocabulary", changed(starter("vocabulary"), *GALLIC), sample)
    assert found.proposed is not None
    assert {"car-nk", "mod-car", "eff-nk"} <= {each.tag for each in found.changed[0].added}
    assert found.proposed.sample.n == 12


def test_level_rules_are_tried_too(desk: tuple[Vocabularies, Rulebooks]) -> None:
    _, rulebooks = desk
    text = changed(starter("levels"), "design: single-arm, level: B3", "design: single-arm, level: C")
    found = rulebooks.try_out("levels", text, Sample(newest=5))
    assert [each.level for each in found.changed] == [("B3", "C")]


# ---- how it is received


def test_a_pattern_that_curators_take_off_is_noisy(
    desk: tuple[Vocabularies, Rulebooks], database: Database, clock: SetClock
) -> None:
    vocabularies, rulebooks = desk
    with database.write() as session:
        pmids = [FIRST_PMID + n for n in range(200, 232)]
        citations.keep(
            session,
            [citation(pmid, title=InlineXml("Melanoma and sarcoma"), abstract="Cells.") for pmid in pmids],
            now=NOW,
        )
    Screening(database, clock).label(pmids[:18], tags=["melanoma"], actor=COMMAND_LINE)
    Screening(database, clock).label(pmids, tags=["sarcoma"], actor=COMMAND_LINE)
    with database.write() as session:
        vocabularies.received(session, pmids)
        vocabularies.received(session, pmids)
    received = {each.term: each for each in rulebooks.received()}
    assert received["melanoma"] == ("\\bmelanomas?\\b", "melanoma", 32, 18, 14)
    assert received["sarcoma"][2:] == (32, 32, 0)
    assert rulebooks.noisy() == [received["melanoma"]]


def test_a_paper_kept_without_a_look_at_its_tags_teaches_nothing(
    desk: tuple[Vocabularies, Rulebooks], database: Database
) -> None:
    vocabularies, rulebooks = desk
    with database.write() as session:
        vocabularies.received(session, [CAR_NK.pmid])
    assert rulebooks.received() == []


def test_what_was_taken_back_does_not_count(desk: tuple[Vocabularies, Rulebooks], database: Database) -> None:
    _, rulebooks = desk
    with database.write() as session:
        person = PersonRow(
            address="curator@lab.example",
            address_key="curator@lab.example",
            name="Curator",
            role="curator",
            language="en",
            created_at=NOW,
        )
        session.add(person)
        session.flush()
        step = StepRow(person_id=person.id, kind="decide", told={}, at=NOW)
        session.add(step)
        session.flush()
        vocabulary.record_use(session, [Use("x", "y", FISH.pmid, False, True)], NOW, step.id)
        assert len(vocabulary.receptions(session)) == 1
        step.undone_at = NOW
    assert rulebooks.received() == []


def test_a_few_showings_make_no_pattern_noisy(desk: tuple[Vocabularies, Rulebooks], database: Database) -> None:
    _, rulebooks = desk
    with database.write() as session:
        vocabulary.record_use(session, [Use("x", "y", FISH.pmid, False, True)], NOW)
    assert rulebooks.noisy() == []
