"""Components are the same however their labels are stored."""

from __future__ import annotations

import cv2
import numpy as np

from docqa.analysis.components import MOST_SHORT_LABELS, component_stats
from docqa.page import Pixels


def _sorted(stats: cv2.typing.MatLike) -> list[list[int]]:
    return sorted(np.asarray(stats).tolist())


def _known(mask: Pixels) -> list[list[int]]:
    return _sorted(cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)[2][1:])


def test_short_labels_count_the_same_components() -> None:
    rng = np.random.default_rng(1)
    for share in (0.02, 0.2, 0.5):
        mask = np.asarray(rng.random((200, 300)) < share, np.uint8) * np.uint8(255)
        assert _sorted(component_stats(mask)) == _known(mask)


def test_more_components_than_short_labels_are_counted_too() -> None:
    mask = np.zeros((600, 600), np.uint8)
    mask[::2, ::2] = 1
    assert len(component_stats(mask)) == 90_000 > MOST_SHORT_LABELS
    assert _sorted(component_stats(mask)) == _known(mask)
