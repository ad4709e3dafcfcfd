"""The real service, started as an operator starts it, met over HTTP as a portal meets it."""

from __future__ import annotations

import json
import os
import re
import secrets
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from docqa.client import Client
from fixtures.synthesize.camera import photograph
from fixtures.synthesize.documents import id_back, id_front
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.api.described import failures
from tests.api.running import until
from tests.faults.bad_files import bad_files, refused_formats
from tests.memory_files import held_bytes

ROOT = Path(__file__).parent.parent.parent
DOCQA = Path(sys.executable).parent / "docqa"
CITIZEN = person(21)
BACK = scan(id_back(CITIZEN, seed=21), seed=21).data
CLAIMS = {k: CITIZEN.claims()[k] for k in ("given_name", "mother_name", "national_number")}


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("installation")
    places = {
        "DOCQA_DATABASE_URL": f"sqlite:///{folder}/docqa.sqlite3",
        "DOCQA_BLOBS_DIR": str(folder / "blobs"),
    }
    return {**os.environ, **places}


def key_of(portal: httpx.Client) -> str:
    return portal.headers["Authorization"].removeprefix("Bearer ")


@pytest.fixture(scope="module")
def serving(environment: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Process and address of a service that serves as long as the tests of this file run."""
    log = Path(environment["DOCQA_BLOBS_DIR"]).parent / "log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [DOCQA, "serve", "--port", "0"],
            env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        address = re.search(r"http://\S+", process.stdout.readline())
        assert address, log.read_text()
        yield process.pid, address.group()
        process.terminate()
        assert process.wait(timeout=30) == 0
        process.stdout.close()
    assert CITIZEN.national_number not in log.read_text()


@pytest.fixture(scope="module")
def key(environment: dict[str, str]) -> str:
    """Of a portal."""
    scopes = ("documents:write", "documents:read", "reviews:read")
    made: list[str | Path] = [DOCQA, "keys", "create", "portal"]
    for scope in scopes:
        made += ["--scope", scope]
    created = subprocess.run(made, env=environment, capture_output=True, text=True, check=True)
    return created.stdout.strip()


@pytest.fixture(scope="module")
def portal(key: str, serving: tuple[int, str]) -> Iterator[httpx.Client]:
    """A client of the service."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=serving[1], headers=headers, timeout=60) as client:
        yield client


def post(
    portal: httpx.Client, data: bytes, name: str = "scan.jpg", **fields: Any
) -> httpx.Response:
    key = {"Idempotency-Key": secrets.token_hex(16)}
    return portal.post("/v1/documents", files={"file": (name, data)}, data=fields, headers=key)


def test_it_is_ready(portal: httpx.Client) -> None:
    assert portal.get("/livez").status_code == 200
    assert portal.get("/readyz").status_code == 200
    assert "/v1/documents" in portal.get("/openapi.json").json()["paths"]


def test_a_good_scan_with_true_claims_is_accepted_and_kept(portal: httpx.Client) -> None:
    answer = post(portal, BACK, document_type="sy-id-back", claims=json.dumps(CLAIMS))
    assert answer.status_code == 201
    document = answer.json()
    assert document["decision"] == "accept", document["report"]["verdict"]["reasons"]
    assert {field["match"] for field in document["report"]["fields"]} == {"equal"}
    kept = portal.get(f"/v1/documents/{document['id']}").json()
    assert kept["report"] == document["report"]
    image = portal.get(f"/v1/documents/{document['id']}/pages/1/image")
    assert image.content.startswith(b"\x89PNG")


def test_one_wrong_digit_is_rejected(portal: httpx.Client) -> None:
    number = CLAIMS["national_number"]
    wrong = {**CLAIMS, "national_number": str(9 - int(number[0])) + number[1:]}
    answer = post(portal, BACK, document_type="sy-id-back", claims=json.dumps(wrong)).json()
    reasons = answer["report"]["verdict"]["reasons"]
    assert (answer["decision"], [r["field"] for r in reasons]) == ("reject", ["national_number"])
    assert number not in json.dumps(answer)


def test_a_phone_photo_is_a_created_document_that_is_rejected(portal: httpx.Client) -> None:
    photo = photograph(id_front(CITIZEN, seed=22), seed=22).data
    answer = post(portal, photo, document_type="sy-id-front")
    assert (answer.status_code, answer.json()["decision"]) == (201, "reject")
    codes = [reason["code"] for reason in answer.json()["report"]["verdict"]["reasons"]]
    assert "capture.camera" in codes


def test_a_dry_run_gives_the_report_and_keeps_nothing(
    portal: httpx.Client, environment: dict[str, str]
) -> None:
    def kept() -> int:
        return len(list(Path(environment["DOCQA_BLOBS_DIR"]).iterdir()))

    before = kept()
    answer = portal.post("/v1/checks?document_type=sy-id-back", content=BACK)
    assert (answer.status_code, answer.json()["report"]["schema"]) == (200, "docqa.report/1")
    assert kept() == before


@pytest.mark.parametrize("name", sorted(bad_files()))
def test_a_bad_file_is_a_clear_problem_and_the_service_lives(
    portal: httpx.Client, name: str
) -> None:
    make, code = bad_files()[name]
    answer = post(portal, make())
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["code"] == code
    assert problem["title"] and problem["detail"]
    assert problem["title_ar"] and problem["detail_ar"]
    assert portal.get("/livez").status_code == 200


@pytest.mark.parametrize("name", sorted(refused_formats()))
def test_a_refused_format_is_called_by_its_name(portal: httpx.Client, name: str) -> None:
    problem = post(portal, refused_formats()[name], name="scan.jpg")
    assert problem.status_code == 415
    assert name in problem.json()["title"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"document_type": "driving-licence"}, 422, "request.document_type.unknown"),
        ({"claims": "not json"}, 400, "request.claims.not_json"),
        ({"claims": "[]"}, 400, "request.claims.not_json"),
        ({"claims": '{"shoe_size": "43"}'}, 422, "request.claims.unknown_field"),
        ({"claims": '{"national_number": "abc"}'}, 422, "request.claims.invalid"),
        ({"claims": '{"birth_date": "1-1-2099"}'}, 422, "request.claims.invalid"),
    ],
)
def test_a_wrong_question_is_a_clear_problem(
    portal: httpx.Client, fields: dict[str, str], status: int, code: str
) -> None:
    answer = post(portal, BACK, **{"document_type": "sy-id-back", **fields})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_file_name_is_never_a_path(portal: httpx.Client, environment: dict[str, str]) -> None:
    answer = post(portal, BACK, name="../../x.jpg", document_type="sy-id-back")
    assert (answer.status_code, answer.json()["file_name"]) == (201, "x.jpg")
    root = Path(environment["DOCQA_BLOBS_DIR"]).parent
    assert not list(root.rglob("x.jpg")) and not list(root.parent.glob("x.jpg"))


