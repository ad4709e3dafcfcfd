from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from docqa.errors import InvalidModel
from docqa.page import Pixels
from docqa.reading.ctc import (
    LogProbabilities,
    glyphs,
    log_likelihood,
    log_likelihoods,
    single_edits,
)
from docqa.reading.strips import (
    COLUMN_STEP_PX,
    MOST_WIDTH_PX,
    STRIP_EM_PX,
    STRIP_HEIGHT_PX,
    Direction,
    Strip,
    StripReader,
    between,
    cut,
    parse_strip_reader,
    stretched,
    strip_of,
)
from fixtures.synthesize.typesetting import arabic_indic, font

MODELS = Path(__file__).parents[2] / "models"


def answer(frames: int, classes: int, seed: int = 0) -> LogProbabilities:
    scores = np.random.default_rng(seed).normal(0, 1.5, (frames, classes))
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def files(model: str) -> tuple[bytes, bytes]:
    folder = MODELS / model
    return (folder / "model.onnx").read_bytes(), (folder / "model.json").read_bytes()


def page(shape: tuple[int, int] = (120, 400), level: int = 240) -> Pixels:
    return np.full(shape, level, np.uint8)


@pytest.mark.parametrize("text", ["", "a", "b", "ab", "aa", "aab", "abab", "aaaa", "aaaaa"])
def test_the_likelihood_is_the_sum_over_all_alignments(text: str) -> None:
    given = answer(5, 3)
    total = 0.0
    for path in itertools.product(range(3), repeat=len(given)):
        kept = [at for at, _ in itertools.groupby(path) if at]
        if "".join(" ab"[at] for at in kept) == text:
            total += float(np.exp(sum(given[frame, at] for frame, at in enumerate(path))))
    with np.errstate(divide="ignore"):
        assert log_likelihood(given, text, "ab") == pytest.approx(np.log(total))


def test_all_texts_together_are_certain() -> None:
    given = answer(4, 3, seed=1)
    texts = ["".join(t) for n in range(5) for t in itertools.product("ab", repeat=n)]
    assert np.exp(log_likelihoods(given, texts, "ab")).sum() == pytest.approx(1.0)


def test_long_texts_are_weighed_without_underflow() -> None:
    given = answer(600, 12, seed=2)
    assert np.isfinite(log_likelihood(given, "0123456789" * 20, "0123456789x"))


def test_an_unknown_character_has_no_likelihood() -> None:
    given = answer(8, 3)
    assert log_likelihood(given, "aé", "ab") == -np.inf


def test_repeats_join_unless_a_blank_parts_them_and_each_keeps_its_frames() -> None:
    path = [0, 1, 1, 0, 1, 2, 2, 2, 0]
    given = np.full((len(path), 3), np.log(0.05))
    given[np.arange(len(path)), path] = np.log(0.9)
    found = glyphs(given, "ab")
    assert [g.text for g in found] == ["a", "a", "b"]
    assert [(g.first_frame, g.last_frame) for g in found] == [(1, 2), (4, 4), (5, 7)]
    assert all(g.confidence == pytest.approx(0.9) for g in found)


def test_single_edits_are_all_the_texts_one_slip_away() -> None:
    assert single_edits("ab", "ab") == sorted(
        {"b", "a", "bb", "aa", "ba", "aab", "bab", "abb", "aba"}
    )
    digits = single_edits("12345678901", "0123456789")
    assert "12345678901" not in digits
    assert len(digits) == len(set(digits)) > 200


def test_what_stands_there_is_likelier_than_any_text_one_slip_away() -> None:
    given = np.full((9, 4), np.log(0.02))
    given[np.arange(9), [0, 1, 0, 2, 2, 0, 3, 0, 0]] = np.log(0.94)
    texts = ["123", *single_edits("123", "123")]
    printed, *others = log_likelihoods(given, texts, "123")
    assert printed > max(others) + 2


@pytest.mark.parametrize("em_px", [12.0, 26.0, 38.0, 70.0])
def test_a_line_comes_to_the_same_size_from_any(em_px: float) -> None:
    picture = page((round(6 * em_px), round(20 * em_px)))
    left, top = round(4 * em_px), round(2 * em_px)
    right, bottom = round(12 * em_px), round(3 * em_px)
    picture[top:bottom, left:right] = 20
    strip = strip_of(picture, (left, top, right, bottom), em_px)
    assert strip.pixels.shape[0] == STRIP_HEIGHT_PX
    assert strip.pixels.shape[1] % COLUMN_STEP_PX == 0
    dark = np.flatnonzero((strip.pixels < 128).any(axis=0))
    assert len(dark) == pytest.approx(8 * STRIP_EM_PX, abs=3)
    assert strip.picture_x(float(dark[0])) == pytest.approx(left, abs=0.1 * em_px)
    assert strip.picture_x(float(dark[-1] + 1)) == pytest.approx(right, abs=0.1 * em_px)


