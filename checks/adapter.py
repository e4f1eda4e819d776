"""From contract and suite to Dagster asset checks: one check for the contract, one per expectation."""

from collections.abc import Iterator

import dagster as dg

from groningen_data.contracts.base import rules_of
from groningen_data.gate.gate import CONTRACT_CHECK, TableResult
from groningen_data.gate.recipe import Recipe
from groningen_data.lakehouse.ledger import Judged

_SHOWN_BATCHES = 40


def check_specs(recipe: Recipe, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a table, declared; the gate evaluates them before it publishes, so none of them blocks afterwards."""
    rules = "\n".join(f"- {rule.sentence}" for rule in rules_of(recipe.contract))
    tolerance = f"At most {recipe.facts.tolerance:.1%} of the rows of a batch may be set aside in quarantine."
    contract = dg.AssetCheckSpec(
        CONTRACT_CHECK, asset=key, description=f"Every row keeps what the table promises. {tolerance}\n\n{rules}"
    )
    return [contract] + [
        dg.AssetCheckSpec(e.name, asset=key, description=e.sentence, metadata={"severity": e.severity, "expectation": e.type})
        for e in recipe.suite
    ]


def check_results(recipe: Recipe, key: dg.AssetKey, result: TableResult) -> Iterator[dg.AssetCheckResult]:
    """One result per check: over all batches of this pass, or, where it judged nothing new, of the last pass that did."""
    by_name: dict[str, list[Judged]] = {}
    for judged in result.judged:
        by_name.setdefault(judged.check.name, []).append(judged)
    now = {check.name for batch in result.batches for check in batch.checks}
    for name in [CONTRACT_CHECK, *(e.name for e in recipe.suite)]:
        if name == CONTRACT_CHECK and result.standing:
            yield _standing(key, result, by_name.get(name, []) if name in now else [])
        elif name in by_name:
            totals = _totals(result) if name == CONTRACT_CHECK else {}
            yield _aggregate(key, name, by_name[name], totals, "" if name in now else "nothing new; ")


def _totals(result: TableResult) -> dict[str, int]:
    return {
        "rows_in": sum(b.rows_in for b in result.batches),
        "accepted": sum(b.accepted for b in result.batches),
        "quarantined": sum(b.quarantined for b in result.batches),
        "collapsed": sum(b.collapsed for b in result.batches),
    }


def _aggregate(key: dg.AssetKey, name: str, verdicts: list[Judged], totals: dict[str, int], prefix: str) -> dg.AssetCheckResult:
    failed = [v for v in verdicts if not v.check.passed]
    is_error = any(v.check.severity == "error" for v in failed or verdicts)
    shown = failed[0] if failed else verdicts[-1]
    told = f"{len(failed)} of {len(verdicts)} batches fail; first" if failed else f"all {len(verdicts)} batches pass; last"
    what = f"{prefix}{told} {shown.key}: {shown.check.observed}"
    metadata: dict[str, dg.MetadataValue] = {
        "meaning": dg.MetadataValue.text(shown.check.sentence),
        "batches judged": dg.MetadataValue.int(len(verdicts)),
        "batches failed": dg.MetadataValue.int(len(failed)),
        "per batch": dg.MetadataValue.md(_table(failed + [v for v in verdicts if v.check.passed])),
    }
    values = [v.check.value for v in verdicts if v.check.value is not None]
    if values:
        metadata["observed (last batch)"] = dg.MetadataValue.float(float(values[-1]))
    metadata |= {label: dg.MetadataValue.int(number) for label, number in totals.items()}
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
        description=what,
        metadata=metadata,
    )


def _standing(key: dg.AssetKey, result: TableResult, verdicts: list[Judged]) -> dg.AssetCheckResult:
    """The contract check while batches rejected earlier still miss: it stays failed until they are delivered anew."""
    lines = [f"| {b.key} | rejected earlier | {_cell(b.reason)} |" for b in result.standing]
    lines += [f"| {v.key} | {v.outcome} | {_cell(v.check.observed)} |" for v in verdicts]
    missing = ", ".join(b.key for b in result.standing[:5])
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CONTRACT_CHECK,
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(result.standing)} batches were rejected earlier and not delivered anew since: {missing}",
        metadata={
            "batches judged": dg.MetadataValue.int(len(verdicts)),
            "batches still missing": dg.MetadataValue.int(len(result.standing)),
            "per batch": dg.MetadataValue.md(
                "| batch | outcome | observed |\n|---|---|---|\n" + "\n".join(lines[:_SHOWN_BATCHES])
            ),
        },
    )


def _table(verdicts: list[Judged]) -> str:
    lines = [
        f"| {v.key} | {'passed' if v.check.passed else 'FAILED'} | {v.outcome} | {_cell(v.check.observed)} |"
        for v in verdicts[:_SHOWN_BATCHES]
    ]
    more = f"\n\n… and {len(verdicts) - _SHOWN_BATCHES} more" if len(verdicts) > _SHOWN_BATCHES else ""
    return "| batch | check | outcome | observed |\n|---|---|---|---|\n" + "\n".join(lines) + more


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:300]
