"""Percentiles of a few hundred numbers.

NumPy's own functions check and choose for twenty times as long as such numbers take to be sorted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def percentiles(values: npt.NDArray[Any], *percents: float) -> tuple[float, ...]:
    """The values below which these percents of (N,) lie, interpolated between neighbours."""
    ordered = np.sort(values, axis=None)
    last = len(ordered) - 1
    found = []
    for percent in percents:
        place = last * percent / 100
        at = int(place)
        low, high = float(ordered[at]), float(ordered[min(at + 1, last)])
        found.append(low + (high - low) * (place - at))
    return tuple(found)


def median(values: npt.NDArray[Any]) -> float:
    """The middle one of (N,), or the mean of the two."""
    ordered = np.sort(values, axis=None)
    half = len(ordered) // 2
    if len(ordered) % 2:
        return float(ordered[half])
    return (float(ordered[half - 1]) + float(ordered[half])) / 2
