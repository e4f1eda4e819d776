"""Tokens by client credentials: asked for once, renewed before they end and when they are refused."""

import base64
from dataclasses import dataclass, field

import httpx
import pytest

from groningen_data.errors import SourceError
from groningen_data.fetching.auth import ClientCredentials

TOKEN_URL = "https://login.example/token"


@dataclass
class Services:
    """A token service and an API that takes its tokens."""

    now: float = 1000.0
    lasts: float = 300.0
    status: int = 200
    body: str | None = None
    refuses: int = 0
    asked: list[str] = field(default_factory=list)
    forms: list[bytes] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.example":
            self.asked.append(request.headers["Authorization"])
            self.forms.append(request.content)
            if self.body is not None or self.status != 200:
                return httpx.Response(self.status, text=self.body or "", headers={"Retry-After": "7"})
            return httpx.Response(200, json={"access_token": f"token-{len(self.asked)}", "expires_in": self.lasts})
        if self.refuses:
            self.refuses -= 1
            return httpx.Response(401)
        return httpx.Response(200, text=request.headers["Authorization"])

    def client(self, **how: str) -> httpx.Client:
        auth = ClientCredentials("source", TOKEN_URL, "us", "it is: us", clock=lambda: self.now, **how)
        return httpx.Client(transport=httpx.MockTransport(self.answer), auth=auth)


def get(client: httpx.Client) -> httpx.Response:
    with client.stream("GET", "https://api.example/list") as response:
        response.read()
    return response


def test_one_token_serves_many_requests():
    services = Services()
    client = services.client(scope="email")
    assert [get(client).text for _ in range(3)] == ["Bearer token-1"] * 3
    assert services.asked == ["Basic " + base64.b64encode(b"us:it is: us").decode()]
    assert services.forms == [b"grant_type=client_credentials&scope=email"]


@pytest.mark.parametrize(("lasts", "used_until"), [(300, 269), (40, 19)])
def test_a_token_is_renewed_before_it_ends(lasts, used_until):
    services = Services(lasts=lasts)
    client = services.client()
    get(client)
    services.now += used_until
    assert get(client).text == "Bearer token-1"
    services.now += 2
    assert get(client).text == "Bearer token-2"


def test_a_refused_token_is_renewed_once():
    services = Services()
    client = services.client()
    get(client)
    services.refuses = 1
    assert get(client).text == "Bearer token-2"
    services.refuses = 2
    assert get(client).status_code == 401
    assert len(services.asked) == 3


def test_a_token_service_that_is_busy_answers_for_itself_so_that_the_client_waits():
    services = Services(status=503)
    response = get(services.client())
    assert (response.status_code, response.url.host, response.headers["Retry-After"]) == (503, "login.example", "7")


@pytest.mark.parametrize("status", [400, 401, 403])
def test_refused_credentials_are_told_without_them(status):
    with pytest.raises(SourceError, match=rf"login.example/token gives no token .*\(status {status}\)") as error:
        get(Services(status=status, body="it is: us").client())
    assert "it is" not in str(error.value)


@pytest.mark.parametrize(
    "body", ["<html>", "[]", "{}", '{"access_token": "x", "expires_in": "soon"}', '{"access_token": "x", "expires_in": null}']
)
def test_what_is_no_token_is_told(body):
    with pytest.raises(SourceError, match="answered no token"):
        get(Services(body=body).client())
