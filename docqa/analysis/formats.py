"""Known sizes of paper and cards, and the resolution that the likeliest explanation gives.

Several sizes have one shape, software writes densities that made no scan, and glass is larger than
what lies on it. So every explanation (this sheet, scanned at that resolution) is charged for what
it leaves unexplained, and the cheapest one is taken. A charge is about the negative logarithm of
how often a true explanation shows that defect.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

Evidence = Literal["outline", "frame", "tag", "text"]
Sides = tuple[float, float]
Fit = tuple[str, float, float]

MM_PER_INCH = 25.4
FORMATS_MM = {
    "a4": (297.0, 210.0, 0.0),
    "letter": (279.4, 215.9, 0.3),
    "glass": (297.0, 215.9, 0.5),
    "legal": (355.6, 215.9, 1.0),
    "a5": (210.0, 148.0, 1.0),
    "a3": (420.0, 297.0, 1.2),
    "a6": (148.0, 105.0, 2.0),
    "ledger": (431.8, 279.4, 2.5),
    "id-1": (85.6, 53.98, 0.2),
    "td3": (125.0, 88.0, 0.7),
    "td2": (105.0, 74.0, 2.0),
}
"""Longer side, shorter side, charge for being rare. Cards: ISO/IEC 7810, which a bank card (ID-1),
a passport's data page (TD3) and the older large ID card (TD2) follow; ``glass`` is the bed of the
usual scanner, as wide as Letter and as long as A4."""
CARDS = ("a6", "id-1", "td3", "td2")
BEDS = ("a4", "letter", "glass", "legal", "a3", "ledger")
STANDARD_PPI = {
    300.0: 0.0, 200.0: 0.3, 150.0: 0.5, 400.0: 0.5, 600.0: 0.5, 240.0: 1.0, 100.0: 1.0,
}  # fmt: skip
"""What scanners offer, with a charge for being rare."""
STANDARD_TOLERANCE = {"outline": 0.015, "frame": 0.007, "tag": 0.007}
"""Frames are cut to the millimetre; an outline takes some of the sheet's shadow with it."""
ASPECT_SIGMA = {"outline": 0.015, "frame": 0.006}
ASPECT_TOLERANCE = {"outline": 0.06, "frame": 0.025}
"""Perspective shortens a side of an outline. A camera's 4:3 must not pass for Letter (1.294)."""
TAG_TOLERANCE = 0.03
BED_TOLERANCE = 0.012
PLAUSIBLE_PPI = (20.0, 2500.0)
TEXT_HEIGHT_MM = 2.3
"""Of an x-height of 11 to 12 point Latin print, or the body of an Arabic word."""
TEXT_HEIGHT_SIGMA = 0.4
"""Of its natural logarithm."""
MOST_TEXT_CHARGE = 2.0
"""What was taken for text may be a frame or a picture."""
UNUSUAL_PPI_CHARGE = 2.0
OTHER_TAG_CHARGE = 3.0
NO_BED_CHARGE = 2.5
UNEXPLAINED_OUTLINE_CHARGE = 4.0
CARD_FRAME_CHARGE = 2.0
"""Scanners cut to sheets of paper; a card with a bit of lid around it may have any shape."""
MOST_LID_MM, LID_SIGMA_MM = 5.0, 1.5
"""Scanners that cut a card out leave as much lid on all sides, but for what its skew takes."""
CUT_OUT = ("id-1", "td3")
COARSE_PPI, COARSE_CHARGE = 75.0, 2.0
"""Nobody scans so coarsely."""
SNAP_TOLERANCE = 0.035
TAG_ALONE_CHARGE = 4.5
TEXT_ALONE_CHARGE = 7.0


def format_aspect(name: str) -> float:
    """Longer over shorter side of a known format."""
    longer_mm, shorter_mm, _ = FORMATS_MM[name]
    return longer_mm / shorter_mm


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page shows of its size."""

    frame_px: Sides
    """Longer and shorter side."""
    outline_px: Sides | None
    """The same of the sheet or card, where its edges were seen."""
    is_on_lid: bool
    """The outline lies on a scanner's light lid, so usual densities and beds are expected."""
    tag_ppi: float | None
    """The file's density, unless it is one that means nothing."""
    text_height_px: float | None
    is_outline_rough: bool = False
    """The outline is that of a card's printed ground with its shadow, up to 3 % too large."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A resolution, what it rests on, and how much it leaves unexplained (lower is better)."""

    charge: float
    ppi: float
    evidence: Evidence


def best_explanation(seen: Seen) -> Explanation | None:
    """The likeliest resolution; None where nothing known fits and there is neither tag nor text."""
    explanations = [
        *_by_outline(seen), *_by_frame(seen), *_by_card_with_lid(seen), *_by_tag(seen),
    ]  # fmt: skip
    if seen.outline_px is None or not explanations:
        explanations += list(_by_text(seen))
    return min(explanations, key=lambda each: each.charge, default=None)


def _by_outline(seen: Seen) -> Iterator[Explanation]:
    if seen.outline_px is None:
        return
    for name, misfit, ppi in _fitting(seen.outline_px, "outline"):
        ppi = _snapped(ppi) if seen.is_outline_rough else ppi
        charge = FORMATS_MM[name][2] + misfit + _text_charge(seen, ppi) + _tag_charge(seen, ppi)
        if seen.is_on_lid and not seen.is_outline_rough:
            charge += _unusual_charge(ppi, "outline")
        if not _is_bed(seen.frame_px, ppi):
            charge += NO_BED_CHARGE
        yield Explanation(charge, ppi, "outline")


