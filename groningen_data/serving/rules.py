"""Which rules a served file was made by: whatever was made by others must be made anew."""

import hashlib
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def rules_hash() -> str:
    """Changes with the contracts and the code of serving, protection above all."""
    digest = hashlib.sha256()
    for path in sorted([*_PACKAGE.glob("contracts/**/*.py"), *_PACKAGE.glob("serving/*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()
