"""Lines drawn once, then a network trained on them by CTC; the same every time from one seed."""

from __future__ import annotations

import multiprocessing
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import nn

from docqa.page import Pixels
from models.strips.faces import Face
from models.strips.network import scores

BATCH = 32
WIDTH_STEP_PX = 64
"""Strips of like width share a batch, padded with paper to whole multiples of this."""
WIDEST_PX = 1024
HIGHEST_RATE = 0.004
WEIGHT_DECAY = 0.01
LONGEST_GRADIENT = 2.0
BLANK = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A strip and what stands in it."""

    pixels: Pixels
    """(STRIP_HEIGHT_PX, W) uint8."""
    text: str
    """In the order of the frames, from left to right."""
    face: str
    kind: str


Draw = Callable[[list[Face], np.random.Generator], Example]


def drawn(draw: Draw, faces: list[Face], count: int, seed: int, processes: int) -> list[Example]:
    """``count`` examples, each from a seed of its own, drawn in parallel."""
    jobs = [(draw, faces, seed, start, min(start + 200, count)) for start in range(0, count, 200)]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return [example for part in pool.imap(_part, jobs) for example in part]


def _part(job: tuple[Draw, list[Face], int, int, int]) -> list[Example]:
    draw, faces, seed, start, stop = job
    cv2.setNumThreads(1)
    examples = (draw(faces, np.random.default_rng((seed, index))) for index in range(start, stop))
    return [e for e in examples if e.text and e.pixels.shape[1] <= WIDEST_PX]


def _has_frames(example: Example, columns_per_frame: int) -> bool:
    """Whether the strip has frames enough for its characters and the blank in doubled ones."""
    text = example.text
    doubled = sum(a == b for a, b in zip(text, text[1:], strict=False))
    frames = int(example.pixels.shape[1]) // columns_per_frame
    return len(text) + doubled <= frames


def train(
    network: nn.ModuleList,
    examples: Sequence[Example],
    classes: str,
    *,
    columns_per_frame: int,
    strips: int,
    highest_rate: float,
    seed: int,
    after: Callable[[int], None] | None = None,
) -> None:
    """Show the network ``strips`` strips, its rate rising shortly and then falling to nothing.

    Args:
        network: trained in place.
        examples: to draw from, again and again, each time a little different.
        classes: what the network tells apart, without the blank.
        columns_per_frame: of the network; strips too narrow for their text are left out.
        strips: how many are shown.
        highest_rate: of AdamW.
        seed: of the order and of the differences.
        after: called every 500 batches with the number of batches.
    """
    rng = np.random.default_rng(seed)
    examples = [e for e in examples if _has_frames(e, columns_per_frame)]
    optimiser = torch.optim.AdamW(network.parameters(), highest_rate, weight_decay=WEIGHT_DECAY)
    steps = strips // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, highest_rate, total_steps=steps + 1, pct_start=0.12
    )
    network.train()
    index = {token: at for at, token in enumerate(classes, start=1)}
    started, running = time.monotonic(), 0.0
    for step, batch in zip(range(1, steps + 1), _batches(examples, rng), strict=False):
        answers = scores(network, _varied(batch, rng))
        texts = [torch.tensor([index[c] for c in example.text]) for example in batch]
        loss = nn.functional.ctc_loss(
            answers.log_softmax(2), torch.cat(texts), torch.full((len(batch),), len(answers)),
            torch.tensor([len(text) for text in texts]), blank=BLANK, zero_infinity=True,
        )  # fmt: skip
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), LONGEST_GRADIENT)
        optimiser.step()
        schedule.step()
        running += (float(loss.detach()) - running) * max(0.02, 1 / step)
        if step % 100 == 0:
            spent = time.monotonic() - started
            print(f"  {step}/{steps} loss {running:.4f} after {spent:.0f} s", flush=True)
        if after is not None and step % 500 == 0:
            after(step)
            network.train()
    network.eval()


def exact_fractions(
    network: nn.ModuleList, examples: Sequence[Example], classes: str
) -> tuple[dict[str, tuple[int, int]], list[tuple[Example, str]]]:
    """Lines read exactly and lines in all for each face, and the lines that are misread."""
    network.eval()
    counts: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    wrong: list[tuple[Example, str]] = []
    for batch in _by_width(examples):
        with torch.no_grad():
            best = scores(network, _plain(batch)).argmax(2).T.numpy()
        for example, row in zip(batch, best, strict=True):
            kept = row[np.concatenate([[True], row[1:] != row[:-1]])]
            text = "".join(classes[at - 1] for at in kept if at != BLANK)
            right, total = counts[example.face]
            counts[example.face] = (right + (text == example.text), total + 1)
            if text != example.text:
                wrong.append((example, text))
    return dict(counts), wrong


def report(
    network: nn.ModuleList, examples: Sequence[Example], classes: str, *, named: str
) -> list[tuple[Example, str]]:
    """Print how many lines of each face and kind are read exactly; returns the others."""
    counts, wrong = exact_fractions(network, examples, classes)
    for face, (right, total) in sorted(counts.items()):
        print(f"  {face:34} {right:5}/{total:5} {100 * right / total:6.2f} %")
    for kind in sorted({example.kind for example in examples}):
        total = sum(example.kind == kind for example in examples)
        missed = sum(example.kind == kind for example, _ in wrong)
        print(f"  {kind:34} {total - missed:5}/{total:5} {100 - 100 * missed / total:6.2f} %")
    print(f"{named}: {100 - 100 * len(wrong) / len(examples):.2f} % exact", flush=True)
    return wrong


def _batches(examples: Sequence[Example], rng: np.random.Generator) -> Iterator[list[Example]]:
    """Without end: every example once a round, those of like width together."""
    while True:
        order = rng.permutation(len(examples))
        batches = list(_by_width([examples[int(at)] for at in order]))
        for at in rng.permutation(len(batches)):
            yield batches[int(at)]


def _by_width(examples: Sequence[Example]) -> Iterator[list[Example]]:
    waiting: dict[int, list[Example]] = defaultdict(list)
    for example in examples:
        bucket = -(-example.pixels.shape[1] // WIDTH_STEP_PX)
        waiting[bucket].append(example)
        if len(waiting[bucket]) == BATCH:
            yield waiting.pop(bucket)
    yield from waiting.values()


def _plain(batch: Sequence[Example]) -> torch.Tensor:
    width = max(example.pixels.shape[1] for example in batch)
    out = np.zeros((len(batch), 1, batch[0].pixels.shape[0], width), np.float32)
    for row, example in zip(out, batch, strict=True):
        row[0, :, : example.pixels.shape[1]] = 1 - example.pixels.astype(np.float32) / 255
    return torch.from_numpy(out)


def _varied(batch: Sequence[Example], rng: np.random.Generator) -> torch.Tensor:
    """The strips moved, toned and roughened anew each time they are shown."""
    height = batch[0].pixels.shape[0]
    width = -(-max(e.pixels.shape[1] for e in batch) // WIDTH_STEP_PX) * WIDTH_STEP_PX
    out = np.zeros((len(batch), 1, height, width), np.float32)
    for row, example in zip(out, batch, strict=True):
        ink = 1 - example.pixels.astype(np.float32) / 255
        shrink = float(rng.uniform(0.93, 1.0))
        rise = float(rng.uniform(-2.5, 2.5) + (1 - shrink) * height / 2)
        along = float(rng.uniform(0, max(width - ink.shape[1] * shrink, 0.0)))
        matrix = np.array([[shrink, 0, along], [0, shrink, rise]])
        moved = cv2.warpAffine(ink, matrix, (width, height), flags=cv2.INTER_LINEAR)
        row[0] = moved ** np.float32(np.exp(rng.normal(0, 0.25)))
    out += rng.standard_normal(out.shape, dtype=np.float32) * np.float32(rng.uniform(0, 0.06))
    return torch.from_numpy(np.clip(out, 0, 1))
