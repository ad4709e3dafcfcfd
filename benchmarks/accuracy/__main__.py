"""docqa's measures and the peers on the same inputs, in one run, against floors.

``python -m benchmarks.accuracy [--corpus DIR] [--parts skew,blur] [--tighten]`` prints a table,
writes ``benchmarks/results/accuracy.json`` and ``accuracy.md``, and exits with 1 when a figure is
beyond its floor. A run of some parts keeps the others' earlier results.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2

from benchmarks.accuracy import floors, tables
from benchmarks.accuracy.figures import Figure, Part
from benchmarks.accuracy.inputs import Options
from benchmarks.accuracy.peers import Peers

PARTS = (
    "skew", "blur", "corners", "resolution", "glare", "moire", "orientation", "damage", "capture",
    "clean_scans", "reading", "sure_names", "illumination",
)  # fmt: skip


def main() -> None:
    """Run the parts that were asked for."""
    arguments = _arguments()
    corpus = arguments.corpus
    if corpus is not None and not (corpus / "manifest.jsonl").is_file():
        print(f"There is no manifest.jsonl in {corpus}.")
        corpus = None
    if corpus is None:
        print("Without a corpus only synthesized documents are measured; give CORPUS=DIR for all.")
    results = _earlier(arguments.out)
    parts: list[Part] = []
    missing: dict[str, str] = {}
    with ProcessPoolExecutor(arguments.jobs) as processes:
        runs = [
            processes.submit(
                run_part,
                name,
                corpus,
                arguments.scale,
                arguments.peers_python,
                arguments.keep,
                arguments.out,
            )  # fmt: skip
            for name in arguments.parts.split(",")
        ]
        for run in runs:
            part, seconds, absent = run.result()
            parts.append(part)
            missing |= absent
            results[part.name] = _part_json(part, seconds, corpus is not None)
            _write(arguments.out, results, missing)  # an interrupted run keeps what it has
            print(tables.markdown([part], "", {}).partition("\n## ")[2], flush=True)
            print("\n".join(f"  {line}" for line in part.worst), flush=True)
    known = floors.read()
    if arguments.tighten:
        floors.write(floors.tightened(parts, known))
    if lines := floors.broken(parts, known, with_corpus=corpus is not None):
        sys.exit("\n".join(("Floors broken:", *lines)))


def run_part(
    name: str,
    corpus: Path | None,
    scale: float,
    peers_python: Path,
    keep: Path | None,
    out: Path | None = None,
) -> tuple[Part, float, dict[str, str]]:
    """One part in this process: what it measured, its seconds, the peers that were missing."""
    cv2.setNumThreads(1)
    peers = Peers(peers_python)
    take: Callable[[Options, Peers], Part] = importlib.import_module(
        f"benchmarks.accuracy.{name}"
    ).measure
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="docqa-bench-") as passing:
        scratch = Path(passing) if keep is None else keep / name
        scratch.mkdir(parents=True, exist_ok=True)
        part = take(Options(corpus, scratch, scale, out), peers)
    return part, time.perf_counter() - started, peers.missing


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--corpus", type=Path, help="folder with manifest.jsonl and its files")
    parser.add_argument("--parts", default=",".join(PARTS), help="comma-separated")
    parser.add_argument("--scale", type=float, default=1.0, help="multiplies the sample sizes")
    parser.add_argument("--jobs", type=int, default=2, help="parts measured at the same time")
    parser.add_argument("--tighten", action="store_true", help="raise floors to what was measured")
    parser.add_argument("--keep", type=Path, help="folder to keep the measured pictures in")
    parser.add_argument("--peers-python", type=Path, default=Path(".venv-bench/bin/python"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    if unknown := set(arguments.parts.split(",")) - set(PARTS):
        parser.error(f"there is no part {sorted(unknown)[0]!r}; the parts are {', '.join(PARTS)}")
    return arguments


def _part_json(part: Part, seconds: float, with_corpus: bool) -> dict[str, Any]:
    return {
        "seconds": round(seconds, 1),
        "with_corpus": with_corpus,
        "figures": [figure.to_json() for figure in part.figures],
        "worst": list(part.worst),
        "notes": list(part.notes),
    }


def _earlier(out: Path) -> dict[str, Any]:
    path = out / "accuracy.json"
    return dict(json.loads(path.read_text("utf-8"))["parts"]) if path.exists() else {}


def _write(out: Path, results: dict[str, Any], missing: dict[str, str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    ordered = {name: results[name] for name in PARTS if name in results}
    written = {"parts": ordered, "missing_peers": missing}
    text = json.dumps(written, indent=1, ensure_ascii=False)
    (out / "accuracy.json").write_text(text + "\n", encoding="utf-8")
    parts = [_part(name, result) for name, result in ordered.items()]
    head = (
        "Made by `make bench-accuracy`; the same numbers with the worst cases are in "
        "`accuracy.json`. All programs of a row saw the same files in the same run; `n` is how "
        "many, an unanswered file counts as a miss."
    )
    (out / "accuracy.md").write_text(tables.markdown(parts, head, missing), encoding="utf-8")


def _part(name: str, result: dict[str, Any]) -> Part:
    figures = tuple(
        Figure(**{key: value for key, value in figure.items() if key != "reached"})
        for figure in result["figures"]
    )
    return Part(name, figures, (), tuple(result["notes"]))


if __name__ == "__main__":
    main()
