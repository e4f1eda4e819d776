"""The HTTP client against a small server on 127.0.0.1 that answers as told."""

import gzip
import ssl
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import pytest
import stamina
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from groningen_data.errors import SourceError
from groningen_data.fetching.client import Client
from groningen_data.settings import load_settings


class Server:
    """Answers each path by a function of the handler; notes the requests."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                length = int(self.headers.get("content-length") or 0)
                self.rfile.read(length)
                outer.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                outer.answers[self.path.partition("?")[0]](self)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def asked(self, path: str) -> int:
        return sum(p.partition("?")[0] == path for p, _ in self.requests)


def say(handler, body=b"", status=200, declared=None, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("content-length", str(declared if declared is not None else len(body)))
    handler.end_headers()
    handler.wfile.write(body)
    if declared is not None and declared != len(body):
        handler.close_connection = True


def in_turn(*answers):
    left = list(answers)
    return lambda handler: (left.pop(0) if len(left) > 1 else left[0])(handler)


@pytest.fixture
def server():
    found = Server()
    yield found
    found.http.shutdown()
    found.http.server_close()


@pytest.fixture
def settings(tmp_path):
    return load_settings(
        profile="sample", data_dir=tmp_path, http_attempts=3, http_timeout_s=0.5, http_rate_per_s=1000, http_answer_limit_mb=1
    )


@pytest.fixture(autouse=True)
def _no_waiting():
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture
def client(server, settings):
    with Client("weather", {"knmi": f"{server.url}/base"}, settings) as client:
        yield client


class TestAsking:
    def test_an_answer_has_its_body_and_the_headers_worth_keeping(self, server, client):
        server.answers["/base/x"] = lambda h: say(h, b"[1]", content_type="application/json", etag='"a"', set_cookie="s=1")
        answer = client.get(client.url("knmi", "x"), accept=("application/json",))
        assert answer.json("weather") == [1]
        assert answer.headers["etag"] == '"a"' and "set-cookie" not in answer.headers
        assert answer.url == f"{server.url}/base/x"

    def test_what_did_not_change_is_not_sent_again(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=304) if h.headers.get("If-None-Match") else say(h, b"1", etag='"a"')
        first = client.get(f"{server.url}/x")
        assert client.get(f"{server.url}/x", validators=first.validators) is None

    def test_the_body_is_unpacked(self, server, client):
        server.answers["/x"] = lambda h: say(h, gzip.compress(b"hello"), content_encoding="gzip")
        assert client.get(f"{server.url}/x").body == b"hello"


class TestTryingAgain:
    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_what_may_pass_is_tried_again(self, server, client, status):
        server.answers["/x"] = in_turn(lambda h: say(h, status=status, retry_after="0"), lambda h: say(h, b"ok"))
        assert client.get(f"{server.url}/x").body == b"ok"
        assert server.asked("/x") == 2

    def test_it_gives_up_and_says_what_happened(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=503, retry_after="0")
        with pytest.raises(SourceError, match=r"weather: 127\.0\.0\.1/x answered status 503 3 times.*nothing is lost"):
            client.get(f"{server.url}/x?key=secret")
        assert server.asked("/x") == 3

    def test_the_query_is_in_no_error(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=404)
        with pytest.raises(SourceError) as error:
            client.get(f"{server.url}/x?key=secret")
        assert "secret" not in str(error.value)

    def test_a_wait_that_is_too_long_is_not_waited_for(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=429, retry_after="86400")
        with pytest.raises(SourceError, match="asks to wait 86,400 s"):
            client.get(f"{server.url}/x")
        assert server.asked("/x") == 1

    def test_a_wait_may_be_told_as_a_date(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=429, retry_after="Wed, 21 Oct 2099 07:28:00 GMT")
        with pytest.raises(SourceError, match="asks to wait"):
            client.get(f"{server.url}/x")
        assert server.asked("/x") == 1

    @pytest.mark.parametrize("status", [400, 401, 403, 404])
    def test_what_will_not_pass_is_not(self, server, client, status):
        server.answers["/x"] = lambda h: say(h, status=status)
        with pytest.raises(SourceError):
            client.get(f"{server.url}/x")
        assert server.asked("/x") == 1

    def test_an_error_that_the_caller_knows_is_its_answer(self, server, client):
        server.answers["/x"] = lambda h: say(h, b"more than 10000 records", status=500)
        answer = client.get(f"{server.url}/x", recognise=lambda status, body: status == 500 and b"10000" in body)
        assert answer.status == 500 and server.asked("/x") == 1

    def test_an_answer_that_breaks_off_is_asked_again(self, server, client):
        server.answers["/x"] = in_turn(lambda h: say(h, b"half", declared=8), lambda h: say(h, b"complete"))
        assert client.get(f"{server.url}/x").body == b"complete"

    def test_silence_ends(self, server, client):
        wait = threading.Event()
        server.answers["/x"] = lambda h: wait.wait(5)
        with pytest.raises(SourceError, match="gave no answer within"):
            client.get(f"{server.url}/x")
        wait.set()

    def test_a_wait_that_is_too_long_is_told_and_not_waited_for(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=429, retry_after="9999")
        with pytest.raises(
            SourceError, match=r"answered status 429 and asks to wait 9,999 s, longer than the \d+ s of GRONINGEN_"
        ):
            client.get(f"{server.url}/x")
        assert len(server.requests) == 1

    def test_nobody_there(self, settings):
        with (
            Client("weather", {"knmi": "http://127.0.0.1:9"}, settings) as client,
            pytest.raises(SourceError, match="cannot be reached"),
        ):
            client.get("http://127.0.0.1:9/x")


class TestLimits:
    def test_a_bomb_is_refused(self, server, client):
        bomb = gzip.compress(b"0" * 50_000_000)
        server.answers["/x"] = lambda h: say(h, bomb, content_encoding="gzip")
        with pytest.raises(SourceError, match="answers more than 1 MB"):
            client.get(f"{server.url}/x")
        assert server.asked("/x") == 1

    def test_an_answer_that_drips_for_ever_ends(self, server, settings):
        def drip(handler):
            handler.send_response(200)
            handler.end_headers()
            for _ in range(100):
                handler.wfile.write(b"0")
                handler.wfile.flush()
                wait.wait(0.05)

        wait = threading.Event()
        server.answers["/x"] = drip
        patient = settings.model_copy(update={"http_deadline_s": 0.2})
        with Client("weather", {"knmi": server.url}, patient) as client, pytest.raises(SourceError, match="did not finish"):
            client.get(f"{server.url}/x")
        wait.set()

    def test_another_type_is_refused(self, server, client):
        server.answers["/x"] = lambda h: say(h, b"<html>", content_type="text/html; charset=utf-8")
        with pytest.raises(SourceError, match="answered text/html where application/json was asked for"):
            client.get(f"{server.url}/x", accept=("application/json",))


class TestHosts:
    def test_only_configured_hosts_are_asked(self, client):
        with pytest.raises(SourceError, match=r"sent on to example\.org"):
            client.get("https://example.org/x")

    def test_also_after_a_redirect(self, server, client):
        other = Server()
        other.answers["/x"] = lambda h: say(h, b"stolen")
        server.answers["/x"] = lambda h: say(h, status=302, location=f"{other.url}/x")
        with pytest.raises(SourceError, match="not one of its configured hosts"):
            client.get(f"{server.url}/x")
        assert other.requests == []
        other.http.shutdown()
        other.http.server_close()

    def test_a_redirect_within_the_host_is_followed(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=302, location="/y")
        server.answers["/y"] = lambda h: say(h, b"here")
        assert client.get(f"{server.url}/x").body == b"here"

    def test_redirects_without_end(self, server, client):
        server.answers["/x"] = lambda h: say(h, status=302, location="/x")
        with pytest.raises(SourceError, match="TooManyRedirects"):
            client.get(f"{server.url}/x")


class TestEncryption:
    def test_a_certificate_that_nobody_vouches_for_is_refused(self, settings, tmp_path):
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        (tmp_path / "own.pem").write_bytes(private + certificate.public_bytes(pem))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "own.pem")
        server = Server()
        server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
        url = server.url.replace("http:", "https:")
        with (
            Client("weather", {"knmi": url}, settings) as client,
            pytest.raises(SourceError, match="certificate that is not trusted"),
        ):
            client.get(f"{url}/x")
        assert server.requests == []
        server.http.shutdown()
        server.http.server_close()


class TestPages:
    def test_pages_follow_one_another(self, server, client):
        server.answers["/x"] = lambda h: say(h, {"/x?a=1": b'{"next": "?page=2"}', "/x?page=2": b'{"next": null}'}[h.path])
        pages = client.pages(f"{server.url}/x", lambda a: a.json("w")["next"], params={"a": 1})
        assert len(list(pages)) == 2
        assert [path for path, _ in server.requests] == ["/x?a=1", "/x?page=2"]

    def test_pages_that_lead_back_end(self, server, client):
        server.answers["/x"] = lambda h: say(h, b'{"next": "?page=2"}')
        with pytest.raises(SourceError, match="lead back to one another"):
            list(client.pages(f"{server.url}/x", lambda a: a.json("w")["next"]))


class TestDownloads:
    BODY = bytes(range(256)) * 2000

    def serve(self, handler, etag='"a"'):
        start = int((handler.headers.get("Range") or "bytes=0-")[6:-1])
        if start and handler.headers.get("If-Range") == etag:
            rest = self.BODY[start:]
            say(handler, rest, status=206, etag=etag, content_range=f"bytes {start}-{len(self.BODY) - 1}/{len(self.BODY)}")
        else:
            say(handler, self.BODY, etag=etag)

    def test_a_file_comes_to_disk(self, server, client):
        server.answers["/f"] = self.serve
        answer = client.download(f"{server.url}/f")
        assert answer.path.read_bytes() == self.BODY and answer.validators == {"If-None-Match": '"a"'}

    def test_it_goes_on_where_it_broke_off(self, server, client):
        half = lambda h: say(h, self.BODY[:300_000], declared=len(self.BODY), etag='"a"')  # noqa: E731
        server.answers["/f"] = in_turn(half, self.serve)
        assert client.download(f"{server.url}/f").path.read_bytes() == self.BODY
        asked_from = int(server.requests[1][1]["range"].removeprefix("bytes=").rstrip("-"))
        assert 0 < asked_from <= 300_000

    def test_it_goes_on_in_the_next_visit(self, server, settings):
        server.answers["/f"] = lambda h: say(h, self.BODY[:300_000], declared=len(self.BODY), etag='"a"')
        once = settings.model_copy(update={"http_attempts": 1})
        with Client("weather", {"knmi": server.url}, once) as client, pytest.raises(SourceError, match="broke off"):
            client.download(f"{server.url}/f")
        server.answers["/f"] = self.serve
        with Client("weather", {"knmi": server.url}, once) as client:
            assert client.download(f"{server.url}/f").path.read_bytes() == self.BODY
        assert "range" in server.requests[-1][1]

    def test_it_begins_anew_when_the_file_changed(self, server, client):
        half = lambda h: say(h, b"old" * 100_000, declared=len(self.BODY), etag='"old"')  # noqa: E731
        server.answers["/f"] = in_turn(half, self.serve)
        assert client.download(f"{server.url}/f").path.read_bytes() == self.BODY

    def test_too_large(self, server, client):
        server.answers["/f"] = lambda h: say(h, b"0" * 3_000_000)
        with pytest.raises(SourceError, match="answers more than 2 MB"):
            client.download(f"{server.url}/f", limit_mb=2)

    def test_unchanged(self, server, client):
        server.answers["/f"] = lambda h: say(h, status=304)
        assert client.download(f"{server.url}/f", validators={"If-None-Match": '"a"'}) is None


def test_a_long_download_says_how_far_it_is(server, settings, monkeypatch):
    monkeypatch.setattr("groningen_data.fetching.client._TELL_EVERY_S", 0.0)
    server.answers["/f"] = lambda h: say(h, b"0" * 3_000_000)
    told = []
    with Client("traffic", {"ndw": server.url}, settings, tell=told.append) as client:
        client.download(f"{server.url}/f?key=secret")
    assert told[-1] == "traffic: 3 MB of 127.0.0.1/f so far"
