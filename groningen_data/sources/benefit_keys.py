"""The keys of the benefit administration: how they stand, what a rotation asks to be delivered anew, and forgetting what an old key made.

No key is ever shown: pseudonym keys are told apart by their identity, the key that opens extracts by its public half.
"""

import stat
from dataclasses import dataclass
from pathlib import Path

import pyrage

from groningen_data.errors import GroningenError, SettingsError
from groningen_data.landing import Landing, Payload, last_at_each_place
from groningen_data.privacy import pseudonyms
from groningen_data.privacy.sealed import identities
from groningen_data.settings import Settings
from groningen_data.sources.benefit_drop import AGE_KEY, KEY, SOURCES, landed_identity, pseudonymiser_of


@dataclass(frozen=True)
class Standing:
    """The deliveries of one source that count, by the key of their pseudonyms.

    Args:
        source: Its name.
        present: How many were made with the present key.
        earlier: Names of those that were made with another one: they must be delivered anew.
    """

    source: str
    present: int
    earlier: tuple[str, ...]


@dataclass(frozen=True)
class KeyState:
    """How the keys stand.

    Args:
        path: The file of the pseudonym key.
        identity: Of the key that what has landed was made with; None when none was used yet.
        problem: Why the pseudonym key cannot be used; None when it can, or was never made.
        standing: What has landed, per source.
        age_public_key: For whom extracts are to be encrypted; None when there is no key for it.
        age_problem: Why the key that opens extracts cannot be used, or is not safe; None when there is nothing to say.
    """

    path: Path
    identity: str | None
    problem: str | None
    standing: tuple[Standing, ...]
    age_public_key: str | None
    age_problem: str | None


def state(settings: Settings, landing: Landing) -> KeyState:
    """How the keys stand; nothing is made or changed."""
    path, problem = pseudonyms.key_file(settings), None
    identity = pseudonyms.noted_identity(settings) or landed_identity(landing)
    if identity is not None or path.exists():
        try:
            identity = pseudonymiser_of(settings).identity
        except GroningenError as error:
            problem = f"{error.problem} → {error.way_out}"
    public, age_problem = _age(settings)
    standing = tuple(_standing(source, landing, identity) for source in SOURCES)
    return KeyState(path, identity, problem, standing, public, age_problem)


def create(settings: Settings) -> str:
    """Make the pseudonym key before it is needed; returns its identity.

    Raises:
        SettingsError: There is one, or there was one.
    """
    path = pseudonyms.key_file(settings)
    if path.exists():
        raise SettingsError("pseudonym key", f"{path} is there already", "use it, or `groningen keys rotate`")
    return pseudonymiser_of(settings).identity


def create_age_key(settings: Settings) -> str:
    """Make the key that opens encrypted extracts; returns its public half, for which they are to be encrypted.

    Raises:
        SettingsError: There is one already.
    """
    if AGE_KEY in settings.secrets:
        raise SettingsError(f"credential {AGE_KEY}", "is set already", "use it, or take it out of GRONINGEN_SECRETS first")
    made = pyrage.x25519.Identity.generate()
    pseudonyms.make_secret(_age_file(settings), f"# public key: {made.to_public()}\n{made}\n".encode())
    return str(made.to_public())


def forget(settings: Settings, landing: Landing, *, force: bool = False) -> int:
    """Remove from the landing what was made with earlier keys; returns how many payloads that were.

    Raises:
        GroningenError: Some of it still counts, because it was not delivered anew; `force` removes it all the same.
    """
    identity = pseudonymiser_of(settings).identity
    standing = [_standing(source, landing, identity) for source in SOURCES]
    waiting = [f"{s.source}: {name}" for s in standing for name in s.earlier]
    if waiting and not force:
        raise GroningenError(
            "pseudonym key",
            f"{len(waiting)} deliveries under an earlier key still count ({', '.join(waiting[:5])})",
            "have them delivered anew and run `groningen refresh` first; or say --force, and they are lost",
        )
    count = 0
    for source in SOURCES:
        with landing.exclusively(source):
            for payload in landing.payloads(source):
                if _is_earlier(payload, identity):
                    landing.remove(payload)
                    count += 1
    return count


def _standing(source: str, landing: Landing, identity: str | None) -> Standing:
    last = [p for p in last_at_each_place(landing.payloads(source)).values() if p.problem is None]
    earlier = sorted({p.arrival_for().place for p in last if _is_earlier(p, identity)})
    return Standing(source, len(last) - len(earlier), tuple(earlier))


def _is_earlier(payload: Payload, identity: str | None) -> bool:
    return payload.headers.get(KEY, identity) != identity


def _age_file(settings: Settings) -> Path:
    return (settings.secrets_dir or settings.data_dir / "keys") / AGE_KEY


def _age(settings: Settings) -> tuple[str | None, str | None]:
    path = _age_file(settings)
    if AGE_KEY not in settings.secrets and not path.exists():
        return None, None
    try:
        public = ", ".join(str(key.to_public()) for key in identities(settings.secret(AGE_KEY), AGE_KEY))
    except GroningenError as error:
        return None, f"{error.problem} → {error.way_out}"
    is_open = AGE_KEY not in settings.secrets and stat.S_IMODE(path.stat().st_mode) & 0o077
    return public, f"others than its owner may use {path} → `chmod 600` it" if is_open else None