def _by_frame(seen: Seen) -> Iterator[Explanation]:
    """The page fills the frame, or the frame is the scanner's whole bed."""
    for name, misfit, ppi in _fitting(seen.frame_px, "frame"):
        rare = FORMATS_MM[name][2] + (CARD_FRAME_CHARGE if name in CARDS else 0.0)
        charge = rare + misfit + _text_charge(seen, ppi) + _tag_charge(seen, ppi)
        charge += _unusual_charge(ppi, "frame")
        if seen.outline_px is not None:
            charge += UNEXPLAINED_OUTLINE_CHARGE
        yield Explanation(charge, ppi, "frame")


def _by_card_with_lid(seen: Seen) -> Iterator[Explanation]:
    """The frame is a card's or a passport's at a usual density with a little lid on all sides.

    A passport has A4's shape then, and a card that of larger sheets: at 130 ppi and less.
    """
    if seen.outline_px is not None:
        return
    longer_px, shorter_px = seen.frame_px
    for name, (ppi, unusual) in product(CUT_OUT, STANDARD_PPI.items()):
        long_mm, short_mm, rare = FORMATS_MM[name]
        pixel_mm = MM_PER_INCH / ppi
        lid_mm = (longer_px * pixel_mm - long_mm, shorter_px * pixel_mm - short_mm)
        if min(lid_mm) >= 0.0 and max(lid_mm) <= MOST_LID_MM:
            misfit = ((lid_mm[0] - lid_mm[1]) / LID_SIGMA_MM) ** 2 / 2
            charge = rare + unusual + CARD_FRAME_CHARGE + misfit
            charge += _text_charge(seen, ppi) + _tag_charge(seen, ppi)
            yield Explanation(charge, ppi, "frame")


def _by_tag(seen: Seen) -> Iterator[Explanation]:
    if seen.tag_ppi is not None:
        charge = TAG_ALONE_CHARGE + _text_charge(seen, seen.tag_ppi)
        charge += _unusual_charge(seen.tag_ppi, "tag")
        if seen.outline_px is not None:
            charge += UNEXPLAINED_OUTLINE_CHARGE
        yield Explanation(charge, seen.tag_ppi, "tag")


def _by_text(seen: Seen) -> Iterator[Explanation]:
    """Print has a usual size, which tells the usual densities apart, if nothing finer."""
    if seen.text_height_px is None:
        return
    for ppi, rare in STANDARD_PPI.items():
        yield Explanation(TEXT_ALONE_CHARGE + rare + _text_charge(seen, ppi), ppi, "text")


def _fitting(sides_px: Sides, of: Literal["outline", "frame"]) -> Iterator[Fit]:
    """Name, charge for the shape's misfit, and ppi of each format that fits."""
    longer, shorter = sides_px
    for name, (long_mm, short_mm, _) in FORMATS_MM.items():
        misfit = longer * short_mm / (shorter * long_mm) - 1
        ppi = MM_PER_INCH * (longer / long_mm + shorter / short_mm) / 2
        if abs(misfit) <= ASPECT_TOLERANCE[of] and PLAUSIBLE_PPI[0] <= ppi <= PLAUSIBLE_PPI[1]:
            yield name, (misfit / ASPECT_SIGMA[of]) ** 2 / 2, ppi


def _is_bed(frame_px: Sides, ppi: float) -> bool:
    """Whether the frame is a whole bed at this resolution: no accident, as both sides must fit."""
    longer, shorter = (side / ppi * MM_PER_INCH for side in frame_px)
    return any(
        max(abs(longer / FORMATS_MM[bed][0] - 1), abs(shorter / FORMATS_MM[bed][1] - 1))
        <= BED_TOLERANCE
        for bed in BEDS
    )


def _unusual_charge(ppi: float, of: Literal["outline", "frame", "tag"]) -> float:
    near = any(abs(ppi / usual - 1) <= STANDARD_TOLERANCE[of] for usual in STANDARD_PPI)
    charge = 0.0 if near else UNUSUAL_PPI_CHARGE
    return charge + (COARSE_CHARGE if ppi < COARSE_PPI and of == "frame" else 0.0)


def _snapped(ppi: float) -> float:
    """The usual density that a rough one stands for: never above it by more than the shadow."""
    below = (usual for usual in STANDARD_PPI if 1 - 0.005 <= ppi / usual <= 1 + SNAP_TOLERANCE)
    return next(below, ppi)


def _tag_charge(seen: Seen, ppi: float) -> float:
    if seen.tag_ppi is None or abs(seen.tag_ppi / ppi - 1) <= TAG_TOLERANCE:
        return 0.0
    return OTHER_TAG_CHARGE


def _text_charge(seen: Seen, ppi: float) -> float:
    if not seen.text_height_px:
        return 0.0
    height_mm = seen.text_height_px / ppi * MM_PER_INCH
    misfit = math.log(height_mm / TEXT_HEIGHT_MM) / TEXT_HEIGHT_SIGMA
    return min(misfit * misfit / 2, MOST_TEXT_CHARGE)
