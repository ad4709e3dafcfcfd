"""Runs the peers in their own environment; knows nothing of docqa.

Reads JSON lines ``{"file": path, "method": name}`` from standard input and answers each with
``{"file", "method", "value"}`` on standard output; ``value`` is null where the peer gave none.
A peer that cannot be imported is answered once with ``{"method", "missing": why}``.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
leptonica = importlib.import_module("leptonica")

Value = float | list[list[float]] | bool | None
JDESKEW_HEIGHT_PX = 1024
LONG_SIDE_PX = 500
"""The recipe for corners works on a picture of this size."""


@functools.cache
def _leptonica() -> Any:
    return leptonica.load()


def _grey(file: str) -> Any:
    return cv2.imread(file, cv2.IMREAD_GRAYSCALE)


def skew_leptonica(file: str) -> Value:
    """Differential square sum, swept over 15.5 degrees either way."""
    _, ink = cv2.threshold(_grey(file), 0, 1, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    angle = leptonica.skew_deg(_leptonica(), ink.astype(bool))
    return None if angle is None else float(angle)


def skew_jdeskew(file: str, height: int | None = JDESKEW_HEIGHT_PX) -> Value:
    """Radial projection of the spectrum."""
    estimate = importlib.import_module("jdeskew.estimator").get_angle
    return -float(estimate(_grey(file), vertical_image_shape=height))


def skew_jdeskew_native(file: str) -> Value:
    """The same at full size, its default."""
    return skew_jdeskew(file, None)


def skew_jdeskew_2048(file: str) -> Value:
    """The same, finer."""
    return skew_jdeskew(file, 2 * JDESKEW_HEIGHT_PX)


def skew_document_quality(file: str) -> Value:
    """Its estimate_skew; 0 stands for no lines."""
    return float(importlib.import_module("document_quality").estimate_skew(file))


def skew_deskew(file: str) -> Value:
    """Hough lines."""
    angle = importlib.import_module("deskew").determine_skew(_grey(file))
    return None if angle is None else -float(angle)


def skew_doc_qual(file: str) -> Value:
    """Median of Hough lines."""
    return -float(_doc_qual(file).raw_features["skew_angle"])


def skew_min_area_rect(file: str) -> Value:
    """The recipe found most often: the rectangle around all ink."""
    _, ink = cv2.threshold(_grey(file), 0, 255, cv2.THRESH_BINARY_INV | cv2.THRESH_OTSU)
    points = cv2.findNonZero(ink)
    if points is None:
        return None
    angle = float(cv2.minAreaRect(points)[2])
    return -(angle - 90 * round(angle / 90))


def _doc_qual(file: str) -> Any:
    score = importlib.import_module("doc_qual").compute_doc_qual_score
    return score(_grey(file), verbose=False)


def blur_doc_qual(file: str) -> Value:
    """Its whole score."""
    return float(_doc_qual(file).ocr_score)


@functools.lru_cache(maxsize=4)
def _report(file: str) -> Any:
    return importlib.import_module("document_quality").assess(file, check_orientation=False)


def blur_document_quality_score(file: str) -> Value:
    """Its whole score."""
    return float(_report(file).score)


def blur_document_quality_sharpness(file: str) -> Value:
    """Its sharpness alone."""
    sharp = _report(file).measures.get("sharpness")
    return None if sharp is None or sharp.value is None else float(sharp.value)


def blur_skimage(file: str) -> Value:
    """scikit-image's blur_effect, negated: higher is sharper."""
    return -float(importlib.import_module("skimage.measure").blur_effect(_grey(file)))


def blur_laplacian(file: str) -> Value:
    """Variance of the Laplacian."""
    return float(cv2.Laplacian(_grey(file), cv2.CV_64F).var())


def blur_tenengrad(file: str) -> Value:
    """Mean squared Sobel gradient."""
    grey = _grey(file)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, x, 1 - x, ksize=3) for x in (1, 0))
    return float((across**2 + down**2).mean())


def orientation_document_quality(file: str) -> Value:
    """Quarter turns counter-clockwise that set the page upright."""
    degrees = importlib.import_module("document_quality").detect_orientation(file)
    return float(round(degrees / 90) % 4)


def tag_document_quality(file: str) -> Value:
    """Whether it doubts the density that the file states."""
    return any(issue.kind == "dpi_tag" for issue in _report(file).issues)


def corners_contour(file: str) -> Value:
    """The recipe found most often: the largest contour of four corners among Canny's edges."""
    grey = _grey(file)
    scale = LONG_SIDE_PX / max(grey.shape)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = cv2.Canny(cv2.GaussianBlur(small, (5, 5), 0), 75, 200)
    contours, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:5]:
        four = cv2.approxPolyDP(contour, 0.02 * cv2.arcLength(contour, True), True)
        if len(four) == 4:
            return [[float(x) / scale, float(y) / scale] for x, y in four.reshape(-1, 2)]
    return None


METHODS: dict[str, Callable[[str], Value]] = {
    name: function
    for name, function in sorted(globals().items())
    if name.startswith(("skew_", "blur_", "orientation_", "tag_", "corners_"))
}


def main() -> None:
    """Answer every request; what a peer prints is thrown away."""
    cv2.setNumThreads(1)
    missing: set[str] = set()
    out = sys.stdout
    for line in sys.stdin:
        request = json.loads(line)
        method = request["method"]
        if method in missing:
            continue
        answer = {"file": request["file"], "method": method, "value": None}
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                answer["value"] = METHODS[method](request["file"])
        except (ImportError, OSError) as error:
            missing.add(method)
            answer["missing"] = f"{type(error).__name__}: {error}"
        except Exception as error:  # a peer's failure is its result: no answer
            answer["error"] = f"{type(error).__name__}: {error}"[:200]
        if isinstance(answer["value"], float) and not np.isfinite(answer["value"]):
            answer["value"] = None
        out.write(json.dumps(answer) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
