"""What PubMed understood of a search: unknown words and phrases, and the QueryTranslation."""

from __future__ import annotations

from dataclasses import dataclass, field
from dataclasses import replace as changed

from monitor.core.languages import is_language
from monitor.core.query import UnknownField, parse
from monitor.core.query.document import TEXT_FIELDS
from monitor.core.query.filters import OUT_OF_REACH, filter_key, filter_search, subset_test
from monitor.core.query.flags import is_flag
from monitor.core.query.matching import ignored
from monitor.core.query.renderer import render
from monitor.core.query.tree import (
    And,
    DateRange,
    Flag,
    Leaf,
    Not,
    Or,
    PmidRange,
    Pmids,
    Proximity,
    Query,
    Recent,
    Term,
)
from monitor.core.query.words import search_words
from monitor.pubmed.sandbox.context import Context

LONG_NAMES = {
    None: "All Fields", "all": "All Fields", "ad": "Affiliation", "aid": "Article Identifier", "au": "Author",
    "1au": "Author - First", "lastau": "Author - Last", "fau": "Author - Full", "auid": "Author - Identifier",
    "book": "Book", "cn": "Author - Corporate", "cois": "Conflict of Interest Statements", "crdt": "Date - Create",
    "dcom": "Date - Completion", "dp": "Date - Publication", "ed": "Editor", "edat": "Date - Entry",
    "epdat": "Electronic Publication Date", "fir": "Investigator - Full", "gr": "Grants and Funding", "ip": "Issue",
    "ir": "Investigator", "isbn": "ISBN", "jid": "NLM Unique ID", "la": "Language", "lid": "Location ID",
    "lr": "Date - Modification", "majr": "MeSH Major Topic", "mh": "MeSH Terms", "mhda": "Date - MeSH",
    "nm": "Supplementary Concept", "ot": "Other Term", "pa": "Pharmacological Action", "pg": "Pagination",
    "pl": "Place of Publication", "ppdat": "Print Publication Date", "ps": "Subject - Personal Name",
    "pt": "Publication Type", "pubn": "Publisher", "rn": "EC/RN Number", "sb": "Filter", "sh": "MeSH Subheading",
    "si": "Secondary Source ID", "ta": "Journal", "ti": "Title", "tiab": "Title/Abstract",
    "tt": "Transliterated Title", "tw": "Text Word", "uid": "UID", "vi": "Volume",
}  # fmt: skip


@dataclass
class Understood:
    """A search as the sandbox runs it. `query` is None when nothing known is left of it."""

    query: Query | None
    translation: str = ""
    translations: list[tuple[str, str]] = field(default_factory=list)
    phrases_not_found: list[str] = field(default_factory=list)
    fields_not_found: list[str] = field(default_factory=list)
    phrases_ignored: list[str] = field(default_factory=list)
    quoted_not_found: list[str] = field(default_factory=list)


def understand(context: Context, text: str) -> Understood:
    """Read a search and drop what PubMed would not know; raises QuerySyntaxError for what cannot be read."""
    understood = Understood(None)
    unknown_tags: list[str] = []
    while True:
        try:
            query = parse(text)
            break
        except UnknownField as error:
            # PubMed runs the term without the tag, in all fields, and leaves the tag in the translation.
            unknown_tags.append(error.tag)
            text = error.text  # with typographic brackets made plain
            at = text.index("[", error.column - 1)
            end = text.index("]", at) + 1
            text = text[:at] + " " * (end - at) + text[end:]
    if context.name_unknown_fields:
        understood.fields_not_found = unknown_tags
    reader = _Reader(context, understood)
    understood.query = reader.known(query)
    shown = translate(understood.query) if understood.query is not None else f"({translate(query, quote=False)})"
    for tag in unknown_tags:
        shown += f" [{tag}]"
    for old, new in context.translations.items():
        shown = shown.replace(old, new)
    understood.translation = shown
    return understood


