"""AND, OR and NOT: what PubMed makes of them from left to right, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.core.lint.findings import Finding, shown
from monitor.core.lint.reading import Level, Operand, Placed, Reading
from monitor.core.query import Term, ignored
from monitor.core.query.document import TEXT_FIELDS
from monitor.core.query.lexer import Kind, tokens
from monitor.core.query.words import heading_key
from monitor.core.strategy import Line

_WORDS = frozenset({"and", "or", "not"})


def mixed(reading: Reading) -> Iterator[Finding]:
    """Different operators on one level (User Guide, "Boolean operators": processed from left to right)."""
    for level in reading.levels():
        names = [each.name for each in level.operators]
        if "OR" not in names or len(set(names)) == 1 or any(_is_word(each) for each in level.operands):
            continue
        start, end = level.operands[0].start, level.operands[-1].end
        theirs = _from_left(reading, level)
        repair = reading.repair("Keep what PubMed does, with parentheses", reading.edited(start, end, theirs))
        other = _bound_first(reading, level)
        alternative = reading.repair("Write what a formula would mean", reading.edited(start, end, other))
        changed = next(at for at, name in enumerate(names) if name != names[0])
        same = other == theirs
        message = (
            f"{'AND' if 'AND' in names else 'NOT'} and OR stand on one level without parentheses, and PubMed reads from left "
            "to right"
        )
        if len(level.operands) > len(_LETTERS.query):
            message += f": {names[changed]} takes all of the first {changed + 1} terms together."
        elif same:
            message += (
                f". So this is {shown(_outline(level), 160)}, as it probably was meant; parentheses keep it so when somebody adds "
                "a term."
            )
        else:
            message += f". So this is {shown(_outline(level), 160)}, not {shown(_outline(level, bound=True), 160)}."
        yield reading.finding(
            "mixed-booleans",
            "note" if same else "warning",
            level.operators[changed].start,
            message,
            repair,
            None if same else alternative,
        )


def lower_case(reading: Reading) -> Iterator[Finding]:
    """`and`, `or`, `not` outside phrases: PubMed wants Booleans in capitals and drops these as stopwords."""
    if reading.query is None:
        return
    for token in tokens(reading.text):
        if token.kind is not Kind.WORD or token.text.lower() not in _WORDS:
            continue
        at = token.column - 1
        placed = next((each for each in reading.placed if each.start <= at < each.end), None)
        if placed is None or not _is_loose(placed, at):
            continue
        word = token.text.upper()
        yield reading.finding(
            "lower-case-boolean",
            "error",
            at,
            f"PubMed knows {word} in capitals only; {token.text} is a word it drops, so that the terms on both sides "
            "are joined with AND or run together into one phrase.",
            reading.repair(f"Write {word}", _capital(reading, placed, at, token.text))
            or reading.repair(f"Remove {token.text}", _dropped(reading, at, token.text)),
        )


def excluding(reading: Reading) -> Iterator[Finding]:
    """NOT deletes papers that merely mention a word (Cochrane advises against it); noise is labelled instead."""
    safe = [
        each.level
        for level in reading.levels()
        for operator, each in zip(level.operators, level.operands[1:], strict=True)
        if operator.name == "NOT" and each.level is not None and _is_animals_only(each.level)
    ]
    for level in reading.levels():
        if any(level is each for each in safe):
            continue
        for at, operator in enumerate(level.operators, 1):
            if operator.name != "NOT":
                continue
            excluded = level.operands[at]
            if any(excluded.level is each for each in safe):
                yield reading.finding(
                    "not-animals",
                    "note",
                    operator.start,
                    "This NOT is the safe form: it drops animal studies and keeps papers that have no MeSH yet. It belongs "
                    "in evidence reports; a collection had better keep them and label them.",
                )
                continue
            yield reading.finding(
                "not",
                "warning",
                operator.start,
                f"NOT deletes every paper that merely mentions {shown(reading.text[excluded.start : excluded.end], 50)}, "
                "also those you want, and nobody will see what was lost. Keep them and let curators label the noise.",
                reading.repair("Remove the NOT and what it excludes", reading.without(level, at)),
            )


def _from_left(reading: Reading, level: Level) -> str:
    """Write a level as PubMed reads it: parentheses wherever the operator changes."""
    built = _written(reading, level.operands[0])
    before = level.operators[0].name
    for operator, operand in zip(level.operators, level.operands[1:], strict=True):
        if operator.name != before:
            built = f"({built})"
        built = f"{built} {operator.name} {_written(reading, operand)}"
        before = operator.name
    return built


def _bound_first(reading: Reading, level: Level) -> str:
    """Write a level as arithmetic would read it: AND and NOT before OR; or `a NOT (b OR c)`."""
    names = [each.name for each in level.operators]
    texts = [_written(reading, each) for each in level.operands]
    last = max(at for at, name in enumerate(names) if name != "OR")
    if "OR" not in names[:last]:
        if names[last] == "NOT":
            kept, rest = texts[: last + 1], " OR ".join(texts[last + 1 :])
            built = kept[0]
            for name, text in zip(names[:last], kept[1:], strict=True):
                built = f"{built} {name} {text}"
            return f"({built}) NOT ({rest})" if last else f"{built} NOT ({rest})"
        return _from_left(reading, level)
    parts: list[list[str]] = [[texts[0]]]
    for name, text in zip(names, texts[1:], strict=True):
        if name == "OR":
            parts.append([text])
        else:
            parts[-1] += [name, text]
    return " OR ".join(f"({' '.join(part)})" if len(part) > 1 else part[0] for part in parts)


def _outline(level: Level, bound: bool = False) -> str:
    """Show the shape of a level with letters for its operands."""
    reading = Reading("", 1, _LETTERS)
    operands = tuple(Operand(at, at + 1) for at in range(len(level.operands)))
    lettered = Level(operands, level.operators)
    return _bound_first(reading, lettered) if bound else _from_left(reading, lettered)


def _written(reading: Reading, operand: Operand) -> str:
    return reading.text[operand.start : operand.end]


def _is_word(operand: Operand) -> bool:
    """Say whether PubMed drops an operand because it is a Boolean in lower case: that is told first."""
    leaf = operand.placed.leaf if operand.placed is not None and operand.dropped else None
    return isinstance(leaf, Term) and {*leaf.text.lower().split()} <= _WORDS


def _is_loose(placed: Placed, at: int) -> bool:
    """Tell a Boolean from an "and" that belongs to a heading, a journal or a person."""
    leaf = placed.leaf
    free = isinstance(leaf, Term) and (leaf.field is None or leaf.field in TEXT_FIELDS)
    return free or ignored(leaf) or at == placed.start


def _capital(reading: Reading, placed: Placed, at: int, word: str) -> str:
    tag = reading.tag_of(placed)
    before = reading.text[placed.start : at].rstrip()
    if not before or not tag:
        return reading.edited(at, at + len(word), word.upper())
    return reading.edited(placed.start, at + len(word), f"{before}{tag} {word.upper()}")


def _dropped(reading: Reading, at: int, word: str) -> str:
    rest = reading.text[at + len(word) :]
    return reading.text[:at] + rest.lstrip()


def _is_animals_only(level: Level) -> bool:
    """Know `animals NOT humans`, and `animals NOT (animals AND humans)`, which is the same."""
    if [each.name for each in level.operators] != ["NOT"] or _heading(level.operands[0]) != ("animals",):
        return False
    excluded = level.operands[1]
    if excluded.level is None:
        return _heading(excluded) == ("humans",)
    both = sorted(_heading(each) for each in excluded.level.operands)
    return [each.name for each in excluded.level.operators] == ["AND"] and both == [("animals",), ("humans",)]


def _heading(operand: Operand) -> tuple[str, ...]:
    leaf = operand.placed.leaf if operand.placed is not None else None
    return heading_key(leaf.text) if isinstance(leaf, Term) and leaf.field == "mh" else ()


_LETTERS = Line("abcdefghijklmnopqrstuvwxyz", "")