def test_nothing_that_was_received_is_left_behind(
    portal: httpx.Client, serving: tuple[int, str]
) -> None:
    received = b"not a document"

    def sent() -> Iterator[bytes]:
        yield received
        until(lambda: received in held_bytes(serving[0]))
        yield b", all of it"

    assert portal.post("/v1/checks", content=sent()).status_code == 415
    until(lambda: held_bytes(serving[0]) == b"")


def test_what_is_stored_can_be_judged_again_while_the_service_runs(
    portal: httpx.Client, environment: dict[str, str], tmp_path: Path
) -> None:
    stored = post(portal, BACK, document_type="sy-id-back").json()
    shipped = ROOT / "models/policy/sy-passport.toml"
    policy = tmp_path / "harsh.toml"
    head, table, tail = shipped.read_text().partition("[type.sy-id-back.resolution.detail_ppi]")
    tail = tail.replace("accept = 190.0", "accept = 900.0\nideal = 999.0", 1)
    harsh = head + table + tail.replace("reject = 140.0", "reject = 800.0", 1)
    policy.write_text(harsh.replace('id = "sy-passport"', 'id = "harsh"'))

    def revalidate(*options: str) -> str:
        command: list[str | Path] = [DOCQA, "revalidate", "--policy", policy, *options]
        done = subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    assert '"mode": "report"' in revalidate()
    assert portal.get(f"/v1/documents/{stored['id']}").json()["decision"] == "accept"
    *_, done = map(json.loads, revalidate("--mode", "apply").splitlines())
    assert (done["event"], done["mode"]) == ("done", "apply"), done
    now = portal.get(f"/v1/documents/{stored['id']}").json()
    assert now["decision"] == "review"
    assert now["report"]["policy"]["id"] == "harsh"
    codes = [reason["code"] for reason in now["report"]["verdict"]["reasons"]]
    assert codes[0] == "system.revalidated" and "quality.resolution" in codes


