"""What a part of the accuracy benchmark returns, and the statistics that parts share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu, spearmanr

Better = Literal["higher", "lower"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    name: str
    value: float | None
    """None where docqa gives nothing to measure yet."""
    better: Better
    n: int
    """Samples behind it."""
    target: float | None = None
    peers: Mapping[str, float | None] = field(default_factory=dict)
    """The same number of each peer on the same inputs; None where it could not run."""

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached; None without one."""
        if self.target is None:
            return None
        if self.value is None:
            return False
        over = self.value >= self.target
        return over if self.better == "higher" else self.value <= self.target

    def to_json(self) -> dict[str, Any]:
        """As JSON values, rounded to what the sample can carry."""
        return {
            "name": self.name,
            "value": rounded(self.value),
            "better": self.better,
            "n": self.n,
            "target": self.target,
            "reached": self.reached,
            "peers": {name: rounded(value) for name, value in self.peers.items()},
        }


@dataclass(frozen=True, slots=True)
class Part:
    """Everything one part measured."""

    name: str
    figures: tuple[Figure, ...]
    worst: tuple[str, ...] = ()
    """The worst cases, a line each, for whoever improves the measure."""
    notes: tuple[str, ...] = ()


def rounded(value: float | None) -> float | None:
    """Four decimals."""
    return None if value is None else round(float(value), 4)


def rank_correlation(scores: Sequence[float], truth: Sequence[float]) -> float | None:
    """Spearman's coefficient; None where one of them is constant."""
    if len(set(scores)) < 2 or len(set(truth)) < 2:
        return None
    return float(spearmanr(scores, truth).statistic)


def area_under_curve(scores: Sequence[float], is_good: Sequence[bool]) -> float | None:
    """Chance that a good sample scores above a bad one; None where one kind is absent."""
    values, good = np.asarray(scores, np.float64), np.asarray(is_good, np.bool_)
    if good.all() or not good.any():
        return None
    statistic = mannwhitneyu(values[good], values[~good]).statistic
    return float(statistic) / float(good.sum() * (~good).sum())


def share(flags: Sequence[bool]) -> float | None:
    """Share of true values; None of nothing."""
    return float(np.mean(flags)) if len(flags) else None
