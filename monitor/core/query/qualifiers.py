"""MeSH subheadings: their two-letter codes and the families over which PubMed explodes [sh] and Heading/subheading.

Codes are NLM's ("MeSH Qualifiers by Abbreviation"), families NLM's "Subheading groupings" as generally taught;
only the family of therapeutic use could be compared with NLM's own page while this was written.
"""

from __future__ import annotations

from monitor.core.query.words import heading_key

_CODES = """aa analogs & derivatives;ab abnormalities;ad administration & dosage;ae adverse effects;ag agonists;
ah anatomy & histology;ai antagonists & inhibitors;an analysis;bi biosynthesis;bl blood;bs blood supply;
cf cerebrospinal fluid;ch chemistry;ci chemically induced;cl classification;cn congenital;co complications;
cs chemical synthesis;ct contraindications;cy cytology;de drug effects;df deficiency;dg diagnostic imaging;
dh diet therapy;di diagnosis;dt drug therapy;ec economics;ed education;eh ethnology;em embryology;en enzymology;
ep epidemiology;es ethics;et etiology;ge genetics;gd growth & development;hi history;im immunology;in injuries;
ip isolation & purification;ir innervation;is instrumentation;lj legislation & jurisprudence;me metabolism;
mi microbiology;mo mortality;mt methods;nu nursing;og organization & administration;pa pathology;
pc prevention & control;pd pharmacology;ph physiology;pk pharmacokinetics;po poisoning;pp physiopathology;
ps parasitology;px psychology;py pathogenicity;re radiation effects;rh rehabilitation;rt radiotherapy;sc secondary;
sd supply & distribution;se secretion;sn statistics & numerical data;st standards;su surgery;td trends;
th therapy;tm transmission;to toxicity;tr transplantation;tu therapeutic use;ul ultrastructure;ur urine;
ve veterinary;vi virology"""

_FAMILIES = {
    "an": "bl cf ip ur",
    "ah": "bs cy em ir pa ul ab",
    "ch": "ag aa ai cs",
    "co": "sc",
    "cy": "pa ul",
    "di": "dg pa",
    "em": "ab",
    "ep": "eh mo",
    "et": "ci co sc cn em ge im mi vi ps tm",
    "me": "bi bl cf df en pk ur",
    "mi": "vi",
    "og": "ec lj st sn sd td",
    "pd": "ad ae po to ag ai ct pk",
    "ph": "ge gd im me bi bl cf df en pk ur pp se",
    "sn": "ep eh mo sd",
    "su": "tr",
    "tu": "ad ae po",
    "th": "dh dt nu pc rt rh su tr",
    "ae": "po to",
}

_NAME = {line[:2]: heading_key(line[3:]) for line in (each.strip() for each in _CODES.split(";"))}
_CODE = {name: code for code, name in _NAME.items()}


def qualifier_keys(text: str, explode: bool = True) -> frozenset[tuple[str, ...]]:
    """Return the keys of the subheadings that a name or code stands for; none when it is no subheading."""
    key = heading_key(text)
    code = _CODE.get(key)
    if code is None and len(key) == 1 and key[0] in _NAME:
        code = key[0]
    if code is None:
        return frozenset()
    family = _FAMILIES.get(code, "").split() if explode else []
    return frozenset(_NAME[each] for each in (code, *family))
