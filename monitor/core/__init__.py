"""Pure values and decisions; standard library only, no clock, no disk, no network."""
