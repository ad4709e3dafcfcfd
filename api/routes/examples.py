"""What /openapi.json shows of uploads and their answers."""

from __future__ import annotations

from typing import Any

from api.problems import problem_body, problem_texts, status_of
from api.services import Services, Texts
from api.submission import SubmissionFields

_CLAIMS = '{"given_name": "آمنة", "birth_date": "1990-05-04"}'
_REPORT: dict[str, Any] = {
    "schema": "docqa.report/1",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "document_type": "a4-generic",
    "verdict": {
        "decision": "review",
        "score": 64,
        "reasons": [
            {
                "code": "geometry.skew",
                "decision": "review",
                "measure": "skew",
                "field": None,
                "page": 1,
                "value": 1.8,
                "limit": 1.0,
                "unit": "deg",
                "regions": [],
                "message": {"ar": "الصفحة مائلة.", "en": "The page is turned."},
                "advice": {
                    "ar": "ضعها بمحاذاة حافة الزجاج وامسحها من جديد.",
                    "en": "Lay it straight against the edge of the glass and scan again.",
                },
            }
        ],
    },
    "pages": [
        {
            "index": 1,
            "width_px": 2480,
            "height_px": 3508,
            "measures": {
                "skew": {
                    "status": "assessed",
                    "score": 64,
                    "outputs": {"angle_deg": 1.8},
                    "regions": [],
                }
            },
        }
    ],
    "fields": [],
    "faults": [],
    "policy": {"id": "sy-passport", "digest": "sha256:…"},
    "engine": {"version": "0.1.0", "digest": "sha256:…"},
    "timings_ms": {"decode": 31.0, "measures": 64.0, "reading": 0.0},
}
CHECK: dict[str, Any] = {"file_name": "scan.pdf", "report": _REPORT}
DOCUMENT: dict[str, Any] = {
    "id": "doc_5d41402abc4b2a76b9719d911017c592",
    "decision": "review",
    "document_type": "a4-generic",
    "file_name": "scan.pdf",
    "booking_ref": "B-2026-00417",
    "received_at": "2026-05-04T09:30:00Z",
    "deadline_at": "2026-05-14T09:30:00Z",
    "report_number": 1,
    "report": _REPORT,
    "ruling": None,
}
_SUMMARY_KEYS = (
    "id", "decision", "document_type", "file_name", "booking_ref", "received_at", "deadline_at"
)  # fmt: skip
DOCUMENT_LIST: dict[str, Any] = {
    "items": [{**{key: DOCUMENT[key] for key in _SUMMARY_KEYS}, "reason_codes": ["geometry.skew"]}],
    "self": "/v1/documents?limit=1",
    "next": "/v1/documents?limit=1&cursor=WyIyMDI2LTA1LTA0VDA5OjMwOjAwKzAwOjAwIiwiZG9jIl0",
}
REPORT_LIST: dict[str, Any] = {
    "items": [{"number": 1, "recorded_at": "2026-05-04T09:30:02Z", "report": _REPORT}]
}
CORRECTION: dict[str, Any] = {"claims": {"given_name": "أمينة"}}
BOOKING_CHANGE: dict[str, Any] = {
    "service": "sy-passport",
    "booked_at": "2026-05-04T08:00:00Z",
    "state": "open",
}
BOOKING: dict[str, Any] = {
    "ref": "B-2026-00417",
    "service": "sy-passport",
    "state": "open",
    "booked_at": "2026-05-04T08:00:00Z",
    "deadline_at": "2026-05-14T08:00:00Z",
    "days_left": 10,
    "is_overdue": False,
    "outcome": "incomplete",
    "documents": [
        {
            "document_type": "sy-id-front",
            "title": {"ar": "البطاقة الشخصية (الوجه الأمامي)", "en": "Syrian identity card, front"},
            "state": "accept",
            "document_id": "doc_5d41402abc4b2a76b9719d911017c592",
            "reason_codes": [],
            "attempts": 1,
            "attempts_left": 4,
        },
        {
            "document_type": "sy-id-back",
            "title": {"ar": "البطاقة الشخصية (الوجه الخلفي)", "en": "Syrian identity card, back"},
            "state": "missing",
            "document_id": None,
            "reason_codes": [],
            "attempts": 0,
            "attempts_left": 5,
        },
    ],
    "reasons": [
        {
            "code": "booking.document_missing",
            "decision": "incomplete",
            "document_types": ["sy-id-back"],
            "field": None,
            "message": {
                "ar": "ما زالت هناك وثيقة ناقصة: البطاقة الشخصية (الوجه الخلفي).",
                "en": "A document is still missing: Syrian identity card, back.",
            },
            "advice": {
                "ar": "امسحها ضوئياً وارفعها قبل انتهاء المهلة.",
                "en": "Scan it and upload it before the deadline.",
            },
        }
    ],
    "agreeing_fields": [],
}
_REQUEST_ID = "0c4a1f6e2b8d4f0e9a7c5b3d1e2f4a6b"
_MEANINGS = {
    400: "The request cannot be read",
    404: "It does not exist",
    408: "The file did not arrive in time",
    409: "Another request came first, or the time for this has passed",
    410: "The document was deleted",
    413: "The file or the body is too large",
    415: "The file is not a JPEG, PNG, TIFF or PDF, or the body was encoded",
    422: "The file cannot be a document, or a value is wrong",
    500: "The service failed; its log says why, by the request_id",
    503: "It cannot be answered at the moment: see Retry-After",
}


def problem_responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of routes that may answer with these problems: one for each status."""
    return dict(_shown(code, problem_texts(code)) for code in codes)


def upload_responses(services: Services, *codes: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses of routes that take a file, which is refused as the catalogue says."""
    most_bytes = services.settings.max_upload_bytes
    facts = {"limit": most_bytes, "actual": most_bytes + 1}
    refused = ("file.too_large", "file.format.unknown")
    return {
        **problem_responses(*codes, "http.timeout", "http.invalid", "service.overloaded"),
        **dict(_shown(code, services.problem_text(code, facts)) for code in refused),
    }


def _shown(code: str, texts: Texts) -> tuple[int, dict[str, Any]]:
    status, example = status_of(code), problem_body(code, texts, _REQUEST_ID)
    content = {"application/problem+json": {"example": example}}
    return status, {"description": _MEANINGS[status], "content": content}


_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
    "example": "0b8a4c1e-6f5d-4d0e-9f2a-7c3b1d5e8a90",
    "description": "New for every new upload, the same when one is repeated: it is stored once.",
}


def _upload(*, is_keyed: bool) -> dict[str, Any]:
    fields = SubmissionFields.model_json_schema()["properties"]
    form_fields = {name: schema for name, schema in fields.items() if name != "file_name"}
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": False,
                "schema": schema,
                "description": "For raw bodies; in a form it is a part. " + schema["description"],
            }
            for name, schema in fields.items()
        ]
        + ([_KEY] if is_keyed else []),
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {
                            "file": {"type": "string", "format": "binary"},
                            **form_fields,
                        },
                    },
                    "example": {
                        "file": "scan.pdf",
                        "document_type": "a4-generic",
                        "claims": _CLAIMS,
                        "booking_ref": "B-2026-00417",
                    },
                },
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        },
    }


UPLOAD = _upload(is_keyed=False)
KEYED_UPLOAD = _upload(is_keyed=True)
