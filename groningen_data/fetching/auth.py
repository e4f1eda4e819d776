"""How services know us: tokens that are asked for, kept in memory while they are valid, and renewed when they are not.

A token is never written anywhere, nor shown in an error.
"""

import time
from collections.abc import Callable, Generator

import httpx

from groningen_data.errors import SourceError

_BEFORE_ITS_END_S = 30.0
_REFUSALS = (400, 401, 403)


class ClientCredentials(httpx.Auth):
    """OAuth 2 for a system without a user (RFC 6749, section 4.4): a bearer token, renewed before it ends and once when it is refused.

    The token is asked for through the client that asks the service, so its hosts, rates and retries count for the token as well:
    an answer of the token service that is no token is given to the caller in place of the one that was asked for.

    Args:
        source: Name of the source, for messages.
        token_url: Address of the token endpoint.
        client_id: Who we are.
        client_secret: The proof of it; sent as HTTP basic authentication, which every such service supports.
        scope: What is asked for, where the service wants it named.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        source: str,
        token_url: str,
        client_id: str,
        client_secret: str,
        *,
        scope: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source, self._token_url, self._clock = source, token_url, clock
        self._basic = httpx.BasicAuth(client_id, client_secret)
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._token, self._ends = "", 0.0

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """The requests that lead to an answer; see httpx.

        Raises:
            SourceError: The token service refuses the credentials, or answers no token.
        """
        if self._clock() >= self._ends and not (yield from self._renewed()):
            return
        response = yield self._signed(request)
        if response.status_code == 401 and (yield from self._renewed()):
            yield self._signed(request)

    def _signed(self, request: httpx.Request) -> httpx.Request:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _renewed(self) -> Generator[httpx.Request, httpx.Response, bool]:
        asking = httpx.Request("POST", self._token_url, data=self._form, headers={"Accept": "application/json"})
        response = yield next(self._basic.auth_flow(asking))
        where = f"{response.url.host}{response.url.path}"
        if response.status_code in _REFUSALS:
            raise SourceError(
                self._source,
                f"{where} gives no token for these credentials (status {response.status_code})",
                "check or renew them",
            )
        if response.is_error:
            return False
        try:
            answered = httpx.Response(200, content=response.read()).json()
            self._token, lasts = str(answered["access_token"]), float(answered.get("expires_in", 60))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SourceError(self._source, f"{where} answered no token", "check the address of the token endpoint") from None
        # Of a token that lasts a minute or less, half is used.
        self._ends = self._clock() + max(lasts - _BEFORE_ITS_END_S, lasts / 2)
        return True
