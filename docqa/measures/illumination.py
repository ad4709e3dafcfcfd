"""How evenly the paper is lit.

A robust plane through the paper's brightness (``analysis/paper.py``) gives the slope of the light;
what departs from the plane is shadow, fold or curl. Scanners light a page to within a few levels.
Edges of cast shadows are sought apart (``analysis/shadows.py``): they cover what is to be read.
"""

from __future__ import annotations

from dataclasses import dataclass

from docqa.analysis.paper import paper
from docqa.analysis.ranks import percentiles
from docqa.analysis.shadows import cast_shadow
from docqa.errors import CannotAssess
from docqa.page import Page, Region

LEAST_PAPER_FRACTION = 0.1
"""With less paper than this in the picture a slope says nothing."""


@dataclass(frozen=True, slots=True)
class Illumination:
    """Evenness of the light on the paper; lower is better, 0 is perfectly even."""

    gradient_levels: float
    """0 to about 300: change of the paper's brightness across the page along its steepest slope."""
    range_levels: float
    """0 to 255: 95th less 5th percentile of the brightness of the paper's blocks."""
    uneven_levels: float
    """0 to 18: root mean square departure of the paper from an evenly slanting light."""
    shadow_edge_levels: float
    """0 to 255: what the paper loses across the strongest edge of a shadow; 0.0 without one."""
    shadow_area_fraction: float
    """0 to 1: share of the sheet on that edge's dark side; 0.0 without one."""
    regions: tuple[Region, ...] = ()
    """Around that edge, of kind ``shadow``."""


def measure(page: Page) -> Illumination:
    """Measure the light. Raises CannotAssess where little paper is in the picture."""
    light = page.derive(paper)
    if light.paper_fraction < LEAST_PAPER_FRACTION:
        raise CannotAssess("too little of the picture is paper to judge the light on it")
    low, high = percentiles(light.block_levels[light.is_paper], 5, 95)
    shadow = page.derive(cast_shadow)
    return Illumination(
        gradient_levels=light.gradient_levels,
        range_levels=high - low,
        uneven_levels=light.residual_levels,
        shadow_edge_levels=shadow.edge_levels,
        shadow_area_fraction=shadow.area_fraction,
        regions=() if shadow.place is None else (Region("shadow", shadow.place),),
    )
