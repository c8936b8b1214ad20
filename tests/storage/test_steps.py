"""Steps at the desk, undone and redone by two people, on both databases: what stands is what a simple model says."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from monitor.core.people import Actor
from monitor.core.screening import NOTHING, Judgement, Verdict
from monitor.errors import NotFound, UsageError
from monitor.services.screening import Screening
from monitor.services.steps import Steps
from monitor.storage import screening
from monitor.storage.engine import Database
from tests.acceptance.publishing_world import World
from tests.factories import FIRST_PMID

PAPERS, PEOPLE = range(3), range(2)
_numbers = itertools.count(100)

verdicts = st.one_of(
    st.sampled_from([("car-nk",), ("cik",)]).map(lambda topics: Judgement(Verdict.KEEP, topics)),
    st.just(Judgement(Verdict.MAYBE)),
    st.sampled_from(["duplicate", "language"]).map(lambda reason: Judgement(Verdict.DISMISS, (), reason)),
)
several = st.sets(st.sampled_from(PAPERS), min_size=1).map(sorted)
tags = st.lists(st.sampled_from(["a", "b"]), unique=True)
levels = st.sampled_from([None, "A", "B1"])
who = st.sampled_from(PEOPLE)


@dataclass
class Entry:
    """Something that stands on a unit of a paper until it is taken back."""

    owner: int | None
    step: int | None
    value: Any
    moment: int


@dataclass
class Deed:
    """A step in the model: what it put where, and what it last took back of that."""

    number: int
    owner: int
    papers: list[int]
    undone: bool = False
    passed: bool = False
    removed: dict[tuple[int, str], Entry] = field(default_factory=dict)


class Model:
    """Stacks of what stands, one for each unit of a paper: its verdict, each tag, its level."""

    def __init__(self) -> None:
        self.stacks: dict[tuple[int, str], list[Entry]] = {}
        self.deeds: dict[int, list[Deed]] = {person: [] for person in PEOPLE}
        self.again: dict[int, list[Deed]] = {person: [] for person in PEOPLE}
        self.clock = itertools.count(1)
        self.numbers = itertools.count(1)

    def stack(self, paper: int, unit: str) -> list[Entry]:
        return self.stacks.setdefault((paper, unit), [])

    def stands(self, paper: int, unit: str) -> Any:
        stack = self.stack(paper, unit)
        return stack[-1].value if stack else None

    def do(
        self,
        person: int,
        papers: list[int],
        verdict: Judgement | None,
        on: list[str],
        level: str | None,
        off: list[str] | None = None,
    ) -> bool:
        pushed: list[tuple[int, str, Any]] = []
        for paper in papers:
            top = self.stack(paper, "verdict")[-1:]
            if verdict is not None and (not top or (top[0].value, top[0].owner) != (verdict, person)):
                pushed.append((paper, "verdict", verdict))
            pushed += [(paper, f"tag {tag}", True) for tag in on if not self.stands(paper, f"tag {tag}")]
            pushed += [(paper, f"tag {tag}", False) for tag in off or () if self.stands(paper, f"tag {tag}")]
            if level == "off":
                pushed += [(paper, "level", None)] if self.stands(paper, "level") else []
            elif level is not None and self.stands(paper, "level") != level:
                pushed.append((paper, "level", level))
        if not pushed:
            return False
        deed = Deed(next(self.numbers), person, sorted({paper for paper, _, _ in pushed}))
        for paper, unit, value in pushed:
            self.stack(paper, unit).append(Entry(person, deed.number, value, next(self.clock)))
        self.deeds[person].append(deed)
        self.again[person].clear()
        return True

    def take_back(self, deed: Deed) -> set[int]:
        touched = set()
        for paper in deed.papers:
            stack = self.stack(paper, "verdict")
            mine = [each for each in stack if each.step == deed.number]
            if mine and stack[-1].step != deed.number:
                continue
            for (of, unit), units in self.stacks.items():
                if of == paper and units and units[-1].step == deed.number:
                    entry = units.pop()
                    entry.moment = next(self.clock)
                    deed.removed[paper, unit] = entry
                    touched.add(paper)
        if touched:
            deed.undone = True
            self.again[deed.owner].append(deed)
        return touched

    def repeat(self, deed: Deed) -> set[int]:
        touched = set()
        for paper in deed.papers:
            removed = {unit: entry for (of, unit), entry in deed.removed.items() if of == paper}
            free = {
                unit
                for unit, entry in removed.items()
                if all(each.owner == deed.owner or each.moment < entry.moment for each in self.stack(paper, unit))
            }
            if "verdict" in removed and "verdict" not in free:
                continue
            for unit in sorted(free):
                del deed.removed[paper, unit]
                self.stack(paper, unit).append(Entry(deed.owner, deed.number, removed[unit].value, next(self.clock)))
                touched.add(paper)
        deed.undone = not touched
        return touched


class TwoCurators(RuleBasedStateMachine):
    """Two people decide, tag, undo and redo on the same papers, and the command line takes verdicts back."""

    world: World

    @initialize()
    def begin(self) -> None:
        first = next(_numbers) * 10
        self.pmids = [self.world.found(first + paper) for paper in PAPERS]
        self.people = [curator(self.world, f"curator{first + person}") for person in PEOPLE]
        self.desk = Screening(self.world.database, self.world)
        self.steps = Steps(self.world.database, self.world)
        self.model = Model()

    def named(self, papers: list[int]) -> list[int]:
        return [self.pmids[paper] for paper in papers]

    @rule(person=who, papers=several, verdict=verdicts, on=tags, level=levels)
    def decide(self, person: int, papers: list[int], verdict: Judgement, on: list[str], level: str | None) -> None:
        found = self.desk.decide(
            self.named(papers),
            str(verdict.verdict),
            topics=verdict.topics,
            reason=verdict.reason,
            tags=on,
            level=level,
            actor=self.people[person],
        )
        assert any(each.changed for each in found) == self.model.do(person, papers, verdict, on, level)

    @rule(person=who, papers=several, on=tags, level=levels)
    def label(self, person: int, papers: list[int], on: list[str], level: str | None) -> None:
        found = self.desk.label(self.named(papers), tags=on, level=level, actor=self.people[person])
        assert any(each.changed for each in found) == self.model.do(person, papers, None, on, level)

    @rule(person=who, papers=several, off=tags, no_level=st.booleans())
    def unlabel(self, person: int, papers: list[int], off: list[str], no_level: bool) -> None:
        found = self.desk.label(self.named(papers), untag=off, no_level=no_level, actor=self.people[person])
        done = self.model.do(person, papers, None, [], "off" if no_level else None, off)
        assert any(each.changed for each in found) == done

    @rule(person=who)
    def undo(self, person: int) -> None:
        left = [each for each in self.model.deeds[person] if not each.undone and not each.passed]
        done = self.steps.undo(self.people[person])
        assert (done is None) == (not left)
        if done is not None:
            touched = self.model.take_back(left[-1])
            left[-1].passed = not touched
            assert set(done.pmids) == {self.pmids[paper] for paper in touched}
            assert {each.pmid for each in done.left} >= set(self.named(left[-1].papers)) - set(done.pmids)

    @rule(person=who)
    def redo(self, person: int) -> None:
        waiting = self.model.again[person]
        done = self.steps.redo(self.people[person])
        assert (done is None) == (not waiting)
        if done is not None:
            assert set(done.pmids) == {self.pmids[paper] for paper in self.model.repeat(waiting.pop())}

    @rule(person=who, back=st.integers(0, 4))
    def take_back_from_the_history(self, person: int, back: int) -> None:
        deeds = self.model.deeds[person]
        history = self.steps.history(self.people[person])
        assert len(history) == len(deeds)
        if back < len(deeds):
            deed = deeds[-1 - back]
            if deed.undone:
                with pytest.raises(UsageError, match="taken back already"):
                    self.steps.take_back(history[back].id, self.people[person])
            elif touched := self.model.take_back(deed):
                done = self.steps.take_back(history[back].id, self.people[person])
                assert set(done.pmids) == {self.pmids[paper] for paper in touched}
            else:
                with pytest.raises(UsageError, match="nothing was changed"):
                    self.steps.take_back(history[back].id, self.people[person])

    @rule(paper=st.sampled_from(PAPERS))
    def undo_at_the_command_line(self, paper: int) -> None:
        stack = self.model.stack(paper, "verdict")
        if stack:
            self.desk.undo([self.pmids[paper]])
            stack.pop()

    @invariant()
    def what_stands_is_what_the_model_says(self) -> None:
        if not hasattr(self, "model"):
            return
        for paper, found in zip(PAPERS, self.desk.of(self.pmids), strict=True):
            assert found.judgement == (self.model.stands(paper, "verdict") or NOTHING)
            assert list(found.tags) == [tag for tag in ("a", "b") if self.model.stands(paper, f"tag {tag}")]
            assert found.level == self.model.stands(paper, "level")


def curator(world: World, name: str = "curator", role: str = "curator") -> Actor:
    person = world.subscribing.add(f"{name}@lab.example", name.title(), role)
    return Actor(person.address, person.role, person.id)


def _run(database: Database, examples: int, steps: int) -> None:
    machine = type("Machine", (TwoCurators,), {"world": World(database)})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=steps, deadline=None)
    )


def test_any_sequence_ends_where_the_model_says(database: Database) -> None:
    _run(database, 12, 20)


@pytest.mark.torture
def test_many_sequences_end_where_the_model_says(database: Database) -> None:
    _run(database, 300, 50)


@pytest.fixture
def world(database: Database) -> World:
    world = World(database)
    for number in range(1, 6):
        world.found(number, "car-nk" if number % 2 else "cik")
    return world


@pytest.fixture
def desk(world: World) -> Screening:
    return Screening(world.database, world)


@pytest.fixture
def steps(world: World) -> Steps:
    return Steps(world.database, world)


ONE, TWO, THREE, FOUR = (FIRST_PMID + number for number in range(1, 5))


def test_fifty_decisions_are_taken_back_in_reverse_order_and_repeated(world: World, desk: Screening) -> None:
    ada = curator(world)
    given = []
    for number in range(52):
        pmid = (ONE, TWO, THREE)[number % 3]
        verdict: dict[str, Any] = {"topics": ["car-nk"]} if number % 2 else {"reason": "duplicate"}
        desk.decide([pmid], "keep" if number % 2 else "dismiss", actor=ada, **verdict)
        given.append([each.judgement for each in desk.of([ONE, TWO, THREE])])
        world.moment += timedelta(minutes=1)
    nothing = [NOTHING, NOTHING, NOTHING]
    for before in reversed([nothing, *given[:-1]]):
        # Another page, another session: nothing is kept between two calls.
        assert Steps(world.database, world).undo(ada) is not None
        assert [each.judgement for each in desk.of([ONE, TWO, THREE])] == before
    steps = Steps(world.database, world)
    assert steps.undo(ada) is None
    for after in given:
        assert steps.redo(ada) is not None
        assert [each.judgement for each in desk.of([ONE, TWO, THREE])] == after
    assert steps.redo(ada) is None


def test_something_new_leaves_nothing_to_repeat(world: World, desk: Screening, steps: Steps) -> None:
    ada = curator(world)
    desk.decide([ONE], "maybe", actor=ada)
    desk.decide([TWO], "maybe", actor=ada)
    steps.undo(ada)
    steps.undo(ada)
    desk.decide([THREE], "maybe", actor=ada)
    assert steps.redo(ada) is None
    assert [each.judgement.verdict for each in desk.of([ONE, TWO, THREE])] == [None, None, "maybe"]


def test_one_decision_with_its_tags_and_level_is_one_step(world: World, desk: Screening, steps: Steps) -> None:
    ada = curator(world)
    desk.label([ONE], level="D")
    (found,) = desk.decide(
        [ONE], "keep", topics=["car-nk"], tags=["car-nk", "aml"], level="B1", why="two arms", actor=ada
    )
    (step,) = steps.history(ada)
    assert found.step_id == step.id
    assert (step.kind, step.pmids, step.verdict, step.topics) == ("decide", (ONE,), "keep", ("car-nk",))
    assert dict(step.on) == {"tag": ("aml", "car-nk"), "level": ("B1",)}
    done = steps.undo(ada)
    assert done is not None
    (back,) = desk.of([ONE])
    assert (back.judgement, back.tags, back.level) == (NOTHING, (), "D")
    steps.redo(ada)
    (again,) = desk.of([ONE])
    assert (again.judgement.verdict, again.tags, again.level) == ("keep", ("aml", "car-nk"), "B1")


def test_what_another_decided_since_is_never_overwritten_and_undo_goes_on(
    world: World, desk: Screening, steps: Steps
) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    desk.decide([TWO], "maybe", actor=ada)
    desk.decide([ONE], "maybe", actor=ada)
    desk.decide([ONE], "dismiss", reason="language", actor=bob)
    done = steps.undo(ada)
    assert done is not None
    assert (done.pmids, done.left[0].pmid) == ((), ONE)
    assert done.left[0].why == "Bob decided on it since (dismiss), and that stands"
    assert desk.of([ONE])[0].judgement.reason == "language"
    further = steps.undo(ada)
    assert further is not None
    assert further.pmids == (TWO,)
    assert steps.undo(ada) is None
    assert steps.undo(bob) is not None
    assert desk.of([ONE])[0].judgement.verdict == "maybe"


def test_redo_leaves_what_another_decided_since(world: World, desk: Screening, steps: Steps) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    desk.decide([ONE, TWO], "maybe", actor=ada)
    steps.undo(ada)
    desk.decide([ONE], "dismiss", reason="language", actor=bob)
    done = steps.redo(ada)
    assert done is not None
    assert (done.pmids, [each.pmid for each in done.left]) == ((TWO,), [ONE])
    assert [each.judgement.verdict for each in desk.of([ONE, TWO])] == ["dismiss", "maybe"]


def test_a_level_that_another_set_since_stays_whole(world: World, desk: Screening, steps: Steps) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    desk.label([ONE], level="A")
    desk.label([ONE], level="B1", tags=["x"], actor=ada)
    desk.label([ONE], level="C", actor=bob)
    done = steps.undo(ada)
    assert done is not None
    assert done.pmids == (ONE,)
    assert done.left[0].why == "Bob changed level C since, and that stands"
    (found,) = desk.of([ONE])
    assert (found.level, found.tags) == ("C", ())


def test_what_one_changed_oneself_since_is_taken_back_first(world: World, desk: Screening, steps: Steps) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    desk.label([ONE], tags=["x"], actor=ada)
    desk.label([ONE], untag=["x"], actor=ada)
    with pytest.raises(UsageError, match="you changed tag x since; take that back first"):
        steps.take_back(steps.history(ada)[1].id, ada)
    desk.decide([TWO], "maybe", tags=["y"], actor=ada)
    desk.decide([TWO], "dismiss", reason="language", actor=bob)
    done = steps.undo(ada)
    # The paper is left whole: tags of a verdict that another went on from stay with it.
    assert done is not None
    assert (done.pmids, desk.of([TWO])[0].tags) == ((), ("y",))


def test_bulk_is_one_step_taken_back_from_the_history_for_a_day(world: World, desk: Screening, steps: Steps) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    desk.decide([ONE, TWO, THREE], "dismiss", reason="not-primary", actor=ada)
    (bulk,) = steps.history(ada)
    desk.decide([FOUR], "maybe", actor=ada)
    desk.decide([TWO], "keep", topics=["cik"], actor=bob)
    with pytest.raises(NotFound, match="no step of yours"):
        steps.take_back(bulk.id, bob)
    world.moment += timedelta(hours=23)
    done = steps.take_back(bulk.id, ada)
    assert (done.pmids, [each.pmid for each in done.left]) == ((ONE, THREE), [TWO])
    assert [each.judgement.verdict for each in desk.of([ONE, TWO, THREE, FOUR])] == [None, "keep", None, "maybe"]
    with pytest.raises(UsageError, match="taken back already"):
        steps.take_back(bulk.id, ada)
    newest = steps.history(ada)[0]
    world.moment += timedelta(hours=2)
    assert not newest.may_be_taken_back(world.moment)
    with pytest.raises(UsageError, match="more than 24 hours ago"):
        steps.take_back(newest.id, ada)
    assert steps.undo(ada) is not None


def test_a_step_under_a_later_one_of_ones_own_is_taken_back_after_it(
    world: World, desk: Screening, steps: Steps
) -> None:
    ada = curator(world)
    desk.decide([ONE], "maybe", actor=ada)
    desk.decide([ONE], "dismiss", reason="language", actor=ada)
    later, first = steps.history(ada)
    with pytest.raises(UsageError, match="you decided on it since"):
        steps.take_back(first.id, ada)
    steps.take_back(later.id, ada)
    steps.take_back(first.id, ada)
    assert desk.of([ONE])[0].judgement == NOTHING


def test_history_pages_and_names_everybody(world: World, desk: Screening, steps: Steps) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    for number in range(7):
        desk.decide([(ONE, TWO)[number % 2]], "maybe", note=str(number), actor=(ada, bob)[number % 3 == 0])
    page = steps.history(ada, everybody=True, limit=4)
    rest = steps.history(ada, everybody=True, limit=4, before=page[-1].id)
    assert [each.name for each in (*page, *rest)] == ["Bob", "Ada", "Ada", "Bob", "Ada", "Ada", "Bob"]
    assert [each.note for each in steps.history(ada)] == ["5", "4", "2", "1"]
    assert steps.find(page[-1].id, bob).name == "Bob"
    with pytest.raises(NotFound):
        steps.find(page[0].id, ada)


def test_nobody_takes_back_what_was_done_at_the_command_line(world: World, desk: Screening, steps: Steps) -> None:
    ada = curator(world)
    desk.decide([ONE], "maybe")
    assert steps.undo(ada) is None
    with pytest.raises(UsageError, match="by the person who did them"):
        steps.undo(Actor("command line", "admin"))


def test_rows_are_added_and_never_changed(world: World, desk: Screening, steps: Steps) -> None:
    ada = curator(world)
    desk.decide([ONE], "maybe", tags=["a"], actor=ada)
    steps.undo(ada)
    steps.redo(ada)
    with world.database.read() as session:
        said = screening.decisions(session, [ONE])[ONE]
        tagged = screening.taggings(session, [ONE])[ONE, "tag", "a"]
    assert [(each.judgement.verdict, each.undoes) for each in said] == [
        ("maybe", None),
        (None, said[0].id),
        ("maybe", None),
    ]
    assert [(each.added, each.undoes) for each in tagged] == [(True, None), (False, tagged[0].id), (True, None)]
    assert {each.step_id for each in said} == {each.step_id for each in tagged} == {steps.history(ada)[0].id}


def test_two_windows_of_one_person_take_back_one_step_each(world: World, desk: Screening) -> None:
    ada = curator(world)
    for pmid in (ONE, TWO, THREE):
        desk.decide([pmid], "maybe", actor=ada)
    _together(*[lambda: Steps(world.database, world).undo(ada)] * 2)
    assert [each.judgement.verdict for each in desk.of([ONE, TWO, THREE])] == ["maybe", None, None]
    _together(*[lambda: Steps(world.database, world).redo(ada)] * 2)
    assert [each.judgement.verdict for each in desk.of([ONE, TWO, THREE])] == ["maybe"] * 3


def test_undo_and_another_who_decides_at_the_same_moment_lose_nothing(world: World, desk: Screening) -> None:
    ada, bob = curator(world, "ada"), curator(world, "bob")
    steps = Steps(world.database, world)
    for pmid in (ONE, TWO, THREE, FOUR):
        desk.decide([pmid], "maybe", actor=ada)
        _together(
            lambda pmid=pmid: desk.decide([pmid], "dismiss", reason="language", actor=bob),  # type: ignore[misc]
            lambda: steps.undo(ada),
        )
        # Whichever came first, Bob's verdict is the one that stands.
        assert desk.of([pmid])[0].judgement.verdict == "dismiss"


def _together(*acts: Callable[[], object]) -> None:
    """Let these be done at once; raises what any of them raised."""
    at_once = threading.Barrier(len(acts))

    def act(deed: Callable[[], object]) -> None:
        at_once.wait()
        deed()

    with ThreadPoolExecutor(len(acts)) as pool:
        for each in [pool.submit(act, deed) for deed in acts]:
            each.result()
