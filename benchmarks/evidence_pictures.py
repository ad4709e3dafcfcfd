"""Draws the pictures of ``docs/capture.md``: one document captured in six ways, and what speaks.

``python -m benchmarks.evidence_pictures [--out docs/capture]``; the same pictures every time.
"""

from __future__ import annotations

import argparse
import io
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
from PIL import Image, ImageDraw, ImageFont

from docqa.overlay import draw_regions, find_page, picture
from docqa.pipeline import inspect
from docqa.report import to_json
from docqa.settings import Settings
from docqa.wiring import load_engine
from fixtures.synthesize.camera import app_crop, photograph, photograph_screen
from fixtures.synthesize.pages import civil_extract
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan

SEED = 61
PICTURE_PX = 560
PANEL_PX = 430
JPEG_QUALITY = 72
_RGB = {"accept": (24, 128, 56), "review": (196, 112, 0), "reject": (200, 30, 30)}


def captures() -> Mapping[str, bytes]:
    """One civil extract as a scanner, a copier in two levels, a camera and others give it."""
    drawing = civil_extract(person(SEED), seed=SEED, ppi=200)
    rendered = io.BytesIO()
    Image.fromarray(drawing.pixels).save(rendered, "PNG")
    return {
        "scanner": scan(drawing, seed=SEED, ppi=200, skew_deg=0.4).data,
        "two-levels": scan(
            drawing, seed=SEED, ppi=200, skew_deg=0.4, bilevel=True, format="png", density_tag=False
        ).data,
        "camera": photograph(drawing, seed=SEED).data,
        "app": app_crop(drawing, seed=SEED, width_px=1500).data,
        "screen": photograph_screen(drawing, seed=SEED).data,
        "program": rendered.getvalue(),
    }


def drawn(name: str, report: Mapping[str, Any], page: Image.Image) -> Image.Image:
    """The page with its regions, and beside it the probability and the evidence in words."""
    page_report = report["pages"][0]
    reasons = [r for r in report["verdict"]["reasons"] if r["measure"] == "capture"]
    draw_regions(page, page_report, reasons)
    page.thumbnail((PICTURE_PX, PICTURE_PX))
    sheet = Image.new("RGB", (page.width + PANEL_PX, max(page.height, PICTURE_PX)), "white")
    sheet.paste(page, (0, 0))
    canvas = ImageDraw.Draw(sheet)
    capture = page_report["measures"]["capture"]
    probability = capture["outputs"]["scanner_probability"]
    decision = reasons[0]["decision"] if reasons else "accept"
    left, top = page.width + 16, 14
    title, text = ImageFont.load_default(24), ImageFont.load_default(17)
    canvas.text((left, top), f"{name}: {decision}", fill=_RGB[decision], font=title)
    top += 40
    canvas.text((left, top), f"probability of a scanner {probability:.2f}", fill="black", font=text)
    top += 36
    for told in capture["evidence"]:
        for number, line in enumerate(textwrap.wrap(told["en"], 44)):
            bullet = "-" if number == 0 else " "
            canvas.text((left, top), f"{bullet} {line}", fill="black", font=text)
            top += 23
        top += 6
    return sheet


def main() -> None:
    """Judge each capture and write its picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("docs/capture"))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    engine = load_engine(Settings())
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, data in captures().items():
        found = inspect(data, engine=engine, document_type="civil-extract")
        report = to_json(found, engine.catalogue)
        page = find_page(data, 1, limits=engine.limits, renderer=None)
        sheet = drawn(name, report, picture(page, max_side_px=2 * PICTURE_PX))
        sheet.save(arguments.out / f"{name}.jpg", quality=JPEG_QUALITY)
        print(name, report["verdict"]["decision"])


if __name__ == "__main__":
    main()
