"""Analyses that several measures share: each takes a page and is called with ``page.derive``."""
