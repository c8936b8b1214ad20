"""Measurements against peers and limits, in pairs within one run; `make bench` prints them."""
