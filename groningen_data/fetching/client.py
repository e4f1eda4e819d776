"""The one HTTP client: retries, rates, limits, resumable downloads; only configured hosts, also after redirects.

Nothing here knows a source. What a server answers is told in errors by host and path only: queries, headers and bodies may hold
credentials or personal values.
"""

import hashlib
import json
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import stamina
from pyrate_limiter import Duration, Limiter, Rate

from groningen_data import __version__
from groningen_data.errors import SourceError
from groningen_data.settings import Settings

_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_VALIDATORS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
_KEPT_HEADERS = ("content-type", "etag", "last-modified", "date", "content-crs", "x-total-count")
_TELL_EVERY_S = 5.0
# What failed in the end is told by our own errors; an attempt that is tried again is no news.
stamina.instrumentation.set_on_retry_hooks([])

Recognise = Callable[[int, bytes], bool]
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Answer:
    """What a server answered.

    Args:
        url: Where it came from in the end, without its query.
        status: HTTP status.
        headers: The headers worth keeping with a payload, by lower-case name.
        body: The unpacked bytes; empty for a download.
        path: For a download: where the bytes are.
        validators: What to send along next time, so that the server may say that nothing changed.
    """

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    path: Path | None = None
    validators: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)

    def json(self, source: str) -> Any:
        """The body as JSON.

        Raises:
            SourceError: It is not.
        """
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            raise SourceError(source, f"{self.url} answered no complete JSON", "ask again later; report it if it stays") from None


class _PassingError(Exception):
    """A status that may pass by itself."""

    def __init__(self, status: int, wait_s: float | None) -> None:
        super().__init__(str(status))
        self.status, self.wait_s = status, wait_s


