"""Every line of the starter topics damaged in every way: what is caught, by which check, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from monitor.core.citation import Citation
from monitor.core.query import document, matches
from monitor.core.strategy import LANES
from monitor.errors import UsageError
from monitor.pubmed.parse import read_records
from monitor.pubmed.sandbox import Corpus, Sandbox, SetClock
from monitor.services.strategies import Draft, Refused, Strategies
from monitor.services.trials import Trials
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from tests.acceptance.mutations import (
    KINDS,
    MARKS,
    NO_PAPER,
    NOW,
    PAGE,
    SAME_SEARCH,
    TODAY,
    TOPICS,
    TREE,
    Mutant,
    Outcome,
    Study,
    first_states,
    mutants,
    page,
    parse,
)
from tests.acceptance.polling import Lab, client


@pytest.fixture(scope="module")
def study() -> Study:
    return Study()


@pytest.fixture(scope="module")
def drops(study: Study) -> list[tuple[Mutant, Outcome]]:
    return [(each, study.outcome(each)) for each in mutants() if each.kind in {"line dropped", "line switched off"}]


@pytest.fixture
def server(study: Study) -> Iterator[Sandbox]:
    clock = SetClock()
    clock.set(NOW)
    with Sandbox(Corpus.of(first_states()), clock=clock, rate_limit=None) as found:
        yield found


class Desk:
    """An admin's desk: the starter topics with their sentinels, the invented papers as library and as PubMed."""

    def __init__(self, database: Database, server: Sandbox, study: Study) -> None:
        topics = [replace(each, sentinels=tuple(sorted(study.sentinels[each.id]))) for each in TOPICS]
        lab = Lab(database, server, *topics)
        self.server = server
        with database.write() as session:
            keep(session, [each for each in read_records([first_states()]) if isinstance(each, Citation)], NOW)
        self.strategies = Strategies(database, client(server), lab, TREE)
        self.offline = Strategies(database, None, lab, TREE)
        self.trials = Trials(database, client(server), lab, TREE)
        self.library = Trials(database, None, lab, TREE)
        self.topics = {each.id: each for each in topics}

    def draft(self, mutant: Mutant) -> Draft:
        topic = self.topics[mutant.place.topic]
        return Draft(topic.id, topic.title, mutant.strategy, topic.sentinels, 1, topic)

    def hold(self, mutant: Mutant, outcome: Outcome, *, ask: bool) -> None:
        """Hold the services against what the study says: the comparison, the check, and the save that is not made."""
        self.server.unknown_phrases = sorted(outcome.phrases)
        draft, name = self.draft(mutant), f"{mutant.kind}: {mutant.place}"
        strategies, trials = (self.strategies, self.trials) if ask else (self.offline, self.library)
        if "refused" in outcome.caught:
            with pytest.raises((UsageError, Refused)):
                strategies.save(draft, "invented", because=None)
            assert len(strategies.history(draft.topic_id)) == 1, name
            return
        found = trials.diff(self.topics[mutant.place.topic].strategy, draft)
        for lane in found.lanes:
            assert set(lane.lost.library) == outcome.lost[lane.lane], name
            assert set(lane.gained.library) == outcome.gained[lane.lane], name
            if ask and lane.changed and not outcome.phrases:
                assert (lane.lost.pubmed, lane.gained.pubmed) == (len(lane.lost.library), len(lane.gained.library)), (
                    name
                )
        (plan,) = strategies.plan([draft])
        if plan.check is None:
            assert not outcome.changed, name
            return
        assert set(plan.check.sentinels.lost) == outcome.sentinels or outcome.phrases, name
        if ask:
            assert bool(plan.blocking) == outcome.stopped, (name, plan.blocking)
            assert {text for text, _ in plan.check.unknown} >= outcome.phrases, name
        if plan.blocking:
            with pytest.raises(Refused, match="the old version stands"):
                strategies.commit([plan], "invented")
        assert len(strategies.history(draft.topic_id)) == 1, name


