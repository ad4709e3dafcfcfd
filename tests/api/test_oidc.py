"""Signing in by an OpenID Connect provider, an honest one and many that lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr
from starlette.testclient import TestClient

from api.app import create_app
from api.review.texts import TEXTS
from docqa.adapters.clients import SqlClients
from tests.api.oidc_provider import SECRET, OidcProvider, oidc_provider
from tests.api.reviewing import ENGLISH, browser_at, sign_in
from tests.api.scripted_service import NOON, REVIEWER, Scripted, scripted_service


@pytest.fixture
def provider() -> Iterator[OidcProvider]:
    with oidc_provider(int(NOON.timestamp())) as started:
        yield started


@pytest.fixture
def installed(provider: OidcProvider, tmp_path: Path) -> Iterator[Scripted]:
    settings: dict[str, Any] = {
        "oidc_issuer": provider.issuer,
        "oidc_client_secret": SecretStr(SECRET),
        "public_url": "https://testserver",
    }
    with scripted_service(tmp_path, **settings) as service:
        yield service


@pytest.fixture
def browser(installed: Scripted) -> Iterator[TestClient]:
    app = create_app(installed.services)
    with TestClient(app, base_url="https://testserver", headers=ENGLISH) as made:
        yield made


def go(browser: TestClient, provider: OidcProvider, **changes: str) -> Any:
    """Leave for the provider and come back with what it gave, or with ``changes``."""
    left = browser.get("/review/oidc", follow_redirects=False)
    assert left.status_code == 303, left.text
    brought = provider.authorise(left.headers["location"]) | changes
    return browser.get("/review/oidc/callback", params=brought, follow_redirects=False)


def test_whom_the_provider_vouches_for_is_signed_in_with_its_role(
    browser: TestClient, provider: OidcProvider, installed: Scripted
) -> None:
    provider.claims = {"docqa_role": "auditor"}
    answer = go(browser, provider)
    assert (answer.status_code, answer.headers["location"]) == (303, "/review")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-docqa=") and "Secure" in cookie and "HttpOnly" in cookie
    assert "amal@example.org" in browser.get("/review").text
    assert SqlClients(installed.store.engine).role("amal@example.org") == "auditor"


def test_signing_in_by_the_provider_leads_to_what_was_asked_for_once(
    browser: TestClient, provider: OidcProvider
) -> None:
    asked = browser.get("/review/doc_a?page=2", follow_redirects=False).headers["location"]
    start = re.search(r'href="(/review/oidc[^"]*)"', browser.get(asked).text)
    assert start is not None
    for address, reached in (
        (unescape(start[1]), "/review/doc_a?page=2"),
        ("/review/oidc?next=/review/%D8%B9?page=2", "/review/%D8%B9?page=2"),
        ("/review/oidc", "/review"),
        ("/review/oidc?next=https://elsewhere.example", "/review"),
    ):
        left = browser.get(address, follow_redirects=False)
        brought = provider.authorise(left.headers["location"])
        back = browser.get("/review/oidc/callback", params=brought, follow_redirects=False)
        assert back.headers["location"] == reached


def test_state_nonce_and_verifier_are_new_each_time_and_pkce_is_used(
    browser: TestClient, provider: OidcProvider
) -> None:
    asked = []
    for _ in range(2):
        assert go(browser, provider).status_code == 303
        asked.append(dict(provider.asked))
    assert asked[0]["code_challenge_method"] == "S256" and asked[0]["response_type"] == "code"
    assert asked[0]["redirect_uri"] == "https://testserver/review/oidc/callback"
    for name in ("state", "nonce", "code_challenge"):
        assert asked[0][name] != asked[1][name]
    assert len(set(provider.verifiers)) == 2


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-client"},
        {"aud": ["docqa", "another"], "azp": "another"},
        {"exp": int(NOON.timestamp()) - 120},
        {"exp": None},
        {"nonce": "replayed"},
        {"nonce": None},
        {"sub": None},
        {"email": None},
        {"email": ""},
        {"email_verified": False},
        {"docqa_role": None},
        {"docqa_role": "root"},
        {"email": REVIEWER},  # has a local account, which a provider must not take over
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_lets_nobody_in(
    browser: TestClient, provider: OidcProvider, claims: dict[str, Any]
) -> None:
    provider.claims = claims
    assert go(browser, provider).status_code == 403
    assert browser.get("/review", follow_redirects=False).status_code == 303


def test_who_had_no_role_at_the_first_visit_comes_in_once_the_provider_gave_one(
    browser: TestClient, provider: OidcProvider
) -> None:
    for claims, status in (({"docqa_role": None}, 403), ({"docqa_role": "reviewer"}, 303)):
        provider.claims = claims
        assert go(browser, provider).status_code == status
    assert "amal@example.org" in browser.get("/review").text


def test_a_token_that_somebody_else_signed_lets_nobody_in(
    browser: TestClient, provider: OidcProvider
) -> None:
    provider.signing_key = RSAKey.generate_key(2048)
    assert go(browser, provider).status_code == 403


@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_a_token_that_nobody_signed_by_a_private_key_lets_nobody_in(
    browser: TestClient, provider: OidcProvider, algorithm: str
) -> None:
    provider.key, provider.algorithm = OctKey.generate_key(256, auto_kid=True), algorithm
    assert go(browser, provider).status_code == 403


@pytest.mark.parametrize("changes", [{"state": "forged"}, {"state": ""}, {"code": "stolen"}])
def test_a_forged_return_lets_nobody_in(
    browser: TestClient, provider: OidcProvider, changes: dict[str, str]
) -> None:
    assert go(browser, provider, **changes).status_code == 403


def test_a_return_in_another_browser_lets_nobody_in(
    browser: TestClient, provider: OidcProvider
) -> None:
    left = browser.get("/review/oidc", follow_redirects=False)
    brought = provider.authorise(left.headers["location"])
    browser.cookies.clear()
    answer = browser.get("/review/oidc/callback", params=brought, follow_redirects=False)
    assert answer.status_code == 403


def test_a_provider_that_hangs_takes_no_thread_that_others_need_and_no_visitor_from_others(
    installed: Scripted, provider: OidcProvider
) -> None:
    async def visit(browser: httpx.AsyncClient, answers: list[httpx.Response]) -> None:
        answers.append(await browser.get("/review/oidc"))

    async def main() -> None:
        app = create_app(installed.services)
        strangers: list[httpx.Response] = []
        reviewers: list[httpx.Response] = []
        async with (
            browser_at(app, "198.51.100.7") as stranger,
            browser_at(app, "192.0.2.9") as reviewer,
            anyio.create_task_group() as visits,
        ):
            provider.may_answer.clear()
            for _ in range(30):
                visits.start_soon(visit, stranger, strangers)
            visits.start_soon(visit, reviewer, reviewers)
            await anyio.wait_all_tasks_blocked()
            busy_threads = anyio.to_thread.current_default_thread_limiter().borrowed_tokens
            provider.may_answer.set()
        assert busy_threads == 0
        assert [answer.status_code for answer in reviewers] == [303]
        refused = [answer for answer in strangers if answer.status_code == 503]
        assert len(refused) == 24 and len(strangers) == 30
        assert TEXTS["en"]["sign_in_busy"] in refused[0].text
        assert refused[0].headers["Retry-After"] == "5"

    anyio.run(main)


def test_the_provider_is_asked_what_it_is_now_and_then_only(
    browser: TestClient, provider: OidcProvider, installed: Scripted
) -> None:
    for minutes, times in ((0, 1), (9, 1), (11, 2)):
        installed.clock.now = NOON + timedelta(minutes=minutes)
        assert browser.get("/review/oidc", follow_redirects=False).status_code == 303
        assert provider.described_times == times


def test_passwords_still_work_and_the_sign_in_page_offers_both(
    browser: TestClient, provider: OidcProvider
) -> None:
    assert 'href="/review/oidc"' in browser.get("/review/login").text
    assert sign_in(browser).status_code == 303


def test_an_account_of_the_provider_has_no_password(
    browser: TestClient, provider: OidcProvider
) -> None:
    assert go(browser, provider).status_code == 303
    browser.cookies.clear()
    for password in ("", "!", "amal@example.org"):
        assert sign_in(browser, password, name="amal@example.org").status_code == 401


def test_without_a_provider_there_is_no_such_address(tmp_path: Path) -> None:
    with scripted_service(tmp_path) as service, TestClient(create_app(service.services)) as made:
        assert "/review/oidc" not in made.get("/review/login").text
        answer = made.get("/review/oidc", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/review/login")
