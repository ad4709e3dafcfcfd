"""``/try``: a citizen or a clerk checks a file before uploading it. Nothing is stored."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from api.gate import Gate
from api.problems import Problem, problem_texts, status_of
from api.rates import Rates
from api.review.pages import render
from api.review.sign_in import keep_token, new_visitor, session_token
from api.review.texts import language_of
from api.review.viewer import PageView, page_view
from api.review.views import Finding, findings, settled_advice, type_title
from api.services import Services
from api.submission import DEFAULT_DOCUMENT_TYPE, Submission, inspect, parse_submission
from api.upload import received
from docqa.errors import InvalidDocument, InvalidRequest

_IMAGES = "'self' data:"
"""The page's picture travels inside the answer: it is not kept anywhere to be fetched later."""
_PICTURE_PX = 1000
_MOST_PAGES = 4
_STRANGERS = "(strangers)"
"""Whom requests are counted for; no client can be called so."""


@dataclass(frozen=True, slots=True)
class TriedPage:
    """One page of the file, with what was found on it."""

    view: PageView
    picture: str
    """A data URI; "" when the page cannot be drawn."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a file."""

    decision: str
    score: int | None
    file_name: str
    findings: tuple[Finding, ...]
    pages: tuple[TriedPage, ...]


def try_routes(services: Services, gate: Gate, rates: Rates) -> APIRouter:
    """``/try``, for everybody.

    Args:
        services: what it works with.
        gate: admits the files, and none but those.
        rates: counts all who send one as one client.
    """
    router = APIRouter(include_in_schema=False)

    @router.get("/try")
    def show(request: Request) -> Response:
        return _page(services, request)

    @router.post("/try")
    async def check(request: Request) -> Response:
        settings, language = services.settings, language_of(request)
        try:
            await anyio.to_thread.run_sync(_count, rates)
            with gate.admitted():
                async with received(
                    request,
                    files=services.files,
                    max_bytes=settings.max_upload_bytes,
                    timeout_s=settings.upload_timeout_s,
                ) as upload:
                    sent = parse_submission(upload, {}, services.clock().date())
                    tried = await gate.run(lambda: _try(services, sent, language))
        except (InvalidDocument, InvalidRequest) as error:
            texts = services.problem_text(error.code, error.facts)
            return _page(services, request, status_of(error.code), refused=texts[language])
        except Problem as error:
            texts = problem_texts(error.code)
            answer = _page(services, request, status_of(error.code), refused=texts[language])
            if error.retry_after_s is not None:
                answer.headers["Retry-After"] = str(error.retry_after_s)
            return answer
        return _page(services, request, tried=tried, chosen=sent.document_type)

    return router


def _count(rates: Rates) -> None:
    allowance = rates.take(_STRANGERS)
    if not allowance.is_granted:
        raise Problem("http.rate_limited", retry_after_s=allowance.reset_s)


def _page(
    services: Services,
    request: Request,
    status: int = 200,
    *,
    tried: Tried | None = None,
    refused: Mapping[str, str] | None = None,
    chosen: str = DEFAULT_DOCUMENT_TYPE,
) -> Response:
    token = session_token(request) or new_visitor()
    language = language_of(request)
    response = render(
        request,
        "try.html",
        token=token,
        status=status,
        images=_IMAGES,
        tried=tried,
        refused=refused,
        chosen=chosen,
        types=[
            (known, type_title(services.document_types, known, language))
            for known in services.document_types
        ],
    )
    keep_token(request, response, token)
    return response


def _try(services: Services, sent: Submission, language: str) -> Tried:
    report = inspect(services, sent).report
    data = sent.upload.file.read_bytes()
    return Tried(
        decision=report["verdict"]["decision"],
        score=report["verdict"]["score"],
        file_name=sent.file_name,
        findings=tuple(_findings(services, report, language)),
        pages=tuple(
            _tried_page(services, report, data, page["index"], language)
            for page in report["pages"][:_MOST_PAGES]
        ),
    )


def _findings(services: Services, report: Mapping[str, Any], language: str) -> Iterator[Finding]:
    """What was found, with what to do about it where nothing is stored: nobody is going to look."""
    reasons = report["verdict"]["reasons"]
    for finding, reason in zip(findings(report, language), reasons, strict=True):
        yield replace(finding, advice=settled_advice(services, reason, language))


def _tried_page(
    services: Services, report: Mapping[str, Any], data: bytes, index: int, language: str
) -> TriedPage:
    try:
        drawn = base64.b64encode(services.render_page(data, index, _PICTURE_PX)).decode()
        picture = f"data:image/png;base64,{drawn}"
    except InvalidDocument:
        picture = ""
    return TriedPage(page_view(services, report, index, language), picture)
