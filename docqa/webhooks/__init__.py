"""Tells other systems what happened: Standard Webhooks, signed, retried, delivered at least once.

``backoff``, ``signature``, ``addresses`` and ``payload`` are pure; ``courier`` drives a
:class:`docqa.webhooks.records.WebhookStore` and a sender, both handed in.
"""
