"""What a run found, as one page for people and as tables for machines."""

from __future__ import annotations

import base64
import csv
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2

from docqa.batch.charts import COLOURS, bars
from docqa.errors import DamagedData, InvalidDocument, MissingDependency
from docqa.memory_files import MemoryFiles
from docqa.pipeline import Engine
from docqa.plan import Run
from docqa.recompute import judged
from docqa.verdict import Decision
from docqa.wiring import Stores
from docqa.worker import Worker

_PICTURE_SIDE_PX = 700
_ROWS_AT_ONCE = 5000
_DECISIONS = [decision.value for decision in Decision]


def open_folder(folder: Path) -> None:
    """Make the folder if need be, readable by its owner alone.

    Raises OSError, which names it, where nothing can be written there.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(folder)) from error


def write_outcome(
    folder: Path, run: Run, stores: Stores, worker: Worker, engine: Engine, pictures: int
) -> None:
    """Write ``what-if.html``, ``transitions.csv``, ``changes.csv`` and ``changes.parquet``.

    Args:
        folder: opened by :func:`open_folder`.
        run: what it is about.
        stores: where its results are, and the documents.
        worker: draws pages.
        engine: judges the documents that are shown.
        pictures: how many of the most affected documents to draw; 0 keeps them out of the page.

    Raises:
        MissingDependency: pyarrow is not installed.
        OSError: a file cannot be written.
    """
    counts = stores.revalidations.counts(run.id)
    _write_csv(folder / "transitions.csv", iter(counts), list(_COUNTED))
    _write_csv(folder / "changes.csv", _flat(stores.revalidations.changes(run.id)), list(_CHANGED))
    _write_parquet(folder / "changes.parquet", _flat(stores.revalidations.changes(run.id)))
    affected = list(islice(stores.revalidations.changes(run.id), max(pictures, 12)))
    for at, one in enumerate(affected):
        if at < pictures:
            one["picture"] = _picture(stores, worker, engine, one["document_id"])
    (folder / "what-if.html").write_text(page(run, counts, affected), encoding="utf-8")


_COUNTED = ("document_type", "before", "after", "reason", "documents")
_CHANGED = ("document_id", "document_type", "before", "after", "reasons")


def page(run: Run, counts: list[dict[str, Any]], affected: list[dict[str, Any]]) -> str:
    """The page, which loads nothing from anywhere.

    Args:
        run: what it is about.
        counts: its transitions, as the store tells them.
        affected: changed documents, with ``picture`` (PNG, base64) where one is to be shown.
    """
    moves: Counter[tuple[str, str, str]] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for row in counts:
        moves[row["document_type"], row["before"], row["after"]] += row["documents"]
        if row["before"] != row["after"]:
            reasons[row["reason"] or "none", row["after"]] += row["documents"]
    kinds = sorted({kind for kind, _, _ in moves})
    matrices = [
        (kind, [(b, [(a, moves[kind, b, a]) for a in _DECISIONS]) for b in _DECISIONS])
        for kind in kinds
    ]
    by_type = [
        (f"{kind}, {when}", [
            (COLOURS[d], sum(n for (k, b, a), n in moves.items()
                             if k == kind and (b if when == "old" else a) == d))
            for d in _DECISIONS
        ])
        for kind in kinds for when in ("old", "new")
    ]  # fmt: skip
    codes = Counter({code: 0 for code, _ in reasons})
    for (code, _), number in reasons.items():
        codes[code] += number
    by_reason = [
        (code, [(COLOURS[d], reasons[code, d]) for d in _DECISIONS])
        for code, _ in codes.most_common(25)
    ]
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        (Path(__file__).parent / "whatif.html").read_text(encoding="utf-8")
    )
    return template.render(
        run=run,
        decisions=_DECISIONS,
        changed=sum(row["documents"] for row in counts if row["before"] != row["after"]),
        matrices=matrices,
        types_chart=bars(by_type),
        reasons_chart=bars(by_reason),
        changes=[row for row in counts if row["before"] != row["after"]],
        affected=[{"picture": None, **one} for one in affected],
        pictures=any(one.get("picture") for one in affected),
    )


def _flat(changes: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    return ({**change, "reasons": " ".join(change["reasons"] or ())} for change in changes)


def _write_csv(path: Path, rows: Iterator[Mapping[str, Any]], names: list[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, names)
        writer.writeheader()
        writer.writerows(rows)


def import_pyarrow() -> Any:
    """The package ``pyarrow``, an extra. Raises MissingDependency where it is not installed."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingDependency("pyarrow is not installed", "pip install 'docqa[batch]'") from error
    return pyarrow


def _write_parquet(path: Path, rows: Iterator[Mapping[str, Any]]) -> None:
    pa = import_pyarrow()
    schema = pa.schema([(name, pa.string()) for name in _CHANGED])
    with pa.parquet.ParquetWriter(path, schema) as writer:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))


def _picture(stores: Stores, worker: Worker, engine: Engine, document_id: str) -> str | None:
    """The page its first reason is about, drawn by a child; None when it cannot be drawn."""
    document = stores.documents.get(document_id)
    if document is None:
        return None
    report = judged(document.report, document.report, engine)
    pages = [reason["page"] for reason in report["verdict"]["reasons"] if reason["page"]]
    files = MemoryFiles()  # no disk may see it in clear
    try:
        with files.holding(stores.blobs.get(document.blob_key)) as path:
            drawn = worker.page_picture(
                path,
                page=pages[0] if pages else 1,
                max_side_px=_PICTURE_SIDE_PX,
                report=report,
            )
    except (InvalidDocument, KeyError, OSError, DamagedData):
        return None
    finally:
        files.close()
    return base64.b64encode(drawn).decode()
