"""The few facts that are read from EXIF, XMP, TIFF and text tags.

Only what tells a scanner from a camera: maker, model, software, resolution, orientation, whether an
exposure is stated. GPS, serial numbers, names, dates and comments are never looked at.
"""

from __future__ import annotations

import dataclasses
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

from docqa.errors import InvalidDocument
from docqa.intake.limits import damage_refused
from docqa.intake.turn import AS_STORED, EXIF_TURNS, Turn
from docqa.page import Origin

_MAKE, _MODEL, _SOFTWARE, _ORIENTATION = 271, 272, 305, 274
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_EXIF_DIRECTORY = 34665
_EXPOSURE_TIME, _F_NUMBER, _FOCAL_LENGTH = 33434, 33437, 37386
_EXPOSURE = frozenset({_EXPOSURE_TIME, _F_NUMBER, _FOCAL_LENGTH})
_ENTRY_BYTES = 12
_MAX_ENTRIES = 512
"""Of a directory of exposures; real ones have about forty."""
_INCH, _CENTIMETRE = 2, 3
_CM_PER_INCH = 2.54
_EXIF_MARK = b"Exif\0\0"
_PLAUSIBLE_PPI = (2.0, 20_000.0)
"""Writers put 0 or 1 where they know nothing."""
_MAX_NAME_CHARS = 80
_MAX_XMP_BYTES = 65_536
_XMP_NAME = r"{}\s*(?:=\s*[\"']([^\"'<]{{0,200}})[\"']|>([^<]{{0,200}})<)"
"""A property of an XMP packet, as an attribute or as an element (ISO 16684-1, 7)."""


@dataclass(frozen=True, slots=True)
class Tags:
    """What a file's tags say."""

    turn: Turn = AS_STORED
    ppi: float | None = None
    make: str | None = None
    model: str | None = None
    software: str | None = None
    has_exif: bool = False
    states_exposure: bool = False
    """An exposure time, a lens opening or a focal length is told, and is not 0."""


def with_tags(origin: Origin, tags: Tags) -> Origin:
    """The facts of a page with what the tags say of the device; not of place or resolution."""
    return dataclasses.replace(
        origin,
        make=tags.make,
        model=tags.model,
        software=tags.software,
        has_exif=tags.has_exif,
        states_exposure=tags.states_exposure,
    )


def tags_from_segment(segment: bytes | None) -> Tags:
    """The tags of an EXIF block, with or without its marker; a broken block says nothing."""
    if not segment:
        return Tags()
    exif = Image.Exif()
    try:
        with damage_refused():
            exif.load(segment)
            block = segment.removeprefix(_EXIF_MARK).removeprefix(_EXIF_MARK)
            return tags_from_directory(exif, block, has_exif=len(exif) > 0)
    except InvalidDocument:
        return Tags()


def with_xmp(tags: Tags, packet: bytes | None) -> Tags:
    """The tags with maker and model from an XMP packet where the EXIF block names none."""
    if not packet or tags.make:
        return tags
    text = packet[:_MAX_XMP_BYTES].decode("utf-8", "replace")
    make, model = (xmp_name(text, name) for name in ("tiff:Make", "tiff:Model"))
    return dataclasses.replace(tags, make=make, model=tags.model or model)


def xmp_name(text: str, name: str) -> str | None:
    """A property of an XMP packet, such as ``tiff:Make``, as a short line."""
    found = re.search(_XMP_NAME.format(name), text)
    return clean_name(found[1] or found[2]) if found else None


def tags_from_directory(directory: Mapping[int, Any], block: bytes, *, has_exif: bool) -> Tags:
    """The tags of a directory (IFD 0 of an EXIF block, or one of a TIFF) by tag number.

    Args:
        directory: values by tag.
        block: the TIFF, or the EXIF block from its TIFF header on, that the directory is of.
        has_exif: whether there is an EXIF block.
    """
    unit = directory.get(_RESOLUTION_UNIT, _INCH)
    x, y = directory.get(_X_RESOLUTION), directory.get(_Y_RESOLUTION)
    orientation = directory.get(_ORIENTATION)
    return Tags(
        turn=EXIF_TURNS.get(orientation, AS_STORED) if isinstance(orientation, int) else AS_STORED,
        ppi=lower_ppi(x, x if y is None else y, per_cm=unit == _CENTIMETRE)
        if unit in (_INCH, _CENTIMETRE)
        else None,
        make=clean_name(directory.get(_MAKE)),
        model=clean_name(directory.get(_MODEL)),
        software=clean_name(directory.get(_SOFTWARE)),
        has_exif=has_exif,
        states_exposure=_states_exposure(block, directory.get(_EXIF_DIRECTORY)),
    )


def _states_exposure(block: bytes, at: object) -> bool:
    """Whether the EXIF directory at ``at`` holds a camera's fractions; a broken one says nothing.

    Nothing else in it is read: it is the directory of dates, serial numbers and comments.
    """
    if not isinstance(at, int):
        return False
    order: Literal["little", "big"] = "little" if block[:2] == b"II" else "big"
    count = min(int.from_bytes(block[at : at + 2], order), _MAX_ENTRIES)
    for first in range(at + 2, at + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
        if int.from_bytes(block[first : first + 2], order) in _EXPOSURE:
            value = int.from_bytes(block[first + 8 : first + 12], order)
            if any(block[value : value + 4]):
                return True
    return False


def lower_ppi(x_density: Any, y_density: Any, *, per_cm: bool) -> float | None:
    """Pixels per inch of the coarser direction; None where the densities are not plausible."""
    try:
        density = min(float(x_density), float(y_density))
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    ppi = density * _CM_PER_INCH if per_cm else density
    low, high = _PLAUSIBLE_PPI
    return round(ppi, 2) if math.isfinite(ppi) and low <= ppi <= high else None


def clean_name(value: object, max_chars: int = _MAX_NAME_CHARS) -> str | None:
    """A name as one short line: no control, formatting or unassigned characters."""
    if not isinstance(value, str):
        return None
    # The characters that follow cannot matter, and a tag can hold megabytes of them.
    head = value[: 4 * max_chars]
    kept = "".join(char for char in head if not unicodedata.category(char).startswith("C"))
    return kept.strip()[:max_chars].strip() or None
