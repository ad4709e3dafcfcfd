"""A trained logistic model: numbers in a JSON file, no code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from docqa.errors import InvalidModel

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Logistic:
    """Probability = 1 / (1 + exp(-(weights . (x - mean) / scale + bias)))."""

    columns: tuple[int, ...]
    """Which entries of the feature vector the model uses."""
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, features: Vector) -> float:
        """0 to 1 for one feature vector in the order of the names given to ``parse_logistic``."""
        values = features.tolist()
        score = self.bias + sum(
            weight * (values[column] - mean) / scale
            for column, mean, scale, weight in zip(
                self.columns, self.mean, self.scale, self.weights, strict=True
            )
        )
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))


def with_odds(probability: float, factor: float) -> float:
    """The probability whose odds are so many times as high."""
    return probability * factor / (probability * factor + 1 - probability)


def parse_logistic(raw: Any, names: Sequence[str], source: str) -> Logistic:
    """The model in parsed JSON over the named features. Raises InvalidModel, naming ``source``."""
    try:
        columns = tuple(names.index(name) for name in raw["features"])
        mean, scale, weights = (
            np.asarray(raw[k], np.float64) for k in ("mean", "scale", "weights")
        )
        bias = float(raw["bias"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidModel(
            f"{source} cannot be read; remake it with train.py: {error!r}"
        ) from error
    if {mean.shape, scale.shape, weights.shape} != {(len(columns),)}:
        raise InvalidModel(f"{source} must give each feature one mean, one scale and one weight")
    if not np.isfinite([*mean, *scale, *weights, bias]).all() or (scale <= 0).any():
        raise InvalidModel(f"{source} holds a number that is not finite, or a scale of 0 or less")
    return Logistic(
        columns, tuple(mean.tolist()), tuple(scale.tolist()), tuple(weights.tolist()), bias
    )
