from __future__ import annotations

import datetime
import itertools
import random
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from docqa.errors import InvalidRequest
from docqa.fields import (
    CLAIM_NAMES,
    Field,
    Kind,
    Match,
    Source,
    agrees,
    compare,
    difference,
    parse_claims,
    settled,
    spellings,
)
from docqa.places import parse_places
from docqa.text import canonical, graphemes, loose

AGREEMENT = ("equal", "variant")
TODAY = datetime.date(2026, 11, 30)
LETTERS = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
DATES = st.dates(min_value=datetime.date(1900, 1, 1), max_value=datetime.date(2099, 12, 31))


@pytest.mark.parametrize(
    ("kind", "claimed", "read", "expected"),
    [
        ("name", "أحمد", "أحمد", "equal"),
        ("name", "أحمد", "أَحْمَد", "equal"),
        ("name", "Ahmad", "AHMAD", "equal"),
        ("name", "أحمد", "احمد", "variant"),
        ("name", "عبد الله", "عبدالله", "variant"),
        ("name", "AL-KHATIB", "AL KHATIB", "variant"),
        ("name", "أحمد", "أحمر", "near"),
        ("name", "محمود", "محمد", "near"),
        ("name", "حسين", "حسام", "near"),
        ("name", "عمر", "علي", "different"),
        ("name", "أحمد", "سليمان", "different"),
        ("name", "حسن", "الحسن", "near"),
        ("name", "أحمد", "", "unread"),
        ("name", "أحمد", " - ", "unread"),
        ("family_name", "خطيب", "الخطيب", "variant"),
        ("family_name", "الخطيب", "خطيب", "variant"),
        ("family_name", "الحداد", "حدادي", "near"),
        ("family_name", "الي", "ي", "different"),
        ("family_name", "ٱلخطيب", "خطيب", "variant"),
        ("family_name", "آل رشي", "رشي", "variant"),
        ("family_name", "الياس", "إلياس", "variant"),
        ("family_name", "ياس", "إلياس", "near"),
        ("family_name", "ماس", "ألماس", "near"),
        ("name", "ھدى", "هدى", "equal"),
        ("name", "فاطمە", "فاطمه", "equal"),
        ("mother_name", "فاطمة خطيب", "فاطمة الخطيب", "variant"),
        ("mother_name", "أم كلثوم", "أم كلثوم الخطيب", "variant"),
        ("mother_name", "أم", "أم كلثوم الخطيب", "different"),
        ("mother_name", "أمة", "أمة الله حداد", "different"),
        ("mother_name", "ست", "ست الهدى الخطيب", "different"),
        ("mother_name", "بنت", "بنت الهدى الخطيب", "different"),
        ("mother_name", "عبد", "عبد الهدى الخطيب", "different"),
        ("mother_name", "أبو", "أبو الهدى الخطيب", "different"),
        ("mother_name", "فاطمة", "فاطمة الخطيب", "variant"),
        ("mother_name", "فاطمة الخطيب", "فاطمة", "variant"),
        ("mother_name", "فاطمة الخطيب", "فاطمة الخطيب", "equal"),
        ("mother_name", "فاطمة", "فاطمه الخطيب", "variant"),
        ("mother_name", "أمة الله الخطيب", "أمةالله", "variant"),
        ("mother_name", "فاطمة الخطيب", "الخطيب", "different"),
        ("mother_name", "فاطمة", "فاطم", "near"),
        ("place", "دمشق", "دمشق", "equal"),
        ("place", "ريف دمشق", "دمشق", "near"),
        ("date", "1990-04-12", "12-4-1990", "equal"),
        ("date", "12/04/1990", "١٢-٤-١٩٩٠", "equal"),
        ("date", "1990.4.12", "۱۹۹۰/۴/۱۲", "equal"),
        ("date", "12-4-1990", "13-4-1990", "near"),
        ("date", "12-4-1990", "2-12-1985", "different"),
        ("date", "12-4-1990", "12-4", "unread"),
        ("date", "12-4-1990", "32-4-1990", "unread"),
        ("date", "1985-01-01", "الأول من كانون الثاني لعام ألف وتسعمائة وخمسة وثمانين", "equal"),
        ("date", "1985-01-01", "الأول من كانون الأول لعام ألف وتسعمائة وخمسة وثمانين", "near"),
        ("number", "01020304055", "٠١٠٢٠٣٠٤٠٥٥", "equal"),
        ("number", "010 203-04055", "01020304055", "equal"),
        ("number", "1020304055", "01020304055", "variant"),
        ("number", "01020304055", "1020304055", "variant"),
        ("number", "n1234567", "N1234567", "equal"),
        ("number", "01020304055", "01020304056", "near"),
        ("number", "01020304055", "98765432101", "different"),
        ("number", "01020304055", "", "unread"),
    ],
)
def test_match(kind: Kind, claimed: str, read: str, expected: Match) -> None:
    assert compare(kind, claimed, read) == expected


