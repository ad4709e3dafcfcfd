"""What is counted of what was inspected."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from api.metrics import MeteredInspector, Metrics
from api.services import Inspected


class Reports:
    """An inspector that finds one reason."""

    def __init__(self, code: str) -> None:
        self._code = code

    def inspect_file(self, path: Path, **_: Any) -> Inspected:
        reasons = [{"code": self._code}]
        verdict = {"decision": "review", "reasons": reasons}
        return Inspected(report={"verdict": verdict, "timings_ms": {}}, readings={})


@pytest.mark.parametrize(
    ("code", "counted"),
    [
        ("system.timeout", True),
        ("system.crashed", True),
        ("system.out_of_memory", True),
        ("system.failed", True),
        ("system.not_assessed", False),
        ("system.ocr_failed", False),
        ("system.unreadable", False),
    ],
)
def test_only_the_end_of_a_child_counts_as_one(code: str, counted: bool) -> None:
    metrics = Metrics()
    inspector = MeteredInspector(Reports(code), metrics, lambda _: nullcontext())
    inspector.inspect_file(Path("a.jpg"), document_type="sy-id-back", claims={}, file_name="a.jpg")
    lines = generate_latest(metrics.registry).decode().splitlines()
    assert any(line.startswith("docqa_child_exits_total{") for line in lines) is counted
