"""Small valid pictures of every format, to be damaged."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def pictures() -> dict[str, bytes]:
    """Files of one coloured picture by name, each made by another encoder or option."""
    shades = np.random.default_rng(5).integers(0, 256, (6, 8, 3), np.uint8)
    colour = Image.fromarray(np.kron(shades, np.ones((8, 8, 1), np.uint8)))
    exif = Image.Exif()
    exif[271], exif[274], exif[282] = "Canon", 6, 300.0
    second = colour.transpose(Image.Transpose.ROTATE_180)
    made: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
        "jpeg": (colour, "JPEG", {"exif": exif, "dpi": (300, 300)}),
        "progressive": (colour, "JPEG", {"progressive": True}),
        "cmyk": (colour.convert("CMYK"), "JPEG", {}),
        "png": (colour, "PNG", {"exif": exif, "dpi": (300, 300)}),
        "palette": (colour.quantize(8), "PNG", {}),
        "tiff": (colour, "TIFF", {"compression": "tiff_lzw"}),
        "fax": (colour.convert("1"), "TIFF", {"compression": "group4"}),
        "bigtiff": (colour.convert("L"), "TIFF", {"big_tiff": True}),
        "pages": (colour, "TIFF", {"save_all": True, "append_images": [second]}),
    }
    files = {}
    for name, (picture, kind, options) in made.items():
        out = io.BytesIO()
        picture.save(out, kind, **options)
        files[name] = out.getvalue()
    return files
