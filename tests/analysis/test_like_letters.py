from __future__ import annotations

import numpy as np

from docqa.analysis.like_letters import MOST_SIZE_RATIO, ROWS_COUNT, like_pairs


def test_letters_are_paired_with_those_of_their_shape_and_size_only() -> None:
    """More letters than are compared at once, of five shapes in two sizes each."""
    rng = np.random.default_rng(6)
    shapes = rng.random((5, 144)).astype(np.float32)
    kind = rng.integers(0, 5, 2 * ROWS_COUNT + 50)
    font = rng.integers(0, 2, len(kind))
    patches = shapes[kind] + rng.normal(0, 0.01, (len(kind), 144)).astype(np.float32)
    sizes = np.stack([font, font], axis=1).astype(np.float64) * 2 * MOST_SIZE_RATIO
    first, second = like_pairs(patches, sizes, count=3, most_difference=0.1)
    assert len(first) == 3 * len(kind)
    assert (first != second).all()
    assert (kind[first] == kind[second]).all()
    assert (font[first] == font[second]).all()


def test_a_letter_like_no_other_has_no_partner() -> None:
    patches = np.eye(4, 144, dtype=np.float32) * 12
    sizes = np.zeros((4, 2))
    for count in (0, 1, 4):
        found = like_pairs(patches[:count], sizes[:count], count=2, most_difference=0.1)
        assert [len(each) for each in found] == [0, 0]
