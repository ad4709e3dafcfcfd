"""Who may ask for what: every address of the OpenAPI document times every kind of caller."""

from __future__ import annotations

import hmac
import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import pytest
from limits.errors import StorageError
from limits.storage import MemoryStorage
from starlette.testclient import TestClient

from api.app import create_app
from api.principal import LOCAL_CLIENT
from api.rates import Rates
from api.review.texts import LANGUAGES, TEXTS
from api.review.visits import DECIDING, SUPERVISING
from api.scopes import PUBLIC, SCOPE_OF, UPLOADS, operations
from docqa.adapters.clients import ROLES, SCOPES, SqlClients
from tests.api.reviewing import document, form_token, sign_in
from tests.api.scripted_service import NOON, REVIEWER, Scripted, scripted_service

FILE = {"file": ("scan.pdf", b"%PDF-1.7 bytes", "application/pdf")}
YEAR = timedelta(days=365)
OURS, THEIRS = f"doc_{1:032x}", f"doc_{2:032x}"


@cache
def addresses() -> tuple[str, ...]:
    """Every address there is, from what the running application says of itself."""
    with TemporaryDirectory() as folder, scripted_service(Path(folder)) as service:
        document = create_app(service.services).openapi()
    return tuple(name for name, _ in operations(document))


GUARDED = [name for name in addresses() if SCOPE_OF.get(name) != PUBLIC]
OWNED = [name for name in GUARDED if "{document_id}" in name]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Scripted]:
    """A service that needs keys; document 1 is the portal's, document 2 another client's."""
    with scripted_service(tmp_path, dev=False, rate_limit="600/minute") as service:
        document(1, service, client_id="portal")
        document(2, service, client_id="other")
        yield service


@pytest.fixture
def http(guarded: Scripted) -> Iterator[TestClient]:
    with TestClient(create_app(guarded.services)) as made:
        yield made


@pytest.fixture
def clients(guarded: Scripted) -> SqlClients:
    return SqlClients(guarded.store.engine)


def ask(http: TestClient, name: str, key: str | None, document_id: str = OURS) -> Any:
    """Call an address with a valid request, as far as this test can know what that is."""
    method, _, template = name.partition(" ")
    parameters = {"document_id": document_id, "page": "1"}
    path = re.sub(r"\{(\w+)\}", lambda found: parameters.get(found[1], "x"), template)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    if name == "POST /v1/documents":
        headers["Idempotency-Key"] = uuid4().hex
    files = FILE if name in UPLOADS else None
    return http.request(method, path, headers=headers, files=files)


def new_key(clients: SqlClients, *scopes: str, client_id: str = "portal") -> str:
    return clients.create_key(client_id, scopes, now=NOON, lifetime=YEAR)


