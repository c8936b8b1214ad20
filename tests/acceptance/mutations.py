"""Damages every line of the starter topics and records which check stands between the damage and a saved search.

`python -m tests.acceptance.mutations` writes docs/mutations.md anew.
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from monitor.core import query as language
from monitor.core.draft import add_line, change_line, line_at, lines_of, remove_line
from monitor.core.lint import lint, phrases_of
from monitor.core.query import Query, Term
from monitor.core.strategy import LANES, Lane, Strategy, Topic, all_lines, with_blocks
from monitor.core.topicfile import read_topics
from monitor.errors import QuerySyntaxError, UsageError
from monitor.pubmed.sandbox import Corpus
from monitor.pubmed.sandbox.index import Index
from monitor.resources import load_mesh_tree, resource_dir

SEED: Final = resource_dir("db") / "seed"
PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "mutations.md"
TODAY: Final = date(2026, 11, 22)
NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
TREE: Final = load_mesh_tree()
TOPICS: Final = read_topics(yaml.safe_load((SEED / "queries.yaml").read_text(encoding="utf-8")))
MARKS: Final[Mapping[int, Mapping[str, Any]]] = {
    90_000_000 + each["n"]: each for each in yaml.safe_load((SEED / "demo.yaml").read_text(encoding="utf-8"))["papers"]
}
"""What the source of the invented papers says of each: `only` names the line that alone finds it within its block."""

CHECKS: Final = ("refused", "error", "warning", "note", "sentinel", "phrase", "lost", "gained")
FREE: Final = "none"


@lru_cache(20_000)
def parse(text: str) -> Query:
    return language.parse(text)


@cache
def first_states() -> bytes:
    """Return the invented corpus with each paper as it first appeared."""
    first: dict[int, bytes] = {}
    for state in Corpus.read(SEED / "demo_corpus.xml").states():
        first.setdefault(state.pmid, state.raw or b"")
    return b"<PubmedArticleSet>" + b"".join(first.values()) + b"</PubmedArticleSet>"


class Papers:
    """The invented papers, and which of them a strategy finds, lane by lane."""

    def __init__(self) -> None:
        self.index = Index(Corpus.of(first_states()), TREE)
        self.pmids = {state.number: state.pmid for state in self.index.corpus.states()}
        self._found: dict[str, frozenset[int]] = {}
        self._held: dict[tuple[str, str | None], bool] = {}

    def find(self, query: str | None) -> frozenset[int]:
        if query is None:
            return frozenset()
        if query not in self._found:
            numbers = self.index.evaluate(parse(query), TODAY, frozenset(self.pmids))
            self._found[query] = frozenset(self.pmids[number] for number in numbers)
        return self._found[query]

    def lines(self, strategy: Strategy) -> dict[tuple[str, int], frozenset[int]]:
        return {
            (lane, position): self.find(strategy.line_query(line))
            for lane in LANES
            for position, line in enumerate(strategy.lines(lane), 1)
            if line.enabled
        }

    def knows(self, text: str, field: str | None = "tw") -> bool:
        """Say whether a phrase stands in any paper: PubMed's phrase index is made of the words of its records."""
        if (text, field) not in self._held:
            self._held[text, field] = bool(self.index.find(Term(text, field, quoted=field is not None), TODAY))
        return self._held[text, field]


def untagged(strategy: Strategy) -> set[str]:
    """Return the words outside quotation marks and without a tag, of which PubMed says whether it knows them."""
    leaves = [leaf for lane in LANES for leaf in language.terms(parse(strategy.query(lane) or "0[uid]"))]
    bare = (leaf for leaf in leaves if isinstance(leaf, Term) and leaf.field is None and not language.ignored(leaf))
    return {word for leaf in bare if not leaf.quoted for word in leaf.text.lower().split()}


def phrases(strategy: Strategy) -> set[tuple[str, str]]:
    """Return the phrases of the lines that are on."""
    return {
        phrase
        for lane in LANES
        for line in strategy.lines(lane)
        if line.enabled
        for phrase in phrases_of(parse(strategy.line_query(line)))
    }


@cache
def starter_phrases() -> frozenset[tuple[str, str]]:
    """Every phrase of the starter: the study takes these as known to PubMed."""
    return frozenset(phrase for topic in TOPICS for phrase in phrases(topic.strategy))


