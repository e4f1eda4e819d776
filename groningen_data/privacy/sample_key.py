"""The key that the seeds of the random sample are made with: beside the pseudonym key, and as well kept."""

from pathlib import Path

from groningen_data.privacy import pseudonyms
from groningen_data.settings import Settings

FILE = "random_sample.key"


def key_file(settings: Settings) -> Path:
    """Where the key is."""
    return pseudonyms.key_file(settings).with_name(FILE)


def sample_key(settings: Settings) -> bytes:
    """The key; made when it is not there. Draws committed to under a lost key are not made: their seed is gone.

    Raises:
        SettingsError: Others may read it, or it is too short.
    """
    return pseudonyms.secret_key(key_file(settings), "key of the random sample")
