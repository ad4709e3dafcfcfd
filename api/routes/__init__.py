"""The routes under /v1, and those that tell whether the service works."""
