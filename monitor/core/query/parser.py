"""Read a search text as PubMed does: upper-case Booleans strictly from left to right, adjacency as AND."""

from __future__ import annotations

import re

from monitor.core.query.fields import (
    DATE_FIELDS,
    HEADING_FIELDS,
    OWN_DATE_FIELDS,
    PROXIMITY_FIELDS,
    RELATIVE_FIELDS,
    close_to,
    field_named,
    own_field_named,
)
from monitor.core.query.flags import is_flag
from monitor.core.query.lexer import Kind, Token, normalise, tokens
from monitor.core.query.ovid import refuse_ovid_run, refuse_ovid_words
from monitor.core.query.own import OPEN, VERDICTS
from monitor.core.query.tree import (
    MAX_DEPTH,
    And,
    DateRange,
    EarlierSearch,
    Flag,
    Leaf,
    Not,
    Or,
    PmidRange,
    Pmids,
    Proximity,
    Query,
    Recent,
    SearchDate,
    Term,
)
from monitor.errors import QuerySyntaxError

_DATE = re.compile(r"(\d{4})(?:/(\d{1,2})(?:/(\d{1,2}))?)?", re.ASCII)
_NUMBERISH = re.compile(r"\d[\d/]*", re.ASCII)
_PMID = re.compile(r"\d{1,9}", re.ASCII)
_PMIDS_ONLY = re.compile(r"\d{5,9}(?:[\s,;]+\d{5,9})*[,;]?", re.ASCII)
_RECENT = re.compile(r"last\s+(\d{1,5})\s+(day|month|year)s?", re.IGNORECASE | re.ASCII)
_DISTANCE = re.compile(r"~\s*(\d{1,4})", re.ASCII)
_FLAG_FIELDS = frozenset({None, "all", "tw", "sb"})
_DATES = DATE_FIELDS | OWN_DATE_FIELDS
_RELATIVE = RELATIVE_FIELDS | OWN_DATE_FIELDS


class UnknownField(QuerySyntaxError):
    """A tag names no field of PubMed. PubMed itself would search the tag's text as if it were part of the term.

    So it is with the fields of our own library in a search that is meant for PubMed.
    """

    def __init__(self, message: str, column: int, text: str, tag: str) -> None:
        super().__init__(message, column, text)
        self.tag = tag


def parse(text: str, own: bool = False) -> Query:
    """Turn a search text into a tree; raises QuerySyntaxError with the column of the trouble.

    `own` lets it use the fields and flags of our own library, which PubMed does not know.
    """
    text = normalise(text)
    return _Parser(text, own).whole()


class _Tag:
    """A field tag taken apart."""

    __slots__ = ("column", "distance", "explode", "field")

    def __init__(self, field: str, explode: bool, distance: int | None, column: int) -> None:
        self.field = field
        self.explode = explode
        self.distance = distance
        self.column = column


