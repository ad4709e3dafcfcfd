"""Builds the engine: what a process that decodes documents needs, and nothing of stores.

Apart from ``wiring`` so that a decoding child need not load database drivers and clients of
services it never calls: they would be a third of its memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from docqa import measures
from docqa.adapters.logs import set_up_child_logs
from docqa.adapters.poppler import PopplerRenderer
from docqa.adapters.tesseract import TesseractEngine
from docqa.catalogue import LANGUAGES, Catalogue
from docqa.digests import code_digest
from docqa.errors import InvalidModel
from docqa.intake import Limits
from docqa.model_files import (
    NETWORKS,
    load_catalogue,
    load_document_types,
    load_places,
    load_policy,
    network_files,
    read_text,
)
from docqa.pipeline import Engine
from docqa.ports import OcrEngine
from docqa.reading.print_fields import Readers
from docqa.reading.strips import parse_strip_reader
from docqa.report import Digests

MEASURED_WITH = ("numpy", "opencv-python-headless", "pillow", "pypdfium2")
READ_WITH = ("rapidfuzz", "zxing-cpp")
"""Libraries that other versions of may decode, measure or read a file otherwise."""


def build_engine(folder: Path, policy: str, limits: Limits) -> Engine:
    """Read and check everything in ``folder``.

    Args:
        folder: with policy/, documents/, reasons/ and the trained models.
        policy: a policy's name in ``folder``/policy or a path to a TOML file.
        limits: of what is decoded.

    Raises:
        InvalidModel: any of the files is wrong, so nothing should start.
    """
    catalogue = load_catalogue(folder)
    document_types = load_document_types(folder)
    judged = load_policy(folder, policy, catalogue, document_types)
    ocr = ocr_engine()
    bound = {}
    made_of = {}
    renderer = code_digest("docqa.adapters.poppler").encode()
    decoding = code_digest("docqa.intake", [renderer, *_versions(MEASURED_WITH)]).encode()
    content = hashlib.sha256(version("docqa").encode())
    for kind in ("documents", "places"):
        for path in sorted((folder / kind).glob("*.toml")):
            content.update(path.read_bytes())
    networks = {name: network_files(folder / name) for name in NETWORKS}
    for network, description in networks.values():
        content.update(network + description)
    for name in judged.measures:
        measure = measures.resolve(name)
        model = None
        if measure.model_path is not None:
            model = read_text(folder / measure.model_path).encode()
            content.update(model)
        bound[name] = measure.bind(model)
        _check_evidence(measure, catalogue)
        made_of[name] = code_digest(f"docqa.measures.{name}", [decoding, model or b""])
    reads = [data for files in networks.values() for data in files]
    reads += [path.read_bytes() for kind in ("documents", "places")
              for path in sorted((folder / kind).glob("*.toml"))]  # fmt: skip
    reads += [code_digest("docqa.adapters.warm_tesseract").encode(), ocr.version().encode()]
    reads += _versions(READ_WITH)
    reading = code_digest("docqa.reading", [decoding, *reads])
    content.update(json.dumps([made_of, reading]).encode())
    content.update(ocr.version().encode())
    return Engine(
        policy=judged,
        document_types=document_types,
        catalogue=catalogue,
        measures=bound,
        limits=limits,
        ocr=ocr,
        renderer=PopplerRenderer(),
        version=version("docqa"),
        digest="sha256:" + content.hexdigest(),
        places=load_places(folder),
        readers=_readers(networks),
        digests=Digests(made_of, reading),
    )


def _versions(libraries: Sequence[str]) -> list[bytes]:
    return [f"{name} {version(name)}".encode() for name in libraries]


def ocr_engine() -> OcrEngine:
    """Tesseract in this process; as a program where there is no binding of a version that reads."""
    program = TesseractEngine()
    if find_spec("tesserocr") is None:
        return program
    from docqa.adapters.warm_tesseract import WarmTesseract

    return WarmTesseract(program)


def build_child_engine(folder: Path, policy: str, limits: Limits) -> Engine:
    """The engine of a process that decodes untrusted bytes, whose log goes where docqa's goes."""
    set_up_child_logs()
    return build_engine(folder, policy, limits)


def _readers(networks: Mapping[str, tuple[bytes, bytes]]) -> Readers:
    return Readers(**{name: parse_strip_reader(*files) for name, files in networks.items()})


def _check_evidence(measure: measures.Measure, catalogue: Catalogue) -> None:
    found = measure.outputs.get("evidence")
    for code in () if found is None or not found.is_list else found.choices:
        if code not in catalogue.evidence[LANGUAGES[0]]:
            raise InvalidModel(
                f"models/reasons: [evidence] lacks {code!r}, which {measure.name} may give"
            )
