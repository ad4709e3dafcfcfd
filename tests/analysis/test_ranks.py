"""Percentiles from a sort are NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from docqa.analysis.ranks import median, percentiles


@pytest.mark.parametrize("count", [1, 2, 3, 40, 433])
def test_percentiles_are_those_of_numpy(count: int) -> None:
    values = np.random.default_rng(count).normal(120, 40, count).astype(np.float32)
    asked = (0, 5, 50, 95, 100)
    assert percentiles(values, *asked) == pytest.approx(np.percentile(values, asked), abs=1e-4)
    assert median(values) == pytest.approx(np.median(values), abs=1e-4)


def test_values_of_any_shape_are_one_list() -> None:
    values = np.arange(12).reshape(3, 4)
    assert percentiles(values, 50) == (5.5,)
    assert median(values[:, ::2]) == 5.0
