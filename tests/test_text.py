from __future__ import annotations

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docqa.text import canonical, graphemes, loose, unpunctuated, western_digits

ARABIC = st.text(
    alphabet=st.one_of(
        st.characters(min_codepoint=0x0600, max_codepoint=0x06FF),
        st.characters(min_codepoint=0xFB50, max_codepoint=0xFEFF),
        st.sampled_from(" \u200f\u202b\u2067\u200d-'eé\u0301"),
    )
)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("  أحمد   الخطيب ", "أحمد الخطيب"),
        ("\u202bأحمد\u202c\u200f", "أحمد"),
        ("\ufeffأحمد\u061c", "أحمد"),
        ("أح\u00adمد", "أحمد"),
        ("أح\u2066مد\u2069", "أحمد"),
        ("أح\u200cمد", "أحمد"),
        ("مُحَمَّد", "محمد"),
        ("محـــمد", "محمد"),
        ("ﺃﺣﻤﺪ", "أحمد"),
        ("ﻻرا", "لارا"),
        ("ﷲ", "الله"),
        ("ﻋﺒﺪ ﷲ", "عبد الله"),
        ("ﷴ", "محمد"),
        ("ﻷﺳﻌﺪ", "لأسعد"),
        ("ﻵﻻﻹ", "لآلالإ"),
        ("ﯾﮐ", "يك"),
        ("علی", "علي"),
        ("کمال", "كمال"),
        ("ھدى", "هدى"),
        ("ہدى", "هدى"),
        ("فاطمە", "فاطمه"),
        ("فاطمۃ", "فاطمة"),
        ("أح\ufe0fمد\u2063", "أحمد"),
        ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
        ("۰۱۲۳۴۵۶۷۸۹", "0123456789"),
        ("\uff11\uff12", "12"),
        ("Ahmad", "Ahmad"),
        ("ا\u0654حمد", "أحمد"),
        ("\n\t", ""),
        ("", ""),
    ],
)
def test_canonical_undoes_what_only_machines_tell_apart(written: str, expected: str) -> None:
    assert canonical(written) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("أحمد", "احمد"), ("فاطمة", "فاطمه"), ("يحيى", "يحيي"), ("احمد", "احمر"), ("ؤ", "و")],
)
def test_canonical_keeps_every_letter_that_a_reader_sees(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("أحمد", "احمد"),
        ("إبراهيم", "ابراهيم"),
        ("آمنة", "امنه"),
        ("ٱلحسن", "الحسن"),
        ("فاطمة", "فاطمه"),
        ("مصطفى", "مصطفي"),
        ("مؤمن", "مومن"),
        ("رائد", "رايد"),
        ("عبد الله", "عبدالله"),
        ("Al-Khatib", "AL KHATIB"),
        ("D'Angelo", "DANGELO"),
        ("Ra’fat", "Rafat"),
        ("Ra`fat", "Rafat"),
    ],
)
def test_loose_joins_the_spellings_of_one_name(one: str, other: str) -> None:
    assert loose(one) == loose(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("سامر", "سامي"), ("نور", "نوره"), ("بسام", "تسام"), ("حسن", "حسين"), ("ماجد", "ماجدء")],
)
def test_loose_keeps_different_letters_apart(one: str, other: str) -> None:
    assert loose(one) != loose(other)


LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيگپچ"
FOLDED = ({*"اأإآ"}, {*"يىئ"}, {*"هة"}, {*"وؤ"})
UNSEEN = "\u00ad\u061c\u0640\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u0670" + "".join(
    map(chr, [*range(0x064B, 0x0653), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)


def test_loose_folds_the_letters_of_one_class_and_no_others() -> None:
    for one, other in itertools.combinations(LETTERS, 2):
        same = any({one, other} <= letters for letters in FOLDED)
        assert (loose(f"ب{one}ب") == loose(f"ب{other}ب")) == same, (one, other)


def test_canonical_folds_no_two_letters() -> None:
    assert len({canonical(letter) for letter in LETTERS}) == len(LETTERS)


def test_every_presentation_form_of_letters_is_written_in_letters() -> None:
    for form in map(chr, [*range(0xFB50, 0xFBB2), *range(0xFE70, 0xFEFD)]):
        plain = unicodedata.normalize("NFKC", form)
        if plain != form and any(unicodedata.category(letter) == "Lo" for letter in plain):
            assert canonical(form) == canonical(plain) != ""
            assert not any(0xFB50 <= ord(letter) <= 0xFEFF for letter in canonical(form))


@given(st.text(alphabet=LETTERS + " ", max_size=12), st.data())
def test_what_cannot_be_seen_changes_nothing(text: str, data: st.DataObject) -> None:
    written = text
    for sign in data.draw(st.lists(st.sampled_from(UNSEEN), max_size=6)):
        at = data.draw(st.integers(0, len(written)))
        written = written[:at] + sign + written[at:]
    assert canonical(written) == canonical(text)
    assert loose(written) == loose(text)


@given(st.text(alphabet=LETTERS + " ", max_size=12), st.sampled_from(["NFC", "NFD", "NFKC"]))
def test_how_the_letters_are_composed_changes_nothing(text: str, form: str) -> None:
    assert canonical(unicodedata.normalize(form, text)) == canonical(text)  # type: ignore[arg-type]  # a list of forms


@given(st.one_of(st.text(), ARABIC))
def test_canonical_is_idempotent(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


@given(st.one_of(st.text(), ARABIC))
def test_loose_is_idempotent_and_never_splits_what_canonical_joins(text: str) -> None:
    assert loose(loose(text)) == loose(text)
    assert loose(canonical(text)) == loose(text)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("مريم، خباز.", "مريم خباز"),
        ("«جهاد»/", "جهاد"),
        ("عبد_الله-الحلبي", "عبد الله الحلبي"),
        ("Abu O'Brien", "Abu OBrien"),
        ("O\u00b4Brien", "OBrien"),
        ("جهاد 🙂", "جهاد"),
        ("a\x00b", "a b"),
        ("N° 12", "N 12"),
        ("ك?ن\ufffd", "ك?ن\ufffd"),
        ("e\u0301 .", "é"),
        ("-.،", ""),
    ],
)
def test_punctuation_only_parts_words(written: str, expected: str) -> None:
    assert unpunctuated(written) == expected


@given(st.one_of(st.text(), ARABIC))
def test_no_letter_or_digit_is_punctuation(text: str) -> None:
    kept = unpunctuated(text)
    assert unpunctuated(kept) == kept
    modifiers = set(map(chr, range(0x2B9, 0x2C2)))
    letters = [letter for letter in canonical(text) if letter.isalnum() and letter not in modifiers]
    assert [letter for letter in kept if letter.isalnum()] == letters


@given(st.text(alphabet="0123456789٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"))
def test_digits_of_any_set_keep_their_value(digits: str) -> None:
    assert western_digits(digits) == "".join(str(int(digit)) for digit in digits)


@pytest.mark.parametrize(
    ("text", "count"),
    [("محمد", 4), ("مُحَمَّد", 4), ("e\u0301", 1), ("", 0), ("\u0301", 1), ("ab", 2)],
)
def test_graphemes_count_as_a_reader_does(text: str, count: int) -> None:
    assert len(graphemes(text)) == count


@given(st.one_of(st.text(), ARABIC))
def test_graphemes_lose_nothing(text: str) -> None:
    assert "".join(graphemes(text)) == text


@pytest.mark.parametrize(
    "text", ["أحمد  العلي", "سعيدة", " مؤمن بئر ", "Al KHATIB 12", "ء", "", "الاسم : ى", "آ إ ة"]
)
def test_plain_text_folds_like_the_same_text_with_a_sign_to_undo(text: str) -> None:
    signed = "\u200f" + text + "\u200f"
    assert canonical(text) == canonical(signed)
    assert loose(text) == loose(signed)
