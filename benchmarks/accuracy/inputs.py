"""Inputs that the parts share: the corpus, pages of files, rotation on the right paper colour."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from docqa import measures
from docqa.adapters.poppler import PopplerRenderer
from docqa.errors import InvalidDocument
from docqa.intake import Limits, open_document
from docqa.page import Page, Pixels
from docqa.settings import Settings
from docqa.wiring import models_dir

SEED = 5000
"""Seeds below are left to whoever tunes a measure."""
RENDERER = PopplerRenderer()


@dataclass(frozen=True, slots=True)
class Options:
    """How much is measured, and on what."""

    corpus: Path | None
    scratch: Path
    """An empty folder of this run."""
    scale: float = 1.0
    """Sample sizes are multiplied by this."""
    out: Path | None = None
    """Folder of the results, for what a part writes beside them."""

    def count(self, usual: int) -> int:
        """The usual sample size at this scale, at least 2."""
        return max(2, round(usual * self.scale))


@dataclass(frozen=True, slots=True)
class CorpusFile:
    """A file of the corpus and its line of the manifest."""

    path: Path
    row: dict[str, Any]


def corpus_files(corpus: Path | None) -> list[CorpusFile]:
    """Every file of the corpus; none without one."""
    if corpus is None:
        return []
    lines = (corpus / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [CorpusFile(corpus / row["file"], row) for row in rows]


def scanner_files(corpus: Path | None) -> list[CorpusFile]:
    """Files that a scanner made, as far as anyone can tell by eye."""
    return [file for file in corpus_files(corpus) if file.row["capture"] == "scanner"]


@cache
def taken(measure: str) -> Callable[[Page], Any]:
    """The measure of that name, bound to its trained model where it has one."""
    resolved = measures.resolve(measure)
    if resolved.model_path is None:
        return resolved.bind(None)
    return resolved.bind((models_dir(Settings()) / resolved.model_path).read_bytes())


def first_page(data: bytes | Path) -> Page:
    """The first page of a document. Raises InvalidDocument."""
    if isinstance(data, Path):
        data = data.read_bytes()
    return next(open_document(data, limits=Limits(), renderer=RENDERER).pages)


def readable_pages(files: list[CorpusFile]) -> Iterator[tuple[CorpusFile, Page]]:
    """The first page of each file that opens; others are passed over."""
    for file in files:
        try:
            page = first_page(file.path)
            page.luma()
        except InvalidDocument:
            continue
        yield file, page


def spread(files: list[CorpusFile], count: int, per_source: int) -> list[CorpusFile]:
    """At most ``count`` files, at most ``per_source`` of one repository, always the same ones."""
    taken: dict[str, int] = {}
    chosen: list[CorpusFile] = []
    rng = np.random.default_rng(SEED)
    for index in rng.permutation(len(files)):
        file = files[int(index)]
        if taken.get(file.row["repo"], 0) < per_source and len(chosen) < count:
            taken[file.row["repo"]] = taken.get(file.row["repo"], 0) + 1
            chosen.append(file)
    return sorted(chosen, key=lambda file: file.path.name)


def rotated(luma: Pixels, angle_deg: float) -> Pixels:
    """Turned anticlockwise on a canvas that holds all of it, filled with the paper's colour."""
    height, width = luma.shape
    split, _ = cv2.threshold(luma, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    paper = float(np.median(luma[luma > split])) if np.any(luma > split) else 255.0
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle_deg, 1.0)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(np.ceil(width * cos + height * sin)), int(np.ceil(width * sin + height * cos)))
    matrix[:, 2] += ((size[0] - width) / 2, (size[1] - height) / 2)
    return cast(
        "Pixels",
        cv2.warpAffine(luma, matrix, size, flags=cv2.INTER_CUBIC, borderValue=(paper,) * 4),
    )


def noisy(luma: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """With Gaussian noise."""
    noise = rng.standard_normal(luma.shape, np.float32) * np.float32(sigma)
    return np.asarray(np.clip(luma + noise + 0.5, 0, 255), np.uint8)


def write_jpeg(folder: Path, name: str, pixels: Pixels, quality: int) -> Path:
    """Write a grey picture (or BGR) and return its path."""
    path = folder / name
    cv2.imwrite(str(path), pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path
