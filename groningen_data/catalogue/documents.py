"""Writes `docs/tables.md` and `docs/settings.md` from contracts and settings, and the files that `docs/add-a-source.md` quotes.

`make docs` runs it, a test compares. Nothing is described here: every sentence comes from the declaration it documents.
"""

import re
from pathlib import Path

from groningen_data.contracts import all_contracts
from groningen_data.contracts.base import ContractModel, columns_of, facts_of, rules_of, sql_types
from groningen_data.settings import PROFILES, PROJECT, Settings

_MADE = "<!-- Made by `make docs` from the {origin}; change it there. -->\n"
_QUOTED = re.compile(r"^\*\*`([\w./-]+)`\*\*\n\n```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def documents() -> dict[Path, str]:
    """Every derived document by its path."""
    folder = PROJECT / "docs"
    return {
        folder / "tables.md": tables_document(),
        folder / "settings.md": settings_document(),
        folder / "add-a-source.md": _with_files((folder / "add-a-source.md").read_text(encoding="utf-8")),
    }


def quoted_files(page: str) -> dict[str, str]:
    """The files that a page quotes as a whole, by path: each is a block of code below a line with its path."""
    return {path: text for path, _, text in _QUOTED.findall(page)}


def _with_files(page: str) -> str:
    """The page with its quoted files as they are now; one that is not there stays as it is quoted."""

    def as_it_is(found: re.Match[str]) -> str:
        path = PROJECT / found[1]
        text = path.read_text(encoding="utf-8") if path.is_file() else found[3]
        return f"**`{found[1]}`**\n\n```{found[2]}\n{text}```\n"

    return _QUOTED.sub(as_it_is, page)


def tables_document() -> str:
    """All tables with their governance facts, columns and rules."""
    contracts = all_contracts()
    index = "\n".join(
        f"| [{name}](#{name.replace('.', '')}) | {facts_of(c).title_nl} | {facts_of(c).grain} | {facts_of(c).classification} |"
        for name, c in contracts.items()
    )
    head = _MADE.format(origin="contracts") + "# Tables\n\n| table | title | one row is | classification |\n|---|---|---|---|\n"
    return head + index + "\n\n" + "\n".join(_table(c) for c in contracts.values())


def _table(contract: ContractModel) -> str:
    facts = facts_of(contract)
    lines = [f"## {facts.name}\n", f"**{facts.title_en}** ({facts.title_nl}). {_one_line(contract.__doc__)}\n"]
    facts_shown = {
        "One row is": facts.grain,
        "Key": ", ".join(facts.key),
        "Owner": facts.owner,
        "Purpose": facts.purpose,
        "Legal basis": facts.legal_basis,
        "Classification": facts.classification + (f": {facts.reason_not_public}" if facts.reason_not_public else ""),
        "Retention": facts.retention,
        "Freshness": f"at most {facts.freshness_days} days old",
        "Load mode": facts.load_mode + (f" by {', '.join(facts.partition_columns)}" if facts.partition_columns else ""),
        "Quarantine": f"at most {facts.tolerance:.1%} of a batch",
        "Licence": facts.licence,
        "Served to analysts": "yes" if facts.served else "no",
    }
    lines += [f"- {label}: {text}" for label, text in facts_shown.items() if text]
    lines += ["", "| column | type | title | unit | rules |", "|---|---|---|---|---|"]
    columns, rules = columns_of(contract), rules_of(contract)
    for name, kind in sql_types(contract).items():
        own = [r.sentence.split(": ", 1)[-1] for r in rules if r.column == name and not r.id.endswith((".type", ".required"))]
        required = ["filled in"] if any(r.id == f"{name}.required" for r in rules) else []
        protection = columns[name].protection
        if protection:
            own.append(f"served from {protection.minimum} up, rounded to {protection.round_to}")
        shown = "; ".join(required + own).replace("|", "\\|")
        lines.append(
            f"| `{name}` | {kind.lower()} | {columns[name].title_en} ({columns[name].title_nl}) | {columns[name].unit or ''} | {shown} |"
        )
    for rate in facts.rates:
        lines.append(
            f"| `{rate.name}` | served only | {rate.title_en} ({rate.title_nl}) | per {rate.per:,} | "
            f"protected {rate.numerator} / protected {rate.denominator} |"
        )
    return "\n".join(lines) + "\n"


def settings_document() -> str:
    """All settings with their environment variable, default and meaning, and the profiles."""
    lines = [
        _MADE.format(origin="settings").rstrip(),
        "# Settings\n",
        "Order of precedence: command line, environment variable, profile file, default.\n",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.default
        if isinstance(default, Path):
            default = default.relative_to(PROJECT)
        shown = "" if default is None else f"`{default}`"
        lines.append(f"| `GRONINGEN_{name.upper()}` | {shown} | {field.description} |")
    lines += ["\n## Profiles\n"]
    for path in sorted(PROFILES.glob("*.toml")):
        parts = [path, *sorted(path.with_suffix("").glob("*.toml"))]
        text = "\n\n".join(part.read_text(encoding="utf-8").strip() for part in parts)
        lines += [f"### {path.stem}\n", f"```toml\n{text}\n```\n"]
    return "\n".join(lines)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())


def write() -> None:
    """Write every derived document."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