def test_shade_and_pale_ink_are_evened_out() -> None:
    picture = np.broadcast_to(np.linspace(120, 250, 400), (120, 400)).astype(np.uint8).copy()
    picture[50:70, 40:360:8] = picture[50:70, 40:360:8] // 2
    strip = strip_of(picture, (40, 50, 360, 70), 30.0)
    assert strip.pixels[:5].min() > 240
    assert strip.pixels[18:22].min(axis=0)[60:-60].reshape(-1, 8).min(axis=1).max() < 140


@pytest.mark.parametrize("ratio", [0.85, 1.0, 1.15])
def test_a_stretched_strip_still_tells_where_its_columns_lie(ratio: float) -> None:
    picture = page((120, 600))
    picture[40:70, 380:400] = 20
    strip = stretched(strip_of(picture, (60, 40, 400, 70), 30.0), ratio)
    dark = np.flatnonzero((strip.pixels < 128).any(axis=0))
    assert strip.picture_x(float(dark[0])) == pytest.approx(380, abs=2.5)
    assert strip.picture_x(float(dark[-1] + 1)) == pytest.approx(400, abs=2.5)


@pytest.mark.parametrize(
    ("start", "stop", "kept"),
    [(50.0, 90.0, (48, 96)), (-9.0, 7.5, (0, 8)), (191.0, 300.0, (184, 200))],
)
def test_part_of_a_strip_keeps_its_place(start: float, stop: float, kept: tuple[int, int]) -> None:
    pixels = np.arange(STRIP_HEIGHT_PX * 200, dtype=np.uint32).reshape(-1, 200).astype(np.uint8)
    part, first = between(Strip(pixels, 30.0, 0.5), start, stop)
    assert first == kept[0]
    assert (part.pixels == pixels[:, slice(*kept)]).all()
    assert part.picture_x(3) == Strip(pixels, 30.0, 0.5).picture_x(first + 3)


@pytest.mark.parametrize("direction", ["left_to_right", "right_to_left"])
def test_a_frame_starts_at_its_column(direction: Direction) -> None:
    reader = StripReader(cv2.dnn.Net(), ("a",), direction, 2)
    assert [reader.frame(reader.column(at, 40), 40) for at in (0, 7, 40)] == [0, 7, 40]


@pytest.mark.parametrize("stop", [1, 100, 103, 200])
def test_a_strip_cut_off_ends_with_paper_and_keeps_its_place(stop: int) -> None:
    pixels = np.full((STRIP_HEIGHT_PX, 200), 200, np.uint8)
    pixels[:, :60:7] = 0
    part = cut(Strip(pixels, 30.0, 0.5), stop)
    assert part.pixels.shape[0] == STRIP_HEIGHT_PX
    assert part.pixels.shape[1] % COLUMN_STEP_PX == 0
    assert (part.pixels[:, :stop] == pixels[:, :stop]).all()
    assert part.pixels.shape[1] - stop >= 0.3 * STRIP_EM_PX
    assert (part.pixels[:, stop:] == pixels[:, stop - 1 : stop]).all()
    assert part.picture_x(40) == 30.0 + 40 / 0.5


def test_an_empty_line_stays_white() -> None:
    noise = np.random.default_rng(0).integers(236, 244, (120, 400)).astype(np.uint8)
    assert strip_of(noise, (40, 40, 360, 70), 30.0).pixels.min() > 150


@pytest.mark.parametrize(
    "box",
    [(-50, -20, 30, 10), (380, 100, 500, 140), (0, 0, 400, 120), (9, 9, 9, 9), (0, 5, 90_000, 8)],
)
def test_a_box_at_or_over_the_edge_gives_a_bounded_strip(box: tuple[int, int, int, int]) -> None:
    strip = strip_of(page(), box, 20.0)
    assert strip.pixels.shape[0] == STRIP_HEIGHT_PX
    assert 0 < strip.pixels.shape[1] <= MOST_WIDTH_PX + COLUMN_STEP_PX


def drawn(text: str, family: str, em_px: int, *, noise: float = 4.0) -> Pixels:
    """The text, from left to right as written here, black on patterned grey."""
    face = font(family, em_px)
    width = round(face.getlength(text)) + 4 * em_px
    image = Image.new("L", (width, 3 * em_px), 225)
    ImageDraw.Draw(image).text((2 * em_px, 2 * em_px), text, fill=40, font=face, anchor="ls")
    rng = np.random.default_rng(len(text) + em_px)
    waves = 12 * np.sin(np.arange(3 * em_px)[:, None] / 3 + np.arange(width) / 30)
    rough = np.array(image) + waves + rng.normal(0, noise, (3 * em_px, width))
    soft = cv2.GaussianBlur(np.clip(rough, 0, 255).astype(np.uint8), (3, 3), 0)
    return np.asarray(soft, np.uint8)


