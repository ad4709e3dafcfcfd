"""Remake ``model.json``: which turn of a page's stroke patterns is the upright one.

    python models/orientation/train.py

It learns from drawn text only: invented prose, words, numbers and forms in Arabic, Latin and
Cyrillic letters, in every text font that Debian's packages give, and simulated scans of the
invented documents of ``fixtures/synthesize``. It prints how it does on fonts it has not seen.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from docqa.analysis.stroke_patterns import PATTERNS_COUNT, SPACINGS_PX, stroke_patterns, turned
from docqa.page import Pixels, page_from_pixels
from fixtures.synthesize.cards import id_back, id_front
from fixtures.synthesize.pages import civil_extract
from fixtures.synthesize.passport import passport_page
from fixtures.synthesize.people import person
from fixtures.synthesize.prose import PARAGRAPHS
from fixtures.synthesize.scanner import scan
from fixtures.synthesize.typesetting import arabic_indic

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

SEED = 20_261
PAGES = 6000
DOCUMENTS = 480
MOST_RAGGED_UM = 20.0
"""Of the print of a simulated scan: from exact to somewhat more ragged than that of real ones."""
RIDGE = 1e-5
STEPS = 250
CLUTTERED_FRACTION = 0.2
WORN_FRACTION = 0.35
FONT_ROOT = Path("/usr/share/fonts")
ARABIC_FONTS = ("Amiri-*", "AmiriQuran.ttf", "kacst/*.ttf", "NotoNaskhArabic-*",
                "NotoSansArabic-*", "NotoKufiArabic-*", "Scheherazade-*", "DejaVuSans.ttf",
                "DejaVuSans-Bold.ttf")  # fmt: skip
LAYOUTS = ("prose", "form", "table", "answers")
LAYOUT_SHARES = (0.4, 0.25, 0.2, 0.15)
LATIN_FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf",
               "DejaVuSansMono-Bold.ttf", "DejaVuSerif.ttf", "DejaVuSerif-Bold.ttf",
               "Liberation*", "NotoSans-*", "NotoSerif-*", "NotoSansMono-*",
               "NotoSerifDisplay-*")  # fmt: skip
NO_TEXT_FONTS = ("KacstPoster.ttf", "KacstTitle.ttf", "KacstTitleL.ttf", "KacstDecorative.ttf")
CYRILLIC = (
    "В чащах юга жил бы цитрус? Да, но фальшивый экземпляр! Съешь же ещё этих мягких французских"
    " булок, да выпей чаю. Прошу назначить новый день приёма и сохранить за мной место в очереди;"
    " все бумаги приложены к этому письму и подписаны."
)
ACCENTED = (
    "Le jardin près de la préfecture était fermé à cause des travaux. Größere Umschläge müssen"
    " über den Flur gebracht werden. El año pasado la señora entregó la solicitud mañana y tarde."
)


@dataclass(frozen=True, slots=True)
class Example:
    """The stroke patterns of one upright page."""

    patterns: Floats
    font: str


def main() -> None:
    """Train on all pages, report on held-out fonts, and write ``model.json`` beside this file."""
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    cv2.setNumThreads(1)
    examples = [*drawn(), *documents()]
    print(f"{len(examples)} upright pages", flush=True)
    weights = train(examples)
    model = {
        "spacings_px": list(SPACINGS_PX),
        "weights": np.round(weights, 2).reshape(len(SPACINGS_PX), -1).tolist(),
        "trained": {"seed": SEED, "pages": len(examples)},
    }
    text = json.dumps(model).replace("], [", "],\n [") + "\n"
    Path(__file__).with_name("model.json").write_text(text, encoding="utf-8")
    report(examples)


def drawn() -> Iterator[Example]:
    """Pages of drawn text, the same every time."""
    rng = np.random.default_rng(SEED)
    arabic, latin = _fonts(ARABIC_FONTS), _fonts(LATIN_FONTS)
    for _ in range(PAGES):
        kind = str(rng.choice(["arabic", "latin", "cyrillic"], p=[0.5, 0.4, 0.1]))
        fonts = arabic if kind == "arabic" else latin
        font = fonts[int(rng.integers(len(fonts)))]
        shares = _patterns(_captured(_text_page(kind, font, rng), rng), rng)
        if shares is not None:
            yield Example(shares, f"{kind} {font.name}")


def documents() -> Iterator[Example]:
    """Scans of the invented forms and cards."""
    rng = np.random.default_rng(SEED + 1)
    makers = (id_front, id_back, passport_page, civil_extract)
    for seed in range(DOCUMENTS):
        for maker in makers:
            ppi = int(rng.choice([150, 200, 300]))
            bed = "page" if maker is civil_extract or rng.random() < 0.4 else "a4"
            turn = float(rng.normal(0, 2))
            drawing = maker(person(seed), seed=seed, ppi=300)
            capture = scan(
                drawing,
                seed=seed,
                ppi=ppi,
                skew_deg=turn,
                bed=bed,  # type: ignore[arg-type]  # one of Bed
                grey=True,
                raggedness_um=float(rng.uniform(0, MOST_RAGGED_UM)),
            )
            shares = _patterns(capture.pixels, rng)
            if shares is not None:
                yield Example(shares, maker.__name__)


def _patterns(upright: Pixels, rng: np.random.Generator) -> Floats | None:
    """The patterns of an upright page, taken while it lies in any of four ways, and turned back.

    Whatever the way of taking them favours evens out.
    """
    turns = int(rng.integers(4))
    lying = np.ascontiguousarray(np.rot90(upright, -turns))
    found = stroke_patterns(page_from_pixels(lying))
    if found is None:
        return None
    shares = found.shares
    for _ in range(-turns % 4):
        shares = turned(shares)
    return shares


def train(examples: list[Example]) -> Singles:
    """Weights of a softmax over the four turns: the upright one should score highest.

    One weight vector scores all four turns of the histograms, so what holds for one turn holds for
    all. Accelerated gradient descent on the ridge-penalised mean log loss, which is convex.
    """
    turns = _turns(examples)
    flat = (turns[:, 1:] - turns[:, :1]).reshape(-1, turns.shape[2])
    rate = 4.0 / float((flat**2).sum(axis=1).mean())
    weights = ahead = np.zeros(flat.shape[1], np.float32)
    for step in range(STEPS):
        share = np.exp(np.clip(flat @ ahead, -40, 40)).reshape(-1, 3)
        share /= 1 + share.sum(axis=1, keepdims=True)
        slope = share.ravel() @ flat / len(turns) + RIDGE * ahead
        following = (ahead - rate * slope).astype(np.float32)
        ahead = following + np.float32(step / (step + 3)) * (following - weights)
        weights = following
    return weights


def report(examples: list[Example]) -> None:
    """Print accuracy and the least upright probability, a quarter of the fonts held out in turn."""
    names = sorted({e.font for e in examples})
    right: dict[str, list[float]] = {}
    for fold in range(4):
        held = set(names[fold::4])
        weights = train([e for e in examples if e.font not in held])
        judged = [e for e in examples if e.font in held]
        scores = _turns(judged) @ weights
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        for example, upright in zip(judged, share[:, 0], strict=True):
            right.setdefault(example.font, []).append(float(upright))
    for name, listed in sorted(right.items()):
        p = np.array(listed)
        print(f"{name:44} {p.size:4} right {np.mean(p > 0.5):.3f}  least {p.min():.3f}")
    p = np.concatenate([np.array(listed) for listed in right.values()])
    print(f"all {p.size} right {np.mean(p > 0.5):.4f} under 0.1: {np.sum(p < 0.1)}")


def _turns(examples: list[Example]) -> Singles:
    """(N, 4, spacings * 512): each page as it is and turned back by 90, 180, 270 degrees."""
    out = np.empty((len(examples), 4, len(SPACINGS_PX) * PATTERNS_COUNT), np.float32)
    for index, example in enumerate(examples):
        patterns = example.patterns
        for turn in (0, 3, 2, 1):
            out[index, turn] = patterns.ravel()
            patterns = turned(patterns)
    return out


def _fonts(globs: tuple[str, ...]) -> list[Path]:
    found = sorted({p for glob in globs for p in FONT_ROOT.rglob(glob) if p.suffix in
                    (".ttf", ".otf") and p.name not in NO_TEXT_FONTS})  # fmt: skip
    if not found:
        raise SystemExit("no fonts: apt-get install fonts-dejavu fonts-liberation fonts-hosny-amiri"
                         " fonts-kacst fonts-noto-core fonts-sil-scheherazade")  # fmt: skip
    return found


def _text_page(kind: str, path: Path, rng: np.random.Generator) -> Pixels:
    """Prose, labels and values, a table, or rows of answers to mark, at a random size."""
    em = int(np.exp(rng.uniform(np.log(9), np.log(56))))
    font = ImageFont.truetype(str(path), em, layout_engine=ImageFont.Layout.RAQM)
    width, height = int(rng.integers(18, 70)) * em, int(rng.integers(8, 60)) * em
    width, height = min(max(width, 400), 1600), min(max(height, 400), 1600)
    image = Image.new("L", (width, height), 255)
    draw = ImageDraw.Draw(image)
    layout = str(rng.choice(LAYOUTS, p=LAYOUT_SHARES))
    if layout == "answers":
        _answers(draw, (width, height), font, rng)
        return np.array(image)
    words = _words(kind, rng, layout)
    rtl = kind == "arabic"
    pitch = em * rng.uniform(1.6, 2.4) if rtl else em * rng.uniform(1.15, 2.0)
    columns = {"prose": 1, "form": 2, "table": int(rng.integers(3, 9))}[layout]
    across = (width - 2 * em) / columns
    filled = 1.0 if layout == "prose" else float(rng.uniform(0.3, 0.9))
    ruled = layout == "table" and rng.random() < 0.6
    y = float(em)
    while y < height - 2 * em:
        for column in range(columns):
            line = _line(words, font, across * filled - em / 2, rng)
            start = em + column * across
            x, anchor = (width - start, "rs") if rtl else (start, "ls")
            draw.text((x, y + em), line, fill=int(rng.integers(0, 90)), font=font, anchor=anchor,
                      direction="rtl" if rtl else "ltr")  # fmt: skip
        if ruled:
            draw.line(
                (em / 2, y + 1.4 * em, width - em / 2, y + 1.4 * em), fill=60, width=em // 16 + 1
            )
        y += pitch * (2 if rng.random() < 0.1 else 1)
    for column in range(columns + 1) if ruled else ():
        x = em / 2 + column * across
        draw.line((x, em, x, y), fill=60, width=em // 16 + 1)
    if rng.random() < CLUTTERED_FRACTION:
        _clutter(draw, (width, height), em, rng)
    return np.array(image)


def _line(
    words: list[str], font: ImageFont.FreeTypeFont, room: float, rng: np.random.Generator
) -> str:
    """Words until the room is full; at least one."""
    line = words[int(rng.integers(len(words)))]
    for _ in range(40):
        longer = f"{line} {words[int(rng.integers(len(words)))]}"
        if font.getlength(longer) > room:
            break
        line = longer
    return line


def _answers(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    font: ImageFont.FreeTypeFont,
    rng: np.random.Generator,
) -> None:
    """An answer sheet: letters or digits in circles or boxes, in a dense grid, some filled in."""
    em = int(font.size)
    glyphs = str(rng.choice(["ABCDE", "0123456789", "1234", "TF", "ABCD"]))
    step_x, step_y = em * rng.uniform(1.4, 2.4), em * rng.uniform(1.4, 2.4)
    radius = em * rng.uniform(0.6, 0.7)
    shape = draw.ellipse if rng.random() < 0.7 else draw.rectangle
    by_rows, number = rng.random() < 0.7, 1
    for row, y in enumerate(np.arange(2.0 * em, size[1] - 2 * em, step_y)):
        for column, x in enumerate(np.arange(3.0 * em, size[0] - 2 * em, step_x)):
            place = (column if by_rows else row) % (len(glyphs) + 1)
            if place == 0:
                label = str(number) if by_rows else ""
                draw.text((x, y), label, fill=20, font=font, anchor="mm")
                number += 1
                continue
            full = rng.random() < 0.12
            box = (x - radius, y - radius, x + radius, y + radius)
            shape(box, outline=50, width=em // 14 + 1, fill=30 if full else None)
            draw.text((x, y), glyphs[place - 1], fill=60, font=font, anchor="mm")


def _clutter(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], em: int, rng: np.random.Generator
) -> None:
    """Rows of answer boxes or the rules of a table over a part of the page: they lie on their
    sides as they stand, and must not pass for writing.
    """
    left, top = (int(rng.uniform(0, 0.5) * side) for side in size)
    right, bottom = (int(rng.uniform(0.6, 1.0) * side) for side in size)
    across, down = (int(rng.uniform(0.6, 3.0) * em) for _ in range(2))
    shape = str(rng.choice(["circle", "box", "rules"]))
    if shape != "rules":
        draw.rectangle((left, top, right, bottom), fill=255)
        across = max(across, em)
        down = max(down, em)
    wide, tall = (int(em * rng.uniform(0.3, 0.95)) for _ in range(2))
    stroke = max(em // 16, 1)
    for y in range(top, bottom, down):
        if shape == "rules":
            draw.line((left, y, right, y), fill=60, width=stroke)
            continue
        for x in range(left, right, across):
            kind = draw.ellipse if shape == "circle" else draw.rectangle
            box = (x, y, x + (tall if shape == "circle" else wide), y + tall)
            kind(box, outline=40, width=stroke, fill=30 if rng.random() < 0.25 else None)
    if shape == "rules":
        for x in range(left, right, 3 * across):
            draw.line((x, top, x, bottom), fill=60, width=stroke)


def _words(kind: str, rng: np.random.Generator, layout: str) -> list[str]:
    texts = {"arabic": PARAGRAPHS["arabic"], "latin": (*PARAGRAPHS["latin"], ACCENTED),
             "cyrillic": (CYRILLIC,)}[kind]  # fmt: skip
    words = " ".join(texts).split()
    numbers = ["".join(map(str, rng.integers(0, 10, int(rng.integers(1, 9))))) for _ in range(20)]
    if kind == "arabic" and rng.random() < 0.6:
        numbers = [arabic_indic(number) for number in numbers]
    words += numbers * int(rng.integers(0, 30 if layout == "table" else 3))
    style = rng.random()
    if kind != "arabic" and style < 0.2:
        return [word.upper() for word in words]
    if kind != "arabic" and style < 0.35:
        return [word.title() for word in words]
    return words


def _captured(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned a little, blurred, noisy, sometimes cut to black and white, through JPEG."""
    if rng.random() < WORN_FRACTION:
        page = _worn(page, rng)
    height, width = page.shape
    angle = float(rng.normal(0, 2)) if rng.random() < 0.8 else float(rng.uniform(-14, 14))
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    out = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255,))
    if rng.random() < 0.8:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.4, 2.2)))
    noisy = out.astype(np.float32) * float(rng.uniform(0.7, 1.0))
    noisy += rng.normal(0, rng.uniform(0.5, 8), noisy.shape).astype(np.float32)
    out = np.clip(noisy, 0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        out = np.where(out < rng.uniform(90, 170), 0, 255).astype(np.uint8)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))]
    coded = cv2.imencode(".jpg", out, quality)[1]
    return cast("Pixels", cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def _worn(page: Pixels, rng: np.random.Generator) -> Pixels:
    """Strokes bent as by hand, thickened or thinned as by a photocopier or typewriter.

    Bends go all ways alike, so that they are no sign of the way up.
    """
    height, width = page.shape
    bend = float(rng.uniform(0.0, 1.2))
    coarse = rng.normal(0, bend, (2, height // 12 + 2, width // 12 + 2)).astype(np.float32)
    right, down = (cv2.resize(shift, (width, height), interpolation=cv2.INTER_CUBIC)
                   for shift in coarse)  # fmt: skip
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bent = cv2.remap(page, x + right, y + down, cv2.INTER_LINEAR, borderValue=(255,))
    element = np.ones((2, 2), np.uint8)
    style = rng.random()
    if style < 0.3:
        bent = cv2.erode(bent, element)
    elif style < 0.5:
        bent = cv2.dilate(bent, element)
    return cast("Pixels", bent)


if __name__ == "__main__":
    main()
