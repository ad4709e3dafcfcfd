"""Clients with the scope plan runs, have them driven, look at them and stop them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from starlette.testclient import TestClient

from docqa.adapters.revalidations import SqlRevalidations
from docqa.ports import StoredDocument
from docqa.report import to_json
from tests.api.described import hold_to_description
from tests.api.scripted_service import NOON, Scripted, engine
from tests.api.test_problems_api import assert_problem
from tests.judging_again import measured

ROUTE = "/v1/revalidations"


@pytest.fixture(autouse=True)
def described(client: TestClient) -> None:
    hold_to_description(client)


@pytest.fixture
def stored(service: Scripted) -> Scripted:
    """Three documents, judged by the engine that is installed."""
    judge = engine()
    for at, kind in enumerate(("a4-generic", "a4-generic", "sy-id-back")):
        report = {**to_json(measured(judge, 0.1), judge.catalogue), "document_type": kind}
        service.store.add(
            StoredDocument(
                id=f"doc_{at}", blob_key=f"{at:032x}", file_name="x.jpg", document_type=kind,
                claims={}, report=report, decision=report["verdict"]["decision"],
                received_at=NOON, client_id="portal",
            )
        )  # fmt: skip
    return service


def started(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post(ROUTE, json=body)
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"] == f"{ROUTE}/{answer.json()['revalidation']['id']}"
    found: dict[str, Any] = answer.json()["revalidation"]
    return found


def state(client: TestClient, run_id: str) -> str:
    return str(client.get(f"{ROUTE}/{run_id}").json()["state"])


def test_a_dry_run_tells_the_plan_and_records_nothing(stored: Scripted, client: TestClient) -> None:
    answer = client.post(ROUTE, json={"dry_run": True})
    assert answer.status_code == 200
    assert answer.json()["revalidation"] is None
    assert answer.json()["plan"]["documents"] == 3
    assert client.get(ROUTE).json() == {"items": []}


@pytest.mark.parametrize(
    ("body", "documents"),
    [
        ({}, 3),
        ({"where": {"document_type": "a4-generic"}}, 2),
        ({"where": {"document_type": "a4-generic", "client_id": "another"}}, 0),
        ({"since": "2026-05-04T12:00:00Z"}, 3),
        ({"since": "2026-05-04T12:00:01+00:00"}, 0),
        ({"since": "2026-05-04T15:00:01+03:00"}, 0),
    ],
)
def test_the_plan_and_the_run_cover_what_was_selected(
    stored: Scripted, client: TestClient, body: dict[str, Any], documents: int
) -> None:
    answer = client.post(ROUTE, json={**body, "dry_run": True})
    assert answer.json()["plan"]["documents"] == documents
    assert started(client, **body)["total"] == documents


def test_asking_again_for_the_same_goes_on_with_the_same_run(
    stored: Scripted, client: TestClient
) -> None:
    first = started(client)
    assert started(client)["id"] == first["id"]
    assert started(client, mode="apply")["id"] != first["id"]
    assert len(client.get(ROUTE).json()["items"]) == 2


def test_a_run_is_shown_with_its_transitions_as_a_matrix(
    stored: Scripted, client: TestClient
) -> None:
    run_id = started(client)["id"]
    found = client.get(f"{ROUTE}/{run_id}").json()
    assert (found["state"], found["decided"], found["transitions"]) == ("waiting", 0, [])
    runs = SqlRevalidations(stored.store.engine)
    run = runs.get(run_id)
    assert run is not None
    batch = runs.batch(run, "", 10)
    runs.commit(run, batch, Counter({("a4-generic", "accept", "review", "geometry.skew"): 3}),
                lambda one, report: report)  # fmt: skip
    found = client.get(f"{ROUTE}/{run_id}").json()
    assert found["decided"] == 3
    assert found["matrix"]["accept"] == {"accept": 0, "review": 3, "reject": 0}
    assert found["transitions"] == [
        {"document_type": "a4-generic", "before": "accept", "after": "review",
         "reason": "geometry.skew", "documents": 3}
    ]  # fmt: skip


def test_a_run_is_paused_resumed_and_cancelled_and_then_stays_so(
    stored: Scripted, client: TestClient
) -> None:
    run_id = started(client)["id"]
    for action, after in (
        ("pause", "paused"), ("pause", "paused"), ("resume", "waiting"), ("cancel", "cancelled"),
    ):  # fmt: skip
        answer = client.post(f"{ROUTE}/{run_id}/{action}")
        assert (answer.status_code, answer.json()["state"]) == (200, after)
    for action in ("pause", "resume"):
        assert_problem(client.post(f"{ROUTE}/{run_id}/{action}"), 409, "http.revalidation_state")
    assert state(client, run_id) == "cancelled"


@pytest.mark.parametrize("path", ["", "/pause", "/resume", "/cancel"])
def test_a_run_that_does_not_exist_is_a_problem(client: TestClient, path: str) -> None:
    answer = client.request("POST" if path else "GET", f"{ROUTE}/rev_0{path}")
    assert_problem(answer, 404, "http.revalidation_not_found")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"policy": "no-such-policy"}, "/policy"),
        ({"policy": "../../etc/passwd"}, "/policy"),
        ({"policy": "/tmp/mine.toml"}, "/policy"),
        ({"mode": "destroy"}, "/mode"),
        ({"where": {"file_name": "x"}}, "/where/file_name"),
        ({"where": {"decision": "maybe"}}, "/where/decision"),
        ({"since": "yesterday"}, "/since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "/since"),
        ({"since": "2026-05-04T12:00:00"}, "/since"),
    ],
)
def test_a_wrong_order_is_a_problem_that_says_where(
    client: TestClient, body: dict[str, Any], pointer: str
) -> None:
    found = assert_problem(client.post(ROUTE, json=body), 422, "http.invalid")
    assert found["errors"][0]["pointer"].endswith(pointer)
    assert client.get(ROUTE).json() == {"items": []}
