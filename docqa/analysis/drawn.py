"""Whether a program drew the page: its letters repeat exactly, as no sensor sees them."""

from __future__ import annotations

from docqa.analysis.letter_ink import letter_ink
from docqa.analysis.letter_twins import LetterTwins, letter_twins
from docqa.analysis.paper import paper
from docqa.analysis.settled_letters import settled_letters
from docqa.analysis.texture import ink_mode_fraction, is_noiseless, is_two_level
from docqa.analysis.whitening import whitening
from docqa.page import Page

LETTERS_COUNT, MANY_LETTERS_COUNT = 20, 100
"""It takes so many to say that letters repeat; the second, where twins are only near."""
LEAST_TWINS_COUNT = 3
"""One pair may be alike by chance: two clipped pieces of a bar code."""
EXACT_TWINS_FRACTION, CLOSE_TWINS_FRACTION, NEAR_TWINS_FRACTION = 0.03, 0.05, 0.25
"""Letters with such a twin. Of the real scans in grey or colour, but for two that look drawn, none
has more than 0.006, 0.026 and, of so many letters, 0.07."""
ALIKE_FRACTION = 0.045
"""One letter in twenty must have another as near: it has on two in five real white scans, and only
there the ink of letters is weighed."""
DRAWN_SCATTER = 0.0015
"""Like letters that differ less in the ink they hold were drawn. Of 66 real scans none has under
0.0037, but for one that was drawn."""
TWO_LEVEL_TWINS_FRACTION = 0.5
"""In two levels letters agree by chance: up to 0.21 of them exactly, on real scans."""
WHITE_FRACTION = 0.3
"""Of the paper, clipped: the page is white."""
LOW_RESOLUTION_PX = 1200
"""Pages whose longer side is under this are the size of a display's window. Their letters are too
small to have many exact twins, and a scan so coarse is noisy where it is not clipped."""
INK_MODE_FRACTION, SMALL_TWINS_FRACTION = 0.35, 0.05
SOFT_STEP_FRACTION = 0.4
"""Of an edge, its steepest step between two pixels. Blur takes from printed letters what makes them
differ: scans blurred by a pixel and more have under this, drawn pages 0.55 and more."""


def is_drawn(page: Page) -> bool:
    """True where letters repeat, and no paper shows a sensor's noise. Call it by ``page.derive``.

    A scan in two levels that is stored as JBIG2 is never said to be drawn: that keeps one picture
    for all letters of a shape. Nor is a page with shades whose letters are soft.
    """
    if is_two_level(page):
        return not page.origin.has_jbig2 and _repeat_in_two_levels(page.derive(letter_twins))
    return _look_drawn(page) and not _are_soft(page)


def _look_drawn(page: Page) -> bool:
    # Noise rules out twins; on a white page what looks like it may be JPEG's, beside the letters.
    is_white = page.derive(paper).clipped_white_fraction >= WHITE_FRACTION
    if not is_white and not is_noiseless(page):
        return False
    twins = page.derive(letter_twins)
    if _repeat(twins) or _hold_the_same_ink(page, twins):
        return True
    is_small = max(page.width_px, page.height_px) < LOW_RESOLUTION_PX
    return (
        is_small
        and is_noiseless(page)
        and (
            twins.near_fraction >= SMALL_TWINS_FRACTION
            or ink_mode_fraction(page) >= INK_MODE_FRACTION
        )
    )


def _are_soft(page: Page) -> bool:
    found = page.derive(whitening)
    return found is not None and found.edge_step_fraction < SOFT_STEP_FRACTION


def _hold_the_same_ink(page: Page, twins: LetterTwins) -> bool:
    if twins.likeness_fraction > ALIKE_FRACTION or page.derive(settled_letters).are_printed:
        return False
    found = page.derive(letter_ink)
    return found is not None and found.scatter_fraction < DRAWN_SCATTER


def _repeat_in_two_levels(twins: LetterTwins) -> bool:
    enough = twins.letters_count >= LETTERS_COUNT
    return enough and twins.exact_fraction >= TWO_LEVEL_TWINS_FRACTION


def _repeat(twins: LetterTwins) -> bool:
    if twins.letters_count < LETTERS_COUNT:
        return False
    few = LEAST_TWINS_COUNT / twins.letters_count
    exact = twins.exact_fraction >= max(EXACT_TWINS_FRACTION, few)
    close = twins.close_fraction >= max(CLOSE_TWINS_FRACTION, few)
    is_near = twins.near_fraction >= NEAR_TWINS_FRACTION
    return exact or close or (twins.letters_count >= MANY_LETTERS_COUNT and is_near)
