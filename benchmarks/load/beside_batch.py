"""What a batch on the same machine costs the uploads of citizens.

One client uploads scans one after the other, first alone, then while ``docqa revalidate`` decodes
stored documents with as many children as the machine has cores.

    python -m benchmarks.load.beside_batch
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.load.published import machine, publish
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan
from tests.batch.dask_cluster import Installation as Stored
from tests.batch.dask_cluster import killed_at_last, until
from tests.faults.installation import Installation
from tests.faults.load import Uploads

_SECONDS = 60.0
_WARM_UP_S = 10.0
_ENOUGH = 5_000
"""Documents: more than the batch can finish in the time."""
_CHILDREN = "2"


def latencies(address: str, seconds: float, also: Callable[[], None] = lambda: None) -> list[float]:
    """How long each upload of one client took, in seconds."""
    uploads = Uploads(address)
    client = threading.Thread(target=uploads.run)
    client.start()
    uploads.stop.wait(seconds)
    also()
    uploads.stop.set()
    client.join()
    if uploads.wrong:
        raise SystemExit(f"not acknowledged: {uploads.wrong}")
    return uploads.latencies_s


def spread(latencies_s: list[float]) -> dict[str, float]:
    """Milliseconds."""
    ordered = sorted(latencies_s)
    return {
        "uploads": len(ordered),
        "median_ms": round(1000 * statistics.median(ordered), 1),
        "p95_ms": round(1000 * ordered[int(0.95 * (len(ordered) - 1))], 1),
        "worst_ms": round(1000 * ordered[-1], 1),
    }


def measure(folder: Path, seconds: float, documents: int) -> dict[str, Any]:
    """Latencies without and with the batch, and what the batch did meanwhile."""
    stored = Stored(folder, os.cpu_count() or 1)
    stored.fill([scan(letter(script="latin", seed=1), ppi=100).data], documents)
    service = Installation(
        folder, database_url=stored.settings.database_url, WORKERS=_CHILDREN,
        BLOBS_DIR=str(stored.settings.blobs_dir),
    )  # fmt: skip
    service.start()
    try:
        latencies(service.address, _WARM_UP_S)
        alone = latencies(service.address, seconds)
        with killed_at_last(stored.driver()):
            until(lambda: stored.recomputed() > 0, within_s=600)
            before, after = stored.recomputed(), 0

            def count() -> None:
                nonlocal after
                after = stored.recomputed()

            beside = latencies(service.address, seconds, count)
            if stored.is_done():
                raise SystemExit("the batch ended before the uploads did: store more documents")
    finally:
        service.stop()
    one, other = spread(alone), spread(beside)
    return {
        "alone": one,
        "beside_a_batch": other,
        "median_ratio": round(other["median_ms"] / one["median_ms"], 2),
        "p95_ratio": round(other["p95_ms"] / one["p95_ms"], 2),
        "batch_documents_per_s": round((after - before) / seconds, 2),
        "batch_children": stored.workers,
        "service_children": int(_CHILDREN),
        "machine": machine(),
    }


def main() -> None:
    """Measure and publish."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=_SECONDS)
    parser.add_argument("--documents", type=int, default=_ENOUGH)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="docqa-beside-") as folder:
        result = measure(Path(folder), given.seconds, given.documents)
    publish("beside-batch", result)
    print(result)


if __name__ == "__main__":
    main()