FOLDED = ("اأإآٱ", "يىئ", "هة", "وؤ")
"""Letters that writers use for each other: within a class an exchange is a spelling."""
ALPHABET = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
NAMES = (
    "أحمد", "محمد", "عبد الله", "مصطفى", "إبراهيم", "رائد", "مؤمن", "هدى", "فاطمة", "آمنة",
    "علاء", "نور", "يحيى", "ليلى", "شذى", "بثينة",
)  # fmt: skip
FAMILY_NAMES = ("الخطيب", "حداد", "الأسعد", "الحلبي", "قباني", "شيخو", "العلي", "الظاهر")
MOTHER_NAMES = ("فاطمة الخطيب", "هدى العلي", "أمة الله حداد")


def fold(name: str) -> str:
    for letters in FOLDED:
        name = name.translate({ord(letter): letters[0] for letter in letters})
    return name.replace(" ", "")


def single_edits(value: str, alphabet: str) -> set[str]:
    """Every value one substitution, insertion, deletion or exchange of neighbours away."""
    cuts = [(value[:at], value[at:]) for at in range(len(value) + 1)]
    edited = {start + letter + end for start, end in cuts for letter in alphabet}
    edited |= {start + end[1:] for start, end in cuts if end}
    edited |= {start + letter + end[1:] for start, end in cuts if end for letter in alphabet}
    edited |= {start + end[1] + end[0] + end[2:] for start, end in cuts if len(end) > 1}
    return edited - {value}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        *(("name", name) for name in NAMES),
        *(("family_name", name) for name in FAMILY_NAMES),
        *(("mother_name", name) for name in MOTHER_NAMES),
    ],
)
def test_of_all_single_edits_only_the_folded_ones_agree(kind: Kind, name: str) -> None:
    for typed in single_edits(name, ALPHABET):
        expected = fold(typed) == fold(name)
        for may_be_cut in (False, True):
            assert agrees(compare(kind, typed, name, may_be_cut=may_be_cut)) == expected, typed
            if kind != "mother_name":
                assert agrees(compare(kind, name, typed, may_be_cut=may_be_cut)) == expected


@pytest.mark.parametrize("number", ["01020304055", "12345678901", "N0123456", "00000000000"])
def test_no_single_edit_of_a_number_agrees_but_the_lost_leading_zero(number: str) -> None:
    for typed in single_edits(number, "0123456789"):
        lost_zero = number[0] == "0" and typed == number[1:] and len(number) == 11
        assert (compare("number", typed, number) == "variant") == lost_zero
        assert compare("number", typed, number) != "equal"


@pytest.mark.parametrize("date", ["12-4-1990", "1-11-2001", "31-12-1999"])
def test_no_single_edit_of_a_date_agrees_but_a_leading_zero(date: str) -> None:
    day, month, year = date.split("-")
    padded = {f"0{day}-{month}-{year}", f"{day}-0{month}-{year}"}
    for typed in single_edits(date, "0123456789-/."):
        is_same = typed in padded and max(map(len, typed.split("-")[:2])) == 2
        assert agrees(compare("date", typed, date)) == is_same, typed