class Client:
    """Asks the services of one source.

    Args:
        source: Name of the source, for messages.
        addresses: Base URL of each of its services; only their hosts are asked, also after redirects.
        settings: Timeouts, attempts, rate and limits.
        rate_per_s: Requests per second at most, where the source allows fewer than the settings.
        tell: Hears now and then how far a long visit is.
    """

    def __init__(
        self,
        source: str,
        addresses: Mapping[str, str],
        settings: Settings,
        *,
        rate_per_s: float | None = None,
        tell: Tell | None = None,
    ) -> None:
        self._tell, self._told_at = tell, time.monotonic()
        self.source = source
        self.settings = settings
        self.addresses = dict(addresses)
        self._hosts = {_origin(httpx.URL(url)) for url in addresses.values()}
        rate = min(rate_per_s or settings.http_rate_per_s, settings.http_rate_per_s)
        spread = Rate(1, max(1, int(Duration.SECOND.value / rate))) if rate < 1 else Rate(max(1, int(rate)), Duration.SECOND)
        self._limiter = Limiter(spread)
        self._http = httpx.Client(
            verify=_trusted(),
            timeout=httpx.Timeout(settings.http_timeout_s, connect=min(10.0, settings.http_timeout_s)),
            limits=httpx.Limits(max_connections=settings.http_concurrency),
            follow_redirects=True,
            max_redirects=5,
            mounts={"all://127.0.0.1": None, "all://localhost": None},  # no proxy on the way to this machine
            headers={"User-Agent": f"groningen-data/{__version__}", "Accept-Encoding": "gzip"},
            event_hooks={"request": [self._allowed, self._in_turn]},
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def url(self, service: str, path: str = "") -> str:
        """An address below a service's base URL.

        Raises:
            SourceError: The service has no address.
        """
        if service not in self.addresses:
            raise SourceError(self.source, f"no address of {service} is configured", "set it in GRONINGEN_ADDRESSES")
        return f"{self.addresses[service].rstrip('/')}/{path.lstrip('/')}" if path else self.addresses[service]

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        accept: Sequence[str] = (),
        validators: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
        recognise: Recognise | None = None,
    ) -> Answer | None:
        """Ask for a document that fits in memory (`http_answer_limit_mb`).

        Args:
            url: Absolute address; one with a query keeps it when no `params` are given.
            params: Query.
            accept: Content types that the answer may have, such as `application/json`; any when empty.
            validators: From an earlier answer: if nothing changed since, None is returned.
            headers: More headers.
            auth: How to authenticate.
            recognise: Whether an answer with an error status is one the caller handles; it is then returned, not retried.

        Raises:
            SourceError: The service cannot be reached, refuses, or answers something else than was asked for.
        """
        return self._ask("GET", url, params, None, accept, {**(validators or {}), **(headers or {})}, auth, recognise)

    def post(
        self,
        url: str,
        data: Mapping[str, str],
        *,
        accept: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | None = None,
    ) -> Answer:
        """Send a form that asks for something; it changes nothing at the server, so it may be sent again.

        Raises:
            SourceError: As `get` does.
        """
        answer = self._ask("POST", url, None, data, accept, dict(headers or {}), auth, None)
        assert answer is not None
        return answer

    def pages(
        self, url: str, following: Callable[[Answer], str | None], *, params: Mapping[str, Any] | None = None, **how: Any
    ) -> Iterator[Answer]:
        """Every page of a list, in order: `following` tells the address of the next one.

        Raises:
            SourceError: As `get` does; or a page leads back to one that was read.
        """
        read: set[str] = set()
        asked: str | None = url
        while asked is not None:
            answer = self.get(asked, params=params if not read else None, **how)
            if answer is None:
                return
            read.add(asked)
            yield answer
            asked = following(answer)
            if asked is not None:
                asked = str(httpx.URL(answer.url).join(asked))
                if asked in read:
                    raise SourceError(
                        self.source,
                        f"the pages of {_plain(asked)} lead back to one another",
                        "report it to the source; ask again later",
                    )

    def download(
        self,
        url: str,
        *,
        validators: Mapping[str, str] | None = None,
        limit_mb: int | None = None,
        auth: httpx.Auth | None = None,
    ) -> Answer | None:
        """Fetch a large file to disk; what arrived before a connection broke is not fetched again.

        Returns:
            The answer with its `path`, which the caller removes; None when nothing changed since the validators.

        Raises:
            SourceError: As `get` does; or it is larger than `limit_mb` (by default the limit of payloads).
        """
        folder = self.settings.scratch_dir / "downloads" / self.source
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / hashlib.sha256(url.encode()).hexdigest()[:24]
        limit = (limit_mb or self.settings.payload_limit_mb) * 1_000_000
        with self._told(url):
            for attempt in self._attempts():
                with attempt:
                    return self._download_once(url, target, validators or {}, limit, auth)
        raise AssertionError

    def forget_downloads(self, older_than_s: float) -> None:
        """Remove what was left of downloads that nobody went on with."""
        for path in (self.settings.scratch_dir / "downloads" / self.source).glob("*"):
            if time.time() - path.stat().st_mtime > older_than_s:
                path.unlink(missing_ok=True)

    def _download_once(
        self, url: str, target: Path, validators: Mapping[str, str], limit: int, auth: httpx.Auth | None
    ) -> Answer | None:
        notes = target.with_suffix(".json")
        started = _read_notes(notes) if target.is_file() else None
        have = target.stat().st_size if started else 0
        headers = {"Accept-Encoding": "identity"}
        if started and have:
            headers |= {"Range": f"bytes={have}-", "If-Range": started["validator"]}
        else:
            headers |= validators
        with self._http.stream("GET", url, headers=headers, auth=auth or httpx.USE_CLIENT_DEFAULT) as response:
            if response.status_code == 304:
                return None
            if response.status_code == 416:
                target.unlink(missing_ok=True)
                raise _PassingError(416, 0)
            self._judge(response, ())
            goes_on = response.status_code == 206 and _starts_at(response) == have
            validator = _strong_validator(response)
            if not goes_on:
                have = 0
                notes.unlink(missing_ok=True)
                if validator:
                    notes.write_text(json.dumps({"validator": validator}), encoding="utf-8")
            deadline = time.monotonic() + self.settings.http_deadline_s
            with target.open("ab" if goes_on else "wb") as out:
                # As it arrives: what is gathered to larger chunks first would be lost when the connection breaks.
                for chunk in response.iter_raw():
                    have += len(chunk)
                    self._within(url, have, limit, deadline)
                    out.write(chunk)
                    self.progress(f"{have / 1e6:,.0f} MB of {_plain(url)}")
        notes.unlink(missing_ok=True)
        return _answer(response, b"", target)

    def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        data: Mapping[str, str] | None,
        accept: Sequence[str],
        headers: dict[str, str],
        auth: httpx.Auth | None,
        recognise: Recognise | None,
    ) -> Answer | None:
        if accept:
            headers = {"Accept": ", ".join(accept), **headers}
        with self._told(url):
            for attempt in self._attempts():
                with attempt:
                    return self._ask_once(method, url, params, data, accept, headers, auth, recognise)
        raise AssertionError

    def _ask_once(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None,
        data: Mapping[str, str] | None,
        accept: Sequence[str],
        headers: Mapping[str, str],
        auth: httpx.Auth | None,
        recognise: Recognise | None,
    ) -> Answer | None:
        with self._http.stream(
            method, url, params=params, data=data, headers=headers, auth=auth or httpx.USE_CLIENT_DEFAULT
        ) as response:
            if response.status_code == 304:
                return None
            body = self._body(response)
        if not (response.is_error and recognise is not None and recognise(response.status_code, body)):
            self._judge(response, accept)
        return _answer(response, body, None)

    def _body(self, response: httpx.Response) -> bytes:
        deadline, limit = time.monotonic() + self.settings.http_deadline_s, self.settings.http_answer_limit_mb * 1_000_000
        pieces, size = [], 0
        for piece in response.iter_bytes():
            size += len(piece)
            self._within(str(response.url), size, limit, deadline)
            pieces.append(piece)
        return b"".join(pieces)

    def _within(self, url: str, size: int, limit: int, deadline: float) -> None:
        if size > limit:
            raise SourceError(
                self.source,
                f"{_plain(url)} answers more than {limit / 1e6:,.0f} MB",
                "if it is genuine, raise GRONINGEN_HTTP_ANSWER_LIMIT_MB or GRONINGEN_PAYLOAD_LIMIT_MB",
            )
        if time.monotonic() > deadline:
            raise SourceError(
                self.source,
                f"{_plain(url)} did not finish its answer within {self.settings.http_deadline_s:,.0f} s",
                "try again at a quieter hour, or raise GRONINGEN_HTTP_DEADLINE_S",
            )

    def _judge(self, response: httpx.Response, accept: Sequence[str]) -> None:
        where, status = _plain(str(response.url)), response.status_code
        if status in _AGAIN:
            raise _PassingError(status, _retry_after(response))
        if status in (401, 403):
            raise SourceError(
                self.source, f"{where} refuses the credentials (status {status})", "check or renew them; see docs/runbook.md"
            )
        if status >= 300:
            raise SourceError(self.source, f"{where} answered status {status}", "check the address; the service may have moved")
        kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
        if accept and kind and kind not in accept:
            raise SourceError(
                self.source,
                f"{where} answered {kind} where {' or '.join(accept)} was asked for",
                "look at the address in a browser; the service may be under maintenance",
            )

    def progress(self, text: str) -> None:
        """Say how far the visit is, at most every `_TELL_EVERY_S` seconds."""
        if self._tell and time.monotonic() - self._told_at >= _TELL_EVERY_S:
            self._told_at = time.monotonic()
            self._tell(f"{self.source}: {text} so far")

    def _attempts(self) -> Iterator[Any]:
        return iter(
            stamina.retry_context(
                on=self._wait,
                attempts=self.settings.http_attempts,
                timeout=None,
                wait_initial=0.5,
                wait_max=30.0,
                wait_jitter=1.0,
            )
        )

    def _wait(self, error: Exception) -> bool | float:
        if isinstance(error, _PassingError):
            if error.wait_s is None:
                return True
            # All who were sent away at once must not come back at once.
            return error.wait_s + random.uniform(0, 0.5) if error.wait_s <= self.settings.http_wait_s else False  # noqa: S311
        return isinstance(error, httpx.TransportError) and not isinstance(error, httpx.UnsupportedProtocol)

    @contextmanager
    def _told(self, url: str) -> Iterator[None]:
        """Errors of the transport in our own words."""
        where = _plain(url)
        try:
            yield
        except _PassingError as error:
            wait_s, attempts = error.wait_s or 0.0, self.settings.http_attempts
            tried = (
                f"and asks to wait {wait_s:,.0f} s, longer than the {self.settings.http_wait_s:,.0f} s of GRONINGEN_HTTP_WAIT_S"
                if wait_s > self.settings.http_wait_s
                else f"{attempts} times"
            )
            raise SourceError(
                self.source, f"{where} answered status {error.status} {tried}", "nothing is lost: the next refresh asks again"
            ) from None
        except httpx.TimeoutException:
            raise SourceError(
                self.source, f"{where} gave no answer within {self.settings.http_timeout_s:,.0f} s", "the next refresh asks again"
            ) from None
        except httpx.ConnectError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise SourceError(
                    self.source,
                    f"{where} shows a certificate that is not trusted",
                    "check the address and this machine's clock; nothing was sent. If the certificate is of an authority of your own, "
                    "name its file in SSL_CERT_FILE",
                ) from None
            raise SourceError(self.source, f"{where} cannot be reached", _unreached(self.settings)) from None
        except httpx.TransportError as error:
            raise SourceError(
                self.source,
                f"{where} broke off in its answer ({type(error).__name__})",
                "nothing is lost: the next refresh asks again",
            ) from None
        except (httpx.TooManyRedirects, httpx.DecodingError, httpx.InvalidURL) as error:
            raise SourceError(
                self.source, f"{where} answered something unusable ({type(error).__name__})", "report it to the source"
            ) from None

    def _allowed(self, request: httpx.Request) -> None:
        if _origin(request.url) not in self._hosts:
            raise SourceError(
                self.source,
                f"was sent on to {request.url.host}, which is not one of its configured hosts",
                "if the service has moved, set its address in GRONINGEN_ADDRESSES",
            )

    def _in_turn(self, request: httpx.Request) -> None:
        self._limiter.try_acquire(request.url.host)


