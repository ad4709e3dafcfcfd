"""The reviewers' pages: rendered on the server, usable without scripts, in two languages."""
