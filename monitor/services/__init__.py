"""Use cases; each owns its transactions and meets the world through a Protocol."""
