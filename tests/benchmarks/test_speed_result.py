"""The benchmark of speed pairs what it compares, and its chart shows every bar."""

from __future__ import annotations

import itertools
import json
import xml.etree.ElementTree as ET
from argparse import Namespace
from pathlib import Path

import pytest

from benchmarks.load.http_overhead import filled_up
from benchmarks.speed import scans
from benchmarks.speed.clock import interleaved, ratio
from benchmarks.speed.inputs import resized
from benchmarks.speed.picture import draw, rows
from docqa.intake import Limits, open_document
from fixtures.synthesize.documents import id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan


def test_each_round_takes_every_task_once_and_the_first_does_not_count() -> None:
    order: list[str] = []
    tasks = {name: (lambda name=name: order.append(name)) for name in ("one", "other")}
    spent = interleaved(tasks, 3, itertools.count().__next__)
    assert order == ["one", "other"] * 4
    assert spent == {"one": [1000] * 3, "other": [1000] * 3}


def test_a_ratio_is_the_median_of_the_rounds_ratios() -> None:
    assert ratio([2.0, 40.0, 6.0], [1.0, 10.0, 2.0])["median"] == 3.0
    assert ratio([2.0, 40.0, 6.0], [1.0, 10.0, 2.0])["of_least"] == 2.0


def test_a_file_filled_up_is_the_same_picture() -> None:
    jpeg = scan(id_front(person(1), seed=1), seed=1, ppi=100).data
    filled = filled_up(jpeg, 400_000)
    assert abs(len(filled) - 400_000) < 8
    one, other = (
        next(open_document(data, limits=Limits(), renderer=None).pages).luma()
        for data in (jpeg, filled)
    )
    assert (one == other).all()


@pytest.mark.parametrize("megapixels", [0.2, 1.0])
def test_a_picture_has_the_pixels_asked_for(megapixels: float) -> None:
    jpeg = scan(id_front(person(1), seed=1), seed=1, ppi=100).data
    page = next(open_document(resized(jpeg, megapixels), limits=Limits(), renderer=None).pages)
    assert page.width_px * page.height_px == pytest.approx(megapixels * 1e6, rel=0.01)


def test_the_chart_has_a_bar_for_docqa_and_every_peer_that_ran() -> None:
    result = {
        "report": {"inputs": {"A4": {"ratio": {"median": 3.0}}}},
        "peers": {"quality": {"A4": {"slow <peer>": {"ratio": 9.0}, "absent": {"missing": "x"}}}},
    }
    found = rows(result)
    assert [value for _, value, _ in found] == [1.0, 3.0, 9.0]
    picture = ET.fromstring(draw(found))
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert "slow <peer>: A4" in texts


def test_the_capture_is_timed_on_the_scans_of_a_corpus_that_can_be_opened(tmp_path: Path) -> None:
    card = scan(id_front(person(1), seed=1), seed=1, ppi=100).data
    files = {
        "scan.jpg": ("scanner", card),
        "photo.jpg": ("camera", card),
        "cut.jpg": ("scanner", b""),
    }
    for name, (_, data) in files.items():
        (tmp_path / name).write_bytes(data)
    rows = [json.dumps({"file": name, "capture": label}) for name, (label, _) in files.items()]
    (tmp_path / "manifest.jsonl").write_text("\n".join(rows), encoding="utf-8")
    found = scans.measure(Namespace(corpus=tmp_path))
    assert found["pages_count"] == 1
    assert found["ratio"] == pytest.approx(found["capture_ms"] / found["decoding_ms"], rel=0.05)
    assert scans.measure(Namespace(corpus=None)) == {"missing": "no corpus was given"}
