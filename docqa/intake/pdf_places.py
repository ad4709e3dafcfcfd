"""Places on a PDF page: boxes, and the paths that what is drawn is clipped to."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

Point = tuple[float, float]
Rect = tuple[float, float, float, float]
"""Left, bottom, right, top in points, y upwards."""

_MAX_POINTS = 20_000
_SAME_PLACE_PT = 1.0


@dataclass(frozen=True, slots=True)
class Clip:
    """A path outside of which nothing is drawn."""

    box: Rect
    is_rectangle: bool
    """It goes once round its box: all within is drawn."""


def clips(drawn: pdfium.PdfObject, outer: pdfium.PdfMatrix) -> Iterator[Clip]:
    """The paths that an object is clipped to, placed by the matrix of the forms around it."""
    path = pdfium_c.FPDFPageObj_GetClipPath(drawn)
    for index in range(max(pdfium_c.FPDFClipPath_CountPaths(path), 0)):
        points, is_bent = _points(path, index)
        if points:
            placed = [outer.on_point(*point) for point in points]
            box = _box_of(placed)
            yield Clip(box, not is_bent and _go_round(placed, box))


def bounds(rect: Rect, matrix: pdfium.PdfMatrix) -> Rect:
    """The box of a box that a matrix places."""
    left, bottom, right, top = rect
    corners = ((left, bottom), (left, top), (right, bottom), (right, top))
    return _box_of([matrix.on_point(*corner) for corner in corners])


def overlap(one: Rect, other: Rect) -> Rect:
    """What two boxes have in common; without area where they lie apart."""
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def area(rect: Rect) -> float:
    """In square points."""
    return max(rect[2] - rect[0], 0) * max(rect[3] - rect[1], 0)


def _points(path: object, index: int) -> tuple[list[Point], bool]:
    """Of one clipping path, and whether it has curves."""
    x, y, is_bent = ctypes.c_float(), ctypes.c_float(), False
    points = []
    segments = pdfium_c.FPDFClipPath_CountPathSegments(path, index)
    for number in range(min(max(segments, 0), _MAX_POINTS)):
        segment = pdfium_c.FPDFClipPath_GetPathSegment(path, index, number)
        if pdfium_c.FPDFPathSegment_GetPoint(segment, x, y):
            points.append((x.value, y.value))
            kind = pdfium_c.FPDFPathSegment_GetType(segment)
            is_bent = is_bent or kind == pdfium_c.FPDF_SEGMENT_BEZIERTO
    return points, is_bent


def _go_round(points: list[Point], box: Rect) -> bool:
    """Whether points go once round an upright box, from corner to corner."""
    is_closed = len(points) == 5 and _are_near(points[0], points[4])
    around = points[:4] if is_closed else points
    left, bottom, right, top = box
    corners = ((left, bottom), (left, top), (right, top), (right, bottom))
    sides = zip(around, (*around[1:], around[0]), strict=True)
    return (
        len(around) == 4
        and all(any(_are_near(corner, point) for point in around) for corner in corners)
        and all(min(abs(x1 - x2), abs(y1 - y2)) <= _SAME_PLACE_PT for (x1, y1), (x2, y2) in sides)
    )


def _are_near(one: Point, other: Point) -> bool:
    return max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= _SAME_PLACE_PT


def _box_of(points: list[Point]) -> Rect:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
