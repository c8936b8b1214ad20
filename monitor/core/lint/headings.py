"""MeSH headings and publication types: explosion, names, UIs, subheadings (NLM, "MeSH" and User Guide, "MeSH Terms")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from monitor.core.lint.findings import Finding, Repair, Weight, listed, shown
from monitor.core.lint.limits import limit_kind
from monitor.core.lint.reading import Placed, Reading
from monitor.core.query import Heading, MeshTree, Term
from monitor.core.query.qualifiers import qualifier_keys
from monitor.core.query.words import heading_key, search_words

_UI: Final = re.compile(r"\bD\d{6}(?:\d{3})?\b")
_UI_LIKE: Final = re.compile(r"\s*[Dd]\s?\d{4,10}\s*")
_NOEXP: Final = re.compile(r"no[- ]?exp", re.IGNORECASE)
_EXPLODE: Final = re.compile(r"explo", re.IGNORECASE)

_TRAPS: Final[Mapping[tuple[str, ...], str]] = {
    heading_key("Killer Cells, Natural"): "a product of the 1980s, lymphokine-activated killer cells",
    heading_key("Cytokine-Induced Killer Cells"): "the whole literature on cytotoxic T cells",
    heading_key("Adoptive Transfer"): "convalescent plasma against COVID-19",
    heading_key("Immunotherapy"): "vaccination, desensitisation, immunosuppression and radioimmunotherapy",
    heading_key("Cell- and Tissue-Based Therapy"): "every transplantation",
}
"""Headings whose narrower ones are another subject, and what comes along."""

RENAMED: Final[Mapping[str, tuple[str, str]]] = {
    "D016440": ("Retraction of Publication", "Retraction Notice"),
}
"""Headings that NLM renamed while records with the former name are about: UI, former name, present name."""


def explosion(reading: Reading, tree: MeshTree) -> Iterator[Finding]:
    """Exploded headings whose narrower ones nobody has said to want; PubMed explodes by default."""
    reason = reading.line.reason
    headings = [each for each in reading.placed if isinstance(each.leaf, Term) and each.leaf.field in {"mh", "majr"}]
    unkept = bool(_NOEXP.search(reason)) and all(isinstance(each.leaf, Term) and each.leaf.explode for each in headings)
    wanted = bool(_EXPLODE.search(reason)) and not unkept
    for placed in headings:
        leaf = placed.leaf
        if not isinstance(leaf, Term) or not leaf.explode or search_words(leaf.text).truncated:
            continue
        name, _ = _parted(leaf)
        heading = tree.find(name)
        if limit_kind(leaf) is not None:  # humans, adult: told as a limit
            continue
        below = sorted(tree.name(ui) or ui for ui in tree.explode(heading.ui) - {heading.ui}) if heading else []
        trap = _TRAPS.get(heading_key(heading.name if heading else name))
        if wanted or not (below or trap):
            continue
        title = heading.name if heading else shown(name)
        tag = reading.tag_of(placed)
        repair = reading.repair(
            "Search this heading alone, without what is narrower",
            reading.edited(placed.tag, placed.end, f"{tag[:-1].rstrip()}:NoExp]"),
        )
        adds = (
            f"adds {len(below)} narrower heading{'s' * (len(below) != 1)}: {listed(below, apart='; ')}."
            if below
            else ""
        )
        if trap:
            message = f"PubMed explodes {title}, and so brings in {trap}. {f'It {adds}' if adds else ''}".rstrip()
        else:
            message = f"PubMed explodes {title}: that {adds} If that is meant, say so in the reason."
        if unkept:
            message += " The reason speaks of NoExp, but the line has none."
        weight: Weight = "warning" if trap or unkept else "note"
        yield reading.finding("exploded-trap" if trap else "exploded", weight, placed.start, message, repair)


def names(reading: Reading, tree: MeshTree) -> Iterator[Finding]:
    """Headings that MeSH does not have by this name, entry terms, former names, UIs, subheadings."""
    searched = {heading.ui for each in reading.placed if (heading := _heading(each, tree)) is not None}
    written = {heading_key(each.leaf.text) for each in reading.placed if isinstance(each.leaf, Term)}
    told = _UI.findall(reading.line.reason)
    elsewhere: list[Placed] = []
    for placed in reading.placed:
        leaf = placed.leaf
        if not isinstance(leaf, Term) or leaf.field not in {"mh", "majr", "pt"}:
            continue
        name, qualifier = _parted(leaf)
        if leaf.field != "pt" and qualifier and not qualifier_keys(qualifier):
            yield reading.finding(
                "unknown-subheading",
                "warning",
                placed.start,
                f"MeSH has no subheading {shown(qualifier)}, so {shown(leaf.text)} finds nothing.",
                reading.repair("Search the heading without it", _renamed(reading, placed, name)),
            )
        if search_words(leaf.text).truncated:
            yield _truncated(reading, placed, leaf, tree)
            continue
        heading = tree.find(name)
        if heading is None:
            if heading_key(name) in _TRAPS:
                continue
            finding = _unknown(reading, placed, leaf, tree, [ui for ui in told if ui not in searched])
            if finding is None:
                elsewhere.append(placed)
            else:
                yield finding
        elif heading.ui in RENAMED:
            yield from _former(reading, placed, leaf, heading, written)
        elif heading_key(name) != heading_key(heading.name) and name.strip().upper() != heading.ui:
            yield reading.finding(
                "entry-term",
                "note",
                placed.start,
                f"{shown(name)} is an entry term or a former name of {heading.name} ({heading.ui}). Name the heading itself, so "
                "that the line still finds it when entry terms move.",
                reading.repair(f"Write {heading.name}", _renamed(reading, placed, _with(heading.name, qualifier))),
            )
    if elsewhere:
        named = dict.fromkeys(shown(_parted(each.leaf)[0]) for each in elsewhere if isinstance(each.leaf, Term))
        yield reading.finding(
            "unknown-heading",
            "note",
            elsewhere[0].start,
            f"Not in the part of MeSH that ships here: {listed(named, apart='; ')}. Look them up in NLM's MeSH browser: what is "
            "narrower is not known here, and a name that PubMed does not know finds nothing.",
        )
    headings = [each for each in reading.placed if isinstance(each.leaf, Term) and each.leaf.field in {"mh", "majr"}]
    known = [ui for ui in told[:1] if tree.name(ui) is not None]
    all_known = all(_heading(each, tree) is not None for each in headings)
    if known and headings and all_known and not searched.intersection(told):
        yield reading.finding(
            "ui-mismatch",
            "note",
            headings[0].start,
            f"The reason names {known[0]}, which is {tree.name(known[0])} in MeSH today; the line does not search that "
            "heading.",
        )


def _heading(placed: Placed, tree: MeshTree) -> Heading | None:
    if not isinstance(placed.leaf, Term) or placed.leaf.field not in {"mh", "majr", "pt"}:
        return None
    return tree.find(_parted(placed.leaf)[0])


def _parted(leaf: Term) -> tuple[str, str]:
    name, slash, qualifier = leaf.text.rpartition("/")
    return (name, qualifier) if slash and leaf.field != "pt" else (leaf.text, "")


def _with(name: str, qualifier: str) -> str:
    return f"{name}/{qualifier}" if qualifier else name


def _renamed(reading: Reading, placed: Placed, name: str) -> str:
    return reading.edited(placed.start, placed.tag, f'"{name}"')


def _unknown(reading: Reading, placed: Placed, leaf: Term, tree: MeshTree, told: list[str]) -> Finding | None:
    name, qualifier = _parted(leaf)
    if _UI_LIKE.fullmatch(name):
        right = [ui for ui in told if tree.name(ui) is not None]
        return reading.finding(
            "wrong-ui",
            "warning",
            placed.start,
            f"{shown(name)} is no heading of the MeSH that ships here; a UI is a D with six or nine digits. PubMed finds "
            "nothing for a wrong one. Write the heading's name.",
            _write(reading, placed, tree.name(right[0]) if right else None, qualifier),
        )
    close = tree.name(told[0]) if told and tree.name(told[0]) else None
    similar = tree.similar(name)
    close = close or (similar.name if similar else None)
    if close is None:
        return None
    kind = "publication type" if leaf.field == "pt" else "heading"
    return reading.finding(
        "unknown-heading",
        "note",
        placed.start,
        f"{shown(name)} is no {kind} of the MeSH that ships here. Did you mean {close}? A name that PubMed does not know finds "
        "nothing.",
        _write(reading, placed, close, qualifier),
    )


def _write(reading: Reading, placed: Placed, name: str | None, qualifier: str) -> Repair | None:
    return reading.repair(f"Write {name}", _renamed(reading, placed, _with(name, qualifier))) if name else None


def _former(
    reading: Reading, placed: Placed, leaf: Term, heading: Heading, written: set[tuple[str, ...]]
) -> Iterator[Finding]:
    former, present = RENAMED[heading.ui]
    if {heading_key(former), heading_key(present)} <= written or heading_key(leaf.text) != heading_key(former):
        return
    tag = reading.tag_of(placed)
    both = f'("{former}"{tag} OR "{present}"{tag})'
    yield reading.finding(
        "renamed-heading",
        "note",
        placed.start,
        f"NLM calls {former} ({heading.ui}) {present} today; records carry either name. Search for both.",
        reading.repair("Search both names", reading.edited(placed.start, placed.end, both)),
    )


def _truncated(reading: Reading, placed: Placed, leaf: Term, tree: MeshTree) -> Finding:
    heading = tree.find(leaf.text.rstrip("* ")) or tree.find(f"{leaf.text.rstrip('* ')}s")
    return reading.finding(
        "truncation-heading",
        "warning",
        placed.start,
        f"{shown(leaf.text)}: a * switches off mapping and explosion, so the line finds every heading that begins with these "
        "letters and none that is narrower.",
        reading.repair(f"Write {heading.name}", _renamed(reading, placed, heading.name)) if heading else None,
    )
