"""Components are the same however they are found."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from docqa.analysis.components import (
    MOST_SHORT_LABELS,
    component_boxes,
    component_stats,
    large_boxes,
    outlined,
)
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


def test_contours_have_the_boxes_of_the_components_those_within_others_too() -> None:
    rng = np.random.default_rng(1)
    ring = np.zeros((40, 60), np.uint8)
    cv2.circle(ring, (30, 20), 15, 255, 2)
    cv2.circle(ring, (30, 20), 4, 255, -1)
    noise = [np.asarray(rng.random((90, 120)) < share, np.uint8) for share in (0.02, 0.3, 0.7)]
    for mask in (ring, *noise):
        boxes = component_boxes(mask)
        assert _sorted(np.array(boxes)) == sorted(box[:4] for box in _known(mask))
        assert boxes == sorted(boxes, key=lambda box: (box[1], box[0]))
    assert component_boxes(np.zeros((5, 5), np.uint8)) == []


@pytest.mark.parametrize("room", [0, 2000])
@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_large_boxes_are_those_of_the_components_that_are_large_enough(
    share: float, room: int
) -> None:
    rng = np.random.default_rng(4)
    mask = np.asarray((rng.random((90, 140)) < share) * 255, np.uint8)
    mask = np.asarray(cv2.dilate(mask, np.ones((1, 2), np.uint8)), np.uint8)
    mask[5, 5:60] = mask[40, 5:60] = mask[5:41, 5] = mask[5:41, 60] = 255
    mask = np.pad(mask, ((0, room), (0, room)))
    stats = component_stats(mask)
    assert _sorted(large_boxes(mask, 1)) == _sorted(stats[:, :4])


@pytest.mark.parametrize("room", [0, 200])
def test_a_hole_counts_to_what_is_about_it(room: int) -> None:
    mask = np.zeros((12 + room, 12 + room), np.uint8)
    mask[2, 3] = mask[3, 2] = mask[3, 4] = mask[4, 3] = mask[4, 4] = 255
    assert _sorted(large_boxes(mask, 6)) == [[2, 2, 3, 3]]
    mask[4, 4] = 0
    assert len(large_boxes(mask, 6)) == 0


@pytest.mark.parametrize("room", [0, 200])
def test_components_with_few_pixels_are_left_out(room: int) -> None:
    mask = np.zeros((20 + room, 30 + room), np.uint8)
    mask[2, 2:7] = mask[6, 2:8] = 255
    mask[10:12, 2:5] = mask[15:18, 2:5] = 255
    mask[16, 3] = 0
    found = large_boxes(mask, 6)
    assert _sorted(found) == [[2, 6, 6, 1], [2, 10, 3, 2], [2, 15, 3, 3]]


def _filled_areas(mask: Pixels) -> list[list[int]]:
    """Box and pixels, holes filled, of every component, by labels alone."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    found = []
    for label in range(1, count):
        x, y, width, height = stats[label, :4].tolist()
        alone = np.pad(labels[y : y + height, x : x + width] == label, 1)
        around = cv2.connectedComponents((~alone).astype(np.uint8), connectivity=4)[1]
        found.append([x, y, width, height, int((around != around[0, 0]).sum())])
    return sorted(found)


@pytest.mark.parametrize("seed", range(40))
def test_outlines_have_boxes_and_filled_areas_of_the_components(seed: int) -> None:
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 50, 2).tolist()
    mask = np.asarray(rng.random((height, width)) < rng.random(), np.uint8) * np.uint8(255)
    if seed % 2:
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)))
    boxes, areas = outlined(mask)
    assert _sorted(np.column_stack([boxes, areas])) == _filled_areas(mask)


def test_nothing_has_no_box() -> None:
    assert large_boxes(np.zeros((20, 30), np.uint8), 1).shape == (0, 4)
