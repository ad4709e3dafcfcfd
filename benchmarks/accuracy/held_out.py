"""Every real file judged by models that have not seen its repository, and copies made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

from benchmarks.accuracy.inputs import SEED
from docqa.analysis.texture import bilevel_fraction
from docqa.errors import DocqaError
from docqa.measures import PageAssessment, assess
from docqa.measures.capture import CaptureModel, load
from docqa.measures.capture import measure as judge
from docqa.page import Origin, Page
from docqa.pipeline import Engine
from docqa.settings import Settings
from docqa.verdict import Decision, decide
from docqa.wiring import load_engine
from models.capture.examples import Row, first_page, simulated
from models.capture.train import train
from models.capture.whitened_copies import cut_out_copy, whitened_copies

ACCEPT, REJECT = 0.8, 0.1
FORGED = {
    "pdf_producer": "Adobe PSL 1.3e for Canon",
    "pdf_creator": "Canon iR-ADV C5535",
    "ppi_tag": 300.0,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a picture by the capture, and by all measures together."""

    probability: float
    """Of a scanner."""
    is_accepted: bool
    """By all measures together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A row of the corpus and the probability of a scanner."""

    row: Row
    given: float
    stripped: float
    """Without anything that the file says."""
    forged: Answer
    """With a scanner's metadata in place of its own."""
    kind: str
    """``two levels``, ``clipped`` to white, or ``hard``."""
    whitened: tuple[Answer, ...]
    """Of a photograph, what an app would have made of it, without a name in its file."""
    cut_out: Answer | None
    """Of its sheet, cut out by the corners that docqa finds; None where it finds none."""


def held_out(rows: Sequence[Row]) -> Iterator[Judged]:
    """Every row that can be judged."""
    own = list(simulated())
    for repository in sorted({row.repository for row in rows}):
        seen = [
            one
            for row in rows
            if row.is_open and row.repository != repository
            for one in row.examples
        ]
        model = load(json.dumps(train([*own, *seen])).encode())
        for row in (row for row in rows if row.repository == repository):
            try:
                yield _judged(row, model)
            except DocqaError:
                continue


def _judged(row: Row, model: CaptureModel) -> Judged:
    page = first_page(row.path.read_bytes())
    extreme = page.derive(bilevel_fraction)
    two_levels = page.origin.colour_mode == "bilevel" or extreme > 0.995
    kind = "two levels" if two_levels else "clipped" if extreme > 0.15 else "hard"
    bare = replace(
        page.origin, make=None, model=None, software=None, has_exif=False,
        states_exposure=False, ppi_tag=None, pdf_producer=None, pdf_creator=None,
    )  # fmt: skip
    forgery = _retold(page, replace(bare, **FORGED))  # type: ignore[arg-type]  # values of several fields
    seed = SEED + len(row.path.name)
    cut = cut_out_copy(page, seed) if row.capture == "camera" else None
    return Judged(
        row,
        judge(page, model).scanner_probability,
        judge(_retold(page, bare), model).scanner_probability,
        _answer(forgery, model),
        kind,
        tuple(
            _answer(copy, model)
            # Others than the ones that are learnt from.
            for copy in (whitened_copies(page, seed) if row.capture == "camera" else ())
        ),
        None if cut is None else _answer(cut, model),
    )


def _answer(page: Page, model: CaptureModel) -> Answer:
    probability = judge(page, model).scanner_probability
    return Answer(probability, probability >= ACCEPT and _is_accepted(page, model))


@cache
def _engine() -> Engine:
    return load_engine(Settings())


def _is_accepted(page: Page, model: CaptureModel) -> bool:
    """By the policy, on all that it measures."""
    measures: dict[str, Callable[[Page], Any]] = dict(_engine().measures)
    measures["capture"] = partial(judge, model=model)
    found = {name: assess(take, page) for name, take in measures.items()}
    whole = PageAssessment(1, page.width_px, page.height_px, found)
    return decide(_engine().policy, "a4-generic", [whole]).decision is Decision.ACCEPT


def _retold(page: Page, origin: Origin) -> Page:
    return Page(page.index, origin, page.raster)
