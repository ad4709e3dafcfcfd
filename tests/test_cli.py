"""The command line as its users meet it: real processes, real files, real exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from docqa.catalogue import LANGUAGES
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import id_back, id_front, letter
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.faults.bad_files import bad_files

DOCQA = Path(sys.executable).parent / "docqa"


def docqa(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [DOCQA, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good scan of each side of a card, a photo of the front, and what was typed."""
    made = tmp_path_factory.mktemp("documents")
    citizen = person(11)
    front = id_front(citizen, seed=11)
    (made / "back.jpg").write_bytes(scan(id_back(citizen, seed=11), seed=11).data)
    (made / "front.jpg").write_bytes(scan(front, seed=12).data)
    (made / "photo.jpg").write_bytes(photograph(front, seed=13).data)
    typed = citizen.claims()
    on_card = {k: typed[k] for k in ("given_name", "family_name", "national_number", "birth_date")}
    (made / "claims.json").write_text(json.dumps(on_card))
    wrong = {**on_card, "national_number": "9" + on_card["national_number"][1:]}
    (made / "wrong.json").write_text(json.dumps(wrong))
    return made


def test_a_good_scan_with_true_claims_is_accepted(folder: Path) -> None:
    done = docqa(
        "check", "--json", "--type", "sy-id-back", "--claims", folder / "claims.json",
        folder / "back.jpg",
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["verdict"]["decision"] == "accept", report["verdict"]["reasons"]
    assert done.returncode == 0
    assert {field["match"] for field in report["fields"]} == {"equal"}
    assert report["file"] == str(folder / "back.jpg")


def test_one_wrong_digit_is_rejected_and_the_number_is_not_repeated(folder: Path) -> None:
    done = docqa(
        "check", "--json", "--type", "sy-id-back", "--claims", folder / "wrong.json",
        folder / "back.jpg",
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]["decision"]) == (11, "reject")
    assert [r["field"] for r in report["verdict"]["reasons"]] == ["national_number"]
    number = json.loads((folder / "claims.json").read_text())["national_number"]
    assert number not in done.stdout + done.stderr


def test_a_phone_photo_is_not_accepted_and_its_overlay_is_drawn(
    folder: Path, tmp_path: Path
) -> None:
    done = docqa("check", folder / "photo.jpg", "--type", "sy-id-front", "--overlay", tmp_path)
    assert done.returncode in (10, 11)
    assert "camera" in done.stdout and "scanner" in done.stdout
    (drawn,) = tmp_path.iterdir()
    with Image.open(drawn) as picture:
        assert max(picture.size) == 1600


def test_every_bad_file_is_a_named_problem_and_the_rest_is_judged(tmp_path: Path) -> None:
    expected = {}
    for name, (make, code) in bad_files().items():
        (tmp_path / name).write_bytes(make())
        expected[str(tmp_path / name)] = code
    good = tmp_path / "zz-good.jpg"
    good.write_bytes(scan(letter(script="latin", seed=2), ppi=100).data)
    done = docqa("check", "--json", tmp_path)
    outcomes = {line["file"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert done.returncode == 2
    assert "verdict" in outcomes.pop(str(good))
    assert {path: found["problem"]["code"] for path, found in outcomes.items()} == expected
    for found in outcomes.values():
        for language in LANGUAGES:
            assert found["problem"]["message"][language] and found["problem"]["advice"][language]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["check"], 1, "Missing argument"),
        (["check", "--nonsense"], 1, "No such option"),
        (["check", "missing.jpg"], 1, "does not exist"),
        (["check", "{front}", "--type", "driving-licence"], 2, "driving-licence"),
        (["check", "{front}", "--claims", "{front}"], 2, "not a valid JSON object"),
        (["check", "{front}", "--policy", "nonsense"], 9, "nonsense"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(
    folder: Path, arguments: list[str], code: int, said: str
) -> None:
    done = docqa(*(part.format(front=folder / "front.jpg") for part in arguments))
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_policy_stops_the_start_and_names_the_table(folder: Path, tmp_path: Path) -> None:
    policy = tmp_path / "mine.toml"
    shipped = Path(__file__).parent.parent / "models/policy/sy-passport.toml"
    policy.write_text(shipped.read_text() + "[sharpness.x]\naccept = 1\n")
    done = docqa("check", folder / "front.jpg", "--policy", policy)
    assert done.returncode == 9
    assert "sharpness" in done.stderr and "blur" in done.stderr


def test_the_same_bytes_give_the_same_report_timings_apart(folder: Path) -> None:
    runs = []
    for _ in range(2):
        report = json.loads(docqa("check", "--json", folder / "photo.jpg").stdout)
        report.pop("timings_ms")
        runs.append(json.dumps(report))
    assert runs[0] == runs[1]


def test_timings_name_every_measure_and_leave_the_reports_alone(folder: Path) -> None:
    done = docqa("check", "--json", "--timings", folder / "front.jpg")
    timings = json.loads(done.stdout)["timings_ms"]
    assert {"decode", "measures", "measures.blur", "measures.capture"} <= set(timings)
    apart = [ms for stage, ms in timings.items() if stage.startswith("measures.")]
    rounded_ms = 0.05 * (len(apart) + 1)
    assert 0 < sum(apart) <= timings["measures"] + rounded_ms
    assert all(stage in done.stderr for stage in timings)


def test_measures_lists_outputs_units_and_where_limits_come_from() -> None:
    done = docqa("measures")
    assert done.returncode == 0
    for word in ("skew", "angle_deg", "scanner_probability", "effective_ppi"):
        assert word in done.stdout


def test_doctor_is_content_here_and_says_what_is_missing_elsewhere(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/d.sqlite3"
    done = docqa("doctor", DOCQA_DATABASE_URL=database, DOCQA_BLOBS_DIR=str(tmp_path / "blobs"))
    assert done.returncode == 0, done.stdout
    bare = docqa("doctor", DOCQA_DATABASE_URL=database, PATH=str(tmp_path))
    assert bare.returncode == 3
    assert "apt-get install tesseract-ocr" in bare.stdout
    assert "apt-get install poppler-utils" in bare.stdout


def test_doctor_looks_at_the_database_and_makes_none(tmp_path: Path) -> None:
    database = tmp_path / "new/d.sqlite3"
    url = {"DOCQA_DATABASE_URL": f"sqlite:///{database}", "DOCQA_BLOBS_DIR": str(tmp_path / "b")}
    assert "database: none yet: run `docqa migrate`" in docqa("doctor", **url).stdout
    assert list(tmp_path.iterdir()) == []
    assert docqa("migrate", **url).returncode == 0
    assert "database: answers, schema up to date" in docqa("doctor", **url).stdout


@pytest.mark.parametrize("command", ["check", "serve", "revalidate", "measures", "doctor"])
def test_every_command_says_what_it_does(command: str) -> None:
    done = docqa(command, "--help")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) >= 4


def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [DOCQA, "config", "describe"], stdout=full, stderr=subprocess.PIPE, text=True,
            check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "No space left on device: make room" in done.stderr and done.stderr.count("\n") == 1
