"""The tables of judging again: what a verdict needs of every report, runs, and what they found."""

from __future__ import annotations

import sqlalchemy as sa

from docqa.adapters.schema import SealedText, UtcDateTime, documents, metadata

origins = sa.Table(
    "origins",
    metadata,
    sa.Column("key", sa.String(32), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),
)
"""``docqa.bulk.Origin``: few rows, told apart by digest."""

report_facts = sa.Table(
    "report_facts",
    metadata,
    sa.Column("document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("report_number", sa.Integer, nullable=False),
    sa.Column("origin", sa.String(32), nullable=False, index=True),
    sa.Column("is_read", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("is_measured", sa.Boolean(create_constraint=False), nullable=False),
    sa.Column("facts", sa.Text, nullable=False),
    sa.Column("judged_by", sa.String(80), nullable=False),
)
"""``docqa.bulk.Extract`` of the report in force; ``judged_by`` is the digest of the policy that
was last found to say what that report says."""

revalidations = sa.Table(
    "revalidations",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("mode", sa.String(16), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("policy_id", sa.String(200), nullable=False),
    sa.Column("policy_digest", sa.String(80), nullable=False),
    sa.Column("policy_text", sa.Text, nullable=False),
    sa.Column("engine_digest", sa.String(80), nullable=False),
    sa.Column("selection", sa.JSON, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("decided", sa.Integer, nullable=False),
    sa.Column("recomputed", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("decided_to", sa.String(64), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
)
"""Runs. Documents are decided in the order of their ids; ``decided_to`` is the last one."""

revalidation_requests = sa.Table(
    "revalidation_requests",
    metadata,
    sa.Column(
        "revalidation_id", sa.ForeignKey(revalidations.c.id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("client_id", sa.String(64), nullable=False),
    sa.Column("requested_at", UtcDateTime, nullable=False),
)
"""Runs that a client asked the service for, which drives them by itself."""

revalidation_counts = sa.Table(
    "revalidation_counts",
    metadata,
    sa.Column(
        "revalidation_id", sa.ForeignKey(revalidations.c.id, ondelete="CASCADE"), primary_key=True
    ),
    sa.Column("document_type", sa.String(64), primary_key=True),
    sa.Column("before", sa.String(16), primary_key=True),
    sa.Column("after", sa.String(16), primary_key=True),
    sa.Column("reason", sa.String(100), primary_key=True),
    sa.Column("documents", sa.Integer, nullable=False),
)
"""The transitions of a run so far; ``reason`` is the weightiest of the new verdict, or of the old
one where nothing is left of it."""

judgements = sa.Table(
    "judgements",
    metadata,
    sa.Column("document_id", sa.ForeignKey(documents.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Column("policy_digest", sa.String(80), primary_key=True),
    sa.Column("engine_digest", sa.String(80), primary_key=True),
    sa.Column("report_number", sa.Integer, nullable=False),
    sa.Column("revalidation_id", sa.String(64), index=True),
    sa.Column("before", sa.String(16)),
    sa.Column("after", sa.String(16)),
    sa.Column("reasons", sa.JSON),
    sa.Column("crashes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("report", sa.Text),
    sa.Column("readings", SealedText("judgements.readings")),
)
"""What a policy and an engine make of a document: one row each, and only where something had to be
recomputed (``report``, kept until it is in force) or the verdict changes (``after``)."""
