"""Signed manifests of deliveries: which files, how many rows in each, and their hashes, with an Ed25519 signature beside it.

`<any>.manifest.json` or `manifest.json` lies in the folder of its files, and its signature over its exact bytes in the same name plus
`.sig`: 64 bytes, or these in base64. The form is described in docs/sources.md. Nothing in a manifest is trusted before its
signature is right.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from groningen_data.errors import PayloadError, SettingsError

SIGNATURE = ".sig"
_SIGNATURE_BYTES = 64
_LARGEST = 10_000_000


@dataclass(frozen=True)
class Listed:
    """One file of a manifest: its name, how many rows stand below its header, and the hash of its bytes as delivered."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """A manifest.

    Args:
        path: Where it is.
        identity: Hash of its bytes and its signature.
        files: What it lists; nothing while it has a problem.
        problem: Why it does not count; None when it does.
    """

    path: Path
    identity: str
    files: tuple[Listed, ...] = ()
    problem: str | None = None


def is_manifest(path: Path) -> bool:
    """Whether a file is a manifest, or the signature of one, by its name."""
    name = path.name.lower().removesuffix(SIGNATURE)
    return name == "manifest.json" or name.endswith(".manifest.json")


def public_key(path: Path) -> Ed25519PublicKey:
    """The key with which signatures are checked.

    Raises:
        SettingsError: It cannot be read, or is no Ed25519 public key in PEM.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError("welfare_manifest_key_file", f"{path} holds no Ed25519 public key in PEM", "see docs/runbook.md")
    return key


def manifests(folder: Path, key: Ed25519PublicKey) -> list[Manifest]:
    """The manifests of a folder, in order of name; those that do not count say why."""
    found = sorted(p for p in folder.iterdir() if is_manifest(p) and p.suffix != SIGNATURE and p.is_file())
    return [_read(path, key) for path in found if not path.name.startswith(".")]


def listed(path: Path, stream: BufferedReader, key: Ed25519PublicKey) -> Listed:
    """What a manifest beside a delivered file says of it.

    Args:
        path: The file.
        stream: Its bytes as delivered; read to the end, and set back to the beginning.
        key: Checks the signatures.

    Raises:
        PayloadError: No manifest that counts lists it, or its hash is another one.
    """
    beside = manifests(path.parent, key)
    entries = [entry for manifest in beside for entry in manifest.files if entry.name == path.name]
    if not entries:
        broken = next((f"{m.path.name} {m.problem}" for m in beside if m.problem), None)
        problem = f"has no manifest that counts: {broken}" if broken else "is listed in no manifest beside it"
        raise PayloadError(path.name, problem, "have it delivered with a manifest that is signed; see docs/sources.md")
    stream.seek(0)
    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    stream.seek(0)
    match = next((entry for entry in entries if entry.sha256 == sha256), None)
    if match is None:
        raise PayloadError(path.name, "is not the file that its manifest lists: its hash is another", "ask for the file again")
    return match


def _read(path: Path, key: Ed25519PublicKey) -> Manifest:
    try:
        text = _beginning(path)
        signature = _signature(_beginning(path.with_name(path.name + SIGNATURE)))
    except FileNotFoundError:
        return Manifest(path, "", problem=f"has no signature {path.name}{SIGNATURE} beside it")
    identity = hashlib.sha256(text + signature).hexdigest()
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return Manifest(path, identity, problem="has a signature that is not of the key we know")
    try:
        files = tuple(_entries(json.loads(text)))
    except (ValueError, KeyError, TypeError, RecursionError):
        return Manifest(path, identity, problem="is not of the agreed form")
    return Manifest(path, identity, files)


def _beginning(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(_LARGEST)


def _signature(data: bytes) -> bytes:
    if len(data) == _SIGNATURE_BYTES:
        return data
    try:
        return base64.b64decode(data.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _entries(manifest: Any) -> Iterator[Listed]:
    for entry in manifest["files"]:
        name, rows, sha256 = entry["name"], entry["rows"], entry["sha256"]
        if not isinstance(name, str) or Path(name).name != name or not isinstance(rows, int) or not isinstance(sha256, str):
            raise ValueError
        yield Listed(name, rows, sha256.lower())
