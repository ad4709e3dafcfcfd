"""A document held against the others of its booking, before it is stored and just after."""

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


def look_again(services: Services, document: StoredDocument) -> None:
    """Have a person see a document, stored a moment ago, that contradicts another one.

    Of two that come at the same moment neither found the other in the store. What was answered
    stays as it is: the change is told as any other.
    """
    if document.client_id is None or document.booking_ref is None or document.decision != "accept":
        return
    booking = services.portal.bookings.get(document.client_id, document.booking_ref)
    if booking is not None:
        now = beside_others(services, booking, document)
        if now.decision != document.decision:
            services.store.supersede(document.id, now.report)
