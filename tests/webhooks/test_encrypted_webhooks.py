"""Over https the certificate must be the host's, whichever address it is connected to."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from docqa.adapters.webhook_sender import HttpSender
from docqa.webhooks.records import Attempt, Outcome
from docqa.webhooks.signature import encode_secret

HOST = "localhost"
_NOW = datetime.datetime.now(datetime.UTC)


@dataclass
class Booking:
    """A receiver with a certificate, and the host names it was asked for."""

    port: int
    hosts: list[str]


def _certificate(folder: Path, host: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOW - datetime.timedelta(days=1))
        .not_valid_after(_NOW + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    pkcs8 = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, pkcs8, plain)
    )
    return path


@pytest.fixture(params=[HOST, "another.example"])
def booking(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Booking]:
    certificate = _certificate(tmp_path, request.param)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    hosts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # noqa: N802
            hosts.append(self.headers["host"])
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that trusts nobody hangs up: that is what is tested."""

    server = Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield Booking(server.server_port, hosts)
    server.shutdown()
    server.server_close()
    thread.join()


def _sent(host: str, port: int) -> Outcome:
    attempt = Attempt(
        delivery=1,
        fence=1,
        number=1,
        until=_NOW,
        endpoint_id="whe_1",
        url=f"https://{host}:{port}/hook",
        secrets=(encode_secret(b"k"),),
        event_id="evt_1",
        body=b"{}",
    )
    sender = HttpSender([ip_network("127.0.0.0/8")], timeout_s=20)
    return sender.send(attempt, now=_NOW)


def test_only_the_hosts_own_certificate_is_believed(
    booking: Booking, request: pytest.FixtureRequest
) -> None:
    outcome = _sent(HOST, booking.port)
    if request.node.callspec.params["booking"] == HOST:
        assert outcome == Outcome(True, 204, None)
        assert booking.hosts == [f"{HOST}:{booking.port}"]
    else:
        assert outcome == Outcome(False, None, "connection")
        assert booking.hosts == []


def test_the_address_itself_is_not_the_host(booking: Booking) -> None:
    assert _sent("127.0.0.1", booking.port) == Outcome(False, None, "connection")