def test_every_line_that_alone_finds_a_paper_is_missed_with_that_paper_named(
    study: Study, drops: list[tuple[Mutant, Outcome]]
) -> None:
    """Held against each paper one by one, by the evaluator and not by the sandbox that the study asks."""
    documents = [document(each) for each in read_records([first_states()]) if isinstance(each, Citation)]
    named = set()
    for mutant, outcome in drops:
        if mutant.kind != "line dropped" or "refused" in outcome.caught:
            continue
        for lane in LANES:
            old, new = study.topics[mutant.place.topic].strategy.query(lane), mutant.strategy.query(lane)
            if old is None or old == new:
                assert not outcome.lost[lane]
                continue
            before = {each.citation.pmid for each in documents if matches(parse(old), each, TREE, TODAY)}
            after = {
                each.citation.pmid for each in documents if new is not None and matches(parse(new), each, TREE, TODAY)
            }
            assert outcome.lost[lane] == before - after, (mutant.place, lane)
            assert not outcome.gained[lane], (mutant.place, lane)
            where = mutant.place.where
            line = (
                f"{mutant.place.topic}.{where}.{mutant.place.position}"
                if where in LANES
                else f"{where}.{mutant.place.position}"
            )
            proves = {pmid for pmid in before - after if line in MARKS[pmid].get("only", [])}
            named |= {line} if proves else set()
    lines = {line for each in MARKS.values() for line in each.get("only", []) if not line.startswith("RCT_FILTER")}
    # A lane asks for more than one of these blocks at once, or a topic has no other line: then its own paper is another.
    beside = {line for line in lines if line.split(".")[0] in {"CAR", "NK", "CART", "SR_FILTER", "EDITORIAL_ACTION"}}
    alone = {"cik.core.1", "nk-engager.core.1", "safety.core.1", "integrity.core.1"}
    assert named == lines - beside - alone


def test_a_topic_whose_only_line_is_dropped_cannot_be_saved(drops: list[tuple[Mutant, Outcome]]) -> None:
    refused = [
        str(each.place) for each, outcome in drops if each.kind == "line dropped" and "refused" in outcome.caught
    ]
    alone = ["cik core 1", "nk-engager core 1", "car-t-comparator SR_FILTER 1", "safety core 1", "integrity core 1"]
    assert refused == [*alone, "integrity EDITORIAL_ACTION 1"]


def test_what_changes_the_papers_found_is_caught_the_rest_is_explained_and_the_page_says_so(study: Study) -> None:
    """`python -m tests.acceptance.mutations` writes the page anew. One test, for the whole run takes its time."""
    outcomes = [study.outcome(each) for each in mutants()]
    assert sum(each.changed for each in outcomes) > 500
    for each in outcomes:
        assert each.caught or not each.changed, (each.kind, each.place)
        assert not (each.changed and each.kind in SAME_SEARCH), (each.kind, each.place)
    assert {each.kind for each in outcomes if not each.caught} == {*SAME_SEARCH, *NO_PAPER}
    assert {each.kind for each in outcomes} == set(KINDS)
    assert page(outcomes) == PAGE.read_text(encoding="utf-8")


def test_with_sentinels_no_line_that_the_core_search_needs_can_be_dropped_unasked(
    drops: list[tuple[Mutant, Outcome]],
) -> None:
    for mutant, outcome in drops:
        if mutant.place.where == "core" or outcome.lost.get("core"):
            assert outcome.stopped, mutant.place


def sample(study: Study, number: int) -> Iterator[tuple[Mutant, Outcome]]:
    """Take some of every kind, from one topic after the other, those that change the core search first."""
    everything = list(mutants())
    for at, kind in enumerate(KINDS):
        mine = [each for each in everything if each.kind == kind]
        mine = [each for each in mine if study.changes(each)] or mine
        step = max(len(mine) // number, 1)
        yield from ((each, study.outcome(each)) for each in mine[at % step :: step][:number])


@pytest.mark.parametrize("ask", [True, False], ids=["sandbox", "offline"])
def test_the_services_say_the_same_of_one_of_every_kind(
    database: Database, server: Sandbox, study: Study, ask: bool
) -> None:
    desk = Desk(database, server, study)
    chosen = list(sample(study, 1))
    assert len(chosen) == len(KINDS)
    for mutant, outcome in chosen:
        desk.hold(mutant, outcome, ask=ask)


@pytest.mark.torture
def test_the_services_say_the_same_of_all(database: Database, server: Sandbox, study: Study) -> None:
    desk = Desk(database, server, study)
    for mutant in mutants():
        desk.hold(mutant, study.outcome(mutant), ask=True)
