"""Drawn lines with numbers in them, and what a reader of digits should answer to each."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from models.strips.capturing import by_scanner, captured_strip
from models.strips.faces import (
    ARABIC_INDIC,
    LATIN,
    LETTERS,
    PERSIAN,
    WESTERN,
    Face,
)
from models.strips.printing import Piece, printed
from models.strips.training import Example

CLASSES = "0123456789-/., x"
"""``x`` is all that is neither digit nor sign of a date up to the next of those: letters, words,
colons and the spaces at them. A digit stands for its value in every script."""
OTHER = "x"
SCRIPT_SHARES = {ARABIC_INDIC: 0.5, PERSIAN: 0.17, WESTERN: 0.33}
SHAPE_SHARES = {"national": 0.34, "date": 0.33, "any": 0.25, "letters": 0.04, "passport": 0.04}
LABELS = (
    "الرقم الوطني", "الرقم", "رقم القيد", "تاريخ الولادة", "محل وتاريخ الولادة", "تاريخ المنح",
    "الاسم", "محل ورقم القيد", "الرقم المتسلسل", "تاريخ التسجيل", "تاريخ النفاذ", "رقم الجواز",
    "دمشق", "حلب", "دير الزور", "هـ", "م", "No", "Date of birth", "National number", "ID",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mix:
    """What the lines of a stretch are like."""

    doubled: float
    """Share of the numbers that repeat digits."""
    of_zeros: float
    """Share of the numbers that begin with a zero and hold many."""
    well_scanned: float
    """Share of the lines that a scanner in order gives."""


ANY_PRINT = Mix(doubled=0.3, of_zeros=0.0, well_scanned=0.0)
SCANS = Mix(doubled=0.5, of_zeros=0.3, well_scanned=0.65)


def example(faces: list[Face], rng: np.random.Generator, mix: Mix = ANY_PRINT) -> Example:
    """A line with a number set in one of the faces."""
    script = str(rng.choice(list(SCRIPT_SHARES), p=list(SCRIPT_SHARES.values())))
    able = [face for face in faces if script in face.digits]
    if not able:
        able = faces
    weights = np.array([face.weight for face in able])
    face = able[int(rng.choice(len(able), p=weights / weights.sum()))]
    if script not in face.digits:
        script = face.digits[0]
    shape = str(rng.choice(list(SHAPE_SHARES), p=list(SHAPE_SHARES.values())))
    number = _number(shape, mix, rng)
    darkness = float(rng.uniform(0.75, 1))
    pieces = _set(number, script, face, faces, darkness, rng)
    if shape in ("letters", "passport") or rng.random() < 0.55:
        pieces = _labelled(pieces, face, faces, rng)
    line = printed(pieces, rng)
    is_scan = mix.well_scanned > 0 and rng.random() < mix.well_scanned
    strip = captured_strip(line, rng, by_scanner if is_scan else None)
    return Example(strip.pixels, answer(pieces), face.name, shape)


def answer(pieces: list[Piece]) -> str:
    """What the pieces should be read as: words, signs and the spaces at them are one OTHER."""
    out = ""
    for piece in pieces:
        if not piece.text:
            out += "" if out.endswith(" ") or not out else " "
        elif _value(piece.text[0]) is not None:
            out += "".join(str(_value(c)) for c in piece.text)
        else:
            out += piece.text if piece.text in "-/.," else OTHER
    return re.sub(f" ?{OTHER}[{OTHER} ]*", OTHER, out).strip()


def _value(digit: str) -> int | None:
    for script in (ARABIC_INDIC, PERSIAN, WESTERN):
        if digit in script:
            return script.index(digit)
    return None


def _number(shape: str, mix: Mix, rng: np.random.Generator) -> str:
    """From left to right as it is seen."""
    if shape == "national":
        return _digits(11, mix, rng)
    if shape == "passport":
        return _digits(int(rng.integers(6, 10)), mix, rng)
    if shape == "letters":
        return ""
    if shape == "date":
        day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1920, 2036)
        two = rng.random() < 0.5
        parts = [
            f"{day:02d}" if two else str(day),
            f"{month:02d}" if two else str(month),
            str(year),
        ]
        mark = str(rng.choice(list("-/.,"), p=[0.45, 0.35, 0.17, 0.03]))
        return mark.join(parts if rng.random() < 0.5 else parts[::-1])
    out = _digits(int(rng.integers(1, 15)), mix, rng)
    for _ in range(int(rng.integers(0, 3))):
        at = int(rng.integers(0, len(out) + 1))
        mark = str(rng.choice(list("-/., "), p=[0.3, 0.25, 0.2, 0.1, 0.15]))
        out = out[:at] + mark + out[at:]
    return " ".join(out.split())


def _digits(count: int, mix: Mix, rng: np.random.Generator) -> str:
    digits = rng.integers(0, 10, count)
    if mix.of_zeros > 0 and rng.random() < mix.of_zeros:
        digits[rng.random(count) < 0.3] = 0
        digits[0] = 0
    if rng.random() < mix.doubled:
        # Doubled digits are where a reader that goes by frames may lose one.
        repeat = rng.random(count) < 0.4
        for at in range(1, count):
            if repeat[at]:
                digits[at] = digits[at - 1]
    return "".join(str(d) for d in digits)


def _set(
    number: str,
    script: str,
    face: Face,
    faces: list[Face],
    darkness: float,
    rng: np.random.Generator,
) -> list[Piece]:
    """The number as pieces: its digits one run, its signs from a face that has them."""
    spare = [other for other in faces if set("-/.,") <= set(other.signs)]
    looser = float(rng.uniform(0, 0.18)) if rng.random() < 0.2 else 0.0
    around = float(rng.uniform(0, 0.14)) if rng.random() < 0.4 else 0.0
    pieces: list[Piece] = []
    run = ""
    for character in number + "\n":
        if character.isdigit():
            run += script[int(character)]
            if looser and character != "\n":
                pieces.append(Piece(run, face, darkness, looser))
                run = ""
            continue
        if run:
            pieces.append(Piece(run, face, darkness, around))
            run = ""
        if character == " ":
            pieces.append(Piece("", face, gap_em=float(rng.uniform(0.26, 0.7))))
        elif character != "\n":
            able = face if character in face.signs or not spare else (
                spare[int(rng.integers(len(spare)))])  # fmt: skip
            pieces.append(Piece(character, able, darkness, around))
    return pieces


def _labelled(
    number: list[Piece], face: Face, faces: list[Face], rng: np.random.Generator
) -> list[Piece]:
    """The number with words and a colon on one side of it or both."""
    arabic = [other for other in faces if other.has_letters]
    latin = [other for other in faces if other.has_latin]
    out = number
    for side in ("right", "left"):
        chance = 0.85 if side == "right" else 0.25
        if out and rng.random() > chance:
            continue
        is_arabic = rng.random() < (0.85 if side == "right" else 0.5)
        able = arabic if (is_arabic and arabic) or not latin else latin
        own = (face.has_letters if able is arabic else face.has_latin) and rng.random() < 0.7
        chosen = face if own else able[int(rng.integers(len(able)))]
        label = _label(able is arabic, chosen, rng)
        gap = Piece("", face, gap_em=float(rng.uniform(0.22, 1.0) if rng.random() < 0.85 else 2.2))
        out = [*out, gap, *label] if side == "right" else [*label, gap, *out]
    return out


def _label(is_arabic: bool, face: Face, rng: np.random.Generator) -> list[Piece]:
    """Words as they are seen from left to right, the colon at the number's side or none."""
    darkness = float(rng.uniform(0.5, 1))
    known = [label for label in LABELS if (label[0] in LETTERS) == is_arabic]
    if rng.random() < 0.4:
        words = known[int(rng.integers(len(known)))].split()
    else:
        alphabet = LETTERS if is_arabic else LATIN
        words = ["".join(rng.choice(list(alphabet), int(rng.integers(1, 8))))
                 for _ in range(int(rng.integers(1, 4)))]  # fmt: skip
    words = words[::-1] if is_arabic else words
    pieces: list[Piece] = []
    for word in words:
        if pieces:
            pieces.append(Piece("", face, gap_em=float(rng.uniform(0.2, 0.4))))
        pieces.append(Piece(word, face, darkness))
    if rng.random() < 0.6 and ":" in face.signs:
        colon = Piece(":", face, darkness)
        gap = [Piece("", face, gap_em=float(rng.uniform(0.2, 0.4)))] if rng.random() < 0.4 else []
        pieces = [colon, *gap, *pieces] if is_arabic else [*pieces, *gap, colon]
    return pieces
