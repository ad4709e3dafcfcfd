"""Kills children, the service and PostgreSQL at random for minutes while clients upload.

python -m benchmarks.load.kills --minutes 5 --database sqlite
python -m benchmarks.load.kills --minutes 5 --database postgresql
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.load.published import machine, publish_under
from tests.faults.kills import ordeal


def main() -> None:
    """Run, publish, and exit 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="docqa-kills-") as folder:
        found = ordeal(
            Path(folder), database=options.database, seconds=options.minutes * 60,
            clients=options.clients, seed=options.seed, drain=True,
        )  # fmt: skip
    aftermath, latencies = found.aftermath, sorted(found.uploads.latencies_s)
    broken = [*aftermath.broken, *found.uploads.wrong]
    broken += ["an upload was never acknowledged"] * found.unfinished
    result = {
        "seconds": round(found.seconds),
        "clients": options.clients,
        "seed": options.seed,
        "kills": dict(found.kills),
        "uploads_acknowledged": len(found.uploads.acknowledged),
        "answers": dict(found.uploads.answers),
        "seconds_per_upload": {
            "median": round(statistics.median(latencies), 2),
            "worst": round(latencies[-1], 2),
        },
        "documents": aftermath.documents,
        "events": aftermath.events,
        "acknowledged_and_lost": len(aftermath.lost),
        "reports_or_documents_twice": len(aftermath.twice),
        "bytes_or_digests_wrong": len(aftermath.damaged),
        "accepted_by_a_fault": len(aftermath.accepted_by_a_fault),
        "events_untold": len(aftermath.untold),
        "webhooks_forged": aftermath.forged,
        "never_acknowledged": found.unfinished,
        "machine": machine(),
    }
    publish_under("kills", options.database, result)
    for line in broken[:20]:
        print(line)
    print("every promise held" if not broken else f"{len(broken)} promises broken")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
