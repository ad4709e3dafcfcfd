"""Lines of print as strips of one height, and small networks that read them.

A strip keeps its greys: dots and thin joins that a threshold would close or break stay as sure, or
as unsure, as the scan has them. The training of the networks makes its strips by the same code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from docqa.errors import InvalidModel
from docqa.page import Pixels
from docqa.reading.ctc import LogProbabilities

Direction = Literal["left_to_right", "right_to_left"]

STRIP_HEIGHT_PX = 40
STRIP_EM_PX = 26
"""Height of a line's usual words in a strip; the rest is room for marks and for a rough box."""
FITTING_HEIGHT_PX = 37
"""No box is higher in its strip than this."""
MARGIN_EM = 0.4
"""Paper kept at both ends of a line."""
MOST_WIDTH_PX = 2048
MOST_ENLARGEMENT = 3.0
PAPER_WINDOW_PX = 15
"""Wider than a stroke of bold print in a strip: the brightest within it is paper."""
LEAST_CONTRAST_LEVELS = 32.0
"""Paler marks than this are not stretched to black: a line without ink stays white."""
COLUMN_STEP_PX = 8
"""Widths are whole multiples, so that no column of the network hangs over the edge."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A line of print scaled to one size, its paper even and white, its ink black."""

    pixels: Pixels
    """(STRIP_HEIGHT_PX, W) uint8, W a multiple of COLUMN_STEP_PX."""
    left_px: float
    """Where the strip starts in the picture it was cut from."""
    scale: float
    """Pixels of the strip for one of that picture, across."""

    def picture_x(self, column: float) -> float:
        """The place across the picture of a column of the strip."""
        return self.left_px + column / self.scale


@dataclass(frozen=True, slots=True)
class StripReader:
    """A trained network. Not safe for two threads at once; several readers are."""

    network: cv2.dnn.Net
    classes: tuple[str, ...]
    """What the network tells apart, without the blank: class ``index + 1`` of its answer."""
    direction: Direction
    """The order in which the answer runs along the line."""
    columns_per_frame: int

    def log_probabilities(self, strip: Strip) -> LogProbabilities:
        """(T, 1 + classes) natural logarithms; rows are frames in reading order, blank first."""
        scaled = strip.pixels.astype(np.float32) * np.float32(1 / 255)
        self.network.setInput(1 - scaled[None, None])
        answer = cast("npt.NDArray[np.float32]", self.network.forward())
        return _frames(answer, len(self.classes) + 1, self.direction)

    def column(self, frame: float, frames: int) -> float:
        """The column of the strip where a frame of the answer starts."""
        return self.columns_per_frame * (
            frame if self.direction == "left_to_right" else frames - frame
        )

    def frame(self, column: float, frames: int) -> float:
        """The frame of the answer that starts at a column of the strip."""
        at = column / self.columns_per_frame
        return at if self.direction == "left_to_right" else frames - at


