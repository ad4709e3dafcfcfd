"""Small trained networks: numbers in a JSON file, no code."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from docqa.errors import InvalidModel

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Networks:
    """Networks of the same shape with tanh layers and one number out; their mean counts."""

    least: Vector
    most: Vector
    """(features,) features are brought between these, the range that was learnt."""
    layers: tuple[tuple[Vector, Vector], ...]
    """Weights (networks, inputs, outputs) and biases (networks, 1, outputs) of each layer."""

    def inside(self, known: Vector) -> Vector:
        """(n, features) brought into -1 to 1."""
        clipped = np.clip(known, self.least, self.most)
        return np.asarray(2 * (clipped - self.least) / (self.most - self.least) - 1, np.float64)

    def levels(self, known: Vector) -> Vector:
        """(n,) the answers on (n, features)."""
        level = self.inside(known)
        for weights, biases in self.layers[:-1]:
            level = np.tanh(level @ weights + biases)
        weights, biases = self.layers[-1]
        return np.asarray((level @ weights + biases)[:, :, 0].mean(axis=0), np.float64)


def parse_networks(data: bytes, features_count: int, source: str) -> Networks:
    """The networks in ``data`` over that many features. Raises InvalidModel, naming ``source``."""
    try:
        raw = json.loads(data)
        least, most = (np.asarray(raw[name], np.float64) for name in ("least", "most"))
        layers = tuple(
            (np.asarray(layer["weights"], np.float64), np.asarray(layer["biases"], np.float64))
            for layer in raw["layers"]
        )
        if least.shape != (features_count,) or not (most > least).all():
            raise ValueError(f"{features_count} features need a range each")
        networks = Networks(least, most, layers)
        answer = networks.levels(np.zeros((1, features_count)))
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise InvalidModel(
            f"{source} cannot be read; remake it with train.py: {error!r}"
        ) from error
    if answer.shape != (1,) or not np.isfinite(answer).all():
        raise InvalidModel(f"{source} holds numbers that are not finite")
    return networks
