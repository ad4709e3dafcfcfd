"""Times the peers on one file beside its colour decoding; knows nothing of docqa.

Prints one JSON object: method -> median milliseconds and ratio, or why it could not run.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import cv2

ROUNDS = 3


def _gray(file: str) -> Any:
    return cv2.imread(file, cv2.IMREAD_GRAYSCALE)


def _document_quality(file: str) -> None:
    importlib.import_module("document_quality").assess(file)


def _blur_effect(file: str) -> None:
    importlib.import_module("skimage.measure").blur_effect(_gray(file))


def _deskew(file: str) -> None:
    importlib.import_module("deskew").determine_skew(_gray(file))


def _jdeskew(file: str) -> None:
    importlib.import_module("jdeskew.estimator").get_angle(_gray(file))


METHODS: dict[str, Callable[[str], None]] = {
    "document-quality": _document_quality,
    "skimage blur_effect": _blur_effect,
    "deskew": _deskew,
    "jdeskew": _jdeskew,
}


def main() -> None:
    """Time every method, a decoding before each."""
    cv2.setNumThreads(1)
    file = sys.argv[1]
    found: dict[str, dict[str, float | str]] = {}
    for name, method in METHODS.items():
        decodings, spent = [], []
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                method(file)
                for _ in range(ROUNDS):
                    started = time.process_time()
                    cv2.imread(file, cv2.IMREAD_COLOR)
                    decoded = time.process_time()
                    method(file)
                    decodings.append(decoded - started)
                    spent.append(time.process_time() - decoded)
        except Exception as error:  # a peer's failure is its result
            found[name] = {"missing": f"{type(error).__name__}: {error}"[:200]}
            continue
        ratios = [one / other for one, other in zip(spent, decodings, strict=True)]
        found[name] = {
            "median_ms": round(1000 * statistics.median(spent), 1),
            "ratio": round(statistics.median(ratios), 2),
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
