"""Fields that no signal rule may look at: what a person is, where somebody lives, and what other departments know.

The list is `data/reference/denied_rule_fields.csv`, in English and Dutch, each word with the reason. It is the second wall: a rule
may only name fields of the signals' contract in the first place. It keeps a field out that is added to the contract later.
"""

import csv
import re
import unicodedata
from functools import cache

from groningen_data.settings import PROJECT

_FILE = PROJECT / "data" / "reference" / "denied_rule_fields.csv"


@cache
def denied_words() -> tuple[tuple[str, str, str, str], ...]:
    """Each word with how it matches (`part` of a name or a whole `word`), its kind (`denied` or `proxy`) and why."""
    with _FILE.open(encoding="utf-8", newline="") as file:
        return tuple((row["word"], row["match"], row["kind"], row["why"]) for row in csv.DictReader(file))


def why_denied(name: str) -> str | None:
    """Why a field may not be looked at, however it is spelt; None when nothing speaks against it.

    Case, accents, digits, full-width letters, and what stands between words do not count: `Post-Code`, `persoon.LEEFTIJD_2` and
    `ｗｉｊｋ` are found.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    words = re.findall(r"[a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain).casefold())
    # `postCode` and `p o s t c o d e` alike, and `AGE` as well as `aGe`.
    together = {"".join(words), "".join(re.findall(r"[a-z]+", plain.casefold()))}
    whole = {*words, *together, *re.findall(r"[a-z]+", plain.casefold())}
    for word, match, kind, why in denied_words():
        if (match == "part" and any(word in text for text in together)) or word in whole:
            return f"is on the list of {'proxies' if kind == 'proxy' else 'denied fields'}: {why}"
    return None
