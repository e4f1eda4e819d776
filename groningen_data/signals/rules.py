"""Signal rules: one TOML file each, read whole, and refused when anything of it is missing, too old, or asks what it may not.

Why each demand is made: rechtbank Den Haag on SyRI, ECLI:NL:RBDHA:2020:865 (transparent, verifiable, no more data than needed); HvJ EU
C-634/21 SCHUFA (a score on which a decision leans is that decision); College voor de Rechten van de Mens, Toetsingskader
risicoprofilering, 28 January 2025; AVG art. 5, 22, 25 and 35.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from groningen_data.contracts.welfare.signal_outcomes import RANDOM_SAMPLE
from groningen_data.contracts.welfare.statutory_signals import WelfareStatutorySignals
from groningen_data.errors import RuleError
from groningen_data.privacy.service_numbers import masked
from groningen_data.settings import PROJECT, Settings
from groningen_data.signals.conditions import Condition, Field, fields_of, parsed
from groningen_data.signals.denied import why_denied

SOURCE = "statutory_signals"
LONGEST_DAYS = 366
"""A rule is in force for twelve months at most; then people decide about it anew, with another version."""
MOST_WORDS = 20
"""Words of a sentence that most people can read (B1: Directe Duidelijkheid, Taalunie)."""

_SHIPPED = PROJECT / "data" / "reference" / "signal_rules"
_ID = re.compile(r"[a-z][a-z0-9_]{2,39}")
_ARTICLE = re.compile(r"\bart(?:\.|ikel)\s*\d", re.IGNORECASE)


@dataclass(frozen=True)
class SignalRule:
    """One version of a rule, as its file says it.

    Args:
        id: The rule; versions share it.
        version: Counts up: whatever changes, also only the time it is in force, makes a new version.
        title_nl: What it is about.
        legal_basis: The law and its article.
        source: Whose facts it looks at.
        processing_activity: Entry in the register of processing activities (AVG art. 30), as URI.
        purpose: What for.
        allowed_fields: The fields of a signal that it may look at.
        valid_from, valid_to: First and last day it is in force.
        owner: Who answers for it.
        approved_by, approved_on: The data protection officer, and when.
        dpia: Reference of the data protection impact assessment (AVG art. 35).
        algorithm_register: Entry in the algorithm register.
        reason_nl: Why a task came about, for the person it is about, in plain Dutch.
        condition: SQL of a yes or no about one signal.
    """

    id: str
    version: int
    title_nl: str
    legal_basis: str
    source: str
    processing_activity: str
    purpose: str
    allowed_fields: tuple[str, ...]
    valid_from: date
    valid_to: date
    owner: str
    approved_by: str
    approved_on: date
    dpia: str
    algorithm_register: str
    reason_nl: str
    condition: str

    @property
    def name(self) -> str:
        return f"{self.id} {self.version}"


@dataclass(frozen=True)
class CompiledRule:
    """A rule that was accepted, with its condition ready to use."""

    rule: SignalRule
    condition: Condition

    def require_in_force(self, today: date) -> None:
        """Refuse a rule outside its time.

        Raises:
            RuleError: It is not in force yet, or no longer.
        """
        if today < self.rule.valid_from:
            raise RuleError(f"rule {self.rule.name}", f"is not in force before {self.rule.valid_from}", "wait until then")
        if today > self.rule.valid_to:
            problem = f"expired on {self.rule.valid_to}"
            raise RuleError(f"rule {self.rule.name}", problem, "have it looked at anew, and write a new version")


@dataclass(frozen=True)
class Entry:
    """One file of the register: what was made of it, or why it was refused."""

    file: str
    compiled: CompiledRule | None
    problem: str | None


def compiled(text: str, file: str, known: Mapping[str, Field] | None = None) -> CompiledRule:
    """A rule from the text of its file.

    Args:
        text: TOML.
        file: For messages.
        known: The fields that signals have; those of their contract when None.

    Raises:
        RuleError: It may not be used. All that is wrong is told at once.
    """
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RuleError(f"rule {file}", f"is not readable as TOML ({error})", "mend the file") from None
    known = fields_of(WelfareStatutorySignals) if known is None else known
    if masked(text) != text:
        raise _refused(masked(file), ["holds a citizen service number: a rule is about facts, and everybody may read it"])
    problems = [*_shape_problems(told)]
    if problems:
        raise _refused(file, problems)
    rule = SignalRule(**{**told, "allowed_fields": tuple(told["allowed_fields"])})
    problems = [*_paper_problems(rule), *_allowed_problems(rule, known)]
    condition, asked = parsed(rule.condition, rule.allowed_fields, known)
    problems += asked
    if condition:
        spare = sorted(set(rule.allowed_fields) - set(condition.fields))
        problems += [f"allows {', '.join(spare)} without looking at it: no more data than needed"] if spare else []
    if problems or condition is None:
        raise _refused(file, problems)
    return CompiledRule(rule, condition)


def register(settings: Settings) -> list[Entry]:
    """Every rule file of these settings, in order of name; none where there is no folder of rules."""
    folder = folder_of(settings)
    entries: list[Entry] = []
    for path in sorted(folder.glob("*.toml")) if folder else []:
        try:
            entries.append(Entry(masked(path.stem), compiled(path.read_text(encoding="utf-8"), path.name), None))
        except UnicodeDecodeError:
            entries.append(Entry(masked(path.stem), None, "is not UTF-8 text"))
        except RuleError as error:
            entries.append(Entry(masked(path.stem), None, error.problem))
    return [_alone(entry, entries) for entry in entries]


def folder_of(settings: Settings) -> Path | None:
    """Where the rules are: those of the sample city are for the sample city only."""
    return settings.signal_rules or (_SHIPPED if settings.is_sample else None)


def texts(settings: Settings) -> tuple[tuple[str, bytes], ...]:
    """Name and content of every rule file: a change of either makes what stands on them anew."""
    folder = folder_of(settings)
    return tuple((path.name, path.read_bytes()) for path in sorted(folder.glob("*.toml"))) if folder else ()


def _alone(entry: Entry, entries: list[Entry]) -> Entry:
    """An entry, or its refusal when another file says something about the same rule at the same time."""
    if entry.compiled is None:
        return entry
    rule = entry.compiled.rule
    for other in entries:
        if other is entry or other.compiled is None or other.compiled.rule.id != rule.id:
            continue
        theirs = other.compiled.rule
        if theirs.version == rule.version:
            return Entry(entry.file, None, f"has the id and version of {other.file}: which of the two counts is not said")
        if theirs.valid_from <= rule.valid_to and rule.valid_from <= theirs.valid_to:
            return Entry(entry.file, None, f"is in force at the same time as {other.file}, another version of it")
    return entry


def _refused(file: str, problems: list[str]) -> RuleError:
    return RuleError(
        f"rule {file}", "; ".join(dict.fromkeys(problems)), "mend the rule, or do without it; see docs/cases/welfare.md"
    )


def _shape_problems(told: Mapping[str, Any]) -> list[str]:
    """What is missing, too much or of another type."""
    problems = []
    expected = {field.name: field.type for field in fields(SignalRule)}
    for name in sorted(told.keys() - expected.keys()):
        why = (
            "a rule gives no score and no order"
            if why_denied(name) or name in ("weight", "order", "priority", "rank")
            else "mind its spelling"
        )
        problems.append(f"has {name[:40]}, which no rule has: {why}")
    for name, kind in expected.items():
        value = told.get(name)
        if value is None or (isinstance(value, str) and not value.strip()) or value == []:
            problems.append(f"has no {name}")
        elif kind is date and type(value) is not date:
            problems.append(f"has no date in {name}")
        elif kind is int and (type(value) is not int or value < 1):
            problems.append(f"has no number from 1 up in {name}")
        elif kind is str and not isinstance(value, str):
            problems.append(f"has no text in {name}")
        elif name == "allowed_fields" and not (isinstance(value, list) and all(isinstance(v, str) for v in value)):
            problems.append("has no list of names in allowed_fields")
    return problems


def _paper_problems(rule: SignalRule) -> list[str]:
    """What the law asks for besides the condition."""
    problems = []
    if not _ID.fullmatch(rule.id) or rule.id == RANDOM_SAMPLE:
        problems.append("has an id other than a word of small letters, such as income_started")
    if not _ARTICLE.search(rule.legal_basis):
        problems.append("names no article in its legal_basis")
    if rule.source != SOURCE:
        problems.append(f"looks at another source than {SOURCE}: nothing else was collected for this purpose")
    parts = urlsplit(rule.processing_activity)
    if parts.scheme not in ("https", "urn") or not (parts.netloc or parts.path):
        problems.append("has a processing_activity that is no URI in the register of processing activities")
    if rule.valid_to < rule.valid_from:
        problems.append("ends before it begins")
    elif (rule.valid_to - rule.valid_from).days >= LONGEST_DAYS:
        problems.append("is in force for more than twelve months")
    if rule.approved_on > rule.valid_from:
        problems.append("was approved by the data protection officer after it came into force")
    longest = max((len(s.split()) for s in re.split(r"[.!?:]\s*", rule.reason_nl)), default=0)
    if longest > MOST_WORDS:
        problems.append(f"explains itself in a sentence of {longest} words; {MOST_WORDS} is the most that everybody can follow")
    return problems


def _allowed_problems(rule: SignalRule, known: Mapping[str, Field]) -> list[str]:
    problems = []
    for name in rule.allowed_fields:
        if why := why_denied(name):
            problems.append(f"allows {name[:40]!r}, which {why}")
        elif name not in known:
            problems.append(f"allows {name[:40]!r}, which the signals do not have")
        elif known[name].names_a_person:
            problems.append(f"allows {name}, which names one person or case")
    if len(set(rule.allowed_fields)) < len(rule.allowed_fields):
        problems.append("allows a field twice")
    return problems
