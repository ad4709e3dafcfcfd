"""The one place that names adapters and reads ``models/``.

Everything else gets what it needs handed in. A new OCR engine or store is one line here.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from argon2 import PasswordHasher

from docqa import measures, pipeline
from docqa.adapters.blobs import FolderBlobs
from docqa.adapters.poppler import PopplerRenderer
from docqa.adapters.reviewing import SqlDesk
from docqa.adapters.schema import migrate
from docqa.adapters.sessions import SqlReservations, SqlSessions
from docqa.adapters.store import SqlStore
from docqa.adapters.tesseract import TesseractEngine
from docqa.catalogue import LANGUAGES, Catalogue, parse_catalogue
from docqa.documents import DocumentType, check_sides, parse_document_type
from docqa.errors import InvalidModel
from docqa.intake import Limits
from docqa.pipeline import Engine
from docqa.places import Places, parse_places
from docqa.policy import Policy, parse_policy
from docqa.reading.print_fields import Readers
from docqa.reading.strips import parse_strip_reader
from docqa.report import Report
from docqa.settings import Settings
from docqa.worker import ChildLimits, Worker

NETWORKS = ("arabic", "digits")
"""Folders of models with a network that reads print."""
_PACKAGED = Path(__file__).parent / "_models"
_CHECKOUT = Path(__file__).parent.parent / "models"


@dataclass(frozen=True, slots=True)
class Stores:
    """Where documents are kept."""

    documents: SqlStore
    blobs: FolderBlobs
    sessions: SqlSessions
    reservations: SqlReservations
    desk: SqlDesk


def models_dir(settings: Settings) -> Path:
    """The folder with policy/, documents/, reasons/ and the trained models.

    Raises:
        InvalidModel: there is none.
    """
    for folder in filter(None, (settings.models_dir, _PACKAGED, _CHECKOUT)):
        if (folder / "policy").is_dir():
            return folder
    raise InvalidModel("no models folder found; set DOCQA_MODELS_DIR to it")


def load_engine(settings: Settings, policy: str | None = None) -> Engine:
    """Build the engine: read and check everything in ``models/``.

    Args:
        settings: limits and places.
        policy: a policy's name in models/policy or a path to a TOML file; the settings' if None.

    Raises:
        InvalidModel: any of the files is wrong, so nothing should start.
    """
    folder = models_dir(settings)
    catalogue = load_catalogue(folder)
    document_types = load_document_types(folder)
    judged = load_policy(folder, policy or settings.policy, catalogue, document_types)
    ocr = TesseractEngine()
    bound = {}
    content = hashlib.sha256(version("docqa").encode())
    for kind in ("documents", "places"):
        for path in sorted((folder / kind).glob("*.toml")):
            content.update(path.read_bytes())
    networks = {name: _network(folder / name) for name in NETWORKS}
    for network, description in networks.values():
        content.update(network + description)
    for name in judged.measures:
        measure = measures.resolve(name)
        model = None
        if measure.model_path is not None:
            model = _read(folder / measure.model_path).encode()
            content.update(model)
        bound[name] = measure.bind(model)
        _check_evidence(measure, catalogue)
    content.update(ocr.version().encode())
    return Engine(
        policy=judged,
        document_types=document_types,
        catalogue=catalogue,
        measures=bound,
        limits=Limits(
            max_bytes=settings.max_upload_bytes,
            max_pixels=settings.max_pixels,
            max_side_px=settings.max_side_px,
            max_pages=settings.max_pages,
            max_jpeg_scans=settings.max_jpeg_scans,
        ),
        ocr=ocr,
        renderer=PopplerRenderer(),
        version=version("docqa"),
        digest="sha256:" + content.hexdigest(),
        places=load_places(folder),
        readers=_readers(networks),
    )


def _network(folder: Path) -> tuple[bytes, bytes]:
    try:
        return (folder / "model.onnx").read_bytes(), (folder / "model.json").read_bytes()
    except OSError as error:
        raise InvalidModel(
            f"models/{folder.name} cannot be read; remake it with train.py: {error.strerror}"
        ) from error


def _readers(networks: Mapping[str, tuple[bytes, bytes]]) -> Readers:
    return Readers(**{name: parse_strip_reader(*files) for name, files in networks.items()})


def _check_evidence(measure: measures.Measure, catalogue: Catalogue) -> None:
    found = measure.outputs.get("evidence")
    for code in () if found is None or not found.is_list else found.choices:
        if code not in catalogue.evidence[LANGUAGES[0]]:
            raise InvalidModel(
                f"models/reasons: [evidence] lacks {code!r}, which {measure.name} may give"
            )


def load_catalogue(folder: Path) -> Catalogue:
    """The sentences of every language in ``folder``/reasons."""
    return parse_catalogue(
        {language: _read(folder / "reasons" / f"{language}.toml") for language in LANGUAGES}
    )


def load_document_types(folder: Path) -> Mapping[str, DocumentType]:
    """Every document type in ``folder``/documents, by id, which is also its file's name."""
    found = {}
    for path in sorted((folder / "documents").glob("*.toml")):
        parsed = parse_document_type(_read(path))
        if parsed.id != path.stem:
            raise InvalidModel(f"{path.name} has the id {parsed.id!r}; it must be {path.stem!r}")
        found[parsed.id] = parsed
    check_sides(found)
    return found


