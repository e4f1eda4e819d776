"""Receivers on 127.0.0.1 for tests of alerts: a mail server and a webhook, which keep what they get."""

import base64
import datetime
import ipaddress
import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast


@dataclass
class Mailbox:
    """What the mail server got: messages, and the user name and password of whoever logged in."""

    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def mail_server(tls: ssl.SSLContext | None = None, refuse: bool = False) -> Iterator[Mailbox]:
    """A mail server; with `tls` it offers STARTTLS and a login, with `refuse` it wants no mail."""
    box = Mailbox()

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._answer("220 test")
            while line := self.rfile.readline().decode().strip():
                if not self._obey(line.split(" ")[0].upper(), line):
                    return

        def _obey(self, verb: str, line: str) -> bool:
            if verb in ("EHLO", "HELO"):
                self._answer("250-test", "250-STARTTLS" if tls else "250-8BITMIME", "250 AUTH PLAIN")
            elif verb == "STARTTLS" and tls:
                self._answer("220 go")
                self.request = tls.wrap_socket(self.request, server_side=True)
                self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
            elif verb == "AUTH":
                _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
                box.logins.append((user, password))
                self._answer("235 welcome")
            elif verb in ("MAIL", "RCPT", "RSET"):
                self._answer("550 not wanted" if refuse else "250 ok")
            elif verb == "DATA":
                self._answer("354 go on")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part.removeprefix(b".") if part.startswith(b"..") else part)
                box.messages.append(cast(EmailMessage, message_from_bytes(b"".join(lines), policy=policy.default)))
                self._answer("250 kept")
            else:
                self._answer("221 bye" if verb == "QUIT" else "502 unknown")
            return verb != "QUIT"

        def _answer(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    with _served(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session)) as port:
        box.port = port
        yield box


@dataclass
class Webhook:
    """What the webhook got, as JSON."""

    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def webhook(status: Callable[[int], int] = lambda call: 200) -> Iterator[Webhook]:
    """A webhook that answers its n-th call (from 1) with `status(n)`; its address holds a secret, as chat services' do."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status(len(hook.bodies)))
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None: ...

    with _served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        hook.url = f"http://127.0.0.1:{port}/hooks/s3cret-t0ken"
        yield hook


@contextmanager
def _served(server: socketserver.TCPServer) -> Iterator[int]:
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server-side TLS context for 127.0.0.1, and the certificate that a client has to trust."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "server.pem", folder / "server.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public
