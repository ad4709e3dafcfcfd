"""The filter that somebody last looked at the queue with: what is next is next in that queue."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from fastapi import Response

from api.review import queue
from api.review.visits import Visit
from api.services import Services

_COOKIE = "docqa_queue"


def keep_filter(visit: Visit, response: Response, asked: queue.Asked) -> None:
    """Remember a filter until the browser is closed."""
    if not asked.chosen:
        response.delete_cookie(_COOKIE)
        return
    response.set_cookie(
        _COOKIE,
        urlencode(asked.chosen),
        path="/",
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


def last_asked(services: Services, visit: Visit) -> queue.Asked:
    """What was asked of the queue the last time; everything where nothing is remembered."""
    kept = dict(parse_qsl(visit.request.cookies.get(_COOKIE, "")))
    return queue.asked(kept, services, visit.reviewer, services.clock())
