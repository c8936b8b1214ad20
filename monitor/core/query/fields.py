"""PubMed's field tags, their long names, and the short names that EInfo lists (User Guide, "Search field tags").

Beside them the fields of our own library, which only `parse(text, own=True)` knows.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

DATE_FIELDS = frozenset({"crdt", "edat", "mhda", "lr", "dcom", "dp", "epdat", "ppdat", "p1dat"})
RELATIVE_FIELDS = frozenset({"dp", "edat", "crdt"})
PROXIMITY_FIELDS = frozenset({"ti", "tiab", "ad"})
HEADING_FIELDS = frozenset({"mh", "majr", "sh", "pt"})
"""Fields that explode, and so know `:noexp`."""
OWN_DATE_FIELDS = frozenset({"added"})

_NAMES = {
    "1au": ("author - first", "first author", "first author name", "faut"),
    "ad": ("affiliation", "affl"),
    "aid": ("article identifier", "doi"),
    "all": ("all fields",),
    "au": ("author", "auth"),
    "aucl": ("author cluster id",),
    "auid": ("author - identifier", "author identifier"),
    "book": (),
    "cn": ("author - corporate", "corporate author", "coln"),
    "cois": ("conflict of interest statements", "conflict of interest statement"),
    "crdt": ("date - create", "create date"),
    "dcom": ("date - completion", "completion date", "cdat"),
    "dp": ("date - publication", "publication date", "pdat"),
    "dso": (),
    "ed": ("editor",),
    "edat": ("date - entry", "entry date"),
    "eid": ("extended pmid",),
    "epdat": ("electronic publication date", "date - electronic publication", "epdt"),
    "fau": ("author - full", "full author name", "full"),
    "fir": ("investigator - full", "full investigator name", "finv"),
    "gr": ("grants and funding", "grant number", "grant", "grnt"),
    "ip": ("issue", "iss"),
    "ir": ("investigator",),
    "isbn": (),
    "jid": ("nlm unique id", "nlm id"),
    "la": ("language", "lang"),
    "lastau": ("author - last", "last author", "last author name", "laut"),
    "lid": ("location id",),
    "lr": ("date - modification", "modification date", "date last revised", "mdat"),
    "majr": ("mesh major topic",),
    "mh": ("mesh terms", "mesh"),
    "mhda": ("date - mesh", "mesh date"),
    "nm": ("supplementary concept", "substance name", "subs"),
    "ot": ("other term", "otrm"),
    "p1dat": (),
    "pa": ("pharmacological action", "papx"),
    "pg": ("pagination", "page"),
    "pid": ("publisher id",),
    "pl": ("place of publication", "cnty"),
    "ppdat": ("print publication date", "date - print publication", "ppdt"),
    "ps": ("personal name as subject", "subject - personal name"),
    "pt": ("publication type", "ptyp"),
    "pubn": ("publisher",),
    "rn": ("ec/rn number", "ecno"),
    "sb": ("filter", "subset", "filt"),
    "sh": ("mesh subheading", "mesh subheadings", "subheading", "subh"),
    "si": ("secondary source id",),
    "ta": ("journal", "jour"),
    "ti": ("title", "titl"),
    "tiab": ("title/abstract",),
    "tt": ("transliterated title",),
    "tw": ("text word", "text words", "text", "word"),
    "uid": ("pmid",),
    "vi": ("volume", "vol"),
}
FIELDS = frozenset(_NAMES)
"""The tags as `parse` writes them into the tree and `render` writes them out."""

_OWN_NAMES = {
    "added": ("date added", "added date", "date - added"),
    "claim": ("claims",),
    "decision": ("verdict",),
    "level": ("levels", "evidence level"),
    "tag": ("tags",),
    "topic": ("topics",),
    "wide": ("wide topic",),
}
OWN_FIELDS = frozenset(_OWN_NAMES)
"""Fields of our own library; [added] is a date, the others are whole values (`core.query.own`)."""

_BY_NAME = {name: tag for tag, names in _NAMES.items() for name in (tag, *names)}
_BY_OWN_NAME = {name: tag for tag, names in _OWN_NAMES.items() for name in (tag, *names)}
_BLANKS = re.compile(r"\s+")


def field_named(name: str) -> str | None:
    """Return the tag for any of its names, whatever the case and blanks; None when PubMed has no such field."""
    return _BY_NAME.get(_squeezed(name))


def own_field_named(name: str) -> str | None:
    """Return the tag of a field of ours for any of its names; None when we have no such field."""
    return _BY_OWN_NAME.get(_squeezed(name))


def close_to(name: str, own: bool = False) -> str | None:
    """Return the tag whose name looks most like a misspelt one; `own` lets it be a field of ours."""
    names = {**_BY_NAME, **_BY_OWN_NAME} if own else _BY_NAME
    close = get_close_matches(_squeezed(name)[:60], names, n=1, cutoff=0.7)
    return close[0] if close else None


def _squeezed(name: str) -> str:
    return _BLANKS.sub(" ", name.strip().lower())
