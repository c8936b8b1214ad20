"""Languages as PubMed writes them in records (three letters of MARC 21) and as people name them in [la]."""

from __future__ import annotations

_NAMES = """afr afrikaans;alb albanian;amh amharic;ara arabic;arm armenian;aze azerbaijani;ben bengali;bos bosnian;
bul bulgarian;cat catalan;chi chinese;cze czech;dan danish;dut dutch;eng english;epo esperanto;est estonian;
fin finnish;fre french;geo georgian;ger german;gla gaelic;gre greek;heb hebrew;hin hindi;hrv croatian;hun hungarian;
ice icelandic;ind indonesian;ita italian;jpn japanese;kin kinyarwanda;kor korean;lat latin;lav latvian;lit lithuanian;
mac macedonian;mal malayalam;mao maori;may malay;mul multiple;nor norwegian;per persian;pol polish;por portuguese;
pus pushto;rum romanian;rus russian;san sanskrit;slo slovak;slv slovenian;spa spanish;srp serbian;swe swedish;
tha thai;tur turkish;ukr ukrainian;und undetermined;urd urdu;vie vietnamese;wel welsh"""

_CODES = {name: code for code, name in (each.strip().split(" ") for each in _NAMES.split(";"))}


def language_code(text: str) -> str:
    """Return the three-letter code for a language's English name; anything else is taken as a code."""
    return _CODES.get(text.lower(), text.lower())


def is_language(name: str) -> bool:
    return name.lower() in _CODES