class _Reader:
    """Takes out of a query what is not known, noting it."""

    def __init__(self, context: Context, understood: Understood) -> None:
        self.context = context
        self.understood = understood
        self.today = context.today()
        self.scripted = {search_words(phrase).words for phrase in context.unknown_phrases}
        self.strict = context.vocabulary == "corpus"

    def known(self, query: Query) -> Query | None:
        if isinstance(query, And | Or):
            parts = [part for each in query.parts if (part := self.known(each)) is not None]
            if len(parts) < 2:
                return parts[0] if parts else None
            return type(query)(tuple(parts))
        if isinstance(query, Not):
            base = self.known(query.base)
            excluded = tuple(part for each in query.excluded if (part := self.known(each)) is not None)
            if base is None or not excluded:
                return base
            return Not(base, excluded)
        return self.term(query) if isinstance(query, Term) else query

    def term(self, term: Term) -> Query | None:
        if ignored(term):
            self.understood.phrases_ignored.append(term.text)
            return term
        if term.field in ("la", "sb"):
            return self.kept(term, self.is_language(term) if term.field == "la" else self.is_filter(term))
        if term.field is not None and term.field not in TEXT_FIELDS:
            return self.kept(term, not self.unknown(term, self.strict))
        # Tagged words are taken as known unless scripted: a small corpus holds few of the words PubMed knows.
        strict = self.strict or term.field in (None, "all")
        words = term.text.split()
        if len(words) == 1 or (term.quoted and len(search_words(term.text).words) == 1):
            if not self.unknown(term, strict):
                return term
            if term.quoted:
                self.understood.quoted_not_found.append(f'"{term.text}"{_tag(term)}')
            self.note(term)
            # A hyphenated phrase that is not in the index finds nothing; a word is dropped.
            search = search_words(term.text).words
            return term if len(search) > 1 and search not in self.scripted else None
        if term.quoted or term.field is not None:
            if not self.unknown(term, strict):
                return term
            if term.quoted:
                self.understood.quoted_not_found.append(f'"{term.text}"{_tag(term)}')
        return self.each_word(term, words, strict)

    def each_word(self, term: Term, words: list[str], strict: bool) -> Query | None:
        """PubMed drops the quotes and looks for every word; unknown words are dropped in their turn."""
        parts = [changed(term, text=word, quoted=False) for word in words if search_words(word).words]
        known = [part for part in parts if self.kept(part, ignored(part) or not self.unknown(part, strict))]
        if not known:
            return None
        query = And(tuple(known)) if len(known) > 1 else known[0]
        if term.field is None and not term.quoted:
            self.understood.translations.append((term.text, translate(query)))
        return query

    def unknown(self, term: Term, strict: bool) -> bool:
        """Say whether a text is scripted as unknown or, when asked to look, stands nowhere in the whole corpus."""
        if search_words(term.text).words in self.scripted:
            return True
        return strict and not self.context.index.find(term, self.today)

    def kept(self, term: Term, known: bool) -> Term | None:
        if known:
            return term
        self.note(term)
        return None

    def note(self, term: Term) -> None:
        self.understood.phrases_not_found.append(f"{term.text}{_tag(term)}")

    def is_language(self, term: Term) -> bool:
        return is_language(term.text) or not self.unknown(term, True)

    def is_filter(self, term: Term) -> bool:
        key = filter_key(term.text)
        named = subset_test(key) or is_flag(key) or key in OUT_OF_REACH or key == "fha" or filter_search(key)
        return bool(named) or not self.unknown(term, True)


def _tag(term: Term) -> str:
    return f"[{LONG_NAMES.get(term.field, term.field)}]" if term.field else ""


def translate(query: Query, quote: bool = True) -> str:
    """Write a query as QueryTranslation does: long field names, words in quotes and lower case."""
    return _joined(query, quote)


def _joined(query: Query, quote: bool) -> str:
    match query:
        case And(parts):
            return " AND ".join(_inner(part, quote) for part in parts)
        case Or(parts):
            return " OR ".join(_inner(part, quote) for part in parts)
        case Not(base, excluded):
            return " NOT ".join(_inner(part, quote) for part in (base, *excluded))
        case _:
            return _leaf(query, quote)


def _inner(query: Query, quote: bool) -> str:
    return f"({_joined(query, quote)})" if isinstance(query, And | Or | Not) else _leaf(query, quote)


def _leaf(leaf: Leaf, quote: bool) -> str:
    match leaf:
        case Term():
            name = LONG_NAMES.get(leaf.field, leaf.field)
            if not leaf.explode:
                name = f"{name}:noexp"
            text = leaf.text.lower() if quote else leaf.text
            return f"{text}[{name}]" if not quote or (text.endswith("*") and " " not in text) else f'"{text}"[{name}]'
        case Proximity():
            return f'"{leaf.text.lower()}"[{LONG_NAMES[leaf.field]}:~{leaf.distance}]'
        case DateRange():
            high = f":{leaf.high}" if leaf.high is not None else ""
            return f"{leaf.low}{high}[{LONG_NAMES.get(leaf.field, leaf.field)}]"
        case Recent():
            return f'"last {leaf.number} {leaf.unit}"[{LONG_NAMES[leaf.field]}]'
        case Pmids():
            return " OR ".join(f"{pmid}[UID]" for pmid in leaf.values)
        case PmidRange():
            return f"{leaf.low}:{leaf.high}[UID]"
        case Flag():
            return f'"{leaf.name}"[All Fields]'
    return render(leaf)