class _Chain:
    """Operands joined from left to right: `a OR b AND c` is `(a OR b) AND c`."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.operator: str | None = None
        self.parts: list[Query] = []
        self.depth = 0

    def join(self, operator: str, operand: Query, depth: int, column: int) -> None:
        if self.operator not in {None, operator}:
            self.parts = [self.built()]
            self.depth += 1
        if self.parts:
            self.operator = operator
        self.parts.append(operand)
        self.depth = max(self.depth, depth)
        if self.depth >= MAX_DEPTH:
            raise QuerySyntaxError(f"nested more than {MAX_DEPTH} levels deep", column, self.text)

    def built(self) -> Query:
        if self.operator is None:
            return self.parts[0]
        if self.operator == "AND":
            return And(tuple(self.parts))
        if self.operator == "OR":
            return Or(tuple(self.parts))
        return Not(self.parts[0], tuple(self.parts[1:]))


class _Parser:
    def __init__(self, text: str, own: bool) -> None:
        self.text = text
        self.own = own
        self.tokens = list(tokens(text))
        refuse_ovid_words(self.tokens, text)
        self.at = 0

    def whole(self) -> Query:
        query, _ = self.chain(0)
        if self.look().kind is Kind.CLOSE:
            raise self.error("this ) closes nothing", self.look())
        if isinstance(query, Term) and query.field is None and not query.quoted and _PMIDS_ONLY.fullmatch(query.text):
            return Pmids(tuple(int(number) for number in re.findall(r"[0-9]+", query.text)), query.column)
        return query

    def look(self) -> Token:
        return self.tokens[self.at]

    def peek(self, ahead: int) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def error(self, message: str, token: Token) -> QuerySyntaxError:
        return QuerySyntaxError(message, token.column, self.text)

    def chain(self, level: int) -> tuple[Query, int]:
        """Read operands and operators up to a closing parenthesis or the end."""
        chain = _Chain(self.text)
        operator: Token | None = None
        while self.look().kind not in {Kind.CLOSE, Kind.END}:
            token = self.look()
            if token.kind is Kind.OPERATOR:
                if operator is not None:
                    raise self.doubled(operator, token)
                if not chain.parts:
                    raise self.error(f"nothing stands before {token.text}", token)
                operator = self.take()
            elif token.kind is Kind.COLON:  # a colon that makes no range is a blank
                self.take()
            else:
                for operand, depth in self.operands(level):
                    chain.join(operator.text if operator else "AND", operand, depth, token.column)
                    operator = None
        if operator is not None:
            raise self.error(f"nothing follows {operator.text}", operator)
        if not chain.parts:
            raise self.error("empty parentheses" if level else "the search is empty", self.look())
        return chain.built(), chain.depth + (chain.operator is not None)

    def doubled(self, first: Token, second: Token) -> QuerySyntaxError:
        if (first.text, second.text) == ("AND", "NOT"):
            return self.error("write NOT alone instead of AND NOT", second)
        return self.error(f"{first.text} and {second.text} stand side by side", second)

    def operands(self, level: int) -> list[tuple[Query, int]]:
        token = self.look()
        if token.kind is Kind.OPEN:
            return [self.group(level)]
        if token.kind is Kind.EARLIER:
            self.take()
            if self.look().kind is Kind.TAG:
                raise self.error("an earlier search takes no field tag", self.look())
            return [(EarlierSearch(int(token.text), token.column), 0)]
        if token.kind is Kind.TAG:
            raise self.error(f"[{token.text}] stands behind no term", token)
        return [(leaf, 0) for leaf in self.leaves()]

    def group(self, level: int) -> tuple[Query, int]:
        opening = self.take()
        if level + 1 >= MAX_DEPTH:
            raise self.error(f"parentheses nested more than {MAX_DEPTH} levels deep", opening)
        found = self.chain(level + 1)
        if self.look().kind is not Kind.CLOSE:
            raise self.error("this ( is never closed", opening)
        self.take()
        if self.look().kind is Kind.TAG:
            raise self.error("a tag belongs behind each term, not behind parentheses", self.look())
        return found

    def leaves(self) -> list[Leaf]:
        """Read words or a phrase with their tag; or a range, with the untagged words before it."""
        first = self.look()
        if first.kind is Kind.QUOTED:
            words = [self.take()]
        else:
            words = []
            while self.look().kind is Kind.WORD:
                words.append(self.take())
        if self.look().kind is Kind.TAG and self.field(self.look().text.partition(":")[0]) is None:
            refuse_ovid_run(" ".join(word.text for word in words), first.column, self.text)
        tag = self.tag()
        if self.look().kind is Kind.COLON and (found := self.range_end(words[-1], tag)):
            return [*self.untagged(words[:-1]), found]
        if tag is None and first.kind is Kind.WORD:
            return self.untagged(words)
        lost = 0  # Booleans in lower case before a tagged term are words, and stopwords at that
        while lost < len(words) - 1 and words[lost].text.lower() in {"and", "or", "not"}:
            lost += 1
        text = " ".join(word.text for word in words[lost:])
        return [*self.untagged(words[:lost]), self.leaf(text, first.kind is Kind.QUOTED, tag, words[lost])]

    def untagged(self, words: list[Token]) -> list[Leaf]:
        """Special terms such as hasabstract stand for themselves; the words between them stay together."""
        leaves: list[Leaf] = []
        run: list[Token] = []
        for word in [*words, None]:
            if word is not None and not is_flag(word.text, self.own):
                run.append(word)
                continue
            if run:
                text = " ".join(each.text for each in run)
                refuse_ovid_run(text, run[0].column, self.text)
                leaves.append(Term(text, column=run[0].column))
                run = []
            if word is not None:
                leaves.append(Flag(word.text.lower(), word.column))
        return leaves

    def field(self, name: str) -> str | None:
        return field_named(name) or (own_field_named(name) if self.own else None)

    def unknown_field(self, name: str, token: Token) -> UnknownField:
        ours = own_field_named(name)
        if ours is not None:
            message = f"[{name.strip()}] is a field of this library; PubMed has no such field"
        else:
            close = close_to(name, self.own)
            hint = f"; did you mean [{close}]?" if close else ""
            who = "neither PubMed nor this library has a" if self.own else "PubMed has no"
            message = f"{who} field [{name.strip()}]{hint}"
        return UnknownField(message, token.column, self.text, token.text)

    def tag(self) -> _Tag | None:
        if self.look().kind is not Kind.TAG:
            return None
        token = self.take()
        if self.look().kind is Kind.TAG:
            raise self.error(f"a second tag, [{self.look().text}], on the same term", self.look())
        name, colon, modifier = token.text.partition(":")
        if not token.text.strip():
            raise self.error("the field tag is empty", token)
        field = self.field(name)
        if field is None:
            raise self.unknown_field(name, token)
        modifier = modifier.strip().lower()
        if not colon:
            return _Tag(field, True, None, token.column)
        if modifier == "noexp":
            if field not in HEADING_FIELDS:
                raise self.error(f"[{field}] does not explode, so :noexp means nothing there", token)
            return _Tag(field, False, None, token.column)
        if distance := _DISTANCE.fullmatch(modifier):
            if field not in PROXIMITY_FIELDS:
                raise self.error("proximity works in [ti], [tiab] and [ad] only", token)
            return _Tag(field, True, int(distance[1]), token.column)
        raise self.error(f"[{token.text}]: behind the colon PubMed knows noexp and ~ with a number", token)

    def range_end(self, low: Token, low_tag: _Tag | None) -> Leaf | None:
        """Read `: high[tag]` if it ends a range; otherwise leave it alone, the colon being a blank."""
        high = self.peek(1)
        if high.kind not in {Kind.WORD, Kind.QUOTED} or not _NUMBERISH.fullmatch(high.text):
            if low_tag is not None and (low_tag.field in _DATES or low_tag.field == "uid"):
                raise self.error("the range has no end; write 3000 for an open one", self.look())
            return None
        if not _NUMBERISH.fullmatch(low.text):
            return None
        if self.peek(2).kind is not Kind.TAG:
            if low_tag is not None:
                raise self.error(f"the end of the range needs its tag, [{low_tag.field}]", high)
            return None
        self.take()
        self.take()
        tag = self.tag()
        if tag is None or tag.distance is not None:
            raise self.error("proximity does not go with a range", high)
        if low_tag is not None and low_tag.field != tag.field:
            raise self.error(f"the range begins in [{low_tag.field}] and ends in [{tag.field}]", high)
        if tag.field == "uid":
            return PmidRange(self.pmid(low.text, low), self.pmid(high.text, high), low.column)
        if tag.field in _DATES:
            return DateRange(tag.field, self.date(low.text, low), self.date(high.text, high), low.column)
        raise self.error(f"ranges work with dates and PMIDs, not in [{tag.field}]", high)

    def leaf(self, text: str, quoted: bool, tag: _Tag | None, token: Token) -> Leaf:
        field = tag.field if tag else None
        if field in _FLAG_FIELDS and is_flag(text, self.own):
            return Flag(text.lower(), token.column)
        if tag is None:
            return Term(text, None, quoted, True, token.column)
        if tag.distance is not None:
            if not quoted:
                raise self.error('proximity needs quotation marks: "two words"[tiab:~3]', token)
            return Proximity(text, tag.field, tag.distance, token.column)
        if tag.field == "uid":
            numbers = text.replace(",", " ").replace(";", " ").split()
            return Pmids(tuple(self.pmid(number, token) for number in numbers), token.column)
        if tag.field == "decision" and text.lower() not in VERDICTS | {OPEN}:
            raise self.error("[decision] knows keep, maybe, dismiss and open", token)
        if tag.field in _DATES:
            return self.dated(text, tag.field, token)
        return Term(text, tag.field, quoted, tag.explode, token.column)

    def dated(self, text: str, field: str, token: Token) -> Leaf:
        if recent := _RECENT.fullmatch(text):
            if field not in _RELATIVE:
                places = "[added], [crdt], [edat]" if self.own else "[crdt], [edat]"
                raise self.error(f'"last ... days" works with {places} and [dp] only', token)
            return Recent(field, int(recent[1]), recent[2].lower() + "s", token.column)
        return DateRange(field, self.date(text, token), None, token.column)

    def date(self, text: str, token: Token) -> SearchDate:
        found = _DATE.fullmatch(text.strip())
        if found is None:
            raise self.error(f"{text!r} is no date; write 2025, 2025/01 or 2025/01/31", token)
        year, month, day = (int(part) if part else None for part in found.groups())
        if (month is not None and not 1 <= month <= 12) or (day is not None and not 1 <= day <= 31):
            raise self.error(f"{text!r} is no day of the calendar", token)
        return SearchDate(year or 0, month, day)

    def pmid(self, text: str, token: Token) -> int:
        if not _PMID.fullmatch(text):
            raise self.error(f"{text!r} is no PMID", token)
        return int(text)