PRESENTED = {
    canonical(form): form for form in map(chr, range(0xFE70, 0xFEFD)) if len(canonical(form)) == 1
}
BENIGN: dict[str, Callable[[str], str]] = {
    "harakat": lambda name: "".join(letter + "َ" for letter in name),
    "tatweel": lambda name: name[:1] + "ـــ" + name[1:],
    "direction": lambda name: "\u202b" + name[:2] + "\u200f" + name[2:] + "\u202c",
    "no spaces": lambda name: name.replace(" ", ""),
    "wide spaces": lambda name: f"  {name} ".replace(" ", "\u00a0 "),
    "Persian letters": lambda name: name.replace("ي", "ی").replace("ك", "ک"),
    "bare alef": lambda name: name.translate(str.maketrans("أإآ", "ااا")),
    "heh": lambda name: name.replace("ة", "ه"),
    "yeh": lambda name: name.replace("ى", "ي"),
    "hamza seats": lambda name: name.translate(str.maketrans("ؤئ", "وي")),
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "presentation forms": lambda name: "".join(PRESENTED.get(letter, letter) for letter in name),
    "full stop": lambda name: f"{name}.",
    "commas": lambda name: name.replace(" ", "، "),
    "quoted": lambda name: f"«{name}»",
    "slash": lambda name: f"{name}/",
    "emoji": lambda name: f"{name} \U0001f44d\U0001f3fd",
    "newer emoji": lambda name: f"{name}\U0001fae8",
    "control character": lambda name: f"\x00{name}",
}


@pytest.mark.parametrize("variant", BENIGN)
@pytest.mark.parametrize("name", [*NAMES, *FAMILY_NAMES, "دير الزور", "كمال", "عليكي"])
def test_a_benign_spelling_always_agrees(variant: str, name: str) -> None:
    kinds: tuple[Kind, ...] = ("name", "family_name", "mother_name", "place")
    for kind in kinds:
        assert agrees(compare(kind, BENIGN[variant](name), name))
        assert agrees(compare(kind, name, BENIGN[variant](name)))


@pytest.mark.parametrize(
    ("kind", "claimed", "expected"),
    [
        ("family_name", "الخطيب", {"الخطيب", "خطيب"}),
        ("family_name", "سُويد", {"سويد", "السويد"}),
        ("family_name", "الي", {"الي"}),
        ("family_name", "الآغا", {"الاغا", "اغا"}),
        ("name", "الخطيب", {"الخطيب"}),
        ("mother_name", "هدى  العلي", {"هديالعلي"}),
        ("name", "«جهاد»،", {"جهاد"}),
        ("family_name", "الخطيب.", {"الخطيب", "خطيب"}),
        ("place", "بابا عمرو", {"باباعمرو"}),
        ("place", "(أبو كمال).", {"ابوكمال", "البوكمال", "بوكمال"}),
        ("place", "أبو كمال", {"ابوكمال", "البوكمال", "بوكمال"}),
        ("place", "مدينة البوكمال", {"مدينهالبوكمال", "ابوكمال", "البوكمال", "بوكمال"}),
    ],
)
def test_spellings_that_a_document_may_print(kind: Kind, claimed: str, expected: set[str]) -> None:
    places = parse_places(
        ['ignored_words = ["مدينة"]\n[albukamal]\nname = "البوكمال"\nvariants = ["أبو كمال"]']
    )
    assert set(spellings(kind, claimed, places)) == expected


@pytest.mark.parametrize("kind", ["name", "family_name", "mother_name", "place"])
@pytest.mark.parametrize("name", [*NAMES, *FAMILY_NAMES, "دير الزور", "كمال", "الي"])
def test_every_spelling_agrees_with_what_was_typed(kind: Kind, name: str) -> None:
    assert all(agrees(compare(kind, name, spelling)) for spelling in spellings(kind, name))


@given(
    st.lists(st.sampled_from(sorted(BENIGN)), max_size=5),
    st.sampled_from([*NAMES, *FAMILY_NAMES]),
)
def test_benign_spellings_add_up_to_a_benign_spelling(variants: list[str], name: str) -> None:
    written = name
    for variant in variants:
        written = BENIGN[variant](written)
    assert agrees(compare("name", written, name))


@pytest.mark.parametrize("mark", [".", "،", "/", "_", "(", "🙂", "\x00", "\u02bc"])
@pytest.mark.parametrize(
    ("kind", "name"), [("name", "هدى"), ("family_name", "العلي"), ("place", "حمص")]
)
def test_marks_make_no_other_name_agree(kind: Kind, name: str, mark: str) -> None:
    for typed in single_edits(name, ALPHABET):
        marked = f"{typed[:2]}{mark}{typed[2:]}{mark}"
        assert agrees(compare(kind, marked, name)) == (fold(typed) == fold(name)), marked


