"""The starter topics lint clean, and each damage to one of their lines is caught, or named here as out of sight."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from monitor.core.lint import Finding, lint, phrases_of
from monitor.core.query import parse
from monitor.core.strategy import LANES, Line, Strategy, all_lines
from monitor.core.topicfile import read_topics
from monitor.resources import load_mesh_tree, resource_dir
from tests.shared import STARTER, needs_shared

TREE = load_mesh_tree()
TOPICS = read_topics(yaml.safe_load((resource_dir("db") / "seed" / "queries.yaml").read_text("utf-8")))


def known_phrases(strategy: Strategy) -> dict[tuple[str, str], bool]:
    queries = [strategy.query(lane) for lane in LANES]
    return {phrase: True for query in queries if query is not None for phrase in phrases_of(parse(query))}


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.id)
def test_a_starter_topic_lints_clean(topic: object) -> None:
    strategy: Strategy = topic.strategy  # type: ignore[attr-defined]
    unasked = lint(strategy, TREE)
    assert {each.weight for each in unasked} <= {"note"}
    assert {each.code for each in unasked} <= {"phrase-unchecked"}
    assert lint(strategy, TREE, phrases=known_phrases(strategy)) == ()


@needs_shared
def test_the_original_of_the_starter_lints_clean_too() -> None:
    for topic in read_topics(yaml.safe_load((STARTER / "queries.yaml").read_text("utf-8"))):
        assert {each.weight for each in lint(topic.strategy, TREE)} <= {"note"}


class Place(NamedTuple):
    topic: str
    strategy: Strategy
    block: str
    position: int
    line: Line

    def with_query(self, query: str, *more: Line) -> Strategy:
        return self.with_line(self.line._replace(query=query), *more)

    def with_line(self, *instead: Line) -> Strategy:
        core, wide, blocks = self.strategy.core, self.strategy.wide, self.strategy.blocks
        at = self.position - 1
        if self.block == "core":
            core = (*core[:at], *instead, *core[at + 1 :])
        elif self.block == "wide":
            wide = (*wide[:at], *instead, *wide[at + 1 :])
        blocks = tuple(
            each._replace(lines=(*each.lines[:at], *instead, *each.lines[at + 1 :]))
            if each.name == self.block
            else each
            for each in blocks
        )
        return Strategy(core, wide, blocks)

    def said(self, strategy: Strategy, position: int | None = None) -> list[Finding]:
        at = position or self.position
        return [each for each in lint(strategy, TREE) if (each.block, each.position) == (self.block, at)]


def _places() -> Iterator[Place]:
    seen = set()
    for topic in TOPICS:
        for block, position, line in all_lines(topic.strategy):
            if (block if block not in LANES else topic.id + block, line.query) not in seen:
                seen.add((block if block not in LANES else topic.id + block, line.query))
                yield Place(topic.id, topic.strategy, block, position, line)


PLACES = tuple(_places())
SOME = 6
"""Places that each damage is done to in the suite; `make torture` does it to every one."""
EVERY = [SOME, pytest.param(len(PLACES), marks=pytest.mark.torture, id="all")]
BEFORE = {topic.id: lint(topic.strategy, TREE) for topic in TOPICS}
Damage = Callable[[str], str | None]


def spread(fitting: list[Any], most: int) -> list[Any]:
    """Take some from all over."""
    step = max(1, len(fitting) // most)
    return fitting[::step][:most] if most < len(fitting) else fitting


def damaged(damage: Damage, most: int) -> list[tuple[Place, str]]:
    """Return places that a damage can be done to, with the line after it."""
    found = ((place, damage(place.line.query)) for place in PLACES)
    return spread([(place, query) for place, query in found if query is not None and query != place.line.query], most)


def sub(pattern: str, replacement: str) -> Damage:
    """Change the first place that fits; None where there is none."""

    def damage(query: str) -> str | None:
        changed, count = re.subn(pattern, replacement, query, count=1)
        return changed if count else None

    return damage


def last(sign: str) -> Damage:
    return lambda query: query[: query.rindex(sign)] + query[query.rindex(sign) + 1 :] if sign in query else None


def unbalanced(query: str) -> str | None:
    """Take the parentheses from round an OR that stands beside an AND."""
    changed, count = re.subn(r"\(([^()]* OR [^()]*)\)(?= AND )", r"\1", query, count=1)
    return changed if count else None


CAUGHT: dict[str, tuple[Damage, frozenset[str]]] = {
    "a closing parenthesis dropped": (last(")"), frozenset({"syntax"})),
    "an opening parenthesis dropped": (sub(r"\(", ""), frozenset({"syntax"})),
    "the first quotation mark dropped": (sub('"', ""), frozenset({"syntax"})),
    "the last quotation mark dropped": (last('"'), frozenset({"syntax"})),
    "the last bracket dropped": (last("]"), frozenset({"syntax"})),
    "a tag dropped": (sub(r"\[(?!nm)[^\]]*\]", ""), frozenset({"untagged", "untagged-hyphen"})),
    "tiab misspelt": (sub(r"\[tiab", "[tiba"), frozenset({"unknown-field"})),
    "Mesh misspelt": (sub(r"\[Mesh", "[Mehs"), frozenset({"unknown-field"})),
    "a stem cut to three letters": (sub(r"\b(\w{3})\w+\*", r"\1*"), frozenset({"short-stem"})),
    "NoExp dropped": (sub(r":NoExp", ""), frozenset({"exploded", "exploded-trap"})),
    "an OR taken out of its parentheses": (unbalanced, frozenset({"mixed-booleans"})),
    "an operator in lower case": (
        lambda query: (
            re.sub(r" (OR|AND) ", lambda found: found[0].lower(), query, count=1)
            if re.search(r" (OR|AND) ", query)
            else None
        ),
        frozenset({"lower-case-boolean"}),
    ),
    "curly quotation marks": (sub(r'"([^"]*)"', "“\\1”"), frozenset({"typographic"})),
    "emptied": (lambda query: " ", frozenset({"empty"})),
    "a * put into proximity": (sub(r'"(\[tiab:~)', r'*"\1'), frozenset({"truncation-in-proximity"})),
    "a * put inside a phrase": (
        sub(r'"(\w{4,}) (\w+)([^"]*"\[tiab\])', r'"\1* \2\3'),
        frozenset({"truncation-in-phrase"}),
    ),
    "a * put inside a word": (sub(r"\b(\w{4})(\w{2,})(\*?\[tiab\])", r"\1*\2\3"), frozenset({"truncation-in-word"})),
    "AND made AND NOT": (sub(" AND ", " AND NOT "), frozenset({"syntax"})),
    "AND made NOT": (sub(" AND ", " NOT "), frozenset({"not"})),
    "a heading misspelt": (
        sub(r'"(\w+)(\w)(\w)([^"]*"\[(?:Mesh|Majr))', r'"\1\3\2\4'),
        frozenset({"unknown-heading"}),
    ),
    "a block misspelt": (sub(r"\{([A-Z])", r"{\1Q"), frozenset({"unknown-block"})),
    "a block in lower case": (
        lambda query: re.sub(r"\{\w+\}", lambda found: found[0].lower(), query, count=1) if "{" in query else None,
        frozenset({"braces"}),
    ),
    "limited to people": (lambda query: f"({query}) AND humans[mh]", frozenset({"species-limit"})),
    "limited to English": (lambda query: f"({query}) AND english[la]", frozenset({"language-limit"})),
    "limited to a year": (lambda query: f"({query}) AND 2024[dp]", frozenset({"date-limit"})),
    "limited to abstracts": (lambda query: f"({query}) AND hasabstract", frozenset({"abstract-limit"})),
    "a bare acronym added": (lambda query: f"({query}) OR CAR[tiab]", frozenset({"bare-acronym"})),
    "a field of the library": (sub(r"\[tiab\]", "[tag]"), frozenset({"own-field"})),
    "a term twice": (
        lambda query: f"{query} OR {query.split(' OR ')[0]}" if "(" not in query and " AND " not in query else None,
        frozenset({"duplicate-term", "duplicate-line"}),
    ),
}
"""Damage to a line, and the codes of which one must be said of it then and not before."""

UNSEEN: dict[str, Damage] = {
    "a word misspelt": sub(r"(?<=[\s(])(\w)(\w)(\w{3,}\[tiab\])", r"\2\1\3"),
    "a branch dropped": sub(r" OR \w+\[tiab\](?= OR )", ""),
    "tiab made ti": sub(r"\[tiab\]", "[ti]"),
    "a distance made larger": sub(r"~(\d)", r"~9"),
    "another product code": sub(r"FT5(\d\d)", r"FT9\1"),
}
"""What no linter can see: the line still says something sensible. Sentinels, preview and diff are there for it."""


@pytest.mark.parametrize("most", EVERY)
@pytest.mark.parametrize("name", CAUGHT)
def test_damage_is_caught(name: str, most: int) -> None:
    damage, codes = CAUGHT[name]
    tried = damaged(damage, most)
    for place, query in tried:
        before = {each.code for each in BEFORE[place.topic] if (each.block, each.position) == place[2:4]}
        after = {each.code for each in place.said(place.with_query(query))}
        assert codes & (after - before), (place.topic, place.block, place.position, query, after)
    assert len(tried) >= 3, name


@pytest.mark.parametrize("most", EVERY)
@pytest.mark.parametrize("name", UNSEEN)
def test_damage_that_no_linter_sees(name: str, most: int) -> None:
    hidden = 0
    for place, query in damaged(UNSEEN[name], most):
        after = [each for each in place.said(place.with_query(query)) if each.weight != "note"]
        hidden += not after
    assert hidden >= 2, name


@pytest.mark.parametrize("most", [3 * SOME, *EVERY[1:]])
def test_a_line_twice_is_caught_in_every_lane_and_block(most: int) -> None:
    for place in spread([*PLACES], most):
        block = next((each for each in place.strategy.blocks if each.name == place.block), None)
        if block is not None and block.joined == "all":
            continue
        after = place.said(place.with_query(place.line.query, place.line), place.position + 1)
        lost = [each.code for each in after if each.code == "duplicate-line"]
        lost += [
            each.code for each in place.said(place.with_query(place.line.query, place.line)) if "line" in each.code
        ]
        assert "duplicate-line" in lost or "covered-line" in lost, (place.topic, place.block, place.position)


@pytest.mark.parametrize("most", [3 * SOME, *EVERY[1:]])
def test_a_reason_taken_away_and_a_line_switched_off_are_caught(most: int) -> None:
    for place in spread([*PLACES], most):
        bare = place.with_line(place.line._replace(reason=""))
        assert "no-reason" in {each.code for each in place.said(bare)}
        off = place.with_line(place.line._replace(enabled=False))
        assert "line-off" in {each.code for each in place.said(off)}


def test_a_phrase_that_pubmed_forgets_is_caught() -> None:
    for topic in TOPICS:
        known = known_phrases(topic.strategy)
        for phrase in sorted(known)[:5]:
            found = lint(topic.strategy, TREE, phrases={**known, phrase: False})
            assert "phrase-unknown" in {each.code for each in found if each.weight == "error"}, phrase
