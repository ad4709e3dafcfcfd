"""Signing in and out, and the language of the reviewers' pages."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import anyio
import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.testclient import TestClient

from api.app import create_app
from api.principal import address_of
from api.review.sign_in import Attempts
from api.review.sign_in import form_token as token_for
from api.review.texts import TEXTS
from tests.api.reviewing import ENGLISH, browser_at, document, form_token, sign_in
from tests.api.scripted_service import NOON, PASSWORD, REVIEWER, Scripted, scripted_service


@pytest.mark.parametrize("path", ["/review", "/review/doc_a", "/review/doc_a/pages/1/image"])
def test_nothing_is_shown_to_somebody_who_is_not_signed_in(client: TestClient, path: str) -> None:
    answer = client.get(path, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].partition("?")[0] == "/review/login"


def sign_in_at(client: TestClient, address: str) -> str:
    """Where somebody comes to who signs in on the page at ``address``, wrongly at first."""
    form = {"name": REVIEWER, "password": "wrong"}
    for _ in range(2):
        page = client.get(address).text
        action = re.search(r'class="card sign-in" method="post" action="([^"]+)"', page)
        assert action is not None
        address, form["form_token"] = unescape(action[1]), form_token(page)
        answer = client.post(address, data=form, follow_redirects=False)
        form["password"] = PASSWORD
    return str(answer.headers["location"])


@pytest.mark.parametrize(
    ("asked", "reached"),
    [
        ("/review", "/review"),
        ("/review?only=mine&lang=en", "/review?only=mine&lang=en"),
        ("/review/doc_a?page=2&beside=doc_b", "/review/doc_a?page=2&beside=doc_b"),
        ("/review/supervision?days=7", "/review/supervision?days=7"),
    ],
)
def test_signing_in_leads_to_what_was_asked_for_and_says_why(
    client: TestClient, asked: str, reached: str
) -> None:
    answer = client.get(asked, follow_redirects=False)
    page = client.get(answer.headers["location"], headers=ENGLISH).text
    assert (TEXTS["en"]["sign_in_first"] in page) == (asked != "/review")
    assert sign_in_at(client, answer.headers["location"]) == reached


@pytest.mark.parametrize("path", ["", "/claim", "/reveal", "/undo", "/beat"])
def test_a_form_that_was_sent_too_late_leads_back_to_its_document(
    client: TestClient, path: str
) -> None:
    answer = client.post(f"/review/doc_a{path}?page=2", follow_redirects=False)
    assert sign_in_at(client, answer.headers["location"]) == "/review/doc_a?page=2"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example/review",
        "//elsewhere.example/review",
        "/\\elsewhere.example",
        "/reviews",
        "/review/login",
        "/review/logout",
        "/review/oidc",
        "/v1/documents",
        "javascript:alert(1)",
    ],
)
def test_signing_in_leads_nowhere_else(client: TestClient, elsewhere: str) -> None:
    assert sign_in_at(client, f"/review/login?{urlencode({'next': elsewhere})}") == "/review"


def test_a_name_need_not_be_typed_again(client: TestClient) -> None:
    assert f'value="{REVIEWER}"' in sign_in(client, "wrong").text
    assert 'value="&#34;&gt;"' in sign_in(client, "wrong", name='">').text


def test_a_decision_of_somebody_who_is_not_signed_in_is_not_taken(
    client: TestClient, service: Scripted
) -> None:
    made = document(1, service)
    client.post(f"/review/{made.id}", data={"decision": "accept", "reason": "because"})
    assert service.store.rulings(made.id) == []


def test_a_wrong_name_and_a_wrong_password_look_the_same(client: TestClient) -> None:
    wrong_password, wrong_name = sign_in(client, "wrong"), sign_in(client, name="nobody")
    assert wrong_password.status_code == wrong_name.status_code == 401
    assert wrong_password.text == wrong_name.text.replace("nobody", REVIEWER)


def test_signing_in_changes_the_cookie_which_no_script_can_read(client: TestClient) -> None:
    client.get("/review/login")
    before = client.cookies["docqa"]
    cookie = sign_in(client).headers["set-cookie"]
    assert client.cookies["docqa"] != before
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie


def test_over_https_the_cookie_never_leaves_it(service: Scripted) -> None:
    with TestClient(create_app(service.services), base_url="https://testserver") as client:
        cookie = sign_in(client).headers["set-cookie"]
    assert cookie.startswith("__Host-docqa=") and "Secure" in cookie


def test_where_browsers_come_by_https_no_cookie_leaves_it_whatever_a_proxy_tells(
    tmp_path: Path,
) -> None:
    with scripted_service(tmp_path, public_url="https://docqa.example.org") as service:
        client = TestClient(create_app(service.services))  # by http
        cookies = client.get("/review/login?lang=en").headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["docqa_lang", "__Host-docqa"]
    assert all("Secure" in cookie for cookie in cookies)


def test_no_redirect_repeats_the_host_that_was_asked(client: TestClient) -> None:
    evil = {"Host": "evil.example"}
    answer = client.get("/review/", headers=evil, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "/review")
    assert client.get("/review/login/", headers=evil, follow_redirects=False).status_code == 404


def test_a_cookie_that_somebody_planted_is_not_a_session(client: TestClient) -> None:
    client.cookies.set("docqa", "planted", domain="testserver.local", path="/")
    assert sign_in(client).status_code == 303
    assert client.cookies["docqa"] != "planted"
    client.cookies.set("docqa", "planted", domain="testserver.local", path="/")
    assert client.get("/review", follow_redirects=False).status_code == 303


@pytest.mark.parametrize("token", ["", "0" * 64])
def test_signing_in_needs_the_token_of_our_form(client: TestClient, token: str) -> None:
    client.get("/review/login")
    answer = client.post(
        "/review/login", data={"form_token": token, "name": REVIEWER, "password": PASSWORD}
    )
    assert answer.status_code == 403


def test_whoever_has_no_cookie_has_no_form_of_ours(client: TestClient) -> None:
    """Anybody can make the token that belongs to no cookie: another site too."""
    form = {"form_token": token_for(""), "name": REVIEWER, "password": PASSWORD}
    assert client.post("/review/login", data=form).status_code == 403


def test_guessing_is_stopped_even_for_the_right_password_and_only_for_a_while(
    service: Scripted,
) -> None:
    with TestClient(create_app(service.services)) as client:
        statuses = [sign_in(client, f"guess {number}").status_code for number in range(10)]
        assert statuses == [401] * 10
        assert sign_in(client).status_code == 429
        service.clock.now += timedelta(minutes=11)
        assert sign_in(client).status_code == 303


def test_each_process_counts_the_guesses_that_it_meets(service: Scripted) -> None:
    with (
        TestClient(create_app(service.replicas[0])) as one,
        TestClient(create_app(service.replicas[-1])) as another,
    ):
        for number in range(10):
            assert sign_in(one, f"guess {number}").status_code == 401
        assert sign_in(one).status_code == 429
        assert sign_in(another).status_code == 303


@contextmanager
def held_comparisons(service: Scripted) -> Iterator[threading.Event]:
    """Comparisons of passwords wait for the event."""
    may_end, compare = threading.Event(), service.store.password_hash

    def held(name: str) -> str | None:
        assert may_end.wait(20)
        return compare(name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service.store, "password_hash", held)
        try:
            yield may_end
        finally:
            may_end.set()


async def sign_in_later(
    browser: httpx.AsyncClient, answers: list[httpx.Response], name: str, password: str = "guess"
) -> None:
    token = form_token((await browser.get("/review/login")).text)
    data = {"form_token": token, "name": name, "password": password}
    answers.append(await browser.post("/review/login", data=data))


def test_guesses_at_the_same_moment_are_counted_before_they_are_compared(tmp_path: Path) -> None:
    async def guess(app: FastAPI, may_end: threading.Event) -> None:
        answers: list[httpx.Response] = []
        async with AsyncExitStack() as browsers, anyio.create_task_group() as guesses:
            for network in range(3):
                browser = browser_at(app, f"198.51.{network}.7")
                await browsers.enter_async_context(browser)
                for _ in range(6):
                    guesses.start_soon(sign_in_later, browser, answers, REVIEWER)
            await anyio.wait_all_tasks_blocked()
            may_end.set()
        assert Counter(answer.status_code for answer in answers) == {401: 10, 429: 8}

    with scripted_service(tmp_path) as service, held_comparisons(service) as may_end:
        anyio.run(guess, create_app(service.services), may_end)


def test_who_floods_the_sign_in_from_one_address_keeps_nobody_elsewhere_out(
    tmp_path: Path,
) -> None:
    async def flood(app: FastAPI, may_end: threading.Event) -> None:
        strangers: list[httpx.Response] = []
        reviewers: list[httpx.Response] = []
        async with (
            browser_at(app, "2001:db8::7") as stranger,
            browser_at(app, "2001:db8::8") as neighbour,
            browser_at(app, "192.0.2.9") as reviewer,
            anyio.create_task_group() as tasks,
        ):
            for number in range(30):
                browser = neighbour if number % 2 else stranger
                tasks.start_soon(sign_in_later, browser, strangers, f"name {number}")
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(sign_in_later, reviewer, reviewers, REVIEWER, PASSWORD)
            await anyio.wait_all_tasks_blocked()
            may_end.set()
        assert [answer.status_code for answer in reviewers] == [303]
        refused = [answer for answer in strangers if answer.status_code == 503]
        assert len(refused) == 22 and len(strangers) == 30
        assert TEXTS["en"]["sign_in_busy"] in refused[0].text
        assert refused[0].headers["Retry-After"] == "5"

    with scripted_service(tmp_path) as service, held_comparisons(service) as may_end:
        anyio.run(flood, create_app(service.services), may_end)


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.9", 1), "192.0.2.9"),
        (("::ffff:192.0.2.9", 1), "::ffff:192.0.2.9"),
        (("2001:db8:0:1:2:3:4:5", 1), "2001:db8:0:1::/64"),
        (("proxy", 1), "proxy"),
        (None, ""),
    ],
)
def test_an_address_is_what_its_holder_cannot_choose(
    client: tuple[str, int] | None, address: str
) -> None:
    assert address_of(Request({"type": "http", "client": client})) == address


def test_signing_in_forgives_the_guesses_before_it() -> None:
    attempts = Attempts()
    for _ in range(2):
        assert all(attempts.begin(REVIEWER, NOON) for _ in range(10))
        attempts.succeeded(REVIEWER)


def test_signing_in_again_ends_the_session_before(reviewer: TestClient) -> None:
    before = reviewer.cookies["docqa"]
    form = {"form_token": token_for(before), "name": REVIEWER, "password": PASSWORD}
    answer = reviewer.post("/review/login", data=form, follow_redirects=False)
    assert answer.status_code == 303 and reviewer.cookies["docqa"] != before
    reviewer.cookies.clear()
    reviewer.cookies.set("docqa", before)
    assert reviewer.get("/review", follow_redirects=False).status_code == 303


def test_signing_out_ends_the_session_itself(reviewer: TestClient) -> None:
    cookie = reviewer.cookies["docqa"]
    token = form_token(reviewer.get("/review").text)
    reviewer.post("/review/logout", data={"form_token": token})
    reviewer.cookies.set("docqa", cookie)
    assert reviewer.get("/review", follow_redirects=False).status_code == 303


def test_signing_out_needs_the_token_of_our_form(reviewer: TestClient) -> None:
    assert reviewer.post("/review/logout", data={}).status_code == 403
    assert reviewer.get("/review", follow_redirects=False).status_code == 200


def test_an_idle_reviewer_is_signed_out(reviewer: TestClient, service: Scripted) -> None:
    service.clock.now += timedelta(minutes=31)
    assert reviewer.get("/review", follow_redirects=False).status_code == 303


# Languages


def test_pages_are_arabic_and_right_to_left_unless_the_browser_asks_for_english(
    client: TestClient,
) -> None:
    assert '<html lang="ar" dir="rtl"' in client.get("/review/login").text
    assert '<html lang="en" dir="ltr"' in client.get("/review/login", headers=ENGLISH).text
    french = {"Accept-Language": "fr"}
    assert '<html lang="ar" dir="rtl"' in client.get("/review/login", headers=french).text


def test_the_language_that_was_chosen_is_remembered(client: TestClient) -> None:
    assert 'lang="en"' in client.get("/review/login?lang=en").text
    assert '<html lang="en"' in client.get("/review/login").text
    client.get("/review/login?lang=ar")
    assert '<html lang="ar"' in client.get("/review/login", headers=ENGLISH).text


def test_switching_the_language_keeps_the_place(reviewer: TestClient, service: Scripted) -> None:
    made = document(1, service)
    page = reviewer.get(f"/review/{made.id}?page=1").text
    assert f'href="/review/{made.id}?page=1&amp;lang=ar"' in page
