"""The PubMed edge: asking E-utilities, reading what they send, and imitating them."""
