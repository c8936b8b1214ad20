"""A vocabulary from names with values, as YAML gives them; every fault is told at its place, and then nothing is taken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from monitor.core.faults import Ledger, Path
from monitor.core.patterns import Pattern, compiled
from monitor.core.screening import OFF_TOPIC, REASONS, TAG_MAX, read_tag
from monitor.core.vocabulary.terms import (
    DESIGN,
    POLARITIES,
    Dismissal,
    Facet,
    Scoring,
    Term,
    Vocabulary,
)
from monitor.errors import UsageError

VERSION: Final = 1
"""The version of the form that is read; versions of its content are counted where they are kept."""
_TOP: Final = ("version", "scoring", "facets", "offtopic_reasons", "general_reasons")
_FACET: Final = (
    "en",
    "zh",
    "multi",
    "single",
    "source",
    "terms",
    "role_cues",
    "polarity",
    "absent_cues",
    "absent_after",
    "severity_cues",
    "reported_cues",
)
_PATTERNS: Final = {
    "rx": "rx",
    "rx_title": "title",
    "rx_aff": "affiliation",
    "weak": "weak",
    "ctx": "context",
    "veto": "veto",
}
_UIS: Final = ("mesh", "mesh_all", "mesh_weak", "not_mesh_only")
_NAMES: Final = {"pt": "types", "pt_all": "types_all", "ref_type": "links"}
_TERM: Final = ("id", "en", "zh", "rxc", "only", "tree", "nm", "imp", *_PATTERNS, *_UIS, *_NAMES)
_REASON: Final = ("id", "en", "zh", "rx", "rxc", "mesh")
_ONLY: Final = ("title", "abstract", "keyword", "affiliation")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_UI: Final = re.compile(r"D\d{6}(?:\d{3})?\Z")
_SUBSTANCE: Final = re.compile(r"[CD]\d{6}(?:\d{3})?\Z")
_TREE: Final = re.compile(r"[A-NVZ]\d\d(?:\.\d{3})*\Z")
_LONGEST_QUALIFIER: Final = max(map(len, (*POLARITIES, "comparator"))) + 1


def read_vocabulary(values: object) -> Vocabulary:
    """Read a vocabulary. Raises Faulty with everything that is wrong: unknown keys, bad patterns, ids that stand twice
    or nowhere.
    """
    ledger = Ledger()
    top = ledger.mapping(values, (), _TOP)
    if top.get("version") != VERSION or isinstance(top.get("version"), bool):
        ledger.add(("version",), f"version {top.get('version')!r} is not known; this program reads version {VERSION}")
    facets = top.get("facets", {})
    if not isinstance(facets, Mapping) or not facets:
        ledger.add(("facets",), "facets with their terms are wanted")
        facets = {}
    found = Vocabulary(
        facets=tuple(_facet(ledger, name, each, ("facets", str(name))) for name, each in facets.items()),
        off_topic=_reasons(ledger, top.get("offtopic_reasons", []), ("offtopic_reasons",)),
        general=_reasons(ledger, top.get("general_reasons", []), ("general_reasons",)),
        scoring=_scoring(ledger, top.get("scoring", {})),
    )
    _check_names(ledger, found)
    ledger.settle()
    return found


def _scoring(ledger: Ledger, value: object) -> Scoring:
    fields = ledger.mapping(value, ("scoring",), Scoring.__slots__)
    return Scoring(**{name: ledger.number(each, ("scoring", name), 0, 100) for name, each in fields.items()})


def _facet(ledger: Ledger, name: object, value: object, path: Path) -> Facet:
    if not isinstance(name, str) or not _ID.match(name):
        ledger.add(path, "a facet is named with letters, digits, - _ and .")
    fields = ledger.mapping(value, path, _FACET)
    single = ledger.flag(fields["single"], (*path, "single")) if "single" in fields else False
    if "multi" in fields and ledger.flag(fields["multi"], (*path, "multi")) and single:
        ledger.add((*path, "multi"), "a facet is single or multi, not both")
    if "source" in fields:
        ledger.words(fields["source"], (*path, "source"))
    roles = ledger.mapping(fields.get("role_cues", {}), (*path, "role_cues"), ("comparator",))
    polar = "polarity" in fields
    if polar and fields["polarity"] != ["reported", "reported_absent", "mentioned"]:
        ledger.add((*path, "polarity"), "the three polarities are [reported, reported_absent, mentioned]")
    cues = {
        key: _patterns(ledger, fields.get(key, []), (*path, key))
        for key in ("absent_cues", "absent_after", "severity_cues", "reported_cues")
    }
    if not polar and (odd := [key for key in cues if key in fields]):
        ledger.add((*path, odd[0]), "cues of polarity need polarity beside them")
    terms = [
        _term(ledger, str(name), each, (*path, "terms", at))
        for at, each in enumerate(ledger.sequence(fields.get("terms", []), (*path, "terms")))
    ]
    return Facet(
        id=str(name),
        en=ledger.words(fields.get("en", str(name).capitalize()), (*path, "en"), 60),
        zh=ledger.words(fields.get("zh", str(name).capitalize()), (*path, "zh"), 60),
        terms=tuple(each for each in terms if each.id),
        single=single,
        comparator=_patterns(ledger, roles.get("comparator", []), (*path, "role_cues", "comparator")),
        polar=polar,
        absent=cues["absent_cues"],
        absent_after=cues["absent_after"] if "absent_after" in fields else cues["absent_cues"],
        severity=cues["severity_cues"],
        reported=cues["reported_cues"],
    )


def _term(ledger: Ledger, facet: str, value: object, path: Path) -> Term:
    fields = ledger.mapping(value, path, _TERM)
    only = fields.get("only")
    if only is not None and only not in _ONLY:
        ledger.add((*path, "only"), f"a field is wanted, one of {', '.join(_ONLY)}")
        only = None
    patterns: dict[str, Any] = {
        to: _patterns(ledger, fields[key], (*path, key), empty=only is not None)
        for key, to in _PATTERNS.items()
        if key in fields
    }
    if "rxc" in fields:
        patterns["rx"] = (*patterns.get("rx", ()), *_patterns(ledger, fields["rxc"], (*path, "rxc"), cased=True))
    if "weak" in fields and "ctx" not in fields:
        ledger.add((*path, "weak"), "a weak pattern needs ctx, the words that must stand in the same record")
    if "ctx" in fields and "weak" not in fields:
        ledger.add((*path, "ctx"), "ctx goes with weak patterns, and there is none")
    uis: dict[str, Any] = {key: _uis(ledger, fields[key], (*path, key)) for key in _UIS if key in fields}
    names: dict[str, Any] = {
        to: frozenset(ledger.texts(fields[key], (*path, key))) for key, to in _NAMES.items() if key in fields
    }
    return Term(
        id=_id(ledger, fields, path),
        facet=facet,
        en=ledger.words(fields.get("en"), (*path, "en")),
        zh=ledger.words(fields.get("zh", fields.get("en")), (*path, "zh")),
        only=only,
        tree=_matching(ledger, fields.get("tree", []), (*path, "tree"), _TREE, "a MeSH tree number, such as C04.557"),
        substances=frozenset(
            _matching(
                ledger, fields.get("nm", []), (*path, "nm"), _SUBSTANCE, "a UI of a substance, such as C000626284"
            )
        ),
        implies=ledger.texts(fields.get("imp", []), (*path, "imp")),
        **patterns,
        **uis,
        **names,
    )


def _reasons(ledger: Ledger, value: object, path: Path) -> tuple[Dismissal, ...]:
    found = []
    for at, each in enumerate(ledger.sequence(value, path)):
        here: Path = (*path, at)
        fields = ledger.mapping(each, here, _REASON)
        rx = _patterns(ledger, fields.get("rx", []), (*here, "rx"))
        cased = _patterns(ledger, fields.get("rxc", []), (*here, "rxc"), cased=True)
        found.append(
            Dismissal(
                _id(ledger, fields, here),
                ledger.words(fields.get("en"), (*here, "en")),
                ledger.words(fields.get("zh", fields.get("en")), (*here, "zh")),
                (*rx, *cased),
                _uis(ledger, fields.get("mesh", []), (*here, "mesh")),
            )
        )
    return tuple(found)


def _id(ledger: Ledger, fields: Mapping[str, Any], path: Path) -> str:
    found = fields.get("id")
    if not isinstance(found, str) or not _ID.match(found):
        ledger.add((*path, "id"), f"an id of letters, digits, - _ and . is wanted; {found!r} is none")
        return ""
    if len(found) > TAG_MAX - _LONGEST_QUALIFIER:
        ledger.add((*path, "id"), f"an id is at most {TAG_MAX - _LONGEST_QUALIFIER} characters")
    try:
        read_tag(found)
    except UsageError as error:
        ledger.add((*path, "id"), str(error))
    return found


def _patterns(
    ledger: Ledger, value: object, path: Path, *, cased: bool = False, empty: bool = False
) -> tuple[Pattern, ...]:
    found = []
    for at, each in enumerate(ledger.sequence(value, path)):
        if not isinstance(each, str):
            ledger.add((*path, at), f"a pattern is a text; write {each!r} in quotes")
            continue
        try:
            found.append(compiled(each, cased=cased, empty=empty))
        except UsageError as error:
            ledger.add((*path, at), str(error))
    return tuple(found)


def _uis(ledger: Ledger, value: object, path: Path) -> frozenset[str]:
    return frozenset(_matching(ledger, value, path, _UI, "a MeSH descriptor UI, such as D009369"))


def _matching(ledger: Ledger, value: object, path: Path, form: re.Pattern[str], wanted: str) -> tuple[str, ...]:
    found = []
    for at, each in enumerate(ledger.sequence(value, path)):
        if isinstance(each, str) and form.match(each):
            found.append(each)
        else:
            ledger.add((*path, at), f"{each!r} is not {wanted}")
    return tuple(found)


def _check_names(ledger: Ledger, vocabulary: Vocabulary) -> None:
    """Find ids that stand twice in a facet or that several facets share, and implications that lead nowhere.

    A term of `design` may share its id with one elsewhere: designs are found by the level rules.
    """
    owners: dict[str, str] = {}
    for facet in vocabulary.facets:
        here: set[str] = set()
        for at, term in enumerate(facet.terms):
            path: Path = ("facets", facet.id, "terms", at, "id")
            key = term.id.casefold()
            if key in here:
                ledger.add(path, f"{term.id} stands twice in this facet")
            elif facet.id != DESIGN and owners.setdefault(key, facet.id) != facet.id:
                ledger.add(path, f"{term.id} stands in the facet {owners[key]} too; a tag must belong to one facet")
            here.add(key)
    for facet in vocabulary.facets:
        for at, term in enumerate(facet.terms):
            for number, other in enumerate(term.implies):
                if vocabulary.term(other) is None:
                    ledger.add(("facets", facet.id, "terms", at, "imp", number), f"no term is called {other}")
                elif other.casefold() == term.id.casefold():
                    ledger.add(("facets", facet.id, "terms", at, "imp", number), f"{other} implies itself")
    seen: set[str] = set()
    for kind, reasons in (("offtopic_reasons", vocabulary.off_topic), ("general_reasons", vocabulary.general)):
        for at, reason in enumerate(reasons):
            if reason.id in seen:
                ledger.add((kind, at, "id"), f"{reason.id} stands twice among the reasons")
            seen.add(reason.id)
            known = OFF_TOPIC if kind == "offtopic_reasons" else REASONS.keys() - OFF_TOPIC.keys()
            if reason.id and reason.id not in known:
                # What papers were dismissed for is counted and told by these names, so they are the program's own.
                what = f"no paper can be dismissed as {reason.id}; the names are {', '.join(sorted(known))}"
                ledger.add((kind, at, "id"), what)