@cache
def _trusted() -> ssl.SSLContext:
    """Which certificates are trusted; read once, because it takes longer than a request."""
    return httpx.create_ssl_context()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _plain(url: str) -> str:
    parts = httpx.URL(url)
    return f"{parts.host}{parts.path}"


def _answer(response: httpx.Response, body: bytes, path: Path | None) -> Answer:
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    validators = {_VALIDATORS[name]: response.headers[name] for name in _VALIDATORS if name in response.headers}
    links = {
        relation: str(response.url.join(link["url"])) for relation, link in response.links.items() if relation and "url" in link
    }
    return Answer(str(response.url.copy_with(query=None)), response.status_code, kept, body, path, validators, links)


def _strong_validator(response: httpx.Response) -> str | None:
    etag: str = response.headers.get("etag", "")
    modified: str | None = response.headers.get("last-modified")
    return etag if etag and not etag.startswith("W/") else modified


def _starts_at(response: httpx.Response) -> int:
    try:
        return int(response.headers.get("content-range", "").removeprefix("bytes ").split("-")[0])
    except ValueError:
        return -1


def _read_notes(path: Path) -> dict[str, str] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) and found.get("validator") else None
    except (OSError, ValueError):
        return None


def _retry_after(response: httpx.Response) -> float | None:
    said = response.headers.get("retry-after", "")
    try:
        return max(0.0, float(said))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _unreached(settings: Settings) -> str:
    if settings.replica_url:
        return "start the replica with `make replica`"
    return "check the network and the address; nothing is lost: the next refresh asks again"
