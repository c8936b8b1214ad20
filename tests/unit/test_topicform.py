"""The form of a topic: what a browser sends back is the draft that it was filled with, and no line is lost on the way."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as some
from starlette.datastructures import FormData

from monitor.core.draft import Draft
from monitor.core.strategy import Block, Line, Strategy
from monitor.web.topicform import Part, Row, TopicForm

words = some.text(string.ascii_letters + 'äß慢"[](){}*:~', min_size=1, max_size=30).map(
    lambda each: f"x {each}".strip()
)
lines = some.builds(Line, words, words, words, some.booleans())
several = some.lists(lines, max_size=4).map(tuple)
blocks = some.dictionaries(
    some.from_regex(r"\A[A-Z][A-Z0-9_]{0,5}\Z"),
    some.tuples(several, some.sampled_from(["any", "all"]), words | some.none()),
)
pmids = some.lists(some.integers(1, 10**8), unique=True, max_size=4).map(tuple)


@some.composite
def drafts(draw: some.DrawFn) -> Draft:
    held = tuple(Block(name, *rest) for name, rest in sorted(draw(blocks).items()))  # type: ignore[arg-type]
    theirs = Block("T:other", draw(several))
    strategy = Strategy(draw(several), draw(several), tuple(sorted((*held, theirs), key=lambda each: each.name)))
    return Draft("invented", draw(words), strategy, draw(pmids), draw(some.integers(1, 9)))


def sent(form: TopicForm) -> FormData:
    """Return what a browser sends of a filled form."""
    pairs = [("title", form.title), ("sentinels", form.sentinels), ("based_on", str(form.based_on))]
    pairs += [("held_title", form.held_title), ("held_sentinels", form.held_sentinels)]
    for part in form.parts:
        if part.is_block:
            pairs += [("block", part.name), (f"{part.name}.joined", part.joined), (f"{part.name}.why", part.reason)]
        for place, row in enumerate(part.rows):
            at = f"{part.name}.{place}"
            pairs += [(f"{at}.query", row.query), (f"{at}.reason", row.reason), (f"{at}.owner", row.owner)]
            pairs += [(f"{at}.on", "1")] * row.on + [(f"{at}.gone", "1")] * row.gone
    return FormData(pairs)


@given(drafts())
def test_a_form_gives_back_the_draft_that_it_was_filled_with(draft: Draft) -> None:
    form = TopicForm.read("invented", sent(TopicForm.of(draft)))
    again = form.rough(draft.strategy)
    assert (again.title, again.strategy, again.sentinels, again.based_on) == (
        " ".join(draft.title.split()),
        _one_blank(draft.strategy),
        draft.sentinels,
        draft.based_on,
    )


@given(some.lists(some.tuples(some.sampled_from(["up", "down", "gone", "back"]), some.integers(-1, 6)), max_size=12))
def test_moving_and_removing_never_loses_a_row(steps: list[tuple[str, int]]) -> None:
    part = Part("core", tuple(Row(f"{number}[tiab]", "why", "lab") for number in range(5)))
    for verb, place in steps:
        part = part.changed(verb, place)
    assert sorted(row.query for row in part.rows) == [f"{number}[tiab]" for number in range(5)]
    numbers = [number for _, number, row in part.numbered() if not row.gone]
    assert numbers == list(range(1, len(numbers) + 1))


def test_lines_of_another_topic_are_taken_anew_only_when_asked_for() -> None:
    strategy = Strategy((Line("{T:other}", "invented"),), (), (Block("T:other", (Line("old[tiab]", "invented"),)),))
    form = TopicForm.of(Draft("invented", "Invented", strategy, (), 1))
    assert form.rough(strategy).strategy.blocks == strategy.blocks
    given_ = sent(form).multi_items() + [("renewed", "T:other")]
    assert TopicForm.read("invented", FormData(given_)).rough(strategy).strategy.blocks == ()


def _one_blank(strategy: Strategy) -> Strategy:
    """Return a strategy as a form keeps it: every text on one line, blanks as they are seen."""

    def line(each: Line) -> Line:
        return Line(" ".join(each.query.split()), " ".join(each.reason.split()), each.owner.strip(), each.enabled)

    def block(each: Block) -> Block:
        if each.name.startswith("T:"):
            return each
        reason = " ".join((each.reason or "").split()) or None
        return each._replace(lines=tuple(map(line, each.lines)), reason=reason)

    return Strategy(
        tuple(map(line, strategy.core)), tuple(map(line, strategy.wide)), tuple(map(block, strategy.blocks))
    )
