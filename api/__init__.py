"""The HTTP service and the reviewers' pages."""
