"""Leptonica's skew sweep, called in its shared library. Needs numpy only."""

from __future__ import annotations

import ctypes
import ctypes.util
from typing import Any

import numpy as np

_LIBRARIES = ("liblept.so.5", "libleptonica.so.6")
"""Debian's file names; the library comes with Tesseract."""
REDUCTION_SWEEP = 4
REDUCTION_SEARCH = 2
SWEEP_RANGE_DEG = 15.5
"""The library's own default is 7 degrees; its answer beyond that is silently 0."""
SWEEP_STEP_DEG = 1.0
SMALLEST_STEP_DEG = 0.01


def load() -> Any:
    """The library. Raises OSError where it is not installed."""
    errors = []
    for name in (*_LIBRARIES, ctypes.util.find_library("lept") or ""):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError as error:
            errors.append(str(error))
            continue
        if library is not None:
            return _typed(library)
    raise OSError("leptonica is not installed: " + "; ".join(errors))


def skew_deg(library: Any, is_ink: np.ndarray) -> float | None:
    """The angle of an (H, W) bool picture, anticlockwise positive; None without an answer."""
    height, width = is_ink.shape
    pix = library.pixCreate(width, height, 1)
    if not pix:
        return None
    handle = ctypes.c_void_p(pix)
    try:
        words = library.pixGetWpl(pix)
        packed = np.packbits(is_ink, axis=1)
        rows = np.zeros((height, 4 * words), np.uint8)
        rows[:, : packed.shape[1]] = packed
        data = np.ascontiguousarray(rows).view(">u4").astype("<u4")
        ctypes.memmove(library.pixGetData(pix), data.ctypes.data, data.nbytes)
        angle, confidence = ctypes.c_float(), ctypes.c_float()
        failed = library.pixFindSkewSweepAndSearch(
            pix,
            ctypes.byref(angle),
            ctypes.byref(confidence),
            REDUCTION_SWEEP,
            REDUCTION_SEARCH,
            SWEEP_RANGE_DEG,
            SWEEP_STEP_DEG,
            SMALLEST_STEP_DEG,
        )
        return None if failed else float(angle.value)
    finally:
        library.pixDestroy(ctypes.byref(handle))


def _typed(library: Any) -> Any:
    integer, pointer, real = ctypes.c_int, ctypes.c_void_p, ctypes.c_float
    reals = ctypes.POINTER(real)
    library.pixCreate.restype, library.pixCreate.argtypes = pointer, [integer] * 3
    library.pixGetData.restype, library.pixGetData.argtypes = pointer, [pointer]
    library.pixGetWpl.restype, library.pixGetWpl.argtypes = integer, [pointer]
    library.pixDestroy.restype, library.pixDestroy.argtypes = None, [ctypes.POINTER(pointer)]
    library.pixFindSkewSweepAndSearch.restype = integer
    library.pixFindSkewSweepAndSearch.argtypes = [
        pointer, reals, reals, integer, integer, real, real, real
    ]  # fmt: skip
    if hasattr(library, "setMsgSeverity"):
        library.setMsgSeverity(6)  # it writes a warning for every page it gives up
    return library