def ink_box(text: str, family: str, em_px: int) -> tuple[int, int, int, int]:
    left, top, right, bottom = font(family, em_px).getbbox(text, anchor="ls")
    return (
        round(left) + 2 * em_px, round(top) + 2 * em_px,
        round(right) + 2 * em_px, round(bottom) + 2 * em_px,
    )  # fmt: skip


@pytest.fixture(scope="module")
def digits() -> StripReader:
    return parse_strip_reader(*files("digits"))


FAMILIES = ("Amiri", "AmiriBold", "DejaVuSansBold", "NotoSansArabicBold", "Scheherazade",
            "NotoNaskhArabic", "KacstBook")  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("em_px", [30, 60])
def test_printed_digits_are_read_and_beat_every_rival(
    digits: StripReader, family: str, em_px: int
) -> None:
    rng = np.random.default_rng(em_px)
    for _ in range(3):
        number = "".join(map(str, rng.integers(0, 10, 11)))
        text = arabic_indic(number)
        strip = strip_of(drawn(text, family, em_px), ink_box(text, family, em_px), 0.95 * em_px)
        answers = digits.log_probabilities(strip)
        assert "".join(glyph.text for glyph in glyphs(answers, digits.classes)) == number
        texts = [number, *single_edits(number, "0123456789")]
        printed, *others = log_likelihoods(answers, texts, digits.classes)
        assert printed > max(others)


def test_each_digit_tells_where_it_stands(digits: StripReader) -> None:
    text, em_px = "50297641418", 40
    picture, box = drawn(text, "DejaVuSans", em_px), ink_box(text, "DejaVuSans", em_px)
    strip = strip_of(picture, box, 0.95 * em_px)
    answers = digits.log_probabilities(strip)
    found = glyphs(answers, digits.classes)
    advance = (box[2] - box[0]) / len(text)
    for index, glyph in enumerate(found):
        middle = (glyph.first_frame + glyph.last_frame + 1) / 2
        x = strip.picture_x(digits.column(middle, len(answers)))
        assert x == pytest.approx(box[0] + (index + 0.5) * advance, abs=0.75 * advance)


def test_reading_the_same_strip_again_gives_the_same_after_strips_of_other_widths(
    digits: StripReader,
) -> None:
    strips = [strip_of(drawn("1234567"[:n], "DejaVuSans", 30), (60, 36, 60 + 18 * n, 62), 30.0)
              for n in (7, 2, 5)]  # fmt: skip
    first = [digits.log_probabilities(strip) for strip in strips]
    again = [digits.log_probabilities(strip) for strip in reversed(strips)]
    for one, other in zip(first, reversed(again), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_a_line_is_read_within_its_time(digits: StripReader) -> None:
    strip = Strip(np.full((STRIP_HEIGHT_PX, 448), 255, np.uint8), 0.0, 1.0)
    before = time.process_time()
    for _ in range(10):
        digits.log_probabilities(strip)
    # 4 ms on the machine it was made for; a network grown by mistake takes many times that.
    assert (time.process_time() - before) / 10 < 0.06


@pytest.mark.parametrize("model", ["digits", "arabic"])
def test_the_shipped_models_load(model: str) -> None:
    reader = parse_strip_reader(*files(model))
    assert set("0123456789-/. x") <= set(reader.classes)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": []},
        {"classes": ["0", "0"]},
        {"classes": ["01", "2"]},
        {"classes": ["0", "1"]},
        {"direction": "upwards"},
        {"columns_per_frame": 3},
        {"columns_per_frame": 2},
        {"height_px": 32},
        {"em_px": None},
        {"classes": 7},
    ],
)
def test_a_description_that_does_not_fit_is_refused(change: dict[str, object]) -> None:
    network, description = files("digits")
    told = json.loads(description) | change
    with pytest.raises(InvalidModel):
        parse_strip_reader(network, json.dumps(told).encode())


def test_a_description_without_classes_is_refused() -> None:
    network, description = files("digits")
    told = json.loads(description)
    del told["classes"]
    for text in (json.dumps(told), "[]", "{", "null"):
        with pytest.raises(InvalidModel):
            parse_strip_reader(network, text.encode())


@pytest.mark.parametrize("cut", [0, 10, 5000, -2000])
def test_a_damaged_network_is_refused(cut: int) -> None:
    network, description = files("digits")
    with pytest.raises(InvalidModel):
        parse_strip_reader(network[:cut], description)