def readable(strategy: Strategy) -> bool:
    """Say whether every line can be read and there is something to search, as saving asks for."""
    try:
        for _, _, line in all_lines(strategy):
            if line.enabled:
                parse(strategy.line_query(line))
        return strategy.query("core") is not None
    except (UsageError, QuerySyntaxError):
        return False


class Place(NamedTuple):
    """A line: of which topic, in which lane or block, its number."""

    topic: str
    where: str
    position: int

    def __str__(self) -> str:
        return f"{self.topic} {self.where} {self.position}"


class Mutant(NamedTuple):
    """One damage to one line: the strategy after it, and whether the line is part of what the lane searches."""

    place: Place
    kind: str
    strategy: Strategy


class Outcome(NamedTuple):
    """What the checks say of a mutant. `lost` and `gained` are PMIDs by lane, those of its topic only."""

    place: Place
    kind: str
    caught: frozenset[str]
    lost: Mapping[Lane, frozenset[int]]
    gained: Mapping[Lane, frozenset[int]]
    sentinels: frozenset[int]
    phrases: frozenset[str]

    @property
    def changed(self) -> bool:
        return any(self.lost.values()) or any(self.gained.values())

    @property
    def stopped(self) -> bool:
        """Whether saving asks for a reason, or is impossible."""
        return bool(self.caught & {"refused", "error", "sentinel", "phrase"})


Change = Callable[[str], str | None]
Damage = Callable[[Strategy, Place], Strategy | None]


def sub(pattern: str, replacement: str | Callable[[re.Match[str]], str]) -> Change:
    return lambda query: re.sub(pattern, replacement, query, count=1)


def to_line(change: Change) -> Damage:
    def damage(strategy: Strategy, place: Place) -> Strategy | None:
        old = line_at(strategy, place.where, place.position)
        new = change(old.query)
        return None if new is None or new == old.query else _with_query(strategy, place, new)

    return damage


def _with_query(strategy: Strategy, place: Place, query: str) -> Strategy:
    """Replace a line without the checks of the editor, as a file from elsewhere would."""
    old = line_at(strategy, place.where, place.position)
    without = remove_line(strategy, place.where, place.position)
    return add_line(without, place.where, old._replace(query=query), place.position)


def _twice(strategy: Strategy, place: Place) -> Strategy:
    return add_line(strategy, place.where, line_at(strategy, place.where, place.position), place.position + 1)


def _to_the_end(strategy: Strategy, place: Place) -> Strategy | None:
    lines = lines_of(strategy, place.where)
    if place.position == len(lines):
        return None
    return add_line(remove_line(strategy, *place[1:]), place.where, lines[place.position - 1])


def _swapped(found: re.Match[str]) -> str:
    first, second = found[2], found[3]
    return f"{found[1]}{second}{first}{found[4]}" if first != second else f"{found[1]}{first}x{second}{found[4]}"


def _other_block(strategy: Strategy, place: Place) -> Strategy | None:
    """Insert the next block of the strategy where that makes no circle."""
    old = line_at(strategy, place.where, place.position).query
    names = [block.name for block in strategy.blocks]
    found = re.search(r"\{([A-Z_]+)\}", old)
    if found is None:
        return None
    at = names.index(found[1])
    for name in (*names[at + 1 :], *names[:at]):
        new = _with_query(strategy, place, old.replace(found[0], f"{{{name}}}", 1))
        try:
            with_blocks(new.core, new.wide, {each.name: each for each in new.blocks})
        except UsageError:
            continue
        return new
    return None


def _branch_gone(query: str) -> str | None:
    """Take the first branch from a line that is nothing but an OR, the last from a bracketed one."""
    if "(" not in query and " AND " not in query:
        return query.partition(" OR ")[2] or None
    return re.sub(r" OR [^()]*?(?=\))(?<!\()", "", query, count=1)


def _unquoted(query: str) -> str | None:
    return re.sub(r'"([^"]*)"(?=\[)', r"\1", query, count=1)


def _unclosed(query: str) -> str:
    return query[: query.rindex(")")] + query[query.rindex(")") + 1 :] if ")" in query else f"({query}"


