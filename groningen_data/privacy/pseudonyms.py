"""Keyed pseudonyms: the same for the same value and key, and of no use to whoever lacks the key.

One key per domain, in a file that only its owner may read, outside of lake and landing. A key is never logged, shown, or
put into a backup together with the data. The landing notes the identity of the key that it was made with, so that another key is
never used by mistake: neither after the loss of a key, nor after a backup was restored without it.
"""

import hmac
import json
import os
import secrets
import stat
from datetime import UTC, datetime
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

    @property
    def identity(self) -> str:
        """Tells keys apart: eight letters that say nothing about the key."""
        return self.pseudonym("key", "identity")[:8]

    @classmethod
    def of(cls, settings: Settings, made_with: str | None = None) -> "Pseudonymiser":
        """The pseudonymiser of the welfare domain; its key is made when there never was one.

        Args:
            settings: Where the key is.
            made_with: The identity of the key that what has landed was made with, where the landing does not note it: after a
                backup was restored.

        Raises:
            SettingsError: The key is gone, is another than the one that pseudonyms were made with, can be read by others, or is too
                short.
        """
        path, noted = key_file(settings), noted_identity(settings)
        known = noted or made_with
        if known is not None and not path.exists():
            raise SettingsError(
                "pseudonym key",
                f"{path} is gone, and pseudonyms were made with it",
                "put its copy back; if there is none, see The pseudonym key in docs/runbook.md",
            )
        found = cls(_key(path))
        if known not in (None, found.identity):
            raise SettingsError(
                "pseudonym key",
                f"{path} holds another key than the one that pseudonyms were made with",
                "put the right key back; if it is lost, see The pseudonym key in docs/runbook.md",
            )
        if noted is None:
            _note(settings, found.identity)
        return found

    def pseudonym(self, kind: str, value: str) -> str:
        """The pseudonym of a value; values of different kinds never share one, so tables of different kinds cannot be joined."""
        digest = hmac.digest(self._key, f"{kind}:{value}".encode(), "sha256")
        return digest[:_PSEUDONYM_BYTES].hex().translate(_LETTERS)


def key_file(settings: Settings) -> Path:
    """Where the key of the welfare domain is."""
    return settings.pseudonym_key_file or settings.data_dir / "keys" / "welfare.key"


def noted_identity(settings: Settings) -> str | None:
    """The identity of the key that what has landed was made with; None when no key was ever used."""
    try:
        return str(json.loads(_notes_file(settings).read_text(encoding="utf-8"))["identity"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return "unreadable"


def rotate(settings: Settings) -> str:
    """Put a new key in place of the present one, also of a lost one, and use it from now on; returns its identity.

    Pseudonyms of the two keys cannot be joined: what was delivered must be delivered anew. A kill leaves the old key, or a key that
    is refused until this is done again.
    """
    path = key_file(settings)
    _make(path, anew=True)
    identity = Pseudonymiser(_key(path)).identity
    _note(settings, identity)
    return identity


def make_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, in one go.

    Raises:
        SettingsError: It is there already.
    """
    if path.exists():
        raise SettingsError(str(path), "is there already", "move it away first, if it is no longer needed")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _write(path, content)


def _notes_file(settings: Settings) -> Path:
    return settings.landing_dir / ".welfare.key"


def _note(settings: Settings, identity: str) -> None:
    settings.landing_dir.mkdir(parents=True, exist_ok=True)
    target = _notes_file(settings)
    partial = target.with_name(f"{target.name}.partial-{secrets.token_hex(4)}")
    partial.write_text(json.dumps({"identity": identity, "since": datetime.now(UTC).isoformat()}), encoding="utf-8")
    partial.replace(target)


def secret_key(path: Path, name: str) -> bytes:
    """A key of at least 32 bytes from a file that only its owner may read; made, with random bytes, when it is not there.

    Raises:
        SettingsError: Others may read it, or it is too short.
    """
    if not path.exists():
        _make(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise SettingsError(
            name, f"others than its owner may use {path}", "`chmod 600` it; when others may have read it, replace it"
        )
    key = path.read_bytes()
    if len(key) < _KEY_BYTES:
        raise SettingsError(
            name,
            f"{path} holds fewer than {_KEY_BYTES} bytes",
            "put the right key back; what was made with it needs the same key",
        )
    return key


def _key(path: Path) -> bytes:
    return secret_key(path, "pseudonym key")


def _make(path: Path, *, anew: bool = False) -> None:
    """Make a key, once: whoever comes second finds it complete; `anew`: in place of the one that is there."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        if anew or not path.exists():
            _write(path, secrets.token_bytes(_KEY_BYTES))


def _write(path: Path, content: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    partial.replace(path)
