from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest

from docqa.page import Pixels, page_from_pixels
from docqa.reading.lines import Row
from docqa.reading.regions import Sheet, sheets
from docqa.reading.second_look import LEAST_SHARE, LOOKS, Candidate, look_again
from docqa.reading.spans import PrintedText
from docqa.settings import Settings
from docqa.wiring import load_document_types, models_dir

PLACE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
SPEC = load_document_types(models_dir(Settings()))["sy-id-front"].fields[0]


@dataclass
class Engine:
    """Answers as told, a look at a time."""

    answers: Sequence[str]
    shapes: list[tuple[int, ...]] = field(default_factory=list)

    def read_lines(
        self,
        lines: Sequence[Pixels],
        *,
        language: str,
        layout: Literal["line", "raw_line", "block"],
    ) -> list[str]:
        self.shapes.append(lines[0].shape)
        return [self.answers[len(self.shapes) - 1]] * len(lines)

    def version(self) -> str:
        return "scripted"


def sheet() -> Sheet:
    pixels = np.full((638, 1011, 3), 255, np.uint8)
    pixels[100:130, 300:420] = 0
    return next(iter(sheets(page_from_pixels(pixels), (85.6, 53.98))))


def text_after(
    answers: Sequence[str], weighed: dict[str, float], others_log_likelihood: float = -np.inf
) -> str | None:
    best = max(weighed, key=lambda text: weighed[text])
    printed = PrintedText(best, 0.5, PLACE, False, weighed, others_log_likelihood)
    candidate = Candidate(printed, Row(((300, 100, 420, 130),), 30.0))
    agreed = look_again(sheet(), {SPEC: candidate}, Engine([*answers, *[""] * len(LOOKS)])).get(
        SPEC
    )
    assert agreed is None or agreed.share >= LEAST_SHARE
    return agreed.text if agreed else None


def test_a_text_that_both_readers_see_is_what_is_printed() -> None:
    assert text_after(["الاسم: سالم"], {"سالم": -0.2, "سام": -3.0}) == "سالم"


def test_the_engine_settles_what_the_network_cannot() -> None:
    weighed = {"رباب": -1.0, "رياب": -0.7}
    assert text_after(["رباب"] * len(LOOKS), weighed) == "رباب"
    assert text_after(["رياب"] * len(LOOKS), weighed) == "رياب"


def test_a_slip_of_the_engine_does_not_outweigh_a_sure_network() -> None:
    assert text_after(["سعنيد", "سعيد"], {"سعيد": -0.01, "سعيدة": -7.0}) == "سعيد"


def test_readers_that_contradict_each_other_confirm_nothing() -> None:
    assert text_after(["سام"] * len(LOOKS), {"سالم": -0.05, "سام": -5.5}) is None
    assert text_after(["بسام"] * len(LOOKS), {"سام": -0.01, "بسام": -7.0}) is None


def test_a_sure_network_outvotes_slips_that_differ() -> None:
    weighed = {"الزعبي": -0.005, "الرعبي": -6.0, "الزعي": -7.0}
    slips = ["الزعي", "الرغبي", "الزعي", "", "الزعني"]
    assert text_after(slips, weighed) == "الزعبي"
    is_unsure = text_after(slips, weighed | {"الزعبي": -0.05}, others_log_likelihood=-3.0) is None
    is_not_alone = text_after(slips, weighed | {"الرعبي": -3.5}) is None
    assert is_unsure
    assert is_not_alone


@pytest.mark.parametrize("longer", ["خضير", "الخضر"])
def test_letters_that_the_engine_sees_more_are_believed(longer: str) -> None:
    weighed = {"خضر": -0.005, "خضير": -6.0}
    assert text_after(["حضر", "خصر", "", "", ""], weighed) == "خضر"
    assert text_after(["حضر", "خصر", longer, "", ""], weighed) is None


def test_the_same_other_letter_twice_is_no_slip() -> None:
    weighed = {"رباب": -0.005, "رياب": -6.0}
    assert text_after(["رناب", "رتاب", "رثاب", "", ""], weighed) == "رباب"
    assert text_after(["رناب", "رتاب", "رناب", "", ""], weighed) is None


def test_a_text_read_with_a_letter_more_as_often_is_not_confirmed() -> None:
    weighed = {"سام": -0.3, "سامر": -2.6}
    assert text_after(["سام", "", "سام", "", "سام"], weighed) == "سام"
    assert text_after(["سامر", "سام", "سامر", "سام", ""], weighed) is None


@pytest.mark.parametrize("read", ["رياب", "رباب"])
def test_a_rival_that_the_engine_has_read_leaves_a_name_in_doubt(read: str) -> None:
    weighed = {"رياب": -0.5, "رباب": -1.2}
    assert text_after([read] * len(LOOKS), weighed) == read
    assert text_after(["رياب", "رباب", "رياب", "رباب", read], weighed) is None


