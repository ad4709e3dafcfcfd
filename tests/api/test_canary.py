"""Canary: citizens' numbers go through the real service, and are nowhere they should not be."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from fixtures.synthesize.documents import id_back
from fixtures.synthesize.people import person
from fixtures.synthesize.scanner import scan
from tests.api.running import Running, installation, running

CITIZEN = person(31)
NUMBER = CITIZEN.national_number
BACK = scan(id_back(CITIZEN, seed=31), seed=31, ppi=200).data
SCRIPTS = {"latin": "0123456789", "arabic": "٠١٢٣٤٥٦٧٨٩", "persian": "۰۱۲۳۴۵۶۷۸۹"}


def written(script: str) -> str:
    return "".join(SCRIPTS[script][int(digit)] for digit in NUMBER)


def found_in(text: str) -> bool:
    """Whether the number stands in ``text``, in any script, spaced or escaped or not."""
    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda code: chr(int(code[1], 16)), text)
    digits = re.sub(r"[^\w]|_", "", plain)
    latin = "".join(
        str(unicodedata.decimal(character)) if character.isdecimal() else character
        for character in digits
    )
    return NUMBER in latin


def test_the_search_would_find_it() -> None:
    for script in SCRIPTS:
        for text in (written(script), json.dumps(written(script)), " ".join(written(script))):
            assert found_in(f"before {text} after")
    assert not found_in(NUMBER[:-1])


def send(client: httpx.Client, script: str, key: str = "") -> httpx.Response:
    """A document with the number in everything that a client can fill rightly."""
    number = written(script)
    return client.post(
        "/v1/documents",
        files={"file": (f"{number}.jpg", BACK)},
        data={
            "document_type": "sy-id-back",
            "claims": json.dumps({"national_number": number}),
            "booking_ref": f"B {number}",
        },
        headers={"X-Request-Id": NUMBER, "Idempotency-Key": f"upload-{NUMBER}-{script}{key}"},
    )


def blunder(client: httpx.Client, script: str) -> list[httpx.Response]:
    """The number where it does not belong, and in requests that are wrong."""
    number = written(script)
    kind = {"document_type": "sy-id-back"}
    claims = json.dumps({"national_number": number})
    return [
        client.post("/v1/checks", content=BACK, params={**kind, "claims": number}),
        client.post("/v1/checks", content=BACK, params={number: number, "deadline": number}),
        client.post("/v1/checks", content=BACK, params={"claims": f'{{"x{number}": "{number}"}}'}),
        client.post("/v1/checks", content=number.encode(), params={**kind, "claims": claims}),
        client.post("/v1/checks", content=BACK[:5000] + number.encode(), params=kind),
        client.get(f"/v1/documents/{number}"),
        client.get(f"/{number}", params={"q": number}),
        client.post("/review/login", data={"name": number, "password": number}),
    ]


def break_the_database(folder: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{folder}/docqa.sqlite3")
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE reports RENAME TO gone")
    engine.dispose()


@pytest.fixture(
    params=[
        pytest.param("30", id="in time"),
        pytest.param("0.05", id="every child too slow", marks=pytest.mark.long),
    ]
)
def service(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Running]:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    environment = installation(tmp_path, metrics_port="0", inspect_timeout_s=request.param)
    environment["TMPDIR"] = str(temporary)
    with running(environment, tmp_path, "--dev") as started:
        yield started
    assert list(temporary.iterdir()) == []  # pictures hold no digit that a search would find


def test_no_number_is_in_logs_metrics_events_answers_or_temporary_files(
    service: Running, tmp_path: Path
) -> None:
    with httpx.Client(base_url=service.address, timeout=60) as client:
        answers = [send(client, script) for script in SCRIPTS]
        assert {answer.status_code for answer in answers} == {201}
        answers += [answer for script in SCRIPTS for answer in blunder(client, script)]
        assert {400, 404, 422} <= {answer.status_code for answer in answers}
        break_the_database(tmp_path)
        broken = send(client, "arabic", "again")
        assert broken.status_code == 503
        events = sa.create_engine(f"sqlite:///{tmp_path}/docqa.sqlite3")
        with events.connect() as connection:
            told = str(connection.exec_driver_sql("SELECT body, kind FROM events").all())
        events.dispose()
        assert "document.judged" in told and "request_id" in told
        for answer in [*answers, broken]:
            if answer.status_code >= 400:
                assert not found_in(answer.text), answer.text
        lines = [json.loads(line) for line in service.log.read_text().splitlines()]
        [address] = [line["at"] for line in lines if line["event"] == "metrics"]
        metrics = httpx.get(address).text
    assert 'docqa_verdicts_total{document_type="sy-id-back"' in metrics
    assert 'docqa_queue_oldest_age_seconds{queue="uploads"} 0.0' in metrics
    too_slow = 'docqa_child_exits_total{reason="timeout"}' in metrics
    judged = [answer.json()["report"] for answer in answers if answer.status_code in (200, 201)]
    assert too_slow == any(report["faults"] for report in judged)  # a quick child may be in time
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert ids <= {line.get("request_id") for line in lines}
    log = service.log.read_text()
    assert "OperationalError" in log
    assert not found_in(log)
    assert not found_in(metrics)
    assert not found_in(told)
    left = list((tmp_path / "tmp").rglob("*"))
    assert not [path for path in left if found_in(str(path))]
    # What a killed child was reading stays in its private folder until the service ends.
    assert too_slow or not [path for path in left if not path.is_dir()]