@pytest.mark.parametrize("lost", ["?", "\ufffd"])
def test_what_is_written_for_a_lost_letter_is_no_punctuation(lost: str) -> None:
    assert compare("name", "كباني", f"ك{lost}باني") == "near"
    assert compare("name", f"ك{lost}باني", "كباني") == "near"


@pytest.mark.parametrize(
    ("kind", "claimed", "read", "expected"),
    [
        ("name", "OʼBRIEN", "OBRIEN", "variant"),
        ("name", "O´Brien", "O'BRIEN", "variant"),
        ("mother_name", "مريم،خباز", "مريم الخباز", "variant"),
        ("mother_name", "مريم/خباز", "مريم", "variant"),
        ("mother_name", "O'Hara", "O", "different"),
        ("family_name", "(آل-رشي)", "رشي", "variant"),
        ("place", "قرية/صوران", "صوران", "variant"),
        ("name", "محمد1", "محمد", "near"),
        ("name", "...", "محمد", "unread"),
    ],
)
def test_marks_part_words_and_apostrophes_do_not(
    kind: Kind, claimed: str, read: str, expected: Match
) -> None:
    assert compare(kind, claimed, read, PLACES) == expected
    assert compare(kind, read, claimed, PLACES) == expected


PLACES = parse_places(
    [
        'ignored_words = ["ناحية", "قرية"]\n'
        '[a]\nname = "القامشلي"\nvariants = ["القامشلية"]\n[b]\nname = "حمص"\n[c]\nname = "حماة"'
    ]
)


@pytest.mark.parametrize(
    ("claimed", "read", "expected"),
    [
        ("القامشلي", "القامشلي", "equal"),
        ("القامشلي", "القامشليه", "variant"),
        ("قامشلي", "القامشلية", "variant"),
        ("حمص", "حماة", "different"),
        ("القامشلي", "القامشلو", "near"),
        ("قرية", "قريه", "variant"),
        ("ناحية القامشلي", "القامشلي", "variant"),
        ("ناحية صوران", "صوران", "variant"),
        ("ناحية صوران", "قرية صوران", "variant"),
        ("ناحية صوران", "صورا", "near"),
        ("ناحية صوران", "كفرنبل", "different"),
        ("حمص", " ", "unread"),
        ("قريةصوران", "قرية صوران", "variant"),
        ("قرية-صوران", "قرية صوران", "variant"),
        ("ناحيةالقامشلي", "ناحيه القامشلي", "variant"),
        ("قريةصورا", "قرية صوران", "near"),
        ("قريةصوران", "ناحية صوران", "different"),
        ("قريةحمص", "قرية حماة", "near"),
        ("حمص، سوريا", "حمص", "near"),
        ("سوريا - حمص", "حمص", "near"),
        ("قرية صوران / المركز", "صوران", "near"),
        ("حمص القديمة", "حمص", "near"),
        ("صوران، القامشلي", "القامشلي صوران", "near"),
        ("حمص صوران", "حمص كفرنبل", "different"),
        ("حمصة الجديدة", "حمص", "different"),
    ],
)
def test_places_are_compared_by_the_table(claimed: str, read: str, expected: Match) -> None:
    assert compare("place", claimed, read, PLACES) == expected
    assert compare("place", read, claimed, PLACES) == expected
    assert compare("name", "القامشلي", "القامشلية", PLACES) == "near"


@pytest.mark.parametrize(
    ("claimed", "read"),
    [
        ("ريف دمشق", "دمشق"),
        ("بصرى الشام", "الشام"),
        ("محافظة دمشق", "ريف دمشق"),
        ("ريف الشام", "دمشق الشام"),
    ],
)
def test_two_known_places_differ_though_one_has_all_words_of_the_other(
    claimed: str, read: str
) -> None:
    shipped = Path(__file__).parent.parent / "models" / "places" / "sy.toml"
    places = parse_places([shipped.read_text(encoding="utf-8")])
    assert compare("place", claimed, read, places) == "different"
    assert compare("place", read, claimed, places) == "different"


