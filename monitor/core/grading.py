"""Study design and first evidence level: a list of rules of which the first that fires decides, and what tempers it; pure.

Every result is a suggestion with its reason; a person confirms levels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final, NamedTuple

from monitor.core.citation import Citation, PartialDate
from monitor.core.faults import Ledger, Path
from monitor.core.patterns import Pattern, compiled
from monitor.core.screening import LEVELS
from monitor.core.vocabulary.texts import Texts
from monitor.errors import UsageError

VERSION: Final = 1
HUMANS: Final = "D006801"
ANIMALS: Final = frozenset({"D000818", "D051379", "D023041", "D004195", "D016513"})
"""MeSH: Animals; Mice; Xenograft Model Antitumor Assays; Disease Models, Animal; Mice, SCID."""
_PATIENTS: Final = re.compile(
    r"\b(?:patients?|participants?|volunteers?|men|women|children|adults|infants|persons|people|humans?)\b",
    re.IGNORECASE,
)
_NAMES: Final = ("pt", "not_pt", "ref_type", "mesh", "not_mesh")
_PATTERNS: Final = ("title_rx", "any_rx", "no_rx")
_CONDITIONS: Final = (*_NAMES, *_PATTERNS, "any", "all", "human", "mesh_missing", "age_days_lt", "flag")
_RULE: Final = ("id", "if", "design", "level", "reason", "ask")
_MODIFIER: Final = ("if", "then")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z")
_ADD_FLAG: Final = re.compile(r"\b(?:add|set) (?:the )?flag ([a-z0-9][a-z0-9-]*)", re.IGNORECASE)
_CAP: Final = re.compile(r"\bcap\b[^;]*?\bat (\d+(?:\.\d+)?)", re.IGNORECASE)
_PROVISIONAL: Final = re.compile(r"\bprovisional\b", re.IGNORECASE)
_HOLD: Final = re.compile(r"\bhold\b", re.IGNORECASE)


class Because(NamedTuple):
    """What made a rule fire: a place of the record and the words there."""

    place: str
    words: str


class Grade(NamedTuple):
    """A level and design with the rule that gave them, and what a person must confirm (`ask`).

    `because` is what the rule found. `provisional_until` is the day on which a provisional level stops being so, if
    nothing arrives before. `cap` limits the scores of suggested tags; `hold` keeps the paper out of every count until a
    person decides; `notes` are sentences for people.
    """

    level: str
    design: str
    rule: str
    reason: str
    ask: str | None = None
    because: tuple[Because, ...] = ()
    provisional: bool = False
    provisional_until: date | None = None
    flags: tuple[str, ...] = ()
    cap: float | None = None
    hold: bool = False
    notes: tuple[str, ...] = ()


class _Given(NamedTuple):
    """What is known of a record beside itself."""

    record: _Record
    today: date
    flags: frozenset[str]


Condition = Callable[["_Given"], tuple[Because, ...] | None]
"""What was found, perhaps nothing in words; None where the condition does not hold."""


class Rule(NamedTuple):
    id: str
    condition: Condition
    design: str
    level: str
    reason: str
    ask: str | None


@dataclass(frozen=True, slots=True)
class Modifier:
    """What tempers a level. `then` is for people; what it does was read from its words."""

    condition: Condition
    then: str
    add_flag: str | None = None
    cap: float | None = None
    provisional: bool = False
    hold: bool = False
    days: int | None = None


class Rules(NamedTuple):
    """A version of the level rules, in their order."""

    rules: tuple[Rule, ...]
    modifiers: tuple[Modifier, ...]
    patterns: tuple[Pattern, ...] = ()

    @property
    def designs(self) -> tuple[str, ...]:
        """Every design that a rule may give."""
        return tuple(dict.fromkeys(each.design for each in self.rules))


def read_rules(values: object) -> Rules:
    """Read level rules, already parsed from YAML. Raises Faulty with everything that is wrong."""
    ledger = Ledger()
    top = ledger.mapping(values, (), ("version", "rules", "modifiers"))
    if top.get("version") != VERSION or isinstance(top.get("version"), bool):
        ledger.add(("version",), f"version {top.get('version')!r} is not known; this program reads version {VERSION}")
    listed = ledger.sequence(top.get("rules", []), ("rules",))
    rules = [_rule(ledger, each, ("rules", at)) for at, each in enumerate(listed)]
    seen: set[str] = set()
    for at, each in enumerate(rules):
        if each.id in seen:
            ledger.add(("rules", at, "id"), f"{each.id} stands twice")
        seen.add(each.id)
    if not listed or not isinstance(listed[-1], Mapping) or listed[-1].get("if") != {}:
        ledger.add(("rules",), "the last rule must hold for every paper, with if: {}")
    told = ledger.sequence(top.get("modifiers", []), ("modifiers",))
    modifiers = tuple(_modifier(ledger, each, ("modifiers", at)) for at, each in enumerate(told))
    ledger.settle()
    return Rules(tuple(rules), modifiers, tuple(_patterns_in(values)))


def grade(
    rules: Rules, citation: Citation, today: date, flags: frozenset[str] = frozenset(), texts: Texts | None = None
) -> Grade:
    """Return the first level of a citation. `flags` are what stands over it by the vocabulary (`Proposals.flags`).

    `texts` are the citation's own, where somebody has made them already.
    """
    given = _Given(_Record(texts or Texts(citation)), today, flags)
    for rule in rules.rules:
        because = rule.condition(given)
        if because is not None:
            break
    else:
        raise ValueError("no rule holds, not even the last")
    found = Grade(rule.level, rule.design, rule.id, rule.reason, rule.ask, tuple(dict.fromkeys(because))[:4])
    added = dict.fromkeys(sorted(flags))
    for each in rules.modifiers:
        if each.condition(given) is None:
            continue
        if each.add_flag:
            added[each.add_flag] = None
        if each.provisional:
            entered = given.record.entered
            until = entered + timedelta(days=each.days) if entered is not None and each.days is not None else None
            found = found._replace(provisional=True, provisional_until=until)
        if each.cap is not None:
            found = found._replace(cap=each.cap if found.cap is None else min(found.cap, each.cap))
        found = found._replace(hold=found.hold or each.hold, notes=(*found.notes, each.then))
    return found._replace(flags=tuple(added))


def ocebm(found: Grade) -> int | None:
    """Return the OCEBM 2011 badge that a level is worth for questions of efficacy and harm; None where it has none."""
    if found.level == "A":
        return 1 if found.design in ("meta-analysis", "systematic-review") else None
    return {"B1": 2, "B2": 3, "B3": 4, "C": 4, "D": 5, "E": 5}.get(found.level)


class _Record:
    """A citation as conditions ask about it."""

    def __init__(self, texts: Texts) -> None:
        citation = texts.citation
        self.texts = texts
        self.citation = citation
        self.types = {
            name: each.name for each in citation.publication_types for name in (each.ui, each.name) if name is not None
        }
        self.headings = {
            each.descriptor.ui: each.descriptor.name
            for each in citation.mesh_headings
            if each.descriptor.ui is not None
        }
        self.links = {each.kind for each in citation.corrections}

    @property
    def human(self) -> bool:
        """Say whether people were studied: the heading says so, or the words do and no heading names animals."""
        if HUMANS in self.headings:
            return True
        words = f"{self.texts.title.text} {self.texts.abstract.text}"
        return not ANIMALS.intersection(self.headings) and _PATIENTS.search(words) is not None

    @cached_property
    def entered(self) -> date | None:
        """The day PubMed created the record, or else made it public."""
        return _day(self.citation.history_date("entrez")) or _day(self.citation.history_date("pubmed"))


def _day(moment: PartialDate | None) -> date | None:
    if moment is None or moment.year is None:
        return None
    try:
        return date(moment.year, moment.month or 1, moment.day or 1)
    except ValueError:
        return None


def _rule(ledger: Ledger, value: object, path: Path) -> Rule:
    fields = ledger.mapping(value, path, _RULE)
    id = fields.get("id")
    if not isinstance(id, str) or not _ID.match(id):
        ledger.add((*path, "id"), f"an id of letters, digits, - _ and . is wanted; {id!r} is none")
    level = fields.get("level")
    if level not in LEVELS:
        ledger.add((*path, "level"), f"{level!r} is no level; levels are {', '.join(LEVELS)}")
    if "if" not in fields:
        ledger.add(path, "a rule needs if, and {} holds for every paper")
    return Rule(
        str(id),
        _condition(ledger, fields.get("if", {}), (*path, "if")),
        ledger.words(fields.get("design"), (*path, "design"), 40),
        str(level),
        ledger.words(fields.get("reason"), (*path, "reason"), 300),
        ledger.words(fields["ask"], (*path, "ask"), 300) if "ask" in fields else None,
    )


def _modifier(ledger: Ledger, value: object, path: Path) -> Modifier:
    fields = ledger.mapping(value, path, _MODIFIER)
    then = ledger.words(fields.get("then"), (*path, "then"), 300)
    condition = fields.get("if", {})
    flag, cap = _ADD_FLAG.search(then), _CAP.search(then)
    days = condition.get("age_days_lt") if isinstance(condition, Mapping) else None
    return Modifier(
        _condition(ledger, condition, (*path, "if")),
        then,
        flag[1].lower() if flag is not None else None,
        float(cap[1]) if cap is not None else None,
        _PROVISIONAL.search(then) is not None,
        _HOLD.search(then) is not None,
        days if isinstance(days, int) else None,
    )


def _condition(ledger: Ledger, value: object, path: Path) -> Condition:
    """Return what a mapping of conditions asks; all of them must hold, and none always do."""
    fields = ledger.mapping(value, path, _CONDITIONS)
    parts = [_single(ledger, key, each, (*path, key)) for key, each in fields.items()]
    return _all(parts)


def _single(ledger: Ledger, key: str, value: object, path: Path) -> Condition:
    if key in ("any", "all"):
        inner = [_condition(ledger, each, (*path, at)) for at, each in enumerate(ledger.sequence(value, path))]
        if not inner:
            ledger.add(path, "a list of conditions is wanted")
        return _any(inner) if key == "any" else _all(inner)
    if key in _NAMES:
        return _named(key, ledger.texts(value, path))
    if key in _PATTERNS:
        return _worded(ledger, key, value, path)
    if key in ("human", "mesh_missing"):
        wanted = ledger.flag(value, path)
        if key == "human":
            return lambda given: () if given.record.human is wanted else None
        return lambda given: () if (not given.record.headings) is wanted else None
    if key == "age_days_lt":
        days = ledger.number(value, path, 0, 3650)
        return lambda given: () if _younger(given, days) else None
    flag = ledger.words(value, path, 60)
    return lambda given: () if flag in given.flags else None


def _patterns_in(value: object) -> Iterator[Pattern]:
    """Yield every pattern of rules that were read without a fault."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key in _PATTERNS:
                yield compiled(each)
            else:
                yield from _patterns_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from _patterns_in(each)


