"""Tells whether an uploaded document is a scanner-grade scan that says what the citizen typed.

>>> import docqa
>>> report = docqa.inspect(data, document_type="sy-id-back", claims={"given_name": "…"})
>>> report.verdict.decision
<Decision.ACCEPT: 'accept'>
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docqa.errors import (
    CannotAssess,
    DocqaError,
    EngineFault,
    InvalidDocument,
    InvalidModel,
    InvalidRequest,
    MissingDependency,
)
from docqa.fields import Field
from docqa.report import Report
from docqa.verdict import Decision, Reason, Verdict

if TYPE_CHECKING:
    from docqa.wiring import inspect

__all__ = [
    "CannotAssess",
    "Decision",
    "DocqaError",
    "EngineFault",
    "Field",
    "InvalidDocument",
    "InvalidModel",
    "InvalidRequest",
    "MissingDependency",
    "Reason",
    "Report",
    "Verdict",
    "inspect",
]


def __getattr__(name: str) -> Any:
    """``inspect`` brings every adapter along, so it is imported only when it is asked for."""
    if name == "inspect":
        from docqa.wiring import inspect

        return inspect
    raise AttributeError(f"module 'docqa' has no attribute {name!r}")