def refusal(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def test_every_address_of_the_service_has_a_scope() -> None:
    assert set(addresses()) - set(SCOPE_OF) == set(), "add them to api/scopes.py"


def test_keys_can_have_the_scopes_that_addresses_ask_for_and_no_others() -> None:
    assert set(SCOPES) == set(SCOPE_OF.values()) - {PUBLIC}


def test_the_openapi_document_names_the_scope_of_every_address(http: TestClient) -> None:
    spec = http.get("/openapi.json").json()
    assert spec["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    for name, operation in operations(spec):
        scope = SCOPE_OF[name]
        assert operation.get("security", []) == ([{"apiKey": [scope]}] if scope else []), name


TOLD = {"x-request-id", "ratelimit", "ratelimit-policy", "retry-after", "location",
        "idempotency-replayed"}  # fmt: skip
"""Headers that a client goes by."""


@pytest.mark.parametrize("name", GUARDED)
def test_every_answer_and_its_headers_are_described(
    http: TestClient, clients: SqlClients, guarded: Scripted, name: str
) -> None:
    described = dict(operations(http.get("/openapi.json").json()))[name]["responses"]
    key = new_key(clients, "admin")
    answers = [ask(http, name, key), ask(http, name, None)]
    with guarded.store.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE client_keys RENAME TO gone")
    answers.append(ask(http, name, key))
    assert answers[-1].status_code == 503
    for answer in answers:
        response = described[str(answer.status_code)]
        named = {header.lower() for header in response.get("headers", {})}
        assert TOLD & set(answer.headers) <= named, answer.status_code
        if answer.headers.get("content-type") == "application/problem+json":
            assert "application/problem+json" in response["content"]


@pytest.mark.parametrize("name", GUARDED)
def test_without_a_good_key_nothing_is_answered(
    http: TestClient, clients: SqlClients, guarded: Scripted, name: str
) -> None:
    live = new_key(clients, "admin")
    expired = clients.create_key(
        "portal", ["admin"], now=NOON - YEAR - timedelta(days=1), lifetime=YEAR
    )
    revoked = new_key(clients, "admin", client_id="former")
    clients.revoke_key(revoked.split("_")[1], now=NOON)
    wrong_secret = live[:-1] + ("A" if live[-1] != "A" else "B")
    unknown = "dqk_" + "0" * 16 + "_" + live.split("_", 2)[2]
    for key in (None, "", "nonsense", wrong_secret, unknown, expired, revoked, live + "x"):
        answer = ask(http, name, key)
        assert refusal(answer) == (401, "http.unauthorized"), key
        assert answer.headers["www-authenticate"] == "Bearer"
    assert guarded.inspector.calls == []


@pytest.mark.parametrize("name", GUARDED)
def test_a_key_without_the_scope_is_told_so(
    http: TestClient, clients: SqlClients, guarded: Scripted, name: str
) -> None:
    others = [scope for scope in SCOPES if scope not in (SCOPE_OF.get(name), "admin")]
    answer = ask(http, name, new_key(clients, *others))
    assert refusal(answer) == (403, "http.forbidden")
    assert answer.headers["ratelimit"].startswith('"client";r=599;t=')
    assert guarded.inspector.calls == []


@pytest.mark.parametrize("name", OWNED)
def test_what_another_client_owns_does_not_exist(
    http: TestClient, clients: SqlClients, name: str
) -> None:
    for key in (new_key(clients, SCOPE_OF[name]), new_key(clients, "admin")):
        foreign, absent = ask(http, name, key, THEIRS), ask(http, name, key, f"doc_{3:032x}")
        assert refusal(foreign) == refusal(absent) == (404, "http.document_not_found")
        assert foreign.json() | {"request_id": ""} == absent.json() | {"request_id": ""}


@pytest.mark.parametrize("scopes", [("documents:read", "documents:write"), ("admin",)])
def test_a_booking_of_another_client_does_not_exist_whatever_its_reference(
    guarded: Scripted, http: TestClient, clients: SqlClients, scopes: tuple[str, ...]
) -> None:
    ours, theirs = (
        {"Authorization": f"Bearer {new_key(clients, *scopes, client_id=name)}"}
        for name in ("portal", "other")
    )
    address, booking = "/v1/bookings/B-7", {"service": "sy-passport"}
    made = document(3, guarded, client_id="portal", booking_ref="B-7")
    assert http.put(address, json=booking, headers=ours).status_code == 201
    before = http.get(address, headers=ours).json()
    assert made.id in [slot["document_id"] for slot in before["documents"]]
    assert refusal(http.get(address, headers=theirs)) == (404, "http.booking_not_found")
    answer = http.put(address, json=booking | {"state": "cancelled"}, headers=theirs)
    assert answer.status_code == 201
    assert made.id not in answer.text
    assert http.get(address, headers=ours).json() == before


@pytest.mark.parametrize("scope", ["documents:read", "admin"])
def test_a_list_names_nobody_elses_documents(
    guarded: Scripted, http: TestClient, clients: SqlClients, scope: str
) -> None:
    for number, name in ((3, "portal"), (4, "other")):
        document(number, guarded, client_id=name, booking_ref="B-7")
    for name, numbers in (("portal", [1, 3]), ("other", [2, 4])):
        key = {"Authorization": f"Bearer {new_key(clients, scope, client_id=name)}"}
        for query, of in (("", numbers), ("?booking_ref=B-7", numbers[1:])):
            items = http.get(f"/v1/documents{query}", headers=key).json()["items"]
            assert [item["id"] for item in items] == [f"doc_{number:032x}" for number in of]


@pytest.mark.parametrize("name", GUARDED)
def test_the_right_key_is_let_in(http: TestClient, clients: SqlClients, name: str) -> None:
    answer = ask(http, name, new_key(clients, SCOPE_OF[name]))
    assert answer.status_code not in (401, 403, 405, 500), answer.text
    if answer.status_code == 404:  # what the address asks for is not there; the address is
        assert answer.json()["code"] != "http.not_found" and "{" in name
    assert answer.headers["ratelimit-policy"] == '"client";q=600;w=60'
    assert answer.headers["ratelimit"].startswith('"client";r=599;t=')


@pytest.mark.parametrize("name", sorted(set(addresses()) - set(GUARDED)))
def test_public_addresses_need_no_key(http: TestClient, name: str) -> None:
    assert ask(http, name, None).status_code == 200


def test_a_route_that_was_forgotten_is_closed(guarded: Scripted, clients: SqlClients) -> None:
    app = create_app(guarded.services)
    app.get("/v1/forgotten")(lambda: {"secret": True})
    app.put("/v1/documents/{document_id}")(lambda document_id: {"gone": True})
    with TestClient(app) as http:
        key = new_key(clients, "admin")
        assert refusal(ask(http, "GET /v1/forgotten", key)) == (404, "http.not_found")
        answer = ask(http, "PUT /v1/documents/{document_id}", key)
        assert refusal(answer) == (405, "http.method_not_allowed")
        assert answer.headers["allow"] == "DELETE, GET"


def test_an_upload_belongs_to_its_client(http: TestClient, clients: SqlClients) -> None:
    ours = new_key(clients, "documents:write", "documents:read")
    theirs = new_key(clients, "documents:write", "documents:read", client_id="other")
    made = ask(http, "POST /v1/documents", ours).json()["id"]
    name = "GET /v1/documents/{document_id}"
    assert ask(http, name, ours, made).status_code == 200
    assert ask(http, name, theirs, made).status_code == 404


def test_two_keys_of_a_client_work_and_a_third_is_refused_until_one_is_revoked(
    clients: SqlClients,
) -> None:
    first, second = new_key(clients, "admin"), new_key(clients, "admin")
    with pytest.raises(ValueError, match="two live|2 live"):
        new_key(clients, "admin")
    for key in (first, second):
        assert clients.authenticate(key, now=NOON) is not None
    assert clients.revoke_key(first.split("_")[1], now=NOON)
    assert not clients.revoke_key(first.split("_")[1], now=NOON)
    third = new_key(clients, "admin")
    found = [clients.authenticate(key, now=NOON) is not None for key in (first, second, third)]
    assert found == [False, True, True]


def test_whether_anybody_could_call_is_told_by_the_live_keys_alone(clients: SqlClients) -> None:
    assert not clients.has_live_key(now=NOON)
    key = new_key(clients, "admin")
    assert clients.has_live_key(now=NOON) and not clients.has_live_key(now=NOON + YEAR)
    clients.revoke_key(key.split("_")[1], now=NOON)
    assert not clients.has_live_key(now=NOON)


def test_the_newest_keys_are_listed_first(clients: SqlClients) -> None:
    for days, name in enumerate(("first", "second")):
        at = NOON + timedelta(days=days)
        clients.create_key(name, ["admin"], now=at, lifetime=YEAR)
    assert [key.client_id for key in clients.all_keys()] == ["second", "first"]


def test_a_key_ends_at_its_time_to_the_second(clients: SqlClients) -> None:
    key = new_key(clients, "admin")
    assert clients.authenticate(key, now=NOON + YEAR - timedelta(seconds=1)) is not None
    assert clients.authenticate(key, now=NOON + YEAR) is None


def test_only_the_digest_of_a_secret_is_stored(clients: SqlClients, guarded: Scripted) -> None:
    key = new_key(clients, "admin")
    secret = key.split("_", 2)[2]
    with guarded.store.engine.connect() as connection:
        rows = str(connection.exec_driver_sql("SELECT * FROM client_keys").all())
    assert key.split("_")[1] in rows
    assert secret not in rows
    assert secret not in repr(clients.all_keys())


def test_the_last_use_of_a_key_is_remembered(http: TestClient, clients: SqlClients) -> None:
    key = new_key(clients, "documents:read")
    assert clients.all_keys()[0].last_used_at is None
    ask(http, "GET /v1/limits", key)
    assert clients.all_keys()[0].last_used_at == NOON
    later = NOON + timedelta(hours=1)
    assert clients.authenticate(key, now=later) is not None
    assert clients.all_keys()[0].last_used_at == later


def test_a_secret_is_compared_in_constant_time_whatever_is_sent(
    clients: SqlClients, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    compare = hmac.compare_digest

    def counting(a: str, b: str) -> bool:
        compared.append(len(a) + len(b))
        return compare(a, b)

    monkeypatch.setattr(hmac, "compare_digest", counting)
    key = new_key(clients, "admin")
    for sent in (key, key[:-1] + "!", "dqk_" + "0" * 16 + "_" + "a" * 43, "nonsense", ""):
        clients.authenticate(sent, now=NOON)
    assert compared == [128] * 5


@pytest.mark.parametrize(
    ("client_id", "scopes"),
    [
        (LOCAL_CLIENT, ["admin"]),
        ("Portal!", ["admin"]),
        ("", ["admin"]),
        ("p", []),
        ("p", ["root"]),
    ],
)
def test_a_key_for_nobody_or_nothing_is_not_made(
    clients: SqlClients, client_id: str, scopes: list[str]
) -> None:
    with pytest.raises(ValueError, match="client is called|scopes are"):
        clients.create_key(client_id, scopes, now=NOON, lifetime=YEAR)


# Rates and small bodies


def test_a_client_that_asks_too_often_waits_and_others_do_not(tmp_path: Path) -> None:
    with scripted_service(tmp_path, dev=False, rate_limit="3/minute") as service:
        clients = SqlClients(service.store.engine)
        eager, calm = (new_key(clients, "documents:read", client_id=name) for name in "ab")
        with TestClient(create_app(service.services)) as http:
            left = [ask(http, "GET /v1/limits", eager).headers["ratelimit"] for _ in range(3)]
            assert [part.split(";")[1] for part in left] == ["r=2", "r=1", "r=0"]
            answer = ask(http, "GET /v1/limits", eager)
            assert refusal(answer) == (429, "http.rate_limited")
            assert 1 <= int(answer.headers["retry-after"]) <= 120
            assert ask(http, "GET /v1/limits", calm).status_code == 200
            assert http.get("/livez").status_code == 200


def test_counting_starts_no_threads_and_forgets_what_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [1_000_000_000.0]
    started: list[threading.Thread] = []
    monkeypatch.setattr("time.time", lambda: now[0])
    monkeypatch.setattr("threading.Thread.start", lambda thread: started.append(thread))
    rates = Rates("2/second", "memory://", clock=lambda: now[0])
    started.clear()
    for _ in range(5):
        granted = [rates.take(client).is_granted for client in ("a", "a", "a", "b")]
        assert granted == [True, True, False, True]
        now[0] += 10
    kept = rates._counter.storage
    assert isinstance(kept, MemoryStorage) and len(kept.expirations) == 2
    assert started == []


def test_where_nothing_can_be_counted_everybody_is_let_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def is_away(*_: object) -> bool:
        raise StorageError(OSError("no such host"))

    rates = Rates("2/minute", "memory://", clock=lambda: 0.0)
    monkeypatch.setattr(rates._counter, "hit", is_away)
    assert all(rates.take("a").is_granted for _ in range(5))


def test_a_client_waits_for_a_second_though_our_clock_is_ahead_of_the_storages() -> None:
    rates = Rates("1/minute", "memory://", clock=lambda: 4e9)
    assert [rates.take("a").reset_s for _ in range(2)] == [1, 1]


def test_a_large_body_is_not_read_where_no_file_is_expected(
    http: TestClient, clients: SqlClients
) -> None:
    headers = {"Authorization": f"Bearer {new_key(clients, 'admin')}"}
    answer = http.request("GET", "/v1/limits", content=b"x" * 1_000_001, headers=headers)
    assert refusal(answer) == (413, "http.body_too_large")


# Reviewers' roles


def test_every_role_decides_or_supervises_or_both() -> None:
    assert set(ROLES) == DECIDING | SUPERVISING


@pytest.mark.parametrize(
    ("role", "status"),
    [("auditor", 403), ("reviewer", 303), ("senior", 303), ("admin", 303)],
)
def test_an_auditor_sees_everything_and_decides_nothing(
    http: TestClient, guarded: Scripted, clients: SqlClients, role: str, status: int
) -> None:
    clients.set_role(REVIEWER, role)
    assert sign_in(http).status_code == 303
    page = http.get(f"/review/{OURS}")
    assert page.status_code == 200
    answer = http.post(
        f"/review/{OURS}",
        data={
            "form_token": form_token(page.text),
            "decision": "accept",
            "report": "1",
            "reason": "it is fine",
        },
        follow_redirects=False,
    )
    assert answer.status_code == status
    assert len(guarded.store.rulings(OURS)) == (0 if role == "auditor" else 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_auditor_is_offered_nothing_that_is_refused_and_told_so_on_a_page(
    http: TestClient, guarded: Scripted, clients: SqlClients, language: str
) -> None:
    def offered(path: str) -> set[str]:
        page = http.get(f"{path}?lang={language}").text
        return set(re.findall(r'method="post" action="([^"?]+)', page))

    def sent(path: str) -> Any:
        form = {"form_token": form_token(http.get("/review").text), "back": "/review"}
        return http.post(path, data=form, headers={"Accept": "text/html"}, follow_redirects=False)

    document = f"/review/{OURS}"
    own = {"/review/logout", "/review/preferences"}
    sign_in(http)
    before = offered("/review") | offered(document)
    assert {document, "/review/next", f"{document}/claim", f"{document}/reveal"} < before
    clients.set_role(REVIEWER, "auditor")
    assert offered("/review") | offered(document) == own
    assert sent("/review/preferences").status_code == 303
    trail = guarded.services.desk.trail(OURS)
    for path in before - own:
        answer = sent(path)
        assert answer.status_code == 403 and TEXTS[language]["looks_only"] in answer.text
    assert guarded.services.desk.trail(OURS) == trail
