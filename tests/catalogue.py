"""Bring `templates/locale/<language>.po` up to date with the words of templates and letters: `python -m tests.catalogue`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import get_args

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from monitor.core.relations import RELATIONS
from monitor.core.revision import Change
from monitor.core.screening import REASONS
from monitor.core.vocabulary.texts import Place
from monitor.formats.rulebook import rules_of
from monitor.resources import LANGUAGES, resource_dir

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "templates" / "locale"
_UNSAID = tuple(
    f'"{each}:'.encode()
    for each in (
        "Project-Id-Version",
        "Report-Msgid-Bugs-To",
        "POT-Creation-Date",
        "PO-Revision-Date",
        "Last-Translator",
        "Generated-By",
    )
)
TRANSLATED = tuple(each for each in LANGUAGES if each != "en")


def extracted() -> Catalog:
    """Return every message of templates and letters, in the order of the files that hold them."""
    with (LOCALE / "babel.cfg").open(encoding="utf-8") as text:
        methods, options = parse_mapping_cfg(text)
    found = Catalog(fuzzy=False)
    kept = set()
    for path, _line, message, comments, context in sorted(
        (each for top in ("templates", "monitor") for each in _in(top, methods, options)),
        key=lambda each: (each[0].startswith("monitor"), each[0], each[1]),
    ):
        if message:
            place = () if (path, message) in kept else ((path, 0),)
            kept.add((path, message))
            found.add(message, None, place, auto_comments=comments, context=context)
    for path, text in closed():
        found.add(text, None, ((path, 0),))
    return found


def closed() -> Iterator[tuple[str, str]]:
    """Yield what code has words for out of a closed list, and the rules that ship, which the filter `said` shows."""
    yield from (("monitor/core/revision.py", each.words) for each in Change)
    yield from (("monitor/core/relations.py", each.words) for each in RELATIONS.values())
    yield from (("monitor/core/screening.py", each) for each in REASONS.values())
    yield from (("monitor/core/vocabulary/texts.py", each) for each in get_args(Place))
    rules = rules_of((resource_dir("db") / "seed" / "levels.yaml").read_text(encoding="utf-8"))
    for rule in rules.rules:
        yield from (("db/seed/levels.yaml", each) for each in (rule.reason, rule.ask) if each)


def _in(top: str, methods: list, options: dict) -> list:
    """Return what stands below a folder; the mapping names files from the root."""
    found = extract_from_dir(
        ROOT / top,
        [(pattern.removeprefix(f"{top}/"), method) for pattern, method in methods if pattern.startswith(f"{top}/")],
        {pattern.removeprefix(f"{top}/"): each for pattern, each in options.items() if pattern.startswith(f"{top}/")},
        keywords={**DEFAULT_KEYWORDS, "told": None, "counted": (1, 2)},
    )
    return [(f"{top}/{path}", *rest) for path, *rest in found]


def translated(language: str) -> Catalog:
    """Read what stands in the catalogue of a language."""
    with (LOCALE / f"{language}.po").open("rb") as text:
        return read_po(text, locale=language.replace("-", "_"), abort_invalid=True)


def written(catalog: Catalog) -> bytes:
    """Write a catalogue as it is kept: no line numbers and no dates, so that a change of words is all that changes."""
    out = BytesIO()
    write_po(out, catalog, width=0, include_lineno=False, ignore_obsolete=True)
    return b"".join(line for line in out.getvalue().splitlines(keepends=True) if not line.startswith(_UNSAID))


def update(language: str) -> tuple[int, int]:
    """Bring a catalogue up to date; returns how many messages it has and how many of them wait for a translation."""
    catalog = translated(language)
    catalog.update(extracted(), no_fuzzy_matching=True)
    (LOCALE / f"{language}.po").write_bytes(written(catalog))
    return len(catalog), sum(not _done(each.string) for each in catalog if each.id)


def _done(string: str | tuple[str, ...]) -> bool:
    return all(string) if isinstance(string, tuple) else bool(string)


def main() -> int:
    """Update every catalogue and say what is still to be translated."""
    waiting = 0
    for language in TRANSLATED:
        total, left = update(language)
        waiting += left
        print(f"templates/locale/{language}.po: {total} messages, {left} to translate")
    return 1 if waiting else 0


if __name__ == "__main__":
    sys.exit(main())
