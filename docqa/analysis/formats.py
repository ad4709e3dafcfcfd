"""Known sizes of paper and cards, and the resolution that follows from the one that fits."""

from __future__ import annotations

MM_PER_INCH = 25.4
CARDS_MM = {"id-1": (85.6, 53.98), "td3": (125.0, 88.0), "td2": (105.0, 74.0)}
"""ISO/IEC 7810: bank-card size, the passport's data page, and the older large ID card."""
SHEETS_MM = {
    "a4": (297.0, 210.0),
    "letter": (279.4, 215.9),
    "legal": (355.6, 215.9),
    "a5": (210.0, 148.0),
    "a3": (420.0, 297.0),
}
"""The first of several that fit is the default."""
TAG_TOLERANCE = 0.08
"""A format confirms the file's density when it implies it to within this."""
PLAUSIBLE_PPI = (20.0, 2500.0)


def confirms(ppi: float, tag_ppi: float) -> bool:
    """Whether a format that gives ``ppi`` bears the file's density out."""
    return abs(ppi / tag_ppi - 1) <= TAG_TOLERANCE


def ppi_by_format(
    sides_px: tuple[float, float],
    formats_mm: list[tuple[float, float]],
    tolerance: float,
    tag: float | None,
) -> float | None:
    """Pixels per inch by the format that fits best: the file's density first, then the shape.

    Args:
        sides_px: longer and shorter side in pixels.
        formats_mm: longer and shorter sides of the candidates; of equals the first wins.
        tolerance: how far the aspect ratio may be off, as a fraction.
        tag: the file's density in pixels per inch, if it is to be believed.

    Returns:
        None where no format fits.
    """
    longer, shorter = sides_px
    fitting = []
    for rank, (long_mm, short_mm) in enumerate(formats_mm):
        misfit = abs(longer * short_mm / (shorter * long_mm) - 1)
        ppi = MM_PER_INCH * (longer / long_mm + shorter / short_mm) / 2
        if misfit <= tolerance and PLAUSIBLE_PPI[0] <= ppi <= PLAUSIBLE_PPI[1]:
            confirmed = tag is not None and confirms(ppi, tag)
            # Formats of one shape (A series, passports) tie here, and their order decides.
            fitting.append((not confirmed, round(misfit / 0.02), rank, ppi))
    return min(fitting)[3] if fitting else None
