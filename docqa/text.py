"""Normal forms of Arabic and Latin text, so that the same name written twice compares as the same.

Two tiers. :func:`canonical` undoes what only machines can tell apart (presentation forms,
direction marks, vowel signs, digit sets). :func:`loose` also folds the spellings that Arabic
writers use for each other; two texts that meet only there are spelling variants. The folded
letters are those of Lucene's ArabicNormalizer, plus the seats of hamza.
"""

from __future__ import annotations

import re
import unicodedata

ARABIC_INDIC_DIGITS = "٠١٢٣٤٥٦٧٨٩"
EXTENDED_ARABIC_INDIC_DIGITS = "۰۱۲۳۴۵۶۷۸۹"
WESTERN_DIGITS = "0123456789"

_TO_WESTERN = str.maketrans(
    ARABIC_INDIC_DIGITS + EXTENDED_ARABIC_INDIC_DIGITS, WESTERN_DIGITS + WESTERN_DIGITS
)
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f"
    "\ufe00-\ufe0f\ufeff]"
)
_VOWEL_SIGNS = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06ed]")
_OTHER_KEYBOARDS = str.maketrans(
    {
        "\u06cc": "\u064a", "\u06a9": "\u0643",  # Persian ye and kaf
        "\u06be": "\u0647", "\u06c1": "\u0647", "\u06d5": "\u0647",  # Urdu and Kurdish heh
        "\u06c3": "\u0629",  # and teh marbuta
    }
)  # fmt: skip
"""Letters that look like Arabic ones, as the keyboards of other languages write them."""
_SPELLINGS = str.maketrans(
    {"أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي"}
)
_SEPARATORS = re.compile(r"[\s'’`\-‐-―]+")
_APOSTROPHES = re.compile("['`\u00b4\u02b9-\u02c1\u2018-\u201b\u2032]")
"""What people write for one or for the letters that Latin lacks: it stands inside a word."""
_FOR_LETTERS = frozenset("?\ufffd")
"""What encodings write for a letter that they lack."""
_LONGEST_CLUSTER = 32
_PLAIN = re.compile("[0-9A-Za-z :\u0621-\u063a\u0641-\u064a]*")
"""Text in which nothing is to be undone but spaces; tatweel, U+0640, is left out."""


def western_digits(text: str) -> str:
    """``text`` with ٠-٩ and ۰-۹ written 0-9."""
    return text.translate(_TO_WESTERN)


def canonical(text: str) -> str:
    """The form two texts share when they differ in nothing a reader can see.

    NFKC, without direction marks, vowel signs and tatweel, letters of Persian, Urdu and Kurdish
    keyboards as the Arabic ones they look like, digits as 0-9, single spaces. Idempotent. Letter
    case is kept.
    """
    if _PLAIN.fullmatch(text):
        return " ".join(text.split())
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)))
    # Taking a sign out can bring two letters together that have a composed form.
    text = unicodedata.normalize("NFKC", _VOWEL_SIGNS.sub("", text))
    return " ".join(western_digits(text.translate(_OTHER_KEYBOARDS)).split())


def loose(text: str) -> str:
    """The form that spelling variants of one name share.

    Case, the seats of hamza, ة/ه and ى/ي are folded, and spaces go. Hyphens and apostrophes go as
    well: passports print AL-KHATIB and AL KHATIB for one name.
    Idempotent, and ``loose(canonical(text)) == loose(text)``.
    """
    if _PLAIN.fullmatch(text):
        return "".join(text.casefold().translate(_SPELLINGS).split())
    folded = canonical(canonical(text).casefold()).translate(_SPELLINGS)
    return canonical(_SEPARATORS.sub("", folded))


def unpunctuated(text: str) -> str:
    """``text``, canonical, as the words that make it: what is no letter, mark or digit parts them.

    Apostrophes go and part nothing. What stands for a letter that was lost stays. Idempotent.
    """
    letters = canonical(_APOSTROPHES.sub("", text))
    parted = (letter if _is_of_a_word(letter) else " " for letter in letters)
    return canonical("".join(parted))


def _is_of_a_word(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN" or character in _FOR_LETTERS


def graphemes(text: str) -> list[str]:
    """The characters as a reader counts them: a letter with the marks that stand on it is one."""
    clusters: list[str] = []
    for character in text:
        is_mark = unicodedata.category(character).startswith("M") or character == "\u200d"
        if is_mark and clusters and len(clusters[-1]) < _LONGEST_CLUSTER:
            clusters[-1] += character
        else:
            clusters.append(character)
    return clusters
