"""What docqa decides on real files, against what they truly are.

``python -m benchmarks.accuracy.decisions --corpus DIR [--out FILE]``
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from docqa.errors import InvalidDocument
from docqa.settings import Settings
from docqa.wiring import load_engine, start_worker
from docqa.worker import Worker

OUTCOMES = ("accept", "review", "reject", "problem")


def judge(worker: Worker, path: Path) -> tuple[str, list[str]]:
    """The decision on one file and its codes; ``problem`` where it cannot be a document."""
    try:
        report = worker.inspect_file(path, document_type="a4-generic")
    except InvalidDocument as error:
        return "problem", [error.code]
    return report.verdict.decision.value, sorted({r.code for r in report.verdict.reasons})


def measure(corpus: Path) -> dict[str, Any]:
    """Judge every file of the corpus with the default policy and without claims."""
    lines = (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    settings = Settings()
    engine = load_engine(settings)
    with (
        start_worker(settings, engine) as worker,
        ThreadPoolExecutor(settings.workers) as threads,
    ):
        judged = list(threads.map(lambda row: judge(worker, corpus / row["file"]), rows))
    decisions: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    for row, (outcome, codes) in zip(rows, judged, strict=True):
        label = row["capture"] or "unknown"
        decisions.setdefault(label, Counter())[outcome] += 1
        reasons.setdefault(label, Counter()).update(codes)
    with_maker = Counter(
        outcome for row, (outcome, _) in zip(rows, judged, strict=True) if row["exif_make"]
    )
    return {
        "files": len(rows),
        "policy": {"id": engine.policy.id, "digest": engine.policy.digest},
        "engine": {"version": engine.version, "digest": engine.digest},
        "decisions": {label: dict(counts) for label, counts in sorted(decisions.items())},
        "with_exif_make": dict(with_maker),
        "codes": {label: dict(counts.most_common()) for label, counts in sorted(reasons.items())},
    }


def main() -> None:
    """Run the benchmark, print the table and write the result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/decisions.json"))
    arguments = parser.parse_args()
    if not (arguments.corpus / "manifest.jsonl").is_file():
        raise SystemExit(f"There is no manifest.jsonl in {arguments.corpus}: nothing to measure.")
    result = measure(arguments.corpus)
    table = Table("what it truly is", *OUTCOMES)
    for label, counts in result["decisions"].items():
        table.add_row(label, *(str(counts.get(outcome, 0)) for outcome in OUTCOMES))
    Console().print(table)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
