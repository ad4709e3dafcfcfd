"""Times docqa and its peers: ``python -m benchmarks.speed [--corpus DIR] [--parts a,b]``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.speed.clock import ONE_THREAD, machine, warm_heap

OUT = Path("benchmarks/results/speed.json")


def main() -> None:
    """Run the parts asked for, and put their results into the file beside the others."""
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # NumPy is imported already: start anew with the environment that it should have seen.
        os.environ.update(ONE_THREAD)
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.speed", *sys.argv[1:]])
    from benchmarks.speed import growth, peers, report, scans, throughput

    parts: dict[str, Callable[[argparse.Namespace], Any]] = {
        "report": report.measure,
        "scans": scans.measure,
        "peers": peers.measure,
        "throughput": throughput.measure,
        "rejudge": throughput.rejudge,
        "documents": throughput.documents,
        "memory": growth.memory,
        "growth": growth.measure,
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--parts", default=",".join(parts))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--peers-python", type=Path, default=Path(".venv-bench/bin/python"))
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    warm_heap()
    result = json.loads(arguments.out.read_text()) if arguments.out.exists() else {}
    result["machine"] = machine()
    for name in arguments.parts.split(","):
        result[name] = parts[name](arguments)
        result[name]["measured_on"] = datetime.now(UTC).date().isoformat()
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {json.dumps(result[name])[:400]}")


if __name__ == "__main__":
    main()
