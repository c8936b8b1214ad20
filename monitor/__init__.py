"""Evidence Monitor: watches PubMed for a field and mails what it finds, with reasons."""

__version__ = "0.1.0"
