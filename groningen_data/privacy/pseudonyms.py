"""Keyed pseudonyms: the same for the same value and key, and of no use to whoever lacks the key.

One key per domain, in a file that only its owner may read, outside of lake and landing. A key is never logged, shown, or
put into a backup together with the data.
"""

import hmac
import os
import secrets
import stat
from pathlib import Path

from filelock import FileLock

from groningen_data.errors import SettingsError
from groningen_data.settings import Settings

_KEY_BYTES = 32
_PSEUDONYM_BYTES = 16
# Letters only: a run of digits in a pseudonym could pass for a citizen service number, and whoever searches for leaked
# numbers would find thousands that are none.
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


class Pseudonymiser:
    """Replaces values of one domain by pseudonyms of 32 letters (128 bits of an HMAC-SHA256)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> "Pseudonymiser":
        """The pseudonymiser of the welfare domain; its key is made when there is none.

        Raises:
            SettingsError: The key can be read by others, or is too short.
        """
        return cls(_key(key_file(settings)))

    def pseudonym(self, kind: str, value: str) -> str:
        """The pseudonym of a value; values of different kinds never share one, so tables of different kinds cannot be joined."""
        digest = hmac.digest(self._key, f"{kind}:{value}".encode(), "sha256")
        return digest[:_PSEUDONYM_BYTES].hex().translate(_LETTERS)


def key_file(settings: Settings) -> Path:
    """Where the key of the welfare domain is."""
    return settings.pseudonym_key_file or settings.data_dir / "keys" / "welfare.key"


def _key(path: Path) -> bytes:
    if not path.exists():
        _make(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(
            "pseudonym key", f"others than its owner may use {path}", "`chmod 600` it; when others may have read it, replace it"
        )
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        raise SettingsError(
            "pseudonym key",
            f"{path} holds fewer than {_KEY_BYTES} bytes",
            "put the right key back; another key gives other pseudonyms",
        )
    return key


def _make(path: Path) -> None:
    """Make a key, once: whoever comes second finds it complete."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if path.exists():
            return
        partial = path.with_name(f".{path.name}.partial")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(secrets.token_bytes(_KEY_BYTES))
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
