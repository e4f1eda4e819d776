"""Files encrypted with age (age-encryption.org/v1), opened as streams: what is in them is never on disk in plain form.

The key that opens them comes from the settings' credentials; nothing here keeps, shows or logs it.
"""

import io
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import pyrage

from groningen_data.errors import PayloadError, SettingsError

_BEGINNINGS = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
_BUFFER = 1 << 16

Identity = Any
"""A private key; the library comes without types."""


def is_sealed(head: bytes) -> bool:
    """Whether a file that begins like this is encrypted with age, binary or armoured."""
    return head.startswith(_BEGINNINGS)


def identities(text: str, name: str) -> list[Identity]:
    """The private keys in a key file as `age-keygen` writes it: one a line, `#` begins a comment.

    Args:
        text: What the file holds.
        name: Of the credential, for messages.

    Raises:
        SettingsError: There is none, or one is not readable; the message shows nothing of it.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    try:
        found = [pyrage.x25519.Identity.from_str(line) for line in lines]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise SettingsError(f"credential {name}", "is no private key of age", "make one with `age-keygen`; see docs/runbook.md")
    return found


@contextmanager
def opened(stream: IO[bytes], name: str, keys: Sequence[Identity]) -> Iterator[io.BufferedReader]:
    """What is in an encrypted stream, as a stream; only a few pages of it are in memory at a time.

    Args:
        stream: As it was delivered.
        name: For messages.
        keys: One of them must fit.

    Raises:
        PayloadError: None fits, or the file was cut off or changed; also while reading. Age proves each part before it is given.
    """
    plain = _Plain(stream, name, keys)
    try:
        yield io.BufferedReader(plain, _BUFFER)
    finally:
        plain.close()


class _Plain(io.RawIOBase):
    """The reading end of a pipe in memory, into which a thread decrypts."""

    def __init__(self, stream: IO[bytes], name: str, keys: Sequence[Identity]) -> None:
        self._name = name
        self._error: BaseException | None = None
        self._end, into = os.pipe()
        self._thread = threading.Thread(target=self._decrypt, args=(stream, into, list(keys)), daemon=True)
        self._thread.start()

    def _decrypt(self, stream: IO[bytes], into: int, keys: list[Identity]) -> None:
        try:
            with os.fdopen(into, "wb", _BUFFER) as out:
                pyrage.decrypt_io(stream, out, keys)
        except BaseException as error:
            self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = os.read(self._end, len(buffer))
        buffer[: len(data)] = data
        if not data:
            self._thread.join()
            if self._error is not None:
                raise self._told(self._error)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            # Who still decrypts for a reader that has gone away is told so by the pipe.
            os.close(self._end)
            self._thread.join()
        super().close()

    def _told(self, error: BaseException) -> BaseException:
        if isinstance(error, pyrage.DecryptError):
            return PayloadError(
                self._name,
                "is encrypted for another key than ours, or is damaged at its beginning",
                "have it encrypted for the public key that `groningen keys status` shows",
            )
        if isinstance(error, OSError) and error.errno is None:
            return PayloadError(self._name, "was cut off or changed after it was encrypted", "ask for the file again")
        return error