def _named(key: str, names: tuple[str, ...]) -> Condition:
    """Return a condition on what NLM names: types by name or UI, headings by UI, links by kind."""
    place = {"pt": "publication type", "mesh": "MeSH heading", "ref_type": "link"}.get(key.removeprefix("not_"), key)

    def held(given: _Given) -> tuple[Because, ...]:
        record = given.record
        if key.endswith("pt"):
            return tuple(Because(place, record.types[each]) for each in names if each in record.types)
        if key.endswith("mesh"):
            return tuple(Because(place, record.headings[each]) for each in names if each in record.headings)
        return tuple(Because(place, each) for each in names if each in record.links)

    if key.startswith("not_"):
        return lambda given: None if held(given) else ()
    return lambda given: held(given) or None


def _worded(ledger: Ledger, key: str, value: object, path: Path) -> Condition:
    if not isinstance(value, str):
        ledger.add(path, "a pattern is a text")
        return _all([])
    try:
        pattern = compiled(value)
    except UsageError as error:
        ledger.add(path, str(error))
        return _all([])
    if key == "title_rx":
        return lambda given: _words(pattern, given, title_only=True)
    if key == "no_rx":
        return lambda given: None if _words(pattern, given) else ()
    return lambda given: _words(pattern, given)


def _words(pattern: Pattern, given: _Given, *, title_only: bool = False) -> tuple[Because, ...] | None:
    texts = given.record.texts
    if pattern.possible(texts.folded):
        for text in (texts.title,) if title_only else (texts.title, texts.abstract):
            if (match := pattern.regex.search(text.text)) is not None:
                return (Because(text.place, match[0][:120]),)
    return None


def _younger(given: _Given, days: float) -> bool:
    entered = given.record.entered
    return entered is not None and (given.today - entered).days < days


def _all(parts: list[Condition]) -> Condition:
    def holds(given: _Given) -> tuple[Because, ...] | None:
        found: tuple[Because, ...] = ()
        for each in parts:
            because = each(given)
            if because is None:
                return None
            found += because
        return found

    return holds


def _any(parts: list[Condition]) -> Condition:
    def holds(given: _Given) -> tuple[Because, ...] | None:
        for each in parts:
            because = each(given)
            if because is not None:
                return because
        return None

    return holds


__all__ = ["Because", "Grade", "Rules", "grade", "ocebm", "read_rules"]
