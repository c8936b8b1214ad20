"""Lines that cannot be read: what is wrong where, and the smallest change after which they can."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from monitor.core.lint.findings import Finding, Repair, listed, shown
from monitor.core.lint.reading import Reading, masked, readable
from monitor.core.query import QuerySyntaxError, UnknownField, parse
from monitor.core.query.fields import PROXIMITY_FIELDS, close_to, field_named, own_field_named
from monitor.core.query.lexer import Kind, tokens
from monitor.core.strategy import INSERT, Block, Line

_ROUNDS: Final = 12
"""Changes to one line beyond which no repair is a small one."""
_TAG: Final = re.compile(r"\[[^\[\]\"]*\]")
_BEFORE_WORDS: Final = re.compile(r"(?:^|.*[(\]&|]|.*\b(?:AND|OR|NOT)\b)\s*", re.DOTALL)
_ODD_BRACES: Final = re.compile(r"\{([^{}]*)\}|[{}]")


def unreadable(reading: Reading) -> Iterator[Finding]:
    """Say why a line cannot be read."""
    if not reading.text.strip():
        yield reading.finding("empty", "error", 0, "The line is empty, so there is nothing to search for.")
        return
    error = reading.error
    if error is None:
        return
    at = min(error.column - 1, len(reading.text))
    if isinstance(error, UnknownField):
        yield _unknown_field(reading, error, at)
        return
    repair = mended(reading)
    if "Ovid" in error.message:
        yield reading.finding("ovid", "error", at, f"{_sentence(error.message)} PubMed cannot run this line.")
        return
    message = (
        f"This line cannot be read: {error.message}. PubMed would guess or refuse, and the lane could not be sent."
    )
    yield reading.finding("syntax", "error", at, message, repair)


def typographic(reading: Reading) -> Iterator[Finding]:
    """Curly quotation marks and full-width signs: to PubMed they are blanks (User Guide, "Phrase searching")."""
    pairs = enumerate(zip(reading.line.query, reading.text, strict=True))
    odd = [(at, typed) for at, (typed, plain) in pairs if typed != plain]
    if odd:
        signs = listed(dict.fromkeys(typed for _, typed in odd))
        yield reading.finding(
            "typographic",
            "error",
            odd[0][0],
            f"Typographic signs ({signs}) mean nothing to PubMed: between curly quotation marks words are searched "
            "apart, not as a phrase.",
            reading.repair("Write plain quotation marks and signs", reading.text),
        )


def braces(reading: Reading, blocks: Mapping[str, Block]) -> Iterator[Finding]:
    """Braces that name no block, or a block that has no line to insert."""
    for found in _ODD_BRACES.finditer(INSERT.sub(lambda each: " " * len(each[0]), reading.text)):
        name = re.sub(r"\W+", "_", (found[1] or "").strip()).strip("_").upper()
        repair = None
        if name in blocks:
            repair = _mend(reading, f"Insert {{{name}}}", found.start(), found.end(), f"{{{name}}}")
        elif found[1] is None:
            repair = _mend(reading, "Remove the brace", found.start(), found.end(), "")
        yield reading.finding(
            "braces",
            "error",
            found.start(),
            f"{shown(found[0], 30)}: braces hold the name of a block in capitals, such as {{NK}}; this cannot be rendered.",
            repair,
        )
    standing = {each.start for level in reading.levels() for each in level.operands if each.block is not None}
    for at, name in reading.inserts:
        if reading.level is not None and at not in standing:
            yield reading.finding(
                "braces", "error", at, f"{{{name}}} stands inside a term; a whole block cannot be part of a phrase."
            )
        elif name not in blocks:
            close = get_close_matches(name, blocks, n=1, cutoff=0.6)
            end = at + len(name) + 2
            repair = _mend(reading, f"Insert {{{close[0]}}}", at, end, f"{{{close[0]}}}") if close else None
            hint = f"; did you mean {{{close[0]}}}?" if close else "."
            yield reading.finding(
                "unknown-block", "error", at, f"{{{name}}} is inserted, but there is no such block{hint}", repair
            )
        elif not any(line.enabled for line in blocks[name].lines):
            yield reading.finding(
                "block-off",
                "error",
                at,
                f"{{{name}}} is inserted, but all of its lines are switched off, so there is nothing to insert.",
            )
        elif (circle := _circle(reading.block, name, blocks)) is not None:
            yield reading.finding(
                "block-circle", "error", at, f"Blocks insert each other in a circle: {' > '.join(circle)}."
            )


def mended(reading: Reading) -> Repair | None:
    """Change the line step by step, each time at the place of the error, until it can be read."""
    text, done = reading.text, list[str]()
    for _ in range(_ROUNDS):
        error = _error(text)
        if error is None:
            return reading.repair("; ".join(dict.fromkeys(done)), text)
        for words, mend in _MENDS:
            candidate = mend(text, error)
            if candidate is None or candidate == text:
                continue
            after = _error(candidate)
            if after is None or (after.message, after.column) != (error.message, error.column):
                text = candidate
                done.append(words)
                break
        else:
            return None
    return None


def _error(text: str) -> QuerySyntaxError | None:
    try:
        parse(masked(text))
    except QuerySyntaxError as error:
        return error
    return None


def _unknown_field(reading: Reading, error: UnknownField, at: int) -> Finding:
    name, colon, modifier = error.tag.partition(":")
    ours = own_field_named(name)
    if ours is not None:
        message = (
            f"[{name}] is a field of this library; PubMed has no such field and would search the words instead. "
            "It works in searches of the library only."
        )
        return reading.finding("own-field", "error", at, message)
    close = field_named(close_to(name) or "")
    repair = None
    if close is not None:
        end = at + len(error.tag) + 2
        query = reading.edited(at, end, f"[{close}{colon}{modifier}]")
        rest = reading.repair(f"Write [{close}]", query)
        repair = rest or _after(reading, f"Write [{close}]", query)
    hint = f" Did you mean [{close}]?" if close else " Most text is searched in [tiab]."
    message = f"PubMed has no field [{name.strip()}]: it would search these letters as part of the term.{hint}"
    return reading.finding("unknown-field", "error", at, message, repair)


def _after(reading: Reading, words: str, query: str) -> Repair | None:
    """Mend what else is wrong with a line that was changed already."""
    further = mended(Reading(reading.block, reading.position, reading.line._replace(query=query)))
    return further and Repair(f"{words}; {further.words}", further.query, reading.line.enabled)


def _mend(reading: Reading, words: str, start: int, end: int, text: str) -> Repair | None:
    query = reading.edited(start, end, text)
    return Repair(words, query, reading.line.enabled) if readable(query) and query != reading.line.query else None


def _circle(start: str, name: str, blocks: Mapping[str, Block]) -> tuple[str, ...] | None:
    """Return the way from a block back to itself; what inserts a circle from outside is no part of it."""
    waiting: list[tuple[str, ...]] = [(start, name)]
    seen = set[str]()
    while waiting:
        path = waiting.pop()
        if path[-1] == start:
            return path
        if path[-1] in seen or path[-1] not in blocks:
            continue
        seen.add(path[-1])
        inner = [found[1] for line in blocks[path[-1]].lines for found in INSERT.finditer(line.query)]
        waiting += [(*path, each) for each in inner]
    return None


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:]}."


def _close(text: str, error: QuerySyntaxError) -> str | None:
    return f"{text})" if error.message == "this ( is never closed" else None


def _drop_sign(text: str, error: QuerySyntaxError) -> str | None:
    if error.message in {"this ) closes nothing", "this ] closes nothing"}:
        return text[: error.column - 1] + text[error.column :]
    return None


def _not_alone(text: str, error: QuerySyntaxError) -> str | None:
    if error.message != "write NOT alone instead of AND NOT":
        return None
    before = re.sub(r"(?:AND|&)\s*\Z", "", text[: error.column - 1])
    return before + text[error.column - 1 :]


def _one_operator(text: str, error: QuerySyntaxError) -> str | None:
    twice = re.fullmatch(r"(AND|OR|NOT) and (AND|OR|NOT) stand side by side", error.message)
    if twice is None or twice[1] != twice[2]:
        return None
    at = error.column - 1
    return text[:at] + text[at:].removeprefix(twice[2]).lstrip("&|").lstrip()


def _loose_operator(text: str, error: QuerySyntaxError) -> str | None:
    """AND and OR with nothing on one side can go; NOT cannot, for then its term would be searched for."""
    loose = re.fullmatch(r"nothing (stands before|follows) (AND|OR|NOT)", error.message)
    at = error.column - 1
    if loose is None or (loose[1] == "stands before" and loose[2] == "NOT"):
        return None
    long = 1 if text[at : at + 1] in {"&", "|"} else len(loose[2])
    if loose[1] == "follows":
        return text[:at].rstrip() + text[at + long :]
    return text[:at] + text[at + long :].lstrip()


def _quote(text: str, _: QuerySyntaxError) -> str | None:
    """Every term up to its tag has its quotation marks in pairs; put in the one that is missing."""
    start = 0
    for tag in _TAG.finditer(text):
        part = text[start : tag.start()]
        if part.count('"') % 2:
            at = start + len(part.rstrip())
            if part.count('"') == 1 and part.rstrip().endswith('"'):
                begin = _BEFORE_WORDS.match(part.rstrip()[:-1])
                at = start + (begin.end() if begin else 0)
            return f'{text[:at]}"{text[at:]}'
        start = tag.end()
    return None


def _bracket(text: str, error: QuerySyntaxError) -> str | None:
    if error.message != "this [ is never closed":
        return None
    at = error.column
    word = re.match(r"\s*[A-Za-z/]+(?::(?:[Nn][Oo][Ee][Xx][Pp]|~\d+))?", text[at:])
    return f"{text[: at + word.end()]}]{text[at + word.end() :]}" if word else None


def _shared_tag(text: str, error: QuerySyntaxError) -> str | None:
    """Give a tag behind parentheses to every term in them that has none; behind a block it can only go."""
    if error.message != "a tag belongs behind each term, not behind parentheses":
        return None
    end = text.index("]", error.column) + 1
    tag, rest = text[error.column - 1 : end], text[end:]
    before = text[: error.column - 1].rstrip()
    if before.endswith("}"):
        return before + rest
    opened: list[int] = []
    start = 0
    for token in tokens(masked(before)):  # the last of them closes what the tag stands behind
        if token.kind is Kind.OPEN:
            opened.append(token.column)
        elif token.kind is Kind.CLOSE:
            start = opened.pop()
    inner = before[start:-1]
    for placed in reversed(Reading("", 1, Line(inner, "")).placed):
        if placed.tag == placed.end:
            inner = f"{inner[: placed.end]}{tag}{inner[placed.end :]}"
    return f"{before[:start]}{inner}){rest}"


def _quoted_proximity(text: str, error: QuerySyntaxError) -> str | None:
    if not error.message.startswith("proximity needs quotation marks"):
        return None
    at = error.column - 1
    tag = _TAG.search(text, at)
    return f'{text[:at]}"{text[at : tag.start()].rstrip()}"{text[tag.start() :]}' if tag else None


def _other_modifier(text: str, error: QuerySyntaxError) -> str | None:
    """`:noexp` in a field that does not explode says nothing; proximity in [tw] or [all] means [tiab]."""
    tag = _TAG.match(text, error.column - 1)
    if tag is None:
        return None
    name, _, modifier = tag[0][1:-1].partition(":")
    if "so :noexp means nothing there" in error.message:
        new = f"[{name}]"
    elif error.message == "proximity works in [ti], [tiab] and [ad] only" and field_named(name) in {"tw", "all", "ot"}:
        new = f"[tiab:{modifier}]"
    elif field_named(name) in PROXIMITY_FIELDS and re.fullmatch(r"\s*\d{1,4}\s*", modifier):
        new = f"[{name}:~{modifier.strip()}]"
    else:
        return None
    return text[: tag.start()] + new + text[tag.end() :]


_MENDS: Final[tuple[tuple[str, Callable[[str, QuerySyntaxError], str | None]], ...]] = (
    ("Put in the missing quotation mark", _quote),
    ("Close the bracket", _bracket),
    ("Close the parenthesis at the end of the line", _close),
    ("Remove the sign that closes nothing", _drop_sign),
    ("Write NOT instead of AND NOT", _not_alone),
    ("Write the operator once", _one_operator),
    ("Remove the operator that joins nothing", _loose_operator),
    ("Put the tag behind each term", _shared_tag),
    ("Put quotation marks round the words", _quoted_proximity),
    ("Correct what stands behind the colon of the tag", _other_modifier),
)
