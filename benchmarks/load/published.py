"""Where the results of this folder go, and what they were measured on."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "results"


def machine() -> dict[str, Any]:
    """What a number depends on."""
    return {
        "cores": os.cpu_count(),
        "load_average": [round(load, 1) for load in os.getloadavg()],
        "python": platform.python_version(),
        "measured_at": datetime.now(UTC).date().isoformat(),
    }


def publish(name: str, result: Mapping[str, Any]) -> None:
    """Write ``benchmarks/results/<name>.json``."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"written: {path.relative_to(RESULTS.parents[1])}")


def publish_under(name: str, key: str, result: Mapping[str, Any]) -> None:
    """Write ``result`` under ``key`` of that file, keeping its other keys."""
    path = RESULTS / f"{name}.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    publish(name, {**kept, key: result})
