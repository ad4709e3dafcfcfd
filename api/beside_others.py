"""A document held against the others of its booking before it is stored."""

from __future__ import annotations

from dataclasses import replace

from api.services import Inspected, Services
from docqa.bookings import Booking
from docqa.ports import StoredDocument


def beside_others(services: Services, booking: Booking, document: StoredDocument) -> StoredDocument:
    """The document as it is to be stored: for a person to see if it contradicts another one.

    Both may be good, and belong to two people: where no document is in review, nobody would look.
    """
    portal = services.portal
    judged = portal.judge.beside_others(
        Inspected(document.report, document.readings),
        contradicts=portal.bookings.contradicts(booking, document),
    )
    decision = judged.report["verdict"]["decision"]
    return replace(document, report=judged.report, decision=decision)