def test_front_and_back_of_different_people_are_a_booking_to_review(portal: httpx.Client) -> None:
    another = person(23)
    front = scan(id_front(another, seed=23), seed=23).data
    names = {k: another.claims()[k] for k in CLAIMS}
    with Client(str(portal.base_url), api_key=key_of(portal)) as docqa:
        assert docqa.put_booking("B-23", "sy-passport").outcome == "incomplete"
        for data, kind, claims in (
            (front, "sy-id-front", names),
            (BACK, "sy-id-back", CLAIMS),
        ):
            docqa.upload(data, document_type=kind, claims=claims, booking_ref="B-23")
        found = docqa.booking("B-23")
        codes = {reason["code"] for reason in found.reasons}
        assert (found.outcome, "field.sides_disagree" in codes) == ("review", True)
        own = scan(id_front(CITIZEN, seed=24), seed=24).data
        docqa.upload(own, document_type="sy-id-front", claims=CLAIMS, booking_ref="B-23")
        slot = docqa.booking("B-23").documents[0]
        assert slot.attempts == 2


def test_corrected_typing_is_held_against_the_stored_document(portal: httpx.Client) -> None:
    number = CLAIMS["national_number"]
    wrong = {**CLAIMS, "national_number": number[:-1] + str(9 - int(number[-1]))}
    with Client(str(portal.base_url), api_key=key_of(portal)) as docqa:
        mistyped = docqa.upload(BACK, document_type="sy-id-back", claims=wrong)
        corrected = docqa.correct_claims(mistyped.id, {"national_number": number})
        assert (mistyped.decision, corrected.decision) == ("reject", "accept")
        more = docqa.correct_claims(mistyped.id, {"father_name": CITIZEN.claims()["father_name"]})
        assert (more.decision, more.report_number) == ("accept", 3)
        assert [len(report["fields"]) for report in docqa.reports(mistyped.id)] == [3, 3, 4]


def test_requests_of_every_kind_are_answered_as_described(
    portal: httpx.Client, tmp_path: Path
) -> None:
    few = ("--max-examples", "1", "--phases", "fuzzing")
    found = failures(str(portal.base_url).rstrip("/"), BACK, tmp_path, *few, api_key=key_of(portal))
    assert not found, found


def test_the_upload_that_the_readme_shows_works(portal: httpx.Client) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^curl (.*?http\S+)$", readme, flags=re.DOTALL | re.MULTILINE)
    *options, address = shlex.split(command.replace("\\\n", " "))
    shown = list(zip(options[::2], options[1::2], strict=True))
    form = dict(value.split("=", 1) for option, value in shown if option == "-F")
    headers = dict(value.split(": ", 1) for option, value in shown if option == "-H")
    assert form.pop("file").startswith("@")
    back = (ROOT / "fixtures/pages/id-back-scan.jpg").read_bytes()
    path = "/" + address.split("/", 3)[3]
    headers.setdefault("Idempotency-Key", secrets.token_hex(16))
    answer = portal.post(path, files={"file": ("scan.jpg", back)}, data=form, headers=headers)
    assert (answer.status_code, answer.json()["decision"]) == (201, "accept")
