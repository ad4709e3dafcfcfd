"""What every bomb and bad file costs the running service, and what it costs everybody else.

Other clients upload ordinary scans all the while. Their latency is taken before and during.

    python -m benchmarks.load.bombs
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from benchmarks.load.published import machine, publish
from tests.faults.bombs import everything
from tests.faults.installation import Installation
from tests.faults.load import Uploads, distinct_scan

_TIMEOUT_S = 10
_MEMORY_BYTES = 2_000_000_000
_QUIET_S = 30.0
_WARM_UPS = 6


def main() -> None:
    """Run, publish, and exit 1 when a bomb was neither judged and kept out nor refused by name."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quiet-seconds", type=float, default=_QUIET_S)
    options = parser.parse_args()
    files = {name: make() for name, make in everything().items()}
    with tempfile.TemporaryDirectory(prefix="docqa-bombs-") as folder:
        installation = Installation(
            Path(folder), WORKERS="3", INSPECT_TIMEOUT_S=str(_TIMEOUT_S),
            CHILD_MEMORY_BYTES=str(_MEMORY_BYTES), MAX_UPLOAD_BYTES="15000000",
        )  # fmt: skip
        installation.start()
        try:
            for _ in range(_WARM_UPS):  # the children read their models
                _cost(installation, distinct_scan("warm-up"))
            before = _others(installation, options.quiet_seconds, {})[0]
            during, costs = _others(installation, 0, files)
        finally:
            installation.stop()
    worst = max(cost["seconds"] for cost in costs.values())
    wrong = [name for name, cost in costs.items() if not _is_harmless(cost["outcome"])]
    result = {
        "bombs": costs,
        "worst_bomb_s": worst,
        "limit_s": _TIMEOUT_S,
        "memory_limit_bytes": _MEMORY_BYTES,
        "others_before": _spread(before),
        "others_during": _spread(during),
        "wrong": wrong,
        "machine": machine(),
    }
    publish("bombs", result)
    print(f"before {result['others_before']}, during {result['others_during']}, wrong: {wrong}")
    sys.exit(1 if wrong else 0)


def _others(
    installation: Installation, seconds: float, files: dict[str, bytes]
) -> tuple[list[float], dict[str, dict[str, Any]]]:
    """Latencies of an ordinary client while ``files`` are sent, or for so many ``seconds``."""
    uploads = Uploads(installation.address)
    other = threading.Thread(target=uploads.run)
    other.start()
    costs = {name: _cost(installation, data) for name, data in files.items()}
    uploads.stop.wait(seconds)
    uploads.stop.set()
    other.join()
    return uploads.latencies_s, costs


def _cost(installation: Installation, data: bytes) -> dict[str, Any]:
    begun = time.monotonic()
    answer = httpx.post(
        f"{installation.address}/v1/documents",
        content=data,
        headers={"Idempotency-Key": str(uuid.uuid4())},
        timeout=120,
    )
    seconds = time.monotonic() - begun
    body = answer.json()
    outcome = body["decision"] if answer.status_code == 201 else body.get("code")
    return {
        "bytes": len(data),
        "seconds": round(seconds, 2),
        "status": answer.status_code,
        "outcome": "500" if answer.status_code == 500 else outcome,
    }


def _is_harmless(outcome: str) -> bool:
    """Judged, but not accepted, or refused for what it is. Anything else shows nothing."""
    return outcome in ("review", "reject") or outcome.startswith("file.")


def _spread(latencies_s: Sequence[float]) -> dict[str, float]:
    ordered = sorted(latencies_s)
    return {
        "uploads": len(ordered),
        "median_s": round(statistics.median(ordered), 2),
        "p95_s": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
        "worst_s": round(ordered[-1], 2),
    }


if __name__ == "__main__":
    main()