def load_places(folder: Path) -> Places:
    """The spellings of places in ``folder``/places, of all countries together."""
    return parse_places(_read(path) for path in sorted((folder / "places").glob("*.toml")))


def load_policy(
    folder: Path, name: str, catalogue: Catalogue, document_types: Mapping[str, DocumentType]
) -> Policy:
    """The policy called ``name`` in ``folder``/policy, or in the TOML file at that path."""
    path = Path(name) if name.endswith(".toml") else folder / "policy" / f"{name}.toml"
    return parse_policy(
        _read(path),
        resolve=measures.resolve,
        codes=catalogue.codes,
        document_types=document_types,
    )


def start_worker(settings: Settings, engine: Engine, policy: str | None = None) -> Worker:
    """Killable children, each with an engine like ``engine``, ready to inspect."""
    return Worker(
        partial(load_engine, settings, policy),
        engine,
        processes=settings.workers,
        limits=ChildLimits(settings.inspect_timeout_s, settings.child_memory_bytes),
    )


def open_stores(settings: Settings) -> Stores:
    """The database, its schema brought up to date, and the folder of uploaded bytes."""
    migrate(settings.database_url)
    documents = SqlStore(settings.database_url)
    sessions = SqlSessions(
        documents.engine,
        idle=timedelta(minutes=settings.session_idle_minutes),
        lifetime=timedelta(hours=settings.session_hours),
    )
    reservations = SqlReservations(documents.engine)
    desk = SqlDesk(documents.engine)
    return Stores(documents, FolderBlobs(settings.blobs_dir), sessions, reservations, desk)


def add_reviewer(stores: Stores, name: str, password: str) -> None:
    """Create a reviewer's account, or give it a new password (kept as an argon2 hash)."""
    stores.documents.add_reviewer(name, PasswordHasher().hash(password))


def dependencies(settings: Settings) -> Mapping[str, Callable[[], str]]:
    """What an installation needs: subject -> a look at it that says its state or raises."""
    ocr = TesseractEngine()
    blank = np.full((48, 200), 255, np.uint8)

    def language(name: str) -> str:
        ocr.read_lines([blank], language=name, layout="line")
        return "installed"

    def models() -> str:
        engine = load_engine(settings)
        return f"policy {engine.policy.id}, {len(engine.document_types)} document types"

    def database() -> str:
        open_stores(settings).documents.close()
        return "answers, schema up to date"

    return {
        "Tesseract": ocr.version,
        "Tesseract, Arabic": partial(language, "ara"),
        "Tesseract, Arabic script": partial(language, "script/Arabic"),
        "Tesseract, Latin": partial(language, "eng"),
        "Poppler": PopplerRenderer().version,
        "models": models,
        "database": database,
    }


def inspect(
    data: bytes,
    *,
    document_type: str = "a4-generic",
    claims: Mapping[str, str] | None = None,
    policy: str | None = None,
) -> Report:
    """Judge one trusted document in this process, with the default settings.

    Args:
        data: the bytes of a JPEG, PNG, TIFF or PDF. Untrusted ones belong in a Worker.
        document_type: an id of models/documents.
        claims: what the citizen typed, by claim name. Without any nothing is read.
        policy: a name in models/policy or the path of a TOML file.

    Raises:
        InvalidDocument: the bytes cannot be a document.
        InvalidRequest: the document type is unknown.
    """
    engine = _default_engine(policy)
    return pipeline.inspect(data, engine=engine, document_type=document_type, claims=claims)


@cache
def _default_engine(policy: str | None) -> Engine:
    return load_engine(Settings(), policy)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidModel(f"cannot read {path.name}: {error.strerror}") from error
    if path.suffix == ".toml":
        try:
            tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidModel(f"{path.name} is not TOML: {error}") from error
    return text
