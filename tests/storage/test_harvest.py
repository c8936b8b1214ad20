"""What became of the papers that topics find, on both databases; and polls that people ask for."""

from __future__ import annotations

from datetime import timedelta

from monitor.core.draft import Draft
from monitor.core.people import COMMAND_LINE
from monitor.core.strategy import Line, Strategy
from monitor.resources import load_mesh_tree
from monitor.services.runs import Runs
from monitor.services.screening import Screening
from monitor.services.searches import Searches
from monitor.services.strategies import Strategies
from monitor.services.topics import Topics
from monitor.storage import events, harvest, runs
from monitor.storage.engine import Database
from tests.acceptance.polling import FIRST, NOW, Lab, sandbox, topic
from tests.acceptance.trial_world import papers

CORE = ('"CAR-NK"[tiab]', '"chimeric NK cells"[tiab]')


def lab(database: Database, server: object) -> Lab:
    """Two topics over the papers of the trials, polled whole."""
    found = Lab(database, server, topic("car-nk", CORE, ('"NK cells"[tiab]',)), topic("fish", ("zebrafish[tiab]",)))  # type: ignore[arg-type]
    found.polling.poll(full=True)
    return found


def searches(found: Lab) -> Searches:
    tree = load_mesh_tree()
    services = (Topics(found.database), Strategies(found.database, None, found, tree))
    return Searches(found.database, None, found, tree, services)


def test_verdicts_count_in_the_topic_they_were_given_for_and_a_paper_once(database: Database) -> None:
    with sandbox(*papers()) as server:
        held = lab(database, server)
        desk = Screening(database, held)
        desk.decide([FIRST], "keep", topics=["car-nk"])
        desk.decide([FIRST + 4], "keep", topics=["fish"])
        desk.decide([FIRST + 1], "dismiss", reason="not-primary")
        desk.decide([FIRST + 2], "maybe")
        with database.read() as session:
            found = harvest.harvests(session, NOW - timedelta(days=30))
            alone = harvest.harvests(session, NOW - timedelta(days=30), "fish")
        car = found["car-nk"]
        assert (car.kept, car.elsewhere, car.dismissed, car.maybe, car.decided) == (1, 1, 1, 1, 4)
        assert car.reasons == {"not-primary": 1}
        assert car.found == len({*held.hits("car-nk"), *held.hits("car-nk", "wide")}), (
            "found by both lanes, counted once"
        )
        assert car.lately == 1, "created in the last 30 days"
        assert list(alone) == ["fish"]
        assert alone["fish"].decided == 0


def test_a_verdict_that_was_taken_back_counts_no_more(database: Database) -> None:
    with sandbox(*papers()) as server:
        held = lab(database, server)
        desk = Screening(database, held)
        desk.decide([FIRST], "dismiss", reason="language")
        desk.decide([FIRST], "keep", topics=["car-nk"])
        with database.read() as session:
            found = harvest.harvests(session, NOW + timedelta(minutes=1), "car-nk")["car-nk"]
        assert (found.kept, found.dismissed, found.lately) == (1, 0, 0)


def test_a_line_keeps_what_it_found_when_others_change_around_it(database: Database) -> None:
    with sandbox(*papers()) as server:
        held = lab(database, server)
        Screening(database, held).decide([FIRST], "keep", topics=["car-nk"])
        service = Strategies(database, None, held, load_mesh_tree())
        draft = service.draft("car-nk")
        first, second = draft.strategy.core
        newer = Strategy((Line("kidney[tiab]", "invented"), second, first), draft.strategy.wide)
        service.save(Draft(draft.topic_id, draft.title, newer, (), 1), "")
        lines = searches(held).bearings("car-nk").lines
        told = {key: (each.found, each.kept, each.dismissed) for key, each in lines.items()}
        assert told["core", first.query] == (2, 1, 0)
        assert told["core", second.query] == (1, 0, 0)
        assert ("core", "kidney[tiab]") not in told, "no poll has asked it yet"


def test_sentinels_are_found_by_the_polls_of_core_alone(database: Database) -> None:
    with sandbox(*papers()) as server:
        held = lab(database, server)
        service = Strategies(database, None, held, load_mesh_tree())
        draft = service.draft("car-nk")
        service.save(Draft(draft.topic_id, draft.title, draft.strategy, (FIRST, FIRST + 2), 1), "", because="known")
        with database.read() as session:
            assert harvest.sentinels_found(session) == {"car-nk": {FIRST: True, FIRST + 2: False}}
        (state,) = [each for each in searches(held).all() if each.topic.stored.id == "car-nk"]
        assert state.lost == (FIRST + 2,)


def test_topics_change_places_and_retired_ones_stay_behind(database: Database) -> None:
    with sandbox(*papers()) as server:
        held = lab(database, server)
        service = Strategies(database, None, held, load_mesh_tree())
        service.save(Draft("third", "Third", Strategy((Line("kidney[tiab]", "invented"),))), "")
        service.retire("fish", "for a while")
        assert searches(held).move("third", "up", COMMAND_LINE)
        assert not searches(held).move("third", "up", COMMAND_LINE)
        assert [each.stored.id for each in Topics(database).all(retired=True)] == ["third", "car-nk", "fish"]
        with database.read() as session:
            assert events.about(session, "topic:third")[-1].after == {"place": 1}


def test_a_wish_stands_once_until_it_is_answered(database: Database) -> None:
    with sandbox(*papers()) as server:
        held = lab(database, server)
        service = Runs(database, held, lambda: held.polling)
        assert service.ask("car-nk", COMMAND_LINE)
        assert not service.ask("car-nk", COMMAND_LINE)
        assert service.ask("car-nk", COMMAND_LINE, lane="core")
        assert service.ask("car-nk", COMMAND_LINE, kind="full")
        assert service.answer() == 3
        assert service.answer() == 0
        assert service.ask("car-nk", COMMAND_LINE), "an answered one may be asked again"
        with database.read() as session:
            (waiting,) = runs.waiting(session)
            assert (waiting.topic_id, waiting.lane, waiting.kind, waiting.by) == ("car-nk", None, "window", None)
            ids, total = runs.page(session, topic="car-nk", states=(), before=None, limit=2)
            assert (len(ids), total) == (2, 7)
            assert runs.versions(session, ids) == dict.fromkeys(ids, 1)


def test_the_list_hears_of_a_phrase_that_pubmed_does_not_know_any_more(database: Database) -> None:
    with sandbox(*papers()) as server:
        held = lab(database, server)
        listed = searches(held)
        before = {each.topic.stored.id: each.findings["error"] for each in listed.all()}
        assert before == {"car-nk": 0, "fish": 0}
        server.unknown_phrases = ["chimeric NK cells"]
        held.polling.poll(["car-nk"])
        after = {each.topic.stored.id: each.findings["error"] for each in listed.all()}
        assert after == {"car-nk": 1, "fish": 0}
