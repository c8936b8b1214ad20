"""Languages: the MARC codes of PubMed's records, names for people and for [la], and BCP 47 tags."""

from __future__ import annotations

_TABLE = """
afr Afrikaans af|alb Albanian sq|amh Amharic am|ara Arabic ar|arm Armenian hy|aze Azerbaijani az|ben Bengali bn
bos Bosnian bs|bul Bulgarian bg|cat Catalan ca|chi Chinese zh|cze Czech cs|dan Danish da|dut Dutch nl|eng English en
epo Esperanto eo|est Estonian et|fin Finnish fi|fre French fr|geo Georgian ka|ger German de|gla Scottish_Gaelic gd
gre Greek,_Modern el|heb Hebrew he|hin Hindi hi|hrv Croatian hr|hun Hungarian hu|ice Icelandic is|ind Indonesian id
ita Italian it|jpn Japanese ja|kin Kinyarwanda rw|kor Korean ko|lat Latin la|lav Latvian lv|lit Lithuanian lt
mac Macedonian mk|mal Malayalam ml|mao Maori mi|may Malay ms|nor Norwegian no|per Persian fa|pol Polish pl
por Portuguese pt|pus Pushto ps|rum Romanian ro|rus Russian ru|san Sanskrit sa|slo Slovak sk|slv Slovenian sl
spa Spanish es|srp Serbian sr|swe Swedish sv|tha Thai th|tur Turkish tr|ukr Ukrainian uk|urd Urdu ur|vie Vietnamese vi
wel Welsh cy|mul Multiple_languages mul|und Undetermined und
"""
_KNOWN = {
    code: (name.replace("_", " "), short)
    for code, name, short in (each.split() for each in _TABLE.strip().replace("\n", "|").split("|"))
}
_CODES = {name.lower(): code for code, (name, _) in _KNOWN.items()}
_CODES |= {"gaelic": "gla", "greek": "gre", "multiple": "mul"}


def name(code: str) -> str:
    """English name of a MARC language code; an unknown code stands for itself."""
    return _KNOWN[code][0] if code in _KNOWN else " ".join(code.split())


def tag(code: str) -> str:
    """BCP 47 tag of a MARC language code; an unknown code stands for itself."""
    return _KNOWN[code][1] if code in _KNOWN else " ".join(code.split())


def code(text: str) -> str:
    """MARC code for a language's English name; anything else is taken as a code."""
    return _CODES.get(text.lower(), text.lower())


def is_language(text: str) -> bool:
    """Say whether this is the English name of a language."""
    return text.lower() in _CODES