def strip_of(pixels: Pixels, box: tuple[int, int, int, int], em_px: float) -> Strip:
    """Cut one line out of a picture and bring it to the size the networks were trained on.

    Args:
        pixels: (H, W) uint8 luma, lines level.
        box: left, top, right, bottom of the line's ink; may be cut a little or hold a little more.
        em_px: height of the line's usual words, as :class:`docqa.reading.lines.Row` has it; a
            third too much or too little does no harm.
    """
    left, top, right, bottom = box
    scale = min(
        STRIP_EM_PX / max(em_px, 1.0),
        FITTING_HEIGHT_PX / max(bottom - top, 1),
        (MOST_WIDTH_PX - 2 * MARGIN_EM * STRIP_EM_PX) / max(right - left, 1),
        MOST_ENLARGEMENT,
    )
    margin = MARGIN_EM * STRIP_EM_PX / scale
    start = round(left - margin)
    columns = -(-(right + margin - start) * scale // COLUMN_STEP_PX) * COLUMN_STEP_PX
    width = max(int(columns), 2 * COLUMN_STEP_PX)
    upper = round((top + bottom) / 2 - STRIP_HEIGHT_PX / 2 / scale)
    piece = _window(
        pixels, start, upper, max(round(width / scale), 1), max(round(STRIP_HEIGHT_PX / scale), 1)
    )
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(piece, (width, STRIP_HEIGHT_PX), interpolation=interpolation)
    return Strip(_evened(cast("Pixels", resized)), float(start), width / piece.shape[1])


def stretched(strip: Strip, ratio: float) -> Strip:
    """The strip as a wider or narrower print would give it, for a second look at the same line.

    What a network misreads at one width it often reads at another: the log likelihoods of a text
    in both looks, added, favour the printed one more surely than either.

    Args:
        strip: what was looked at first.
        ratio: new width over old; 0.85 to 1.2 stays within what the networks know.
    """
    width = max(round(strip.pixels.shape[1] * ratio / COLUMN_STEP_PX), 2) * COLUMN_STEP_PX
    size = (min(width, MOST_WIDTH_PX), STRIP_HEIGHT_PX)
    pixels = cast("Pixels", cv2.resize(strip.pixels, size, interpolation=cv2.INTER_LINEAR))
    return Strip(pixels, strip.left_px, strip.scale * size[0] / strip.pixels.shape[1])


def cut(strip: Strip, stop: int) -> Strip:
    """The columns up to ``stop``, and as much paper as a line has after it."""
    width = -(-(stop + round(MARGIN_EM * STRIP_EM_PX)) // COLUMN_STEP_PX) * COLUMN_STEP_PX
    pixels = cv2.copyMakeBorder(strip.pixels[:, :stop], 0, 0, 0, width - stop, cv2.BORDER_REPLICATE)
    return Strip(cast("Pixels", pixels), strip.left_px, strip.scale)


def between(strip: Strip, start: float, stop: float) -> tuple[Strip, int]:
    """The columns around those two, as far as there are any, and the first of them."""
    width = strip.pixels.shape[1]
    first = max(int(start // COLUMN_STEP_PX) * COLUMN_STEP_PX, 0)
    last = min(int(-(-stop // COLUMN_STEP_PX)) * COLUMN_STEP_PX, width)
    return Strip(strip.pixels[:, first:last], strip.picture_x(first), strip.scale), first


def parse_strip_reader(network: bytes, description: bytes) -> StripReader:
    """The reader of a network in ONNX and the JSON that tells its classes.

    Raises:
        InvalidModel: either is not what this version reads, or they do not belong together.
    """
    try:
        told: dict[str, Any] = json.loads(description)
        classes = tuple(told["classes"])
        direction, columns_per_frame = told["direction"], told["columns_per_frame"]
        size = told["height_px"], told["em_px"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidModel(f"the description of a strip network lacks or garbles {error}") from None
    single = all(isinstance(token, str) and len(token) == 1 for token in classes)
    if not single or not classes or len(set(classes)) < len(classes):
        raise InvalidModel("the classes of a strip network must be single characters, none twice")
    if direction not in ("left_to_right", "right_to_left") or columns_per_frame not in (1, 2, 4):
        raise InvalidModel("a strip network's direction or columns_per_frame is not a known one")
    if size != (STRIP_HEIGHT_PX, STRIP_EM_PX):
        raise InvalidModel(
            f"a strip network wants strips of {size} pixels; this version makes"
            f" {(STRIP_HEIGHT_PX, STRIP_EM_PX)}: train it anew"
        )
    try:
        net = cv2.dnn.readNetFromONNX(np.frombuffer(network, np.uint8))
        reader = StripReader(net, classes, direction, columns_per_frame)
        blank = Strip(np.full((STRIP_HEIGHT_PX, 64), 255, np.uint8), 0.0, 1.0)
        answer = reader.log_probabilities(blank)
    except (cv2.error, ValueError) as error:
        raise InvalidModel(f"OpenCV cannot run a strip network: {type(error).__name__}") from None
    if answer.shape[0] != 64 // columns_per_frame or not np.isfinite(answer).all():
        raise InvalidModel("a strip network's answer does not fit its description")
    return reader


def _frames(
    answer: npt.NDArray[np.float32], classes: int, direction: Direction
) -> LogProbabilities:
    """Log softmax of an answer (1, steps * classes, 1, columns), several frames to a column."""
    columns = answer.shape[-1]
    scores = answer.reshape(-1, classes, columns).transpose(2, 0, 1).reshape(-1, classes)
    if direction == "right_to_left":
        scores = scores[::-1]
    scores = scores.astype(np.float64)
    scores -= scores.max(axis=1, keepdims=True)
    return cast("LogProbabilities", scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def _window(pixels: Pixels, left: int, top: int, width: int, height: int) -> Pixels:
    """A part of the picture, its border pixels repeated where it reaches over the edge."""
    rows = np.clip(np.arange(top, top + height), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, left + width), 0, pixels.shape[1] - 1)
    inner = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if inner.shape == (height, width):
        return inner
    return inner[np.ix_(rows - rows[0], columns - columns[0])]


def _evened(strip: Pixels) -> Pixels:
    """Paper to white by the brightest nearby, the mean of the ink (Otsu's dark class) to black."""
    window = np.ones((PAPER_WINDOW_PX, PAPER_WINDOW_PX), np.uint8)
    paper = cv2.blur(
        cv2.morphologyEx(strip, cv2.MORPH_CLOSE, window), (PAPER_WINDOW_PX, PAPER_WINDOW_PX)
    )
    even = cv2.divide(strip, cv2.max(paper, np.ones_like(paper)), scale=255)
    limit = cv2.threshold(even, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
    dark = even[even <= limit]
    black = min(float(dark.mean()) if dark.size else 255.0, 255 - LEAST_CONTRAST_LEVELS)
    stretched = (even.astype(np.float32) - black) * np.float32(255 / (255 - black))
    return np.clip(np.round(stretched), 0, 255).astype(np.uint8)
