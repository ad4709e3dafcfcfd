"""Reviewers sign in by the ministry's own OpenID Connect provider: code flow with PKCE.

Nothing is kept between leaving and coming back: state, nonce and PKCE verifier are derived from
the secret in the visitor's cookie, which is new for every attempt.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import structlog
from argon2 import PasswordHasher
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from fastapi import APIRouter, FastAPI, Request, Response
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.responses import RedirectResponse

from api.gate import Gate, Shares
from api.principal import address_of
from api.problems import Problem
from api.review.coming_back import keep_asked_for, kept_asked_for
from api.review.sign_in import keep_token, new_visitor, session_token
from api.review.sign_in_page import busy_page, sign_in_page
from api.services import Services

START = "/review/oidc"
CALLBACK = "/review/oidc/callback"
_ALGORITHMS = ["RS256", "PS256", "ES256"]
_TIMEOUT_S = 10.0
_LEEWAY_S = 60
_DESCRIBED_FOR = timedelta(minutes=10)
_ASKED_AT_ONCE = 4
"""With threads of their own: a provider that hangs takes none of those that others need."""
_MOST_SIGNING_IN = 24
_SIGNING_IN_FROM_ONE_ADDRESS = 6
_SCOPE = "openid email profile"
_LONGEST_NAME_CHARACTERS = 200
_LOG = structlog.get_logger(__name__)


class SignInRefused(Exception):
    """The provider, or what it said, does not let this visitor in. Holds nothing personal."""


class Provider:
    """An OpenID Connect provider, as it describes itself.

    Args:
        services: whose settings name it, and where accounts are kept.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._settings = services.settings
        self._description: dict[str, Any] = {}
        self._described_until: datetime | None = None

    def leave_to(self, visitor: str) -> str:
        """The address at the provider where ``visitor`` signs in. Blocks."""
        with self._client() as client:
            found = self._described(client)
        challenge = create_s256_code_challenge(_derived(visitor, "verifier"))
        return str(
            prepare_grant_uri(
                found["authorization_endpoint"],
                self._settings.oidc_client_id,
                "code",
                redirect_uri=self._callback,
                scope=_SCOPE,
                state=_derived(visitor, "state"),
                nonce=_derived(visitor, "nonce"),
                code_challenge=challenge,
                code_challenge_method="S256",
            )
        )

    def come_back(self, visitor: str, *, state: str, code: str) -> str:
        """The name of the reviewer the provider vouches for, whose account is there. Blocks.

        Raises SignInRefused when anything about it is wrong.
        """
        if not visitor or not hmac.compare_digest(
            state.encode(), _derived(visitor, "state").encode()
        ):
            raise SignInRefused("state")
        try:
            with self._client() as client:
                found = self._described(client)
                token = self._token(client, found["token_endpoint"], code, visitor)
                claims = self._checked(token, _json(client, found["jwks_uri"]), visitor)
        except (httpx.HTTPError, JoseError, KeyError, TypeError, ValueError) as error:
            raise SignInRefused(type(error).__name__) from error
        return self._admitted(claims)

    @property
    def _callback(self) -> str:
        return str(self._settings.public_url).rstrip("/") + CALLBACK

    def _client(self) -> httpx.Client:
        return httpx.Client(timeout=_TIMEOUT_S, trust_env=False)

    def _token(self, client: httpx.Client, address: str, code: str, visitor: str) -> str:
        name, secret = self._settings.oidc_client_id, self._settings.oidc_client_secret
        answer = client.post(
            address,
            data={
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._callback,
                "client_id": name,
                "code_verifier": _derived(visitor, "verifier"),
            },
            auth=httpx.USE_CLIENT_DEFAULT if secret is None else (name, secret.get_secret_value()),
        )
        answer.raise_for_status()
        return str(answer.json()["id_token"])

    def _described(self, client: httpx.Client) -> dict[str, Any]:
        now = self._services.clock()
        if self._described_until is not None and now < self._described_until:
            return self._description
        issuer = str(self._settings.oidc_issuer)
        found = _json(client, issuer.rstrip("/") + "/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ValueError("another issuer answers")
        self._description, self._described_until = found, now + _DESCRIBED_FOR
        return found

    def _checked(self, token: str, keys: Any, visitor: str) -> dict[str, Any]:
        issuer, name = str(self._settings.oidc_issuer), self._settings.oidc_client_id
        claims = jwt.decode(token, KeySet.import_key_set(keys), algorithms=_ALGORITHMS).claims
        jwt.JWTClaimsRegistry(
            now=int(self._services.clock().timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": name},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": _derived(visitor, "nonce")},
        ).validate(claims)
        several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if several and claims.get("azp") != name:
            raise ValueError("the token is for somebody else")
        return dict(claims)

    def _admitted(self, claims: dict[str, Any]) -> str:
        name, role = (
            claims.get(claim)
            for claim in (self._settings.oidc_name_claim, self._settings.oidc_role_claim)
        )
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME_CHARACTERS:
            raise SignInRefused("name")
        if self._settings.oidc_name_claim == "email" and claims.get("email_verified") is False:
            raise SignInRefused("email")
        hashed = PasswordHasher().hash(secrets.token_hex(32))
        try:
            admitted = self._services.clients.admit_reviewer(name, str(role), unusable_hash=hashed)
        except ValueError as error:
            raise SignInRefused("role") from error
        if not admitted:
            raise SignInRefused("local account")
        return name


def install_oidc(app: FastAPI, services: Services) -> None:
    """Offer signing in by the provider, if the settings name one."""
    app.state.has_provider = services.settings.oidc_issuer is not None
    if app.state.has_provider:
        app.include_router(_routes(services, Provider(services)))


def _routes(services: Services, provider: Provider) -> APIRouter:
    router = APIRouter(include_in_schema=False)
    retry_after_s = services.settings.retry_after_s
    places = Shares(
        most=_MOST_SIGNING_IN, each=_SIGNING_IN_FROM_ONE_ADDRESS, retry_after_s=retry_after_s
    )
    asking = Gate(
        running=_ASKED_AT_ONCE,
        waiting=_MOST_SIGNING_IN,
        retry_after_s=retry_after_s,
        longest_wait_s=_TIMEOUT_S,
    )

    async def ask(request: Request, question: Callable[[], str]) -> str:
        with places.held(address_of(request)), asking.admitted():
            return await asking.run(question)

    @router.get(START)
    async def leave(request: Request) -> Response:
        visitor = new_visitor()
        try:
            address = await ask(request, lambda: provider.leave_to(visitor))
        except (httpx.HTTPError, KeyError, ValueError) as error:
            return _refused(request, SignInRefused(type(error).__name__))
        except Problem as problem:
            return busy_page(request, kept_asked_for(request), problem)
        response = RedirectResponse(address, 303)
        keep_token(request, response, visitor)
        keep_asked_for(request, response)
        return response

    @router.get(CALLBACK)
    async def come_back(request: Request, state: str = "", code: str = "") -> Response:
        visitor = session_token(request)

        def signed_in() -> str:
            name = provider.come_back(visitor, state=state, code=code)
            return services.sessions.start(name, now=services.clock())

        try:
            token = await ask(request, signed_in)
        except SignInRefused as why:
            return _refused(request, why)
        except Problem as problem:
            return busy_page(request, kept_asked_for(request), problem)
        response = RedirectResponse(kept_asked_for(request), 303)
        keep_token(request, response, token)
        return response

    return router


def _refused(request: Request, why: SignInRefused) -> Response:
    _LOG.warning("sign-in by the provider refused", reason=str(why))
    back_to = kept_asked_for(request)
    return sign_in_page(request, back_to, 403, "sign_in_failed", token=new_visitor())


def _json(client: httpx.Client, address: str) -> dict[str, Any]:
    answer = client.get(address)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found


def _derived(visitor: str, what: str) -> str:
    return hmac.new(visitor.encode(), f"docqa oidc {what}".encode(), hashlib.sha256).hexdigest()
