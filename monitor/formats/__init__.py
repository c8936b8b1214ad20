"""Citations as text other programs read, and back where the format allows."""
