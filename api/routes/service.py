"""What the service is, and whether it works."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.services import Services


def service_routes(services: Services) -> APIRouter:
    """``/livez``, ``/readyz`` and the lists a portal can show to citizens beforehand."""
    router = APIRouter(tags=["service"])

    @router.get("/livez", summary="Whether the process runs")
    async def livez() -> dict[str, str]:
        """Always, while it answers."""
        return {"status": "alive"}

    @router.get(
        "/readyz",
        summary="Whether documents can be judged",
        responses={
            503: {
                "description": "Not now; problems says why and what to do.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    )
    def readyz(response: Response) -> dict[str, Any]:
        """The database answers, the models are loaded, the languages to read are installed."""
        problems = services.ready()
        response.status_code = 503 if problems else 200
        return {"status": "not ready" if problems else "ready", "problems": problems}

    _add_lists(router, services)
    return router


def _add_lists(router: APIRouter, services: Services) -> None:
    @router.get("/v1/limits", summary="What a file may be")
    async def limits() -> dict[str, int]:
        """Checked before anything is decoded."""
        settings = services.settings
        return {
            "max_upload_bytes": settings.max_upload_bytes,
            "max_pixels": settings.max_pixels,
            "max_side_px": settings.max_side_px,
            "max_pages": settings.max_pages,
            "max_jpeg_scans": settings.max_jpeg_scans,
        }

    @router.get("/v1/document-types", summary="What a document can be submitted as")
    async def document_types() -> dict[str, Any]:
        """Ids, titles, and the claims that are held against what is read."""
        return {
            "items": [
                {
                    "id": name,
                    "title": {"ar": known.title_ar, "en": known.title_en},
                    "claims": [spec.name for spec in known.fields],
                }
                for name, known in sorted(services.document_types.items())
            ]
        }

    @router.get("/v1/reason-codes", summary="Every reason a report can give")
    async def reason_codes() -> dict[str, Any]:
        """Codes with their sentences; codes are only ever added."""
        return {
            "items": [
                {"code": code, **texts} for code, texts in sorted(services.reason_codes.items())
            ]
        }

    @router.get("/v1/services", summary="What can be booked, and which documents it takes")
    async def booked_services() -> dict[str, Any]:
        """Ids, titles, required documents, days until the deadline, attempts per document."""
        return {
            "items": [
                {
                    "id": name,
                    "title": {"ar": known.title_ar, "en": known.title_en},
                    "documents": list(known.documents),
                    "deadline_days": known.deadline_days,
                    "most_attempts": known.most_attempts,
                }
                for name, known in sorted(services.portal.booked_services.items())
            ]
        }

    @router.get("/v1/policies", summary="What documents are judged by")
    async def policies() -> dict[str, Any]:
        """Every limit of the policy in force, with its unit, its direction and its source."""
        return {"items": list(services.portal.policies)}
