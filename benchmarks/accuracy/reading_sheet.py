"""A contact sheet of the lines that were not confirmed, for whoever improves reading."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.accuracy.reading_answers import Miss
from docqa.page import Pixels
from fixtures.synthesize.typesetting import font

TILE_PX = (470, 84)
CAPTION_PX = 20
COLUMNS = 3
MOST_TILES = 60
MOST_BYTES = 300_000
QUALITIES = (80, 65, 50, 35)


def write(misses: Sequence[Miss], path: Path) -> None:
    """Write the lines as one JPEG under MOST_BYTES; nothing where there is none."""
    shown = _spread([miss for miss in misses if miss.crop is not None and miss.crop.size])
    if not shown:
        return
    width, height = TILE_PX
    rows = -(-len(shown) // COLUMNS)
    picture = Image.new("L", (COLUMNS * width, rows * height), 255)
    draw = ImageDraw.Draw(picture)
    face = font("DejaVuSans", CAPTION_PX - 7)
    for index, miss in enumerate(shown):
        x, y = index % COLUMNS * width, index // COLUMNS * height
        crop = miss.crop if miss.crop is not None else np.zeros((1, 1), np.uint8)
        picture.paste(_fitted(crop, (width - 6, height - CAPTION_PX - 4)), (x, y + CAPTION_PX))
        draw.text((x + 2, y + 2), _caption(miss), fill=0, font=face)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_encoded(picture))


def _spread(misses: list[Miss]) -> list[Miss]:
    """At most MOST_TILES, each field and layout in its turn."""
    groups: dict[tuple[str, str], list[Miss]] = {}
    for miss in misses:
        groups.setdefault((miss.field, miss.layout), []).append(miss)
    most = max(map(len, groups.values()), default=0)
    turns = [group[turn] for turn in range(most) for group in groups.values() if turn < len(group)]
    return sorted(turns[:MOST_TILES], key=lambda miss: (miss.field, miss.layout))


def _caption(miss: Miss) -> str:
    match = miss.found.match if miss.found else "unread"
    read = f" {miss.found.read[:18]}" if miss.found and miss.found.read else ""
    layout = "" if miss.layout in miss.sample else f" {miss.layout[:10]}"
    return f"{miss.sample[-30:]}{layout} {miss.field}: {match}{read}"


def _fitted(crop: Pixels, most: tuple[int, int]) -> Image.Image:
    picture = Image.fromarray(crop)
    scale = min(most[0] / picture.width, most[1] / picture.height)
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    return picture.resize(size, Image.Resampling.LANCZOS)


def _encoded(picture: Image.Image) -> bytes:
    """As fine as fits: first coarser JPEG, then half the size."""
    while True:
        for quality in QUALITIES:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, optimize=True)
            if len(buffer.getvalue()) < MOST_BYTES:
                return buffer.getvalue()
        picture = picture.resize((picture.width // 2, picture.height // 2))
