"""The client that load is made with: what it says of the service must be so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from benchmarks.load.light_client import LightClient

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def against(serve: Serve, test: Callable[[LightClient], Awaitable[None]]) -> None:
    """Run ``test`` with a client of a server that treats each connection with ``serve``."""

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server, asyncio.timeout(20):
            client = LightClient(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            await test(client)
            client.close()

    asyncio.run(main())


async def received(reader: asyncio.StreamReader) -> bytes:
    """The body of one request, as its head announces it."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(line for line in head.split("\r\n") if line.startswith("content-length: "))
    return await reader.readexactly(int(length.partition(": ")[2]))


def test_one_connection_carries_whole_requests_and_answers_until_the_server_closes_it() -> None:
    connections: list[int] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections))
        for more in (b"Retry-After: 5\r\n", b"Connection: close\r\n"):
            body = await received(reader)
            head = b"HTTP/1.1 503 Busy\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(body)
            writer.write(head + body)
        writer.close()

    async def test(client: LightClient) -> None:
        for number in range(4):
            body = b'{"number": %d}' % number
            answer = await client.request("POST", "/x", body=body, headers={"a": "b"})
            assert (answer.status, answer.json()) == (503, {"number": number})
            assert answer.headers.get("retry-after") == (None if number % 2 else "5")
        assert len(connections) == 2

    against(echo, test)


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await received(reader)
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\nhalf")
        writer.close()

    async def test(client: LightClient) -> None:
        with pytest.raises(asyncio.IncompleteReadError):
            await client.request("GET", "/x")

    against(break_off, test)
