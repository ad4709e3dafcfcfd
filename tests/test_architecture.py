"""The house keeps its promises: imports point inward, names exist once, extending it is small."""

from __future__ import annotations

import ast
import itertools
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import docqa
from docqa import measures, wiring
from docqa.catalogue import AREAS, LANGUAGES
from docqa.fields import CLAIM_NAMES
from docqa.policy import reason_codes
from docqa.settings import Settings
from fixtures.synthesize.documents import letter
from fixtures.synthesize.scanner import scan

ROOT = Path(__file__).parent.parent
PACKAGES = ("docqa", "api")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def test_imports_point_inward() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


EDGES = {
    "__main__", "adapters", "batch", "children", "cli", "client", "commands", "deadlines",
    "digests", "doctor", "engine_wiring", "memory_files", "model_files", "record_keeping",
    "revalidate", "settings", "webhooks", "wiring", "worker",
}  # fmt: skip
"""What may read, write, wait or ask; all else of docqa is core."""
READERS = {"open", "imread", "imwrite", "fromfile", "tofile", "read_bytes", "write_bytes"}


def _core() -> set[str]:
    parts = {path.stem for path in (ROOT / "docqa").iterdir() if path.suffix in ("", ".py")}
    return parts - EDGES - {"__init__", "__pycache__"}


def test_every_part_of_the_house_is_core_or_a_known_edge() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (pure,) = (
        contract
        for contract in contracts["tool"]["importlinter"]["contracts"]
        if contract["name"] == "The core does no I/O"
    )
    listed = {name.split(".")[1] for name in pure["source_modules"]}
    assert listed - {"webhooks"} == _core(), "list it in the contract, or among EDGES"


def test_the_core_opens_no_file() -> None:
    for path in SOURCES:
        inner = path.relative_to(ROOT).parts
        if inner[0] != "docqa" or inner[1].removesuffix(".py") not in _core():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func
                name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
                is_picture = ast.unparse(called) == "Image.open"  # of bytes in memory
                assert is_picture or name not in READERS, f"{path}:{node.lineno} {name}"


def test_the_public_face_is_exactly_what_it_says() -> None:
    for name in docqa.__all__:
        assert getattr(docqa, name).__doc__, f"{name} has no docstring"
    assert sorted(docqa.__all__) == list(docqa.__all__)


def test_every_code_in_the_source_is_said_in_every_language() -> None:
    catalogue = wiring.load_catalogue(ROOT / "models")
    areas = tuple(f"{area}." for area in AREAS)
    used = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.startswith(areas)
        and node.value.replace(".", "").replace("_", "").isalpha()
        and not node.value.endswith((".", "_"))
    }
    assert used - catalogue.codes == {"booking.changed"}, "that is an event"
    assert len(used) > 20


def test_every_reason_of_the_shipped_policy_is_said_in_every_language() -> None:
    engine = wiring.load_engine(Settings())
    for rule in engine.policy.rules:
        for code in reason_codes(rule, measures.resolve(rule.measure)):
            for language in LANGUAGES:
                said = engine.catalogue.say(code, language, {"value": 1, "limit": 2})
                assert said.message and said.advice


def test_the_shipped_models_judge_places_sides_and_what_has_no_check_digit() -> None:
    engine = wiring.load_engine(Settings())
    assert engine.places.find("لاذقية") == engine.places.find("اللاذقية") == "latakia"
    assert {finding.decision for finding in engine.policy.findings.values()} == {"review"}
    for match in ("near", "different"):
        assert engine.policy.on_match("mrz", "family_name_latin", match) == "review"
        assert engine.policy.on_match("mrz", "passport_number", match) == "reject"
        assert engine.policy.on_match("barcode", "national_number", match) == "reject"
        assert engine.policy.on_match("ocr", "given_name", match) == "review"


def test_every_claim_has_a_name_in_every_language() -> None:
    catalogue = wiring.load_catalogue(ROOT / "models")
    for language in LANGUAGES:
        assert set(catalogue.field_names[language]) == set(CLAIM_NAMES)


@pytest.mark.parametrize("name", list(measures.names()))
def test_every_measure_documents_its_outputs(name: str) -> None:
    measure = measures.resolve(name)
    source = (ROOT / f"docqa/measures/{name}.py").read_text(encoding="utf-8")
    assert measure.summary
    assert len(source.splitlines()) <= 150, "a measure is one small file"
    (result,) = (
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == name.title()
    )
    described = {
        ast.unparse(field.target)
        for field, after in itertools.pairwise(result.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
    }
    assert set(measure.outputs) - described == set()


def test_files_and_functions_stay_small() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 60, f"{path}: {node.name}"


MEASURE = '''"""How bright the page is on the whole."""

from dataclasses import dataclass

from docqa.page import Page


@dataclass(frozen=True, slots=True)
class Brightness:
    """Mean brightness."""

    mean_levels: float
    """0 black to 255 white."""


def measure(page: Page) -> Brightness:
    """The mean of the page's luma."""
    return Brightness(float(page.luma(8).mean()))
'''
RULE = """
[brightness.mean_levels]
reason = "quality.exposure.dark"
accept = 250
reject = 20
ideal = 255
source = "provisional"
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the house that a stranger can extend."""
    for folder in ("docqa", "models"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc"))
    (tmp_path / "page.jpg").write_bytes(scan(letter(script="latin", seed=1), ppi=100).data)
    return tmp_path


def run(copy: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(copy), "DOCQA_MODELS_DIR": str(copy / "models")}
    done = subprocess.run(
        [sys.executable, "-m", "docqa", *arguments],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 10, 11), done.stderr
    return done.stdout


def test_a_process_that_decodes_loads_no_client_of_a_database_or_a_service() -> None:
    code = "import docqa.__main__, docqa.engine_wiring, docqa.worker, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = set(done.stdout.split())
    assert "docqa.adapters.tesseract" in loaded
    needless = {"alembic", "fastapi", "httpx", "obstore", "pydantic", "sqlalchemy", "argon2"}
    assert not needless & loaded


def test_a_new_measure_is_two_files(copy: Path) -> None:
    (copy / "docqa/measures/brightness.py").write_text(MEASURE)
    policy = copy / "models/policy/sy-passport.toml"
    policy.write_text(policy.read_text() + RULE)
    report = json.loads(run(copy, "check", "--json", "page.jpg"))
    taken = report["pages"][0]["measures"]["brightness"]
    assert taken["status"] == "assessed"
    assert 150 < taken["outputs"]["mean_levels"] <= 255
    assert taken["score"] is not None
    assert "mean_levels" in run(copy, "measures")


def test_a_new_document_type_is_one_file(copy: Path) -> None:
    generic = (copy / "models/documents/a4-generic.toml").read_text()
    renamed = generic.replace('"a4-generic"', '"rental-contract"')
    (copy / "models/documents/rental-contract.toml").write_text(renamed)
    report = json.loads(run(copy, "check", "--json", "--type", "rental-contract", "page.jpg"))
    assert report["document_type"] == "rental-contract"


def test_a_measure_that_no_policy_names_is_not_even_imported(copy: Path) -> None:
    (copy / "docqa/measures/broken.py").write_text(
        '"""Cannot be imported."""\nraise SystemExit(99)\n'
    )
    assert json.loads(run(copy, "check", "--json", "page.jpg"))["pages"]
