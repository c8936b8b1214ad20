"""The vocabulary of the field: facets of terms with patterns, and what they propose for a citation, with reasons; pure."""

from monitor.core.vocabulary.proposing import OffTopic, Proposals, Reason, Suggestion, propose
from monitor.core.vocabulary.reading import read_vocabulary
from monitor.core.vocabulary.terms import DESIGN, FLAGS, POLARITIES, Facet, Scoring, Term, Vocabulary

__all__ = [
    "DESIGN",
    "FLAGS",
    "POLARITIES",
    "Facet",
    "OffTopic",
    "Proposals",
    "Reason",
    "Scoring",
    "Suggestion",
    "Term",
    "Vocabulary",
    "propose",
    "read_vocabulary",
]
