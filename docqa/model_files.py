"""Everything read from ``models/``: policies, types, sentences, places, services, networks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from docqa import measures
from docqa.bookings import BookingRules, Service, parse_service
from docqa.catalogue import LANGUAGES, Catalogue, parse_catalogue
from docqa.documents import DocumentType, check_sides, parse_document_type
from docqa.errors import InvalidModel
from docqa.page import Pixels
from docqa.places import Places, parse_places
from docqa.policy import Policy, parse_policy
from docqa.retention import RetentionClass, parse_retention
from docqa.toml_text import tables_of

if TYPE_CHECKING:  # a decoding child reads no settings
    from docqa.settings import Settings

NETWORKS = ("arabic", "digits")
"""Folders of models with a network that reads print."""
_PACKAGED = Path(__file__).parent / "_models"
_CHECKOUT = Path(__file__).parent.parent / "models"


def models_dir(settings: Settings) -> Path:
    """The folder with policy/, documents/, reasons/ and the trained models.

    Raises:
        InvalidModel: there is none, or not where the settings say.
    """
    named = settings.models_dir
    if named is not None and not (named / "policy").is_dir():
        raise InvalidModel(
            f"DOCQA_MODELS_DIR names {named}, which has no policy/: is it spelt right, and mounted?"
        )
    for folder in filter(None, (named, _PACKAGED, _CHECKOUT)):
        if (folder / "policy").is_dir():
            return folder
    raise InvalidModel("no models folder found; set DOCQA_MODELS_DIR to it")


def load_catalogue(folder: Path) -> Catalogue:
    """The sentences of every language in ``folder``/reasons."""
    return parse_catalogue(
        {language: read_text(folder / "reasons" / f"{language}.toml") for language in LANGUAGES}
    )


def load_document_types(folder: Path) -> Mapping[str, DocumentType]:
    """Every document type in ``folder``/documents, by id, which is also its file's name."""
    found = {}
    for path in sorted((folder / "documents").glob("*.toml")):
        parsed = parse_document_type(read_text(path))
        if parsed.id != path.stem:
            raise InvalidModel(f"{path.name} has the id {parsed.id!r}; it must be {path.stem!r}")
        found[parsed.id] = parsed
    check_sides(found)
    return found


def load_places(folder: Path) -> Places:
    """The spellings of places in ``folder``/places, of all countries together."""
    return parse_places(read_text(path) for path in sorted((folder / "places").glob("*.toml")))


def load_services(
    folder: Path, document_types: Mapping[str, DocumentType]
) -> Mapping[str, Service]:
    """Every service in ``folder``/services, by id, which is also its file's name."""
    found = {}
    for path in sorted((folder / "services").glob("*.toml")):
        parsed = parse_service(read_text(path), document_types)
        if parsed.id != path.stem:
            raise InvalidModel(f"{path.name} has the id {parsed.id!r}; it must be {path.stem!r}")
        found[parsed.id] = parsed
    return found


def load_booking_rules(settings: Settings) -> BookingRules:
    """What bookings are judged by. Raises InvalidModel when a file in ``models/`` is wrong."""
    folder = models_dir(settings)
    types = load_document_types(folder)
    policy = load_policy(folder, settings.policy, load_catalogue(folder), types)
    return BookingRules(
        services=load_services(folder, types),
        document_types=types,
        sides_disagree=policy.findings["sides_disagree"],
        places=load_places(folder),
    )


def load_policy(
    folder: Path, name: str, catalogue: Catalogue, document_types: Mapping[str, DocumentType]
) -> Policy:
    """The policy called ``name`` in ``folder``/policy, or in the TOML file at that path."""
    return parse_policy(
        policy_text(folder, name),
        resolve=measures.resolve,
        codes=catalogue.codes,
        document_types=document_types,
    )


def policy_text(folder: Path, name: str) -> str:
    """The TOML of the policy called ``name`` in ``folder``/policy, or at that path."""
    if name.endswith(".toml"):
        return read_text(Path(name))
    installed = {path.stem: path for path in sorted((folder / "policy").glob("*.toml"))}
    if name not in installed:
        raise InvalidModel(
            f"there is no policy {name!r}: {', '.join(installed)} can be named, or the path of a "
            "TOML file"
        )
    return read_text(installed[name])


def load_retention(settings: Settings) -> Mapping[RetentionClass, timedelta]:
    """How long each class of documents is kept, by the settings' file in models/retention."""
    return parse_retention(
        read_text(models_dir(settings) / "retention" / f"{settings.retention}.toml")
    )


def network_files(folder: Path) -> tuple[bytes, bytes]:
    """A strip network and its description, from one of NETWORKS' folders."""
    try:
        return (folder / "model.onnx").read_bytes(), (folder / "model.json").read_bytes()
    except OSError as error:
        raise InvalidModel(
            f"models/{folder.name} cannot be read; remake it with train.py: {error.strerror}"
        ) from error


def load_canary(folder: Path) -> Pixels:
    """(H, W) uint8: the Arabic word that an OCR engine is tried on."""
    picture = cv2.imread(str(folder / "canary" / "ar.png"), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise InvalidModel("models/canary/ar.png is not a picture that can be read")
    return np.asarray(picture, np.uint8)


def read_text(path: Path) -> str:
    """A text file of ``models/``. Raises InvalidModel when it cannot be read or is no TOML."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidModel(f"cannot read {path.name}: {error.strerror}") from error
    if path.suffix == ".toml":
        tables_of(text, path.name)
    return text
