"""One page of a document with everything that is drawn on it, in page pixels. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.review.texts import TEXTS
from api.review.views import field_label
from api.services import Services

_BADGE_FRACTION = 0.014
"""Radius of a numbered badge, as a fraction of the page's longer side."""
_MARGIN_FRACTION = 0.6
"""What is shown around a region that is zoomed to, as a fraction of its longer side."""
_SMALLEST_VIEW_FRACTION = 0.12
"""A small region is not blown up beyond this fraction of the page."""
_LAYERS = {"page": "page", "sheet": "page", "glare": "glare", "cut_off": "cut", "covered": "cut"}
"""Kind of region -> layer; what blur shows is the layer ``blur``, everything else ``other``."""
LAYER_ORDER = ("page", "glare", "blur", "cut", "other", "fields")
_SHOWN_FIRST = ("page", "glare", "cut", "fields")


@dataclass(frozen=True, slots=True)
class Mark:
    """A polygon on the page; ``points`` as SVG wants them."""

    points: str
    label: str
    number: int | None = None
    kind: str = ""
    """The decision of the reason it belongs to."""
    badge_x: float = 0.0
    badge_y: float = 0.0
    view: str = ""
    """The viewBox that shows it large."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Marks that are shown and hidden together."""

    name: str
    label: str
    is_shown: bool
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class PageView:
    """A page with its layers."""

    index: int
    width_px: int
    height_px: int
    badge_px: float
    layers: tuple[Layer, ...]
    marks: tuple[Mark, ...]
    """Of the reasons."""
    view: str
    """The viewBox the page opens with."""


def page_view(
    services: Services, report: Mapping[str, Any], index: int, language: str, at: int | None = None
) -> PageView:
    """Page ``index`` of a report that has it, opened at reason ``at`` if that has a place there."""
    page = next(page for page in report["pages"] if page["index"] == index)
    size = page["width_px"], page["height_px"]
    badge_px = max(size) * _BADGE_FRACTION
    marks = tuple(_reason_marks(report, index, language, badge_px, size))
    views = {mark.number: mark.view for mark in reversed(marks)}
    return PageView(
        index=index,
        width_px=size[0],
        height_px=size[1],
        badge_px=round(badge_px, 1),
        layers=tuple(_layers(services, report, page, language)),
        marks=marks,
        view=views.get(at, f"0 0 {size[0]} {size[1]}"),
    )


def view_around(polygon: Sequence[Sequence[float]], size: tuple[int, int]) -> str:
    """The viewBox that shows a polygon large, centred, with some of the page around it."""
    xs, ys = [float(x) for x, _ in polygon], [float(y) for _, y in polygon]
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    margin = max(width, height) * _MARGIN_FRACTION
    shown = max(max(width, height) + margin, max(size) * _SMALLEST_VIEW_FRACTION)
    wide = min(max(width + margin, shown), max(width, size[0]))
    high = min(max(height + margin, shown * 0.6), max(height, size[1]))
    x, y = (max(xs) + min(xs) - wide) / 2, (max(ys) + min(ys) - high) / 2
    return f"{x:.0f} {y:.0f} {wide:.0f} {high:.0f}"


def box_of(polygon: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """x, y, width and height around a polygon."""
    xs, ys = [float(x) for x, _ in polygon], [float(y) for _, y in polygon]
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)


def _layers(
    services: Services, report: Mapping[str, Any], page: Mapping[str, Any], language: str
) -> Iterator[Layer]:
    texts = TEXTS[language]
    found: dict[str, list[Mark]] = {name: [] for name in LAYER_ORDER}
    for measure, taken in page["measures"].items():
        for region in taken.get("regions", ()):
            name = "blur" if measure == "blur" else _LAYERS.get(region["kind"], "other")
            found[name].append(Mark(_points(region["polygon"]), texts[f"layer_{name}"]))
    for field in report["fields"]:
        for reading in (field, *field.get("others", ())):
            if reading["polygon"] and reading.get("page", 1) == page["index"]:
                label = field_label(services, field["name"], language)
                found["fields"].append(Mark(_points(reading["polygon"]), label))
    for name, marks in found.items():
        if marks:
            yield Layer(name, texts[f"layer_{name}"], name in _SHOWN_FIRST, tuple(marks))


def _reason_marks(
    report: Mapping[str, Any], index: int, language: str, badge_px: float, size: tuple[int, int]
) -> Iterator[Mark]:
    """The regions of the reasons on one page, their badges moved apart where they would cover."""
    taken: list[tuple[float, float]] = []
    for number, reason in enumerate(report["verdict"]["reasons"], 1):
        if reason["page"] != index:
            continue
        for region in reason["regions"]:
            x, y = min(region["polygon"], key=lambda point: float(point[0] + point[1]))
            x, y = max(float(x), badge_px), max(float(y), badge_px)
            while any(abs(x - a) < 2 * badge_px and abs(y - b) < 2 * badge_px for a, b in taken):
                x += 2.2 * badge_px
            taken.append((x, y))
            yield Mark(
                points=_points(region["polygon"]),
                label=reason["message"][language],
                number=number,
                kind=reason["decision"],
                badge_x=round(x, 1),
                badge_y=round(y, 1),
                view=view_around(region["polygon"], size),
            )


def _points(polygon: Sequence[Sequence[float]]) -> str:
    return " ".join(f"{float(x):g},{float(y):g}" for x, y in polygon)
