"""Writes ``docs/accuracy.md``: each target that was missed, by how much, and the worst cases.

``python -m benchmarks.accuracy.worst_pictures [--corpus DIR]`` takes the figures from
``benchmarks/results/accuracy.json``. Synthesized cases are made again and drawn. Of a corpus, whose
files are not ours to show, only the labelled and the found outline are drawn, on an empty frame,
and values are listed; without a corpus those are left out and the page says so.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.accuracy.blur import SCRIPTS, true_ladder
from benchmarks.accuracy.blur_ladders import Blurred, crops
from benchmarks.accuracy.corners import TARGETS, found_corners, jaccard, labelled
from benchmarks.accuracy.figures import Figure, Floats
from benchmarks.accuracy.inputs import Options, corpus_files, first_page, taken
from benchmarks.accuracy.reading import SHEET_NAME
from docqa.errors import CannotAssess
from docqa.page import Polygon

REASONS: Path = Path(__file__).with_name("missed.json")
"""Part and start of a figure's name -> why its target is missed, by a person who looked."""
WORST_BLURS = 6
PICTURE_WIDTH_PX = 640
JPEG_QUALITY = 70
SVG_SIDE = 320
READ_GROUPS = ("Fronts: ", "Extracts: ")
"""Starts of the reading part's notes that tell what became of the claims."""
RED, GREEN = (200, 30, 30), (24, 128, 56)
_BLUR_NAME = re.compile(r"true-(latin|arabic)-(\d\d)-\S+?\.jpg")


@dataclass(frozen=True, slots=True)
class Missed:
    """A figure under its target."""

    part: str
    figure: Figure

    def distance(self) -> str:
        """How far off it is."""
        figure = self.figure
        if figure.value is None or figure.target is None:
            return "not measured"
        return f"{abs(figure.value - figure.target):.4f}"


def missed(results: Mapping[str, Any]) -> list[Missed]:
    """Every figure whose target was not reached."""
    return [
        Missed(part, Figure(**{key: value for key, value in row.items() if key != "reached"}))
        for part, result in results["parts"].items()
        for row in result["figures"]
        if row["reached"] is False
    ]


def worst_blurs(lines: Iterable[str], options: Options) -> list[Blurred]:
    """The synthesized crops that the lines of the result name, made again."""
    names = [match for line in lines if (match := _BLUR_NAME.search(line))]
    names = names[:WORST_BLURS]
    made: dict[str, Blurred] = {}
    for script in SCRIPTS:
        numbers = {int(match[2]) for match in names if match[1] == script}
        for number, crop in enumerate(islice(crops(script, 1 + max(numbers, default=-1)), None)):
            if number in numbers:
                made |= {sample.path.name: sample for sample in true_ladder(crop, number, options)}
    return [made[match[0]] for match in names if match[0] in made]


def blur_picture(sample: Blurred) -> Image.Image:
    """The crop with the tile that was found most blurred, and truth and measure under it."""
    truth = sample.sigma_px / sample.crop.stroke_px
    image = Image.open(sample.path).convert("RGB")
    canvas = ImageDraw.Draw(image)
    said = f"true blur {truth:.2f} stroke widths ({sample.kind or 'none'})"
    try:
        found = taken("blur")(first_page(sample.path))
    except CannotAssess as refusal:
        told = f"docqa: not assessed, {refusal}"
    else:
        for region in found.regions:
            canvas.polygon(region.polygon, outline=RED, width=4)
        told = (
            f"docqa: {found.blur_ratio:.2f}; strokes of {found.stroke_width_px:.1f} px, "
            f"truly {sample.crop.stroke_px:.1f} px"
        )
    image.thumbnail((PICTURE_WIDTH_PX, PICTURE_WIDTH_PX))
    return _captioned(image, ((said, GREEN), (told, RED)))


def _captioned(
    image: Image.Image, lines: tuple[tuple[str, tuple[int, int, int]], ...]
) -> Image.Image:
    sheet = Image.new("RGB", (image.width, image.height + 26 * len(lines) + 8), "white")
    sheet.paste(image, (0, 0))
    canvas, font = ImageDraw.Draw(sheet), ImageFont.load_default(17)
    for number, (line, colour) in enumerate(lines):
        canvas.text((8, image.height + 4 + 26 * number), line, fill=colour, font=font)
    return sheet


