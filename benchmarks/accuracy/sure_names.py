"""Of which names is the letters' network sure by itself, and does it read any of those wrong?

Its word alone confirms a name then, with nobody else asked, so that a wrong claim passes that is
the very misreading. Here every such name is looked at, of many more documents than reading is
judged on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.accuracy.figures import Figure, Part
from benchmarks.accuracy.inputs import Options
from benchmarks.accuracy.peers import Peers
from benchmarks.accuracy.reading_samples import NAMES, Sample, extract, front
from docqa.fields import Match, agrees, compare, spellings
from docqa.pipeline import Engine
from docqa.reading.cells import read_cells, values_on
from docqa.reading.print_fields import Readers
from docqa.reading.printed import read_name
from docqa.reading.regions import sheets
from docqa.settings import Settings
from docqa.wiring import load_engine

FRONTS = 480
EXTRACTS = 80
COARSE_FRONTS = 160
FIRST_SEEDS = {"front": 270000, "extract": 272000, "coarse": 274000}
"""Added to SEED; no other part uses them."""
COARSE_PPIS = (110, 130, 150, 170, 200)
COARSE_QUALITIES = (45, 76)
"""Worse than any capture that passes the measures of quality."""
READ = (*NAMES, "birth_place")


@dataclass(slots=True)
class Seen:
    """What became of the names of some documents."""

    names: int = 0
    sure: int = 0
    matches: Counter[Match] = field(default_factory=Counter)
    """Of those that the network is sure of."""
    misread: list[str] = field(default_factory=list)


def measure(options: Options, peers: Peers) -> Part:
    """Names and places on scans, and on captures that are too coarse to be accepted."""
    engine = load_engine(Settings())
    readers = engine.readers
    if readers is None:
        raise RuntimeError("the engine has no readers of print")
    groups = {"scans": Seen(), "coarse captures": Seen()}
    for sample in _scans(options):
        _look(sample, engine, readers, groups["scans"])
    for sample in _coarse(options):
        _look(sample, engine, readers, groups["coarse captures"])
    figures, notes = [], []
    for name, seen in groups.items():
        target = 0.0 if name == "scans" else None
        figures += [
            Figure(f"{name}: read surely by one network", seen.sure / max(seen.names, 1), "higher",
                   seen.names),
            Figure(f"{name}: of those misread", float(len(seen.misread)), "lower", seen.sure,
                   target),
        ]  # fmt: skip
        told = ", ".join(f"{match} {count}" for match, count in seen.matches.most_common())
        notes.append(f"Sure names of {name}, as they compare with what is printed: {told}")
    worst = [line for seen in groups.values() for line in seen.misread]
    return Part("sure_names", tuple(figures), tuple(worst), tuple(notes))


def _scans(options: Options) -> Iterator[Sample]:
    for index in range(options.count(FRONTS)):
        yield front(options, FIRST_SEEDS["front"], index)
    for index in range(options.count(EXTRACTS)):
        yield extract(options, FIRST_SEEDS["extract"], index)


def _coarse(options: Options) -> Iterator[Sample]:
    for index in range(options.count(COARSE_FRONTS)):
        yield front(
            options, FIRST_SEEDS["coarse"], index, ppis=COARSE_PPIS, qualities=COARSE_QUALITIES
        )


def _look(sample: Sample, engine: Engine, readers: Readers, seen: Seen) -> None:
    """Every name and place that the sample's first sheet has a label for."""
    kind = engine.document_types[sample.document_type]
    sheet = next(iter(sheets(sample.page, (kind.width_mm, kind.height_mm))))
    values = values_on(read_cells(sheet, readers.arabic), kind.fields)
    true = sample.owner.claims()
    for spec in (spec for spec in kind.fields if spec.name in READ and spec.name in values):
        claimed = true[spec.name]
        forms = spellings(spec.kind, claimed, engine.places)
        text = read_name(values[spec.name], forms, readers.arabic)
        seen.names += 1
        if text is None or text.log_likelihoods:
            continue
        match = compare(spec.kind, claimed, text.text, engine.places, may_be_cut=True)
        seen.sure += 1
        seen.matches[match] += 1
        # What may be a part of the name confirms nothing.
        if not agrees(match) and match != "unread":
            seen.misread.append(f"{sample.name} ({sample.layout}) {spec.name} {claimed!r}: "
                                f"{text.text!r} at {text.confidence:.4f}")  # fmt: skip