KINDS: Final[Mapping[str, Damage]] = {
    "line dropped": lambda strategy, place: remove_line(strategy, place.where, place.position),
    "line switched off": lambda strategy, place: change_line(strategy, place.where, place.position, enabled=False),
    "first branch of an OR dropped": to_line(_branch_gone),
    "line twice": _twice,
    "line moved to the end": _to_the_end,
    "tag dropped": to_line(sub(r"\[[^\]]*\]", "")),
    "tag misspelt": to_line(sub(r"\[(t|M)(\w)(\w)", r"[\1\3\2")),
    "tiab made ti": to_line(sub(r"\[tiab\]", "[ti]")),
    "tiab made tw": to_line(sub(r"\[tiab\]", "[tw]")),
    "stem cut to three letters": to_line(sub(r"\b(\w{3})\w+\*", r"\1*")),
    "stem cut by one letter": to_line(sub(r"\b(\w{4,})\w\*", r"\1*")),
    "truncation dropped": to_line(sub(r"\*", "")),
    "truncation added": to_line(sub(r"(\w{4})(\"?\[tiab\])", r"\1*\2")),
    "NoExp dropped": to_line(sub(":NoExp", "")),
    "NoExp added": to_line(sub(r"\[(Mesh|Majr)\]", r"[\1:NoExp]")),
    "heading misspelt": to_line(sub(r'("[A-Z]\w)(\w)(\w)([^"]*"\[(?:Mesh|Majr))', _swapped)),
    "quotation marks removed": to_line(_unquoted),
    "one quotation mark removed": to_line(sub('"', "")),
    "quotation marks made curly": to_line(sub(r'"([^"]*)"', "“\\1”")),
    "hyphen made a blank": to_line(sub(r"(?<=\w)-(?=\w[^\[]*\[ti)", " ")),
    "word misspelt": to_line(sub(r'(\b\w)(\w)(\w)(\w{2,}[^"\[\]()]*"?\[(?:tiab|ti)\b)', _swapped)),
    "proximity widened by three": to_line(sub(r"~(\d)", lambda found: f"~{int(found[1]) + 3}")),
    "proximity narrowed to none": to_line(sub(r"~[1-9]", "~0")),
    "OR made AND": to_line(sub(" OR ", " AND ")),
    "AND made OR": to_line(sub(" AND ", " OR ")),
    "AND made NOT": to_line(sub(" AND ", " NOT ")),
    "operator in lower case": to_line(sub(" (OR|AND) ", lambda found: found[0].lower())),
    "NOT inserted": to_line(lambda query: f"({query}) NOT review[pt]"),
    "limited to people": to_line(lambda query: f"({query}) AND humans[mh]"),
    "limited to English": to_line(lambda query: f"({query}) AND english[la]"),
    "parenthesis unbalanced": to_line(_unclosed),
    "parentheses of an OR removed": to_line(sub(r"\(([^()]* OR [^()]*)\)", r"\1")),
    "block misspelt": to_line(sub(r"\{([A-Z])", r"{\1Q")),
    "another block inserted": _other_block,
    "words in capitals": to_line(
        lambda query: re.sub(r'(?<!\{)\b[a-z][\w -]*(?=\*?"?\[ti)', lambda found: found[0].upper(), query, count=1)
    ),
}
"""Ways to damage a line; each damages the first place that fits. Where none fits, there is no mutant."""

SAME_SEARCH: Final[Mapping[str, str]] = {
    "line moved to the end": "Lines are joined by one operator; their order means nothing.",
    "words in capitals": "PubMed does not tell capitals from small letters.",
    "hyphen made a blank": "A hyphen is a blank to PubMed.",
    "quotation marks removed": "A single word, hyphenated or not, and words before one tag are a phrase without them too.",
}
"""Damage that no check tells because PubMed runs the same search."""
NO_PAPER: Final[Mapping[str, str]] = {
    "line dropped": "What the line alone finds, the lane does not: it asks for something else as well, or finds it by another line.",
    "first branch of an OR dropped": "No invented paper needs this branch: another one finds it, or none has the word.",
    "tiab made ti": "The invented papers have the words in their titles.",
    "tiab made tw": "No invented paper has the words in its other text alone.",
    "stem cut by one letter": "No invented paper holds a word that only the shorter stem begins.",
    "truncation dropped": "The invented papers have the word in the form that is written.",
    "truncation added": "No invented paper holds a longer word.",
    "NoExp added": "The invented papers carry the heading itself.",
    "word misspelt": "No invented paper needs this word, and a single word is no phrase that PubMed could miss.",
    "proximity widened by three": "No invented paper has the words that far apart.",
    "proximity narrowed to none": "The invented papers have the words side by side, or are found by another line.",
    "OR made AND": "The invented papers meet the line by its other branches, or the lane by another line.",
    "AND made OR": "What the line brings in besides, other lines find already.",
    "another block inserted": "The invented papers that tell the two blocks apart are not of this lane.",
}
"""Damage that no check tells where nothing in the corpus depends on it. A comparison by PubMed's own counts does."""