@given(
    st.lists(st.sampled_from(["حمص", "صوران", "القامشلي", "كفر", "تل", "سوريا"]), min_size=1),
    st.lists(st.sampled_from(["الجديدة", "دمشق", "ريف", "الشرقية"]), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
def test_a_place_with_words_more_is_never_confirmed(
    name: list[str], more: list[str], shuffling: random.Random
) -> None:
    longer = [*name, *more]
    shuffling.shuffle(longer)
    assert compare("place", " ".join(longer), " ".join(name), PLACES) == "near"
    assert compare("place", " ".join(name), "، ".join(longer), PLACES) == "near"


@pytest.mark.parametrize(
    ("claimed", "read", "expected"),
    [
        ("فاطمة الخطيب", "فاطمة", "unread"),
        ("فاطمة الخطيب", "فاطمه", "unread"),
        ("فاطمة", "فاطمة الخطيب", "variant"),
        ("فاطمة الخطيب", "فاطمه الخطيب", "variant"),
        ("فاطمة الخطيب", "فاطمة الخطيت", "near"),
        ("فاطمة الخطيب", "زينب", "different"),
    ],
)
def test_what_ocr_may_have_lost_is_not_confirmed(claimed: str, read: str, expected: Match) -> None:
    assert compare("mother_name", claimed, read, may_be_cut=True) == expected


def reading(source: Source, match: Match, confidence: float = 1.0) -> Field:
    return Field("given_name", match, source, confidence, None, 1, f"{source} {match}")


def test_exact_sources_count_first_then_the_better_match_then_the_surer_reading() -> None:
    order = [
        reading("barcode", "equal"),
        reading("mrz", "different"),
        reading("digits", "equal", 0.9),
        reading("ocr", "equal", 0.4),
        reading("ocr", "near"),
    ]
    for readings in itertools.permutations(order):
        first = settled(readings)
        assert [replace(first, others=()), *first.others] == order


def test_a_lone_reading_stays_as_it_is() -> None:
    assert settled([reading("ocr", "near")]) == reading("ocr", "near")


@pytest.mark.parametrize(
    ("kind", "claimed", "read", "expected"),
    [
        ("name", "أحمد", "أحمد", ["equal أحمد|أحمد"]),
        ("name", "أَحْمَد", "ﺃﺣﻤﺪ", ["equal أحمد|أحمد"]),
        ("name", "أحمد", "أحمر", ["equal أحم|أحم", "replaced د|ر"]),
        ("name", "محمود", "محمد", ["equal محم|محم", "extra و|", "equal د|د"]),
        ("name", "محمد", "محمود", ["equal محم|محم", "missing |و", "equal د|د"]),
        ("name", "", "أب", ["missing |أب"]),
        ("name", "", "", []),
        ("date", "1990-04-12", "١٢/٤/١٩٩٠", ["equal 12-4-1990|12-4-1990"]),
        ("date", "12-4-1990", "13-4-1990", ["equal 1|1", "replaced 2|3", "equal -4-1990|-4-1990"]),
        ("number", "010 20", "٠١٠٢١", ["equal 0102|0102", "replaced 0|1"]),
    ],
)
def test_a_difference_names_each_run(
    kind: Kind, claimed: str, read: str, expected: list[str]
) -> None:
    edits = difference(kind, claimed, read)
    assert [f"{edit.kind} {edit.claimed}|{edit.read}" for edit in edits] == expected


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_difference_holds_both_texts_whole_and_in_order(claimed: str, read: str) -> None:
    edits = difference("name", claimed, read)
    assert "".join(edit.claimed for edit in edits) == canonical(claimed)
    assert "".join(edit.read for edit in edits) == canonical(read)
    assert all((edit.kind == "equal") == (edit.claimed == edit.read) for edit in edits)
    assert all((edit.kind == "missing") == (edit.claimed == "") for edit in edits)
    assert all((edit.kind == "extra") == (edit.read == "") for edit in edits)
    changed = sum(
        max(len(graphemes(edit.claimed)), len(graphemes(edit.read)))
        for edit in edits
        if edit.kind != "equal"
    )
    assert changed <= max(len(graphemes(canonical(claimed))), len(graphemes(canonical(read))))


@given(
    st.sampled_from(["name", "family_name", "mother_name", "place"]),
    st.text(alphabet=LETTERS, min_size=3, max_size=12),
    st.data(),
)
def test_one_wrong_letter_is_never_agreement(kind: Kind, name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name) - 1))
    letter = data.draw(st.sampled_from(LETTERS))
    edit = data.draw(st.sampled_from(["replace", "insert", "delete"]))
    wrong = name[:at] + ("" if edit == "delete" else letter) + name[at + (edit != "insert") :]
    assume(loose(wrong) != loose(name))
    assert compare(kind, name, wrong) not in AGREEMENT
    assert compare(kind, wrong, name) not in AGREEMENT


