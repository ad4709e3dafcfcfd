"""Which pages may be an app's work at all: white sheets of writing, not in two levels.

On anything else the traces of ``whitening.py`` mean nothing: a card's printed ground is no uneven
paper, and in the white frame round a card it is the lid that is clipped.
"""

from __future__ import annotations

from docqa.analysis.capture_features import whitening_features
from docqa.analysis.logistic import Logistic
from docqa.analysis.outline import outline
from docqa.analysis.paper import paper
from docqa.analysis.patterned_card import patterned_card
from docqa.analysis.texture import bilevel_fraction
from docqa.analysis.whitening import Whitening, whitening
from docqa.page import Page

CLIPPED_FRACTIONS = (0.3, 0.97)
"""Share of black and white pixels between which a sheet was whitened, yet not to two levels. That
of a card cut out to its edges stays under 0.28."""
WHITE_FRACTION = 0.5
"""More than this of the windows of writing have white paper."""


def whitened_by_app(page: Page, model: Logistic) -> float:
    """Probability that an app whitened the page, were half of all pages an app's; 0.0 where it is
    no such sheet.
    """
    found = whitened_sheet(page)
    if found is None:
        return 0.0
    return model.probability(whitening_features(found, page.derive(paper)))


def whitened_sheet(page: Page) -> Whitening | None:
    """The traces on the page; None where it is no such sheet, or holds too little writing."""
    low, high = CLIPPED_FRACTIONS
    if not low < page.derive(bilevel_fraction) < high:
        return None
    found = page.derive(whitening)
    if found is None or found.white_fraction <= WHITE_FRACTION or _is_under_lid(page):
        return None
    return found


def _is_under_lid(page: Page) -> bool:
    """Whether a lid shows round the document: an app would have cut it off."""
    sheet = page.derive(outline)
    if sheet is None:
        return page.derive(patterned_card) is not None
    return sheet.background == "light" and not sheet.fills_frame and not any(sheet.touching)