def test_the_engine_alone_does_not_outvote_the_network() -> None:
    every_look = ["الخضر"] * len(LOOKS)
    assert text_after(every_look, {"الخصر": -0.6, "الخضر": -1.5}) == "الخضر"
    assert text_after(every_look, {"الخصر": -0.2, "الخضر": -2.3}) is None


def test_a_letter_that_both_may_have_left_out_is_missed() -> None:
    every_look = ["كيل"] * len(LOOKS)
    assert text_after(every_look, {"كيل": -0.3, "كحيل": -1.5}) is None
    assert text_after(every_look, {"كيل": -0.1, "كحيل": -2.6}) == "كيل"
    assert text_after(["كحيل"] * len(LOOKS), {"كيل": -0.7, "كحيل": -0.7}) == "كحيل"


@pytest.mark.parametrize("mark", [":", "!", " | ", "؛", ".:", "_"])
def test_what_the_engine_makes_of_the_colon_hides_no_name(mark: str) -> None:
    assert text_after([f"الأم{mark}إسراء فتال"], {"إسراء فتال": -0.1}) == "إسراء فتال"


@pytest.mark.parametrize("answer", ["", "ـ", "___", "بثينة العلي", "سيف"])
def test_an_engine_that_sees_nothing_alike_confirms_nothing(answer: str) -> None:
    assert text_after([answer] * len(LOOKS), {"سالم": -0.001, "سام": -9.0}) is None


@pytest.mark.parametrize(
    ("once", "rival", "expected"), [("ربه", -1.0, None), ("زيه", -1.0, "ريه"), ("ربه", -3.5, "ريه")]
)
def test_a_rival_that_the_engine_has_read_and_the_network_likes_as_well_refuses(
    once: str, rival: float, expected: str | None
) -> None:
    weighed = {"ريه": -1.0, "ربه": rival}
    assert text_after([once, "ريه", "ريه", "ريه", "ريه", "ريه"], weighed) == expected


def test_nothing_is_read_early_where_the_network_is_torn() -> None:
    # The rival is read in the fourth look.
    weighed = {"اسمه": -0.8, "بسمه": -2.0}
    assert text_after(["اسمه", "اسمه", "اسمه", "بسمه", "اسمه", "اسمه"], weighed) is None


@pytest.mark.parametrize("first", ["زهره سويد", "زهرة سوي"])
def test_what_both_readers_agree_on_is_spelled_as_it_is_printed(first: str) -> None:
    weighed = {"زهرهسويد": -0.01, "زهرهسود": -7.0}
    printed = PrintedText(
        "زهرة سويد", 0.98, PLACE, False, weighed, spelled={"زهرهسويد": "زهرة سويد"}.__getitem__
    )
    candidate = Candidate(printed, Row(((300, 100, 420, 130),), 30.0))
    found = look_again(
        sheet(), {SPEC: candidate}, Engine([first, *["زهرة سوي"] * (len(LOOKS) - 1)])
    )
    assert found[SPEC].text == "زهرة سويد"


def test_a_letter_more_is_waited_for_even_where_the_network_is_nearly_sure() -> None:
    # Both readers leave out the first of two stacked letters, at first.
    looks = ["الحمد", "الحمد", "المحمد", "", "الحمد", ""]
    assert text_after(looks, {"الحمد": -0.09, "المحمد": -4.8}) is None
    assert text_after(looks, {"الحمد": -0.09, "المحمد": -9.0}) == "الحمد"


def test_what_is_alike_goes_by_the_length_of_the_name() -> None:
    slips = ["اوري", "الحورن", "", "اتلوري", ""]
    assert text_after(slips, {"الخوري": -0.01, "الوري": -6.0}) == "الخوري"
    assert text_after(["ري", "", "", "", ""], {"نور": -0.01, "نوير": -6.0}) is None


def test_spellings_of_one_name_do_not_rival_each_other() -> None:
    weighed = {"أحمد": -0.7, "احمد": -0.7, "حمد": -6.0}
    assert text_after(["احمد"], weighed) in ("أحمد", "احمد")


def test_the_last_look_shows_the_line_twice() -> None:
    engine = Engine([""] * len(LOOKS))
    printed = PrintedText("سالم", 0.5, PLACE, False, {"سالم": -0.1})
    look_again(sheet(), {SPEC: Candidate(printed, Row(((300, 100, 420, 130),), 30.0))}, engine)
    assert len(engine.shapes) == len(LOOKS)
    assert engine.shapes[-1][1] == 2 * engine.shapes[0][1]


def test_a_name_that_no_look_can_settle_is_looked_at_no_more() -> None:
    engine = Engine([""] * len(LOOKS))
    hopeless = PrintedText("سالم", 0.1, PLACE, False, {"سالم": -9.0}, others_log_likelihood=-1e-4)
    row = Row(((300, 100, 420, 130),), 30.0)
    assert look_again(sheet(), {SPEC: Candidate(hopeless, row)}, engine) == {}
    assert len(engine.shapes) == 1
