"""Posts a webhook to an address that was looked at, and waits for the answer only so long."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from datetime import datetime

import httpx

from docqa.webhooks.addresses import Address, Network, UnusableAddress, usable
from docqa.webhooks.records import Attempt, Outcome
from docqa.webhooks.signature import signed_headers

_MOST_ANSWER_BYTES = 65_536
_MOST_ADDRESSES = 3
_HEADERS = {
    "content-type": "application/json",
    "user-agent": "docqa-webhooks/1",
    "accept-encoding": "identity",
    "connection": "close",
}


class HttpSender:
    """Sends webhooks over HTTP.

    The host is resolved once; each address is judged, and only a judged one is connected to, while
    TLS still asks for a certificate of the host. Redirects and the environment's proxies are not
    followed, so that nothing leads elsewhere.

    Args:
        allowed: networks to which webhooks may go though they are not public.
        timeout_s: for the whole attempt, from the look-up of the name to the end of the answer.
    """

    def __init__(self, allowed: Sequence[Network], *, timeout_s: float) -> None:
        self._allowed = tuple(allowed)
        self._timeout_s = timeout_s
        self._certificates = httpx.create_ssl_context()
        self._certificates.load_default_certs()  # a ministry's own authority is the machine's

    def send(self, attempt: Attempt, *, now: datetime) -> Outcome:
        """How it went; never raises for what a receiver does."""
        try:
            status = asyncio.run(self._within_time(attempt, now))
        except TimeoutError:
            return Outcome(False, None, "timeout")
        except UnusableAddress:
            return Outcome(False, None, "address")
        except (OSError, UnicodeError):
            return Outcome(False, None, "name")
        except httpx.TimeoutException:
            return Outcome(False, None, "timeout")
        except httpx.ConnectError:
            return Outcome(False, None, "connection")
        except (httpx.HTTPError, httpx.InvalidURL):
            return Outcome(False, None, "protocol")
        if 200 <= status < 300:
            return Outcome(True, status, None)
        return Outcome(False, status, "redirect" if 300 <= status < 400 else "status")

    async def _within_time(self, attempt: Attempt, now: datetime) -> int:
        async with asyncio.timeout(self._timeout_s):
            url = httpx.URL(attempt.url)
            addresses = await self._addresses(url)
            headers = signed_headers(attempt.event_id, attempt.body, attempt.secrets, now=now)
            async with httpx.AsyncClient(
                verify=self._certificates,
                trust_env=False,
                follow_redirects=False,
                timeout=self._timeout_s,
            ) as client:
                for address in addresses[:-1]:
                    try:
                        return await _post(client, url, address, attempt.body, headers)
                    except httpx.ConnectError:
                        continue
                return await _post(client, url, addresses[-1], attempt.body, headers)

    async def _addresses(self, url: httpx.URL) -> tuple[Address, ...]:
        host = url.raw_host.decode("ascii").strip("[]")
        found = await asyncio.get_running_loop().getaddrinfo(
            host, url.port or (443 if url.scheme == "https" else 80), type=socket.SOCK_STREAM
        )
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        return usable(addresses, self._allowed, encrypted=url.scheme == "https")[:_MOST_ADDRESSES]


async def _post(
    client: httpx.AsyncClient,
    url: httpx.URL,
    address: Address,
    body: bytes,
    headers: dict[str, str],
) -> int:
    request = client.build_request(
        "POST",
        url.copy_with(host=str(address)),
        content=body,
        headers={**_HEADERS, **headers, "host": url.netloc.decode("ascii")},
        extensions={"sni_hostname": url.raw_host.decode("ascii").strip("[]")},
    )
    answer = await client.send(request, stream=True)
    try:
        seen = 0
        async for chunk in answer.aiter_raw():  # so that a receiver may finish what it says
            seen += len(chunk)
            if seen > _MOST_ANSWER_BYTES:
                break
    finally:
        await answer.aclose()
    return answer.status_code