def mutants(topics: Iterable[Topic] = TOPICS) -> Iterator[Mutant]:
    """Yield every kind of damage to every line of every topic."""
    for topic in topics:
        for where, position, _ in all_lines(topic.strategy):
            place = Place(topic.id, where, position)
            for kind, damage in KINDS.items():
                damaged = damage(topic.strategy, place)
                if damaged is not None:
                    yield Mutant(place, kind, damaged)


class Study:
    """The unharmed topics, their sentinels, and what the checks say of a damaged one."""

    def __init__(self) -> None:
        self.papers = Papers()
        self.topics = {topic.id: topic for topic in TOPICS}
        self.before = {
            topic.id: {lane: self.papers.find(topic.strategy.query(lane)) for lane in LANES} for topic in TOPICS
        }
        self.sentinels = {topic.id: self._sentinels(topic) for topic in TOPICS}
        self._said = {topic.id: self._lint(topic.strategy) for topic in TOPICS}

    def _sentinels(self, topic: Topic) -> frozenset[int]:
        """Take for every line without which the core search loses papers the newest one of these."""
        core = self.before[topic.id]["core"]
        chosen = set()
        for where, position, _ in all_lines(topic.strategy):
            without = remove_line(topic.strategy, where, position)
            lost = core - (self.papers.find(without.query("core")) if readable(without) else frozenset())
            chosen |= {max(lost)} if lost and where != "wide" else set()
        return frozenset(chosen)

    def _lint(self, strategy: Strategy, whole: bool = True) -> Counter[tuple[str, str, str]]:
        wanted = phrases(strategy) if whole else starter_phrases()
        known = {key: key in starter_phrases() or self.papers.knows(key[0]) for key in wanted}
        found = self.papers.lines(strategy) if whole else None
        findings = lint(strategy, TREE, phrases=known, found=found)
        return Counter((each.weight, each.code, each.block) for each in findings if each.code != "phrase-unchecked")

    def changes(self, mutant: Mutant) -> bool:
        """Say whether other papers are found, which is told sooner than the rest."""
        if not readable(mutant.strategy):
            return False
        found = {lane: self.papers.find(mutant.strategy.query(lane)) for lane in LANES}
        return found != self.before[mutant.place.topic]

    def outcome(self, mutant: Mutant) -> Outcome:
        """Hold a mutant against every check."""
        place, kind, strategy = mutant
        whole = readable(strategy)
        said = self._lint(strategy, whole) - self._said[place.topic]
        caught = {weight for weight, code, _ in said if code != "phrase-unknown"}
        if not whole:
            return Outcome(place, kind, frozenset({*caught, "refused"}), {}, {}, frozenset(), frozenset())
        unknown = {text for text, field in phrases(strategy) - starter_phrases() if not self.papers.knows(text)}
        unknown |= {word for word in untagged(strategy) if not self.papers.knows(word, None)}
        before = self.before[place.topic]
        after = {lane: self.papers.find(strategy.query(lane)) for lane in LANES}
        lost = {lane: before[lane] - after[lane] for lane in LANES}
        gained = {lane: after[lane] - before[lane] for lane in LANES}
        sentinels = self.sentinels[place.topic] & lost["core"]
        seen = {"phrase": unknown, "sentinel": sentinels}
        seen |= {"lost": lost["core"] | lost["wide"], "gained": gained["core"] | gained["wide"]}
        caught |= {name for name, what in seen.items() if what}
        return Outcome(place, kind, frozenset(caught), lost, gained, sentinels, frozenset(unknown))


