"""The installed fonts that lines are printed in, each with the characters it really draws."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

FONT_ROOT = Path("/usr/share/fonts")
EM_PX = 48
"""Height of a face's usual words as it is printed here, whatever the font's own em is."""

ARABIC_INDIC = "٠١٢٣٤٥٦٧٨٩"
PERSIAN = "۰۱۲۳۴۵۶۷۸۹"
WESTERN = "0123456789"
SIGNS = "-/.,:()"
LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
LATIN = "ABDEGHIKLMNOPRSTUabdeghiklmnoprstu"

HELD_OUT = ("DejaVu", "Harmattan", "KacstOne", "FreeSerif", "NotoNaskhArabic", "Lateef",
            "LiberationSans", "NotoSerif-", "NotoSerifDisplay")  # fmt: skip
"""Starts of the names of the font files that no network sees before it is judged on them."""
UNREAD = ("ae_Haramain", "KacstTitleL", "KacstArt", "ae_Shado", "AmiriQuranColored",
          "NotoNastaliqUrdu", "NotoSansIndicSiyaq", "NotoTraditionalNushu")  # fmt: skip
"""Ornaments, outlines, and a style of writing that no form is printed in."""
RARE = ("ae_", "KacstTitle", "KacstDigital", "KacstDecorative", "KacstPoster", "KacstScreen",
        "Lemonada", "PakType", "NotoSansThaana", "NotoSansSyriac")  # fmt: skip
RARE_WEIGHT = 0.35
PACKAGES = {
    "Amiri-": "fonts-hosny-amiri", "DejaVuSans": "fonts-dejavu-core",
    "DejaVuSansCondensed": "fonts-dejavu-extra", "FreeSerif": "fonts-freefont-ttf",
    "Harmattan": "fonts-sil-harmattan", "KacstBook": "fonts-kacst", "KacstOne": "fonts-kacst-one",
    "Lateef": "fonts-sil-lateef", "Lemonada": "fonts-lemonada", "Liberation": "fonts-liberation",
    "NotoSansArabic": "fonts-noto-core", "PakType": "fonts-paktype",
    "Scheherazade": "fonts-sil-scheherazade", "Thabit": "fonts-hosny-thabit",
    "ae_": "fonts-arabeyes", "nazli": "fonts-farsiweb",
}  # fmt: skip
"""Start of a font file's name to the Debian package it comes from."""


@dataclass(frozen=True, slots=True)
class Face:
    """One font file."""

    path: str
    size: int
    """Size at which a usual word is EM_PX high."""
    weight: float
    """How often it is chosen against others."""
    has_letters: bool
    has_latin: bool
    digits: tuple[str, ...]
    """Those of ARABIC_INDIC, PERSIAN and WESTERN that it draws whole."""
    signs: str

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return Path(self.path).stem

    @property
    def is_held_out(self) -> bool:
        """Whether it is kept for judging."""
        return self.name.startswith(HELD_OUT)


@lru_cache(maxsize=512)
def opened(path: str, size: int) -> ImageFont.FreeTypeFont:
    """The font at a size, with complex layout."""
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.RAQM)


def installed() -> list[Face]:
    """Every usable font below FONT_ROOT, by name."""
    paths = {
        path.name: path for path in FONT_ROOT.rglob("*") if path.suffix.lower() in (".ttf", ".otf")
    }
    faces = (_face(paths[name]) for name in sorted(paths) if not name.startswith(UNREAD))
    return [face for face in faces if face is not None]


def missing() -> list[str]:
    """Debian packages of fonts the published networks were trained on and that are not here."""
    names = [path.name for path in FONT_ROOT.rglob("*")]
    return sorted(
        {
            package
            for start, package in PACKAGES.items()
            if not any(name.startswith(start) for name in names)
        }
    )


def _face(path: Path) -> Face | None:
    try:
        font = opened(str(path), EM_PX)
        blank = {bytes(font.getmask(sign)) for sign in ("\U0010ffff", "\u0378")}
        drawn = {c for c in LETTERS + LATIN + ARABIC_INDIC + PERSIAN + WESTERN + SIGNS
                 if (mask := bytes(font.getmask(c))) not in blank and any(mask)}  # fmt: skip
    except OSError:
        return None
    digits = tuple(s for s in (ARABIC_INDIC, PERSIAN, WESTERN) if set(s) <= drawn)
    has_letters, has_latin = set(LETTERS) <= drawn, set(LATIN) <= drawn
    # A Latin font of another script's package repeats the plain one's digits.
    is_repeat = path.name.startswith(("NotoSans", "NotoSerif")) and not path.name.startswith(
        ("NotoSans-", "NotoSerif-", "NotoSansMono", "NotoSansDisplay", "NotoSerifDisplay")
    )
    if not digits or (is_repeat and ARABIC_INDIC not in digits):
        return None
    sample, share = ("الرقم", 1.0) if has_letters else (("Ahpg", 1.0) if has_latin else
                                                       (digits[0], 0.72))  # fmt: skip
    _, top, _, bottom = font.getbbox(sample, anchor="ls")
    size = round(EM_PX * EM_PX * share / max(bottom - top, 1))
    weight = RARE_WEIGHT if path.name.startswith(RARE) else 1.0
    return Face(str(path), size, weight, has_letters, has_latin, digits,
                "".join(c for c in SIGNS if c in drawn))  # fmt: skip
