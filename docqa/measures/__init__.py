"""The measures: one module each, found by name, never listed anywhere.

A measure module ``docqa/measures/x.py`` has

* a frozen slotted dataclass ``X`` whose fields are the outputs, each with its unit as the end of
  its name (``angle_deg``), plus optionally ``regions: tuple[Region, ...]``;
* ``measure(page) -> X``, which raises :class:`CannotAssess` where it cannot tell;
* optionally ``MODEL = "folder/file"`` with ``load(data: bytes) -> M`` and ``measure(page, model)``
  when it needs a trained model of ``models/``.

The policy names measures as ``[x.output]``; a measure that no policy names is never imported.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
import pkgutil
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from docqa.errors import CannotAssess, InvalidModel
from docqa.page import Page, Region

OutputValue = float | int | bool | str | tuple[str, ...] | None

_UNITS = {
    "deg": "deg",
    "px": "px",
    "ppi": "ppi",
    "mm": "mm",
    "fraction": "fraction",
    "ratio": "ratio",
    "probability": "probability",
    "levels": "grey levels",
    "count": "count",
}


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a measure, as its dataclass declares it."""

    name: str
    unit: str
    """Taken from the end of the name; empty for text, flags and confidences."""
    choices: tuple[str, ...]
    """Every value a text output, or each text of a tuple, can take (declared as a Literal)."""
    is_number: bool
    is_list: bool = False
    """A tuple of texts."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure module, resolved."""

    name: str
    summary: str
    """First sentence of the module's docstring."""
    outputs: Mapping[str, Output]
    model_path: str | None
    bind: Callable[[bytes | None], Callable[[Page], Any]]
    """Given the bytes of the trained model (None without one), the function to call on a page."""


@dataclass(frozen=True, slots=True)
class Assessed:
    """A measure's native values on one page."""

    outputs: Mapping[str, OutputValue]
    regions: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class NotAssessed:
    """The measure could not be taken on this page."""

    why: str


Assessment = Assessed | NotAssessed


@dataclass(frozen=True, slots=True)
class PageAssessment:
    """What was measured on one page."""

    index: int
    width_px: int
    height_px: int
    measures: Mapping[str, Assessment]


def names() -> Iterator[str]:
    """Names of all measures that ship, in alphabetical order."""
    return (module.name for module in pkgutil.iter_modules(__path__))


def resolve(name: str) -> Measure:
    """The measure called ``name``. Raises InvalidModel when there is none or it breaks the form."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name not in set(names()):
        raise InvalidModel(f"there is no measure {name!r}; the measures are: {', '.join(names())}")
    module = importlib.import_module(f"{__name__}.{name}")
    result = getattr(module, name.title().replace("_", ""), None)
    if not dataclasses.is_dataclass(result) or not isinstance(result, type):
        raise InvalidModel(f"docqa/measures/{name}.py must define the dataclass {name.title()}")
    hints = typing.get_type_hints(result)
    outputs = {
        field.name: _output(field.name, hints[field.name])
        for field in dataclasses.fields(result)
        if field.name != "regions"
    }
    summary = (module.__doc__ or "").strip().split("\n")[0]
    return Measure(name, summary, outputs, getattr(module, "MODEL", None), _binder(module))


def assess(take: Callable[[Page], Any], page: Page) -> Assessment:
    """Take one measure of one page; not-a-number and infinity count as not assessed."""
    try:
        result = take(page)
    except CannotAssess as reason:
        return NotAssessed(str(reason))
    # dataclasses.fields() would make a tuple of all fields anew each time.
    fields = result.__dataclass_fields__
    outputs = {name: getattr(result, name) for name in fields if name != "regions"}
    for output, value in outputs.items():
        if isinstance(value, float) and not math.isfinite(value):
            return NotAssessed(f"{output} came out as {value}")
    return Assessed(outputs, getattr(result, "regions", ()))


def _output(name: str, hint: Any) -> Output:
    is_list = typing.get_origin(hint) is tuple
    inner = typing.get_args(hint)[0] if is_list else hint
    choices = typing.get_args(inner) if typing.get_origin(inner) is Literal else ()
    unit = _UNITS.get(name.rsplit("_", 1)[-1], "")
    return Output(name, unit, tuple(map(str, choices)), hint in (float, int, bool), is_list)


def _binder(module: ModuleType) -> Callable[[bytes | None], Callable[[Page], Any]]:
    def bind(model: bytes | None) -> Callable[[Page], Any]:
        if not hasattr(module, "MODEL"):
            return typing.cast("Callable[[Page], Any]", module.measure)
        if model is None:
            raise InvalidModel(f"the measure {module.__name__} needs models/{module.MODEL}")
        loaded = module.load(model)
        return lambda page: module.measure(page, loaded)

    return bind
