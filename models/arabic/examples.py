"""Drawn lines of Arabic, and what a reader of letters should answer to each.

Half of the words are letters in no order that a language knows, and many of the others are names
with a letter changed: what is printed must decide, not what is likely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.strips.capturing import by_any_device, by_scanner, captured_strip
from models.strips.faces import ARABIC_INDIC, LATIN, LETTERS, PERSIAN, SIGNS, WESTERN, Face
from models.strips.printing import Piece, printed
from models.strips.training import Example

OTHER = "x"
CLASSES = LETTERS + WESTERN + " " + SIGNS + OTHER
"""``x`` is any run of Latin letters. A digit stands for its value in every script."""
WORDS = Path(__file__).with_name("words.txt")
STACKING_FACES = ("Amiri", "Scheherazade")
STACKING_FIRST = "لبتنيمسفحجعهكثشصق"
STACKING_SECOND = "حجخمييىملمحر"
"""Pairs of these are written one above the other where a font has the ligature."""
FINAL_ONLY = "ةى"
INITIAL = "".join(c for c in LETTERS if c not in FINAL_ONLY)
ALIKE = ("بتثني", "جحخ", "دذ", "رز", "سش", "صض", "طظ", "عغ", "فق", "أإآا", "وؤ", "يئى", "هة", "كل",
         "من", "ءا")  # fmt: skip
"""Letters that differ by dots or a small mark."""
LINE_SHARES = {"label": 0.34, "words": 0.44, "number": 0.12, "mixed": 0.1}
MOST_LETTERS = 44
TURNED = {"(": ")", ")": "("}
"""Brackets are printed as seen, and mean the other one in a line that runs from right to left."""
STRAY_FRACTION = 0.12
"""Of the letters of a word that follow no pair of a name."""
MOST_CHAINED = 9


@dataclass(frozen=True, slots=True)
class Mix:
    """What lines are made of."""

    stacking_weight: float
    """Of STACKING_FACES against others."""
    names: float
    """Of 1, the share of words that are a name or place."""
    slipped: float
    """Names with one letter changed."""
    chained: float
    """Words in which letters follow each other as in names; the rest is letters at random."""
    well_scanned: float
    """Share of lines that a scanner took; the others are harder than most scans."""


ANY_PRINT = Mix(2.2, names=0.3, slipped=0.2, chained=0.0, well_scanned=0.0)
SCANS = Mix(5.0, names=0.25, slipped=0.2, chained=0.3, well_scanned=0.65)
"""Where pairs of letters that stand one above the other are as common as in names: among letters at
random most of them are rare, and those that end a word (ني, لي, مي) rarer still."""


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, ...]]:
    """Labels, names and places of ``words.txt``."""
    found: dict[str, list[str]] = {}
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            listed = found.setdefault(line.strip("[]"), [])
        elif line:
            listed += [part.strip() for part in line.split("،")]
    return {name: tuple(listed) for name, listed in found.items()}


@lru_cache(maxsize=1)
def _followers() -> Mapping[str, str]:
    """Every letter that follows a letter in names and places, as often as it does.

    A space stands for the start and the end of a word.
    """
    found: dict[str, str] = defaultdict(str)
    for text in (*_words()["names"], *_words()["places"]):
        for word in text.split():
            for letter, following in zip(" " + word, word + " ", strict=True):
                found[letter] += following
    return found


def example(faces: list[Face], rng: np.random.Generator, mix: Mix = ANY_PRINT) -> Example:
    """A line set in one of the faces, its label perhaps in another."""
    able = [face for face in faces if face.has_letters]
    weights = np.array([
        face.weight * (mix.stacking_weight if face.name.startswith(STACKING_FACES) else 1)
        for face in able
    ])  # fmt: skip
    face = able[int(rng.choice(len(able), p=weights / weights.sum()))]
    kind = str(rng.choice(list(LINE_SHARES), p=list(LINE_SHARES.values())))
    darkness = float(rng.uniform(0.72, 1))
    pieces: list[Piece] = []
    if kind == "label":
        other = able[int(rng.choice(len(able), p=weights / weights.sum()))]
        label = Piece("", face if rng.random() < 0.8 else other, float(rng.uniform(0.5, 1)))
        pieces = _set(_pick("labels", rng), label, rng)
        if rng.random() < 0.85 and ":" in label.face.signs:
            apart = [_space(face, rng)] if rng.random() < 0.4 else []
            pieces = [Piece(":", label.face, label.darkness), *apart, *pieces]
        pieces = [_space(face, rng, wide=True), *pieces]
        kind = "words" if rng.random() < 0.75 else "number"
    value = Piece("", face, darkness)
    if kind == "words":
        pieces = [*_set(_text(rng, mix), value, rng), *pieces]
    elif kind == "number":
        first = _set(_pick("places", rng), value, rng) if rng.random() < 0.4 else []
        gap = [_space(face, rng)] if first else []
        pieces = [*_number(value, faces, rng), *gap, *first, *pieces]
    elif kind == "mixed":
        pieces = _mixed(value, faces, rng, mix)
    line = printed(pieces, rng)
    is_scan = mix.well_scanned > 0 and rng.random() < mix.well_scanned
    strip = captured_strip(line, rng, by_scanner if is_scan else by_any_device)
    return Example(strip.pixels, answer(pieces), face.name, kind)


def answer(pieces: list[Piece]) -> str:
    """What the pieces should be read as, from left to right."""
    out = ""
    for piece in pieces:
        if not piece.text:
            out += "" if out.endswith(" ") or not out else " "
        elif piece.text[0] in LETTERS:
            out += piece.text.replace("ـ", "")[::-1]
        elif piece.text[0] in SIGNS:
            out += TURNED.get(piece.text, piece.text)
        elif piece.text[0] in LATIN:
            out += OTHER
        else:
            out += "".join(str(_value(c)) for c in piece.text)
    return out.strip()


def _value(digit: str) -> int:
    return next(s.index(digit) for s in (ARABIC_INDIC, PERSIAN, WESTERN) if digit in s)


def _pick(kind: str, rng: np.random.Generator) -> str:
    listed = _words()[kind]
    return listed[int(rng.integers(len(listed)))]


def _text(rng: np.random.Generator, mix: Mix) -> str:
    """One to four words: names as they are, names with slips, and mere letters."""
    words: list[str] = []
    for _ in range(int(rng.choice([1, 2, 3, 4], p=[0.3, 0.4, 0.2, 0.1]))):
        choice = rng.random()
        if choice < mix.names:
            words.append(_pick("places" if rng.random() < 0.15 else "names", rng))
        elif choice < mix.names + mix.slipped:
            words.append(_slipped(_pick("names", rng), rng))
        elif choice < mix.names + mix.slipped + mix.chained:
            words.append(_chained(rng))
        else:
            words.append(_letters(rng))
    text = " ".join(words)
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS].rsplit(" ", 1)[0]


def _letters(rng: np.random.Generator) -> str:
    """A word of letters at random, joined as any word is."""
    count = int(rng.integers(2, 9))
    letters = [str(rng.choice(list(INITIAL))) for _ in range(count)]
    if rng.random() < 0.45:
        at = int(rng.integers(0, count - 1))
        letters[at] = str(rng.choice(list(STACKING_FIRST)))
        letters[at + 1] = str(rng.choice(list(STACKING_SECOND)))
        if rng.random() < 0.4 and at:
            letters[at - 1] = "ل" if rng.random() < 0.5 else str(rng.choice(list(STACKING_FIRST)))
    if rng.random() < 0.25:
        letters = ["ا", "ل", *letters]
    if rng.random() < 0.1:
        at = int(rng.integers(0, len(letters)))
        letters[at:at] = ["ل", str(rng.choice(list("اأإآ")))]
    if rng.random() < 0.25:
        letters[-1] = str(rng.choice(list(FINAL_ONLY + "ء")))
    word = "".join(letters)
    body = word[:-1].replace("ى", "ي").replace("ة", "ه")
    return body + word[-1]


def _chained(rng: np.random.Generator) -> str:
    """A word whose letters follow each other as in names, but for a stray one here and there."""
    followers, word = _followers(), ""
    while len(word) < MOST_CHAINED:
        letter = str(rng.choice(list(followers[word[-1:] or " "])))
        if letter == " " and len(word) > 1:
            break
        is_stray = rng.random() < STRAY_FRACTION or letter == " "
        word += str(rng.choice(list(INITIAL))) if is_stray else letter
        if word[-1] in FINAL_ONLY:
            break
    return word


def _slipped(name: str, rng: np.random.Generator) -> str:
    """The name with one letter replaced, mostly by one alike, left out, doubled or swapped."""
    at = int(rng.integers(len(name)))
    choice = rng.random()
    if name[at] == " ":
        return name
    if choice < 0.6:
        alike = next((group for group in ALIKE if name[at] in group), INITIAL)
        new = str(rng.choice(list(alike if rng.random() < 0.75 else INITIAL)))
        if new in FINAL_ONLY and at < len(name) - 1:
            new = "ن"
        return name[:at] + new + name[at + 1 :]
    if choice < 0.75 and len(name) > 2:
        return (name[:at] + name[at + 1 :]).strip() or name
    if choice < 0.88 and name[at] not in FINAL_ONLY:
        return name[:at] + name[at] + name[at:]
    if at and name[at] not in FINAL_ONLY and " " not in name[at - 1 : at + 1]:
        return name[: at - 1] + name[at] + name[at - 1] + name[at + 1 :]
    return name


def _space(face: Face, rng: np.random.Generator, *, wide: bool = False) -> Piece:
    width = rng.uniform(0.2, 0.45) if not wide or rng.random() < 0.6 else rng.uniform(0.45, 1.6)
    return Piece("", face, gap_em=float(width))


def _set(text: str, like: Piece, rng: np.random.Generator) -> list[Piece]:
    """The words from left to right as they are seen."""
    pieces: list[Piece] = []
    for word in reversed(text.split()):
        if pieces:
            pieces.append(_space(like.face, rng))
        drawn = word
        if len(word) > 2 and rng.random() < 0.04:
            at = int(rng.integers(1, len(word)))
            if word[at - 1] not in "اأإآءدذرزوؤةى" and word[at] != "ء":
                drawn = word[:at] + "ـ" * int(rng.integers(1, 4)) + word[at:]
        pieces.append(Piece(drawn, like.face, like.darkness))
    return pieces


def _number(like: Piece, faces: list[Face], rng: np.random.Generator) -> list[Piece]:
    """A date or a number, in digits that the face has."""
    script = like.face.digits[int(rng.integers(len(like.face.digits)))]
    count = int(rng.choice([1, 2, 3, 4, 5, 8, 11]))
    text = "".join(str(d) for d in rng.integers(0, 10, count))
    if rng.random() < 0.5:
        day, month, year = rng.integers(1, 32), rng.integers(1, 13), rng.integers(1920, 2036)
        mark = str(rng.choice(list("-/.")))
        text = mark.join(map(str, (day, month, year) if rng.random() < 0.5 else (year, month, day)))
    spare = [face for face in faces if set(SIGNS) <= set(face.signs)]
    pieces: list[Piece] = []
    run = ""
    for character in text + " ":
        if character.isdigit():
            run += script[int(character)]
            continue
        pieces.append(Piece(run, like.face, like.darkness))
        run = ""
        if character != " ":
            other = spare[int(rng.integers(len(spare)))] if spare else like.face
            face = like.face if character in like.face.signs else other
            pieces.append(Piece(character, face, like.darkness))
    return pieces


def _mixed(like: Piece, faces: list[Face], rng: np.random.Generator, mix: Mix) -> list[Piece]:
    """Words with brackets, hyphens, slashes, Latin words or numbers among them."""
    spare = [face for face in faces if set(SIGNS) <= set(face.signs)]
    latin = [face for face in faces if face.has_latin]
    sign_face = like.face if set(SIGNS) <= set(like.face.signs) or not spare else (
        spare[int(rng.integers(len(spare)))])  # fmt: skip
    pieces = _set(_text(rng, mix), like, rng)
    for _ in range(int(rng.integers(1, 3))):
        choice = rng.random()
        more = _set(_text(rng, mix).split()[0], like, rng)
        if choice < 0.3:
            more = [Piece("(", sign_face, like.darkness), *more,
                    Piece(")", sign_face, like.darkness)]  # fmt: skip
        elif choice < 0.5:
            around = [_space(like.face, rng)] if rng.random() < 0.5 else []
            sign = Piece(str(rng.choice(list("-/.,:"))), sign_face, like.darkness)
            pieces = [*around, sign, *around, *pieces]
            pieces = [*more, *pieces]
            continue
        elif choice < 0.75 and latin:
            word = "".join(rng.choice(list(LATIN), int(rng.integers(1, 8))))
            more = [Piece(word, latin[int(rng.integers(len(latin)))], like.darkness)]
        else:
            more = _number(like, faces, rng)
        pieces = [*more, _space(like.face, rng), *pieces]
    return pieces