def schematic(size: tuple[int, int], truth: Floats, found: Polygon | None) -> str:
    """An SVG of an empty frame with the labelled outline in green and the found one in red."""
    scale = SVG_SIDE / max(size)
    width, height = (round(side * scale) for side in size)
    quads = [_svg_quad(truth * scale, GREEN, "6 4")]
    if found is not None:
        quads.append(_svg_quad(np.array(found) * scale, RED, "none"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-20 -20 {width + 40} {height + 40}" '
        f'width="{width + 40}" height="{height + 40}">'
        f'<rect width="{width}" height="{height}" fill="#f4f4f4" stroke="#999"/>'
        f"{''.join(quads)}</svg>\n"
    )


def _svg_quad(corners: Floats, colour: tuple[int, int, int], dashes: str) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    stroke = "#{:02x}{:02x}{:02x}".format(*colour)
    return (
        f'<polygon points="{points}" fill="none" stroke="{stroke}" stroke-width="2" '
        f'stroke-dasharray="{dashes}"/>'
    )


def _blur_section(results: Mapping[str, Any], out: Path) -> list[str]:
    lines = ["Worst of the synthesized crops (the red frame is the tile found most blurred):", ""]
    with tempfile.TemporaryDirectory(prefix="docqa-worst-") as scratch:
        options = Options(None, Path(scratch))
        for sample in worst_blurs(results["parts"]["blur"]["worst"], options):
            name = f"{sample.path.stem}.jpg"
            blur_picture(sample).save(out / "accuracy" / name, quality=JPEG_QUALITY)
            lines.append(f"![{sample.path.stem}](accuracy/{name})\n")
    return lines


def _corners_section(corpus: Path, out: Path) -> list[str]:
    lines = [
        "Green and dashed: the label. Red: what docqa found. The photographs are not ours to show.",
        "", "| photograph | Jaccard | worst corner, parts of the frame's longer side | outlines |",
        "|---|--:|--:|---|",
    ]  # fmt: skip
    options = Options(corpus, Path())
    rows = []
    for path, truth in labelled(options).items():
        found = found_corners(path)
        rows.append((jaccard(found, truth), path, truth, found))
    below = [row for row in rows if row[0] < TARGETS["real"]]
    for number, (score, path, truth, found) in enumerate(sorted(below, key=lambda row: row[0])):
        page = first_page(path)
        size = (page.width_px, page.height_px)
        name = f"corners-{number + 1}.svg"
        (out / "accuracy" / name).write_text(schematic(size, truth, found), encoding="utf-8")
        off = "no answer" if found is None else f"{_worst_corner(truth, found) / max(size):.3f}"
        lines.append(f"| {path.name} | {score:.3f} | {off} | ![outlines](accuracy/{name}) |")
    rest = [score for score, *_ in rows if score >= TARGETS["real"]]
    lines += ["", f"The other {len(rest)} photographs have a mean of {np.mean(rest):.4f}."]
    return lines


def _worst_corner(truth: Floats, found: Polygon) -> float:
    """Distance of the worst corner, whichever corner the list starts with."""
    quad = np.array(found)
    turns = [np.hypot(*(np.roll(quad, turn, axis=0) - truth).T).max() for turn in range(4)]
    return float(min(turns))


def _clean_section(results: Mapping[str, Any], names: list[str], corpus: Path | None) -> list[str]:
    """Scores below 70 of the measures that missed, with the values behind them."""
    by_name = {file.path.name: file.path for file in corpus_files(corpus)}
    lines = ["| measure | score | file | values |", "|---|--:|---|---|"]
    for line in results["parts"]["clean_scans"]["worst"]:
        judged = re.fullmatch(r"(\w+) (\d+): (.+)", line)
        if judged is None or judged[1] not in names:
            continue
        path = by_name.get(judged[3])
        values = "" if path is None else _values(judged[1], path)
        lines.append(f"| {judged[1]} | {judged[2]} | {judged[3]} | {values} |")
    return lines


def _reading_section(results: Mapping[str, Any], pictures: Path, out: Path) -> list[str]:
    """How the true claims of each field ended, what was read instead, and all lines not confirmed.

    The lines are drawn documents' own: nobody's data.
    """
    notes = [note for note in results["parts"]["reading"]["notes"] if note.startswith(READ_GROUPS)]
    lines = ["| document | field | true claims | read instead |", "|---|---|---|---|"]
    for note in notes:
        group, field, told = note.split(": ", 2)
        ended, _, instead = told.partition(". Read instead: ")
        lines.append(f"| {group} | {field} | {ended} | {instead or '–'} |")
    lines.append("")
    if (pictures / SHEET_NAME).is_file():
        shutil.copyfile(pictures / SHEET_NAME, out / "accuracy" / SHEET_NAME)
        lines += [f"![the lines that were not confirmed](accuracy/{SHEET_NAME})", ""]
    return lines


def _values(measure: str, path: Path) -> str:
    """The numbers that a measure gives for a file."""
    try:
        found = taken(measure)(first_page(path))
    except CannotAssess as refusal:
        return f"not assessed: {refusal}"
    named = ((name, getattr(found, name)) for name in found.__dataclass_fields__)
    return ", ".join(
        f"{name} {value:.3g}"
        for name, value in named
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    )


def _table(rows: list[Missed]) -> list[str]:
    return [
        "| part | figure | n | target | measured | off by |",
        "|---|---|--:|--:|--:|--:|",
        *(
            f"| {row.part} | {row.figure.name} | {row.figure.n} | "
            f"{'≥' if row.figure.better == 'higher' else '≤'} {row.figure.target:g} | "
            f"{'–' if row.figure.value is None else format(row.figure.value, '.4f')} | "
            f"{row.distance()} |"
            for row in rows
        ),
        "",
    ]


def _name(row: Missed) -> str:
    return f"{row.part}/{row.figure.name}"


def _why(rows: list[Missed]) -> list[str]:
    """The explanation of each figure, each once."""
    reasons: dict[str, str] = json.loads(REASONS.read_text(encoding="utf-8"))
    said = [
        next(
            (why for key, why in reasons.items() if _name(row).startswith(key)),
            f"`{row.figure.name}`: nobody has looked into it yet.",
        )
        for row in rows
    ]
    return [f"{why}\n" for why in dict.fromkeys(said)]


def page(results: Mapping[str, Any], pictures: Path, out: Path, corpus: Path | None) -> str:
    """The whole page; writes its pictures into ``out / "accuracy"``.

    ``pictures`` is the folder in which the parts left theirs.
    """
    rows = missed(results)
    parts = list(dict.fromkeys(row.part for row in rows))
    lines = [
        "# Targets that are not reached", "",
        f"{len(rows)} figures of [accuracy.md](../benchmarks/results/accuracy.md) miss their "
        "target. By how much, why, and the worst cases. Written by `python -m "
        "benchmarks.accuracy.worst_pictures --corpus DIR`.", "",
        *_table(rows),
    ]  # fmt: skip
    if corpus is None:
        lines += ["Without a corpus: real photographs and scans are left out.", ""]
    for part in parts:
        own = [row for row in rows if row.part == part]
        lines += [f"## {part}", "", *_why(own)]
        if part == "blur":
            lines += _blur_section(results, out)
        elif part == "corners" and corpus is not None:
            lines += _corners_section(corpus, out)
        elif part == "clean_scans":
            names = [row.figure.name.split(":")[0] for row in own]
            lines += _clean_section(results, names, corpus)
        lines.append("")
    lines += ["## What of print is still misread or unread", ""]
    lines += _reading_section(results, pictures, out)
    return "\n".join(lines).rstrip() + "\n"


def main() -> None:
    """Write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--corpus", type=Path, help="folder with manifest.jsonl and its files")
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/accuracy.json"))
    parser.add_argument("--out", type=Path, default=Path("docs"))
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    results = json.loads(arguments.results.read_text(encoding="utf-8"))
    (arguments.out / "accuracy").mkdir(parents=True, exist_ok=True)
    text = page(results, arguments.results.parent, arguments.out, arguments.corpus)
    (arguments.out / "accuracy.md").write_text(text, encoding="utf-8")
    if arguments.corpus is None:
        print("no --corpus: real photographs and scans are left out of docs/accuracy.md")


if __name__ == "__main__":
    main()