def page(outcomes: Iterable[Outcome]) -> str:
    """Write docs/mutations.md."""
    of = defaultdict(list)
    for outcome in outcomes:
        of[outcome.kind].append(outcome)
    every = [each for kind in KINDS for each in of[kind]]
    changed = [each for each in every if each.changed]
    unseen = [each for each in every if not each.caught]
    text = [
        "# Every line damaged",
        "",
        *_paragraph(
            f"`tests/acceptance/mutations.py` damages each of the {len({each.place for each in every})} lines that the "
            f"{len(TOPICS)} starter topics search, block lines once for every topic that inserts them, in {len(KINDS)} ways "
            f"where the line has a place for it: {len(every)} damaged searches. Each is held against what stands between an "
            f"admin and a save, with the {len(MARKS)} invented papers of the demo as the library. "
            "`tests/acceptance/test_mutations.py` keeps this page current, and holds a part of it (`make torture`: all of it) "
            "against the services that the command line uses."
        ),
        "",
        *_paragraph(
            f"**{len(changed)} of them change which papers are found; every one is shown by the comparison** "
            f"(`monitor topic diff`) with the papers gained and lost by PMID. {len(every) - len(unseen)} are caught by at least "
            f"one check. The other {len(unseen)} change nothing in this library; they are listed below with the reason."
        ),
        "",
        "| check | says | stops a save |",
        "|---|---|---|",
        "| refused | the search cannot be read, or a lane has nothing to search | always |",
        "| error, warning, note | the linter's findings that the unharmed topic has not | error, unless a reason is given |",
        "| sentinel | a sentinel is lost; as sentinels stands here, for each line that the core search needs, one paper that would go with it | unless a reason is given |",
        "| phrase | PubMed does not know a phrase, or a word without a tag | unless a reason is given |",
        "| lost, gained | the comparison names papers | no: it is looked at |",
        "",
        *_paragraph(
            "A phrase counts as known to PubMed if the starter searches it or a paper holds it, a word without a tag if a paper does. `phrase-unchecked` is not "
            "counted: every new phrase has it. What the linter says of dead lines (`dead-line`, `finds-nothing`) are notes."
        ),
        "",
        f"| damage | searches | changed | {' | '.join(CHECKS)} | stopped | none |",
        f"|---|{'---:|' * (len(CHECKS) + 4)}",
    ]
    for kind, mine in ((kind, of[kind]) for kind in KINDS):
        text.append(_row(kind, mine))
    text += [
        _row("**all**", every),
        "",
        "## With sentinels",
        "",
        *_paragraph(
            "Every line of every core lane finds a paper that no other line of the lane finds. With one such paper a line as "
            "sentinel, dropping or switching off any of them stops the save, and so does every drop of a block's line that "
            "takes a paper from the core search."
        ),
        "",
        "| topic | sentinels | lines | drops that leave nothing to search | that core loses papers by | that wide does | stopped by a sentinel |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for topic in TOPICS:
        drops = [each for each in of["line dropped"] if each.place.topic == topic.id]
        numbers = [len(frozenset().union(*(each.sentinels for each in drops))), len(drops)]
        numbers += [sum("refused" in each.caught for each in drops)]
        numbers += [sum(bool(each.lost.get(lane)) for each in drops) for lane in LANES]
        numbers += [sum(bool(each.sentinels) for each in drops)]
        text.append(f"| {topic.id} | {' | '.join(map(str, numbers))} |")
    text += ["", "## Caught by nothing", ""]
    for title, kinds in (
        ("The same search to PubMed:", SAME_SEARCH),
        ("Another search, and no paper of this library to tell. PubMed's counts in preview and diff do:", NO_PAPER),
    ):
        text += [*_paragraph(title), ""]
        for kind, why in kinds.items():
            places = defaultdict(list)
            for each in (each for each in of[kind] if not each.caught):
                places[each.place.topic, each.place.where].append(str(each.place.position))
            where = "; ".join(f"{topic} {where} {', '.join(at)}" for (topic, where), at in places.items())
            listed = f" {where}." if kinds is NO_PAPER else ""
            text += _paragraph(f"- **{kind}** ({sum(map(len, places.values()))}). {why}{listed}")
        text.append("")
    return "\n".join(text).rstrip() + "\n"


def _row(title: str, outcomes: list[Outcome]) -> str:
    numbers = [len(outcomes), sum(each.changed for each in outcomes)]
    numbers += [sum(check in each.caught for each in outcomes) for check in CHECKS]
    numbers += [sum(each.stopped for each in outcomes), sum(not each.caught for each in outcomes)]
    return f"| {title} | {' | '.join(str(number) if number else '' for number in numbers)} |"


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, 126, subsequent_indent="  " if text.startswith("- ") else "", break_on_hyphens=False)


if __name__ == "__main__":
    study = Study()
    PAGE.write_text(page(map(study.outcome, mutants())), encoding="utf-8")
