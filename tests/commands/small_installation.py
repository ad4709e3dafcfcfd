"""An installation with two sheets that were accepted: one lies straight, one a little turned."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from docqa import wiring
from docqa.pipeline import inspect
from docqa.ports import StoredDocument
from docqa.report import to_json
from docqa.settings import Settings
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan
from tests.batch.dask_cluster import Installation

STRAIGHT, TURNED = "doc_straight", "doc_turned"
RECEIVED = datetime(2026, 1, 1, tzinfo=UTC)
_SKEW_DEG = {STRAIGHT: 0.0, TURNED: 1.75}


def filled(folder: Path) -> Installation:
    made = Installation(folder)
    stores = wiring.open_stores(made.settings)
    for name in (STRAIGHT, TURNED):
        data, report = _inspected(name)
        stores.blobs.put(name.encode().hex(), data)
        stores.documents.add(
            StoredDocument(
                id=name, blob_key=name.encode().hex(), file_name="x.jpg",
                document_type="a4-generic", claims={}, report=report,
                decision=report["verdict"]["decision"], received_at=RECEIVED,
            )
        )  # fmt: skip
    stores.documents.close()
    return made


def stricter(folder: Path) -> Path:
    """The shipped policy, but for which the turned sheet is turned too far."""
    text = wiring.policy_text(wiring.models_dir(Settings()), Settings().policy)
    assert text.count("accept = 2.0\n") == 1
    path = folder / "stricter.toml"
    path.write_text(text.replace("accept = 2.0\n", "accept = 1.5\n"), encoding="utf-8")
    return path


@cache
def _inspected(name: str) -> tuple[bytes, dict[str, Any]]:
    engine = wiring.load_engine(Settings())
    data = scan(letter(script="latin", seed=1), ppi=150, skew_deg=_SKEW_DEG[name]).data
    return data, to_json(inspect(data, engine=engine), engine.catalogue)
