"""Server-rendered pages; the web framework stays in here."""