@given(st.from_regex(r"[0-9]{11}", fullmatch=True), st.integers(0, 10), st.integers(1, 9))
def test_one_wrong_digit_is_near(number: str, at: int, step: int) -> None:
    wrong = number[:at] + str((int(number[at]) + step) % 10) + number[at + 1 :]
    assert compare("number", number, wrong) == "near"


@given(DATES, DATES)
def test_only_the_same_date_is_equal(one: datetime.date, other: datetime.date) -> None:
    written = f"{one.day}-{one.month}-{one.year}"
    assert compare("date", written, one.isoformat()) == "equal"
    assert (compare("date", written, other.isoformat()) in AGREEMENT) == (one == other)


@given(
    st.sampled_from(["name", "family_name", "mother_name", "place", "number", "date"]),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_agreement_does_not_depend_on_who_says_it(kind: Kind, one: str, other: str) -> None:
    assert compare(kind, one, other) == compare(kind, other, one)


def test_claims_come_back_as_typed() -> None:
    claims = {
        "given_name": " أحمد ",
        "birth_date": "١٢-٤-١٩٩٠",
        "national_number": "٠١٠٢٠٣٠٤٠٥٥",
        "passport_number": "N0123456",
    }
    assert parse_claims(claims, TODAY) == {**claims, "given_name": "أحمد"}
    assert parse_claims({}, TODAY) == {}


@pytest.mark.parametrize("date", ["30-11-2026", "1-1-1900"])
def test_who_is_born_today_or_long_ago_may_say_so(date: str) -> None:
    assert parse_claims({"birth_date": date}, TODAY) == {"birth_date": date}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("given_name", "ا" * 200),
        ("passport_number", "012345678"),
    ],
)
def test_a_claim_at_the_limit_of_what_can_be_is_taken(name: str, value: str) -> None:
    assert parse_claims({name: value}, TODAY) == {name: value}


@pytest.mark.parametrize("claims", [None, [], "given_name", 3, [("given_name", "a")]])
def test_claims_that_are_no_object_are_refused(claims: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_claims(claims, TODAY)
    assert refusal.value.code == "request.claims.not_json"


def test_an_unknown_claim_that_is_no_text_is_named_in_text() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_claims({"\ud800x": "value"}, TODAY)
    assert refusal.value.facts["field"] == "?x"


@pytest.mark.parametrize("name", ["colour", "", 7, None, "x" * 5000])
def test_an_unknown_claim_is_named_briefly(name: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_claims({name: "value"}, TODAY)
    assert refusal.value.code == "request.claims.unknown_field"
    assert refusal.value.facts["field"] == str(name)[:40]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("given_name", ""),
        ("given_name", " \u200f "),
        ("given_name", 5),
        ("given_name", None),
        ("given_name", "ا" * 201),
        ("national_number", "123456789"),
        ("national_number", "012345678901"),
        ("national_number", "0102030405x"),
        ("national_number", "²1020304055x"),
        ("birth_date", "yesterday"),
        ("birth_date", "31-2-1990"),
        ("birth_date", "15-3-1405"),
        ("birth_date", "1-1-2190"),
        ("birth_date", "31-12-1899"),
        ("birth_date", "1-12-2026"),
        ("birth_date", "١٢-٤-٢٠٢٨"),
        ("given_name", "-"),
        ("given_name", "''"),
        ("passport_number", "."),
    ],
)
def test_a_claim_that_cannot_be_is_refused_by_name_alone(name: str, value: object) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse_claims({name: value}, TODAY)
    assert refusal.value.code == "request.claims.invalid"
    assert refusal.value.facts == {"field": name}


@given(st.dictionaries(st.sampled_from(CLAIM_NAMES), st.text()))
def test_claims_either_pass_or_are_refused(claims: dict[str, str]) -> None:
    try:
        assert set(parse_claims(claims, TODAY)) == set(claims)
    except InvalidRequest as refusal:
        assert refusal.facts["field"] in claims
