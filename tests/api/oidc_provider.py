"""A small OpenID Connect provider that runs on this machine and can be told to lie."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

SECRET = "provider-secret"


@dataclass
class OidcProvider:
    """What it answers; ``claims`` are added to, or replace, those of an honest ID token."""

    issuer: str
    now: int
    key: RSAKey | OctKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    """Published, whatever it is."""
    signing_key: RSAKey | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    algorithm: str = "RS256"
    asked: dict[str, str] = field(default_factory=dict)
    """Query of the last visit at its authorization endpoint."""
    verifiers: list[str] = field(default_factory=list)
    described_times: int = 0
    may_answer: threading.Event = field(default_factory=threading.Event)
    """Cleared, every answer waits for it."""

    def __post_init__(self) -> None:
        self.may_answer.set()

    def authorise(self, address: str) -> dict[str, str]:
        """A browser comes to sign in; what it brings back."""
        self.asked = dict(parse_qsl(urlsplit(address).query))
        return {"state": self.asked["state"], "code": "code-1"}

    def described(self) -> dict[str, Any]:
        self.described_times += 1
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=isinstance(self.key, OctKey))]}

    def token(self, form: dict[str, list[str]], authorization: str) -> dict[str, Any] | None:
        """The answer at the token endpoint; None refuses the code."""
        expected = base64.b64encode(f"docqa:{SECRET}".encode()).decode()
        verifier = form["code_verifier"][0]
        self.verifiers.append(verifier)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (authorization, form["code"], challenge) != (
            f"Basic {expected}", ["code-1"], self.asked["code_challenge"],
        ):  # fmt: skip
            return None
        honest = {
            "iss": self.issuer,
            "aud": "docqa",
            "sub": "subject-1",
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": self.asked["nonce"],
            "email": "amal@example.org",
            "email_verified": True,
            "docqa_role": "reviewer",
        }
        claims = {k: v for k, v in (honest | self.claims).items() if v is not None}
        signed = jwt.encode(
            {"alg": self.algorithm, "kid": self.key.kid},
            claims,
            self.signing_key or self.key,
            algorithms=[self.algorithm],
        )
        return {"access_token": "a", "token_type": "Bearer", "id_token": signed}


@contextmanager
def oidc_provider(now: int) -> Iterator[OidcProvider]:
    """A provider on a free port."""
    provider: OidcProvider

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages = {
                "/.well-known/openid-configuration": provider.described,
                "/keys": provider.keys,
            }
            self._answer(pages[self.path]())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(provider.token(parse_qs(body), self.headers.get("Authorization", "")))

        def _answer(self, found: dict[str, Any] | None) -> None:
            provider.may_answer.wait(20)
            body = json.dumps(found or {"error": "invalid_grant"}).encode()
            self.send_response(400 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = OidcProvider(f"http://127.0.0.1:{server.server_address[1]}", now)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
