"""The `groningen` command: composition root of the shell. Heavy parts are imported only inside the command that needs them."""

import gc
import os
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from groningen_data.errors import GroningenError, SettingsError

if TYPE_CHECKING:
    from groningen_data.gate.recipe import Recipe
    from groningen_data.settings import Settings
    from groningen_data.sources.base import FileSource

app = typer.Typer(
    help="The data lakehouse of a Dutch municipality: refresh it, look after it, and ask it questions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(help="The keys of the benefit administration: status, create, rotate, forget.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
quarantine_app = typer.Typer(help="What the gate kept back: list, show, export, replay.", no_args_is_help=True)
app.add_typer(quarantine_app, name="quarantine")
sources_app = typer.Typer(help="Where the data comes from: list, check.", invoke_without_command=True)
app.add_typer(sources_app, name="sources")


class Format(StrEnum):
    """Forms in which an answer is printed."""

    table = "table"
    csv = "csv"
    json = "json"


class ChartKind(StrEnum):
    """What a chart can be."""

    auto = "auto"
    line = "line"
    bar = "bar"
    map = "map"
    point = "point"


class Language(StrEnum):
    """Languages in which the dictionary has titles."""

    nl = "nl"
    en = "en"


ProfileOption = Annotated[
    str | None, typer.Option("--profile", help="Where the payloads come from: sample, real, live or replica.")
]
FormatOption = Annotated[Format, typer.Option("--format", "-f", help="How the answer is printed.")]


def main() -> None:
    """Entry point: errors of ours become one clear line and exit code 1."""
    look_for_cycles_less_often()
    try:
        app()
    except GroningenError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # The reader of our output closed it (`… | head`); nothing is left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        what = f"{error.strerror or type(error).__name__}: {error.filename or 'a file'}"
        print(f"error: {what} → check the path, and the rights and space there", file=sys.stderr)
        sys.exit(1)


def look_for_cycles_less_often() -> None:
    """Importing Dagster and Great Expectations makes so many lasting objects that going through them takes a twelfth of the time."""
    gc.set_threshold(50_000, 20, 50)


@app.command()
def refresh(
    store: Annotated[str | None, typer.Option(help="Only this store: reference, waste, welfare or traffic.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First local day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last local day.")] = None,
    profile: ProfileOption = None,
    days: Annotated[int | None, typer.Option("--days", min=2, help="Days of the sample city (profile sample only).")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail on rejections and warnings too.")] = False,
) -> None:
    """Land what is new, gate it, rebuild the marts it concerns, and swap in what analysts read."""
    settings = _settings(profile=profile, sample_days=days)
    if days is not None and settings.profile != "sample":
        raise SettingsError("--days", f"profile {settings.profile} has the days that were delivered", "leave --days out")
    job, chosen = _job_name(store), _days(first, last, settings)
    if settings.is_sample:
        from groningen_data.sample import city

        # Beside what starting takes.
        with city.being_built(settings) as built:
            sys.exit(_run_job(settings, job, chosen, strict, built))
    if settings.has_files and not any(settings.source_root.iterdir()):
        raise SettingsError(str(settings.source_root), "is empty", "set GRONINGEN_FILES to the folder of delivered files")
    sys.exit(_run_job(settings, job, chosen, strict))


@app.command()
def sql(
    statement: Annotated[str | None, typer.Argument(help="SQL to answer; read from standard input when left out.")] = None,
    format: FormatOption = Format.table,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Answer from the state at this instant (ISO 8601, UTC).")] = None,
) -> None:
    """Answer SQL from the served marts; read-only, with no way to files, network or the lake."""
    from groningen_data.serving.query import query, render

    text = statement if statement is not None else sys.stdin.read()
    render(query(_settings(), text, _instant(as_of)), format.value, sys.stdout)


@app.command()
def chart(
    statement: Annotated[
        str | None, typer.Argument(help="SQL to draw the answer of; read from standard input when left out.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Files to write, without their endings .html and .png.")] = Path(
        "chart"
    ),
    title: Annotated[str | None, typer.Option("--title", help="Title; made from the columns when left out.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Draw the state at this instant (ISO 8601, UTC).")] = None,
    kind: Annotated[ChartKind, typer.Option("--kind", "-k", help="What to draw; auto chooses by the columns.")] = ChartKind.auto,
    language: Annotated[Language, typer.Option("--language", "-l", help="Language of titles and words.")] = Language.nl,
) -> None:
    """Draw the answer to SQL as lines, bars, points or a map of neighbourhoods: a picture, and a page that needs no network."""
    from groningen_data.serving.charts import draw

    text = statement if statement is not None else sys.stdin.read()
    drawn = draw(_settings(), text, _instant(as_of), kind.value, title, language.value)
    for path in drawn.write(out):
        print(path)
    for note in drawn.notes:
        print(note, file=sys.stderr)


@app.command()
def case(
    name: Annotated[str, typer.Argument(help="Which case: a name of docs/cases.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for charts, maps and pages; cases/NAME in the data folder when left out."),
    ] = None,
    profile: ProfileOption = None,
) -> None:
    """Answer one of the departments' cases: its questions here, its charts, maps and pages in a folder."""
    from groningen_data.cases import all_cases
    from groningen_data.cases.base import tell

    cases = all_cases()
    if name not in cases:
        raise SettingsError(f"case {name}", "there is no such case", f"choose one of {', '.join(cases)}")
    settings = _settings(profile=profile)
    for path in tell(cases[name], settings, out or settings.data_dir / "cases" / name, sys.stdout):
        print(path)


@app.command()
def tables(
    table: Annotated[str | None, typer.Argument(help="Show the columns of this table.")] = None,
    format: FormatOption = Format.table,
) -> None:
    """What there is to ask: tables with rows, freshness and quality, or the columns of one table."""
    from groningen_data.serving import query

    query.render(query.tables(_settings(), table), format.value, sys.stdout)


@app.command()
def watch() -> None:
    """Fail when the last published refresh is too old; for a cron of another machine."""
    from groningen_data.watch import check

    report = check(_settings(), datetime.now(UTC))
    print(report.message, file=sys.stdout if report.ok else sys.stderr)
    sys.exit(0 if report.ok else 1)


@app.command()
def maintain() -> None:
    """Verify, compact, expire and clean up the lakehouse; readers may go on."""
    from groningen_data.lakehouse import Lakehouse
    from groningen_data.lakehouse.maintenance import maintain as maintain_lake

    report = maintain_lake(Lakehouse(_settings()))
    print(
        f"all {report.files:,} files of {report.tables} tables are there ({report.rows:,} rows); {report.files_merged:,} small files "
        f"merged, {report.files_removed + report.orphans_removed + report.leftovers_removed:,} superfluous ones removed, "
        f"{report.snapshots_expired:,} states expired and {report.snapshots_kept:,} kept, "
        f"{report.rejected_rows_dropped:,} old rejected rows dropped; took {report.seconds:.1f} s"
    )


@app.command()
def backup(target: Annotated[Path, typer.Argument(help="Folder to write the backup to; must not exist.")]) -> None:
    """Copy catalog, files and landing together, with a manifest of hashes."""
    from groningen_data.lakehouse import Lakehouse
    from groningen_data.lakehouse.backup import backup as back_up

    report = back_up(Lakehouse(_settings()), target)
    print(
        f"{report.target}: {report.tables} tables with {report.rows:,} rows and {report.payloads:,} payloads, "
        f"{report.files:,} files of {report.size / 1e6:,.1f} MB; took {report.seconds:.1f} s"
    )


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="Folder of the backup.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the lakehouse that is there.")] = False,
) -> None:
    """Put a backup back into the data folder, after checking every hash, and serve what it holds."""
    from groningen_data.lakehouse import Lakehouse
    from groningen_data.lakehouse.backup import restore as put_back
    from groningen_data.serving.publish import publish_serving

    settings = _settings()
    report = put_back(settings, source, force=force)
    publish_serving(Lakehouse(settings), is_refresh=False)
    print(
        f"restored {report.tables} tables with {report.rows:,} rows from the backup of {report.made_at:%Y-%m-%d %H:%M} UTC, "
        f"each proven to be complete; took {report.seconds:.1f} s"
    )


@app.command()
def drop(table: Annotated[str, typer.Argument(help="Table to drop, such as core.traffic_counts.")]) -> None:
    """Drop one table with its ledger; the next refresh makes it again from the landing."""
    from groningen_data.lakehouse import Lakehouse
    from groningen_data.lakehouse.maintenance import drop_table

    drop_table(Lakehouse(_settings()), table)
    print(f"{table} is dropped; `groningen refresh` makes it again from the landing")


@keys_app.command("status")
def keys_status(profile: ProfileOption = None) -> None:
    """Which keys there are and what has landed under them; exit code 1 when one is lost, wrong or open to others."""
    from groningen_data.landing import Landing
    from groningen_data.sources.benefit_keys import state

    settings = _settings(profile=profile)
    found = state(settings, Landing.of(settings))
    made = "is made at the first fetch" if found.identity is None else f"identity {found.identity}"
    print(f"pseudonym key  {found.path}  {f'PROBLEM: {found.problem}' if found.problem else made}")
    for standing in found.standing:
        print(f"  {standing.source}: {standing.present} deliveries under this key, {len(standing.earlier)} under an earlier one")
        for name in standing.earlier:
            print(f"    to be delivered anew: {name}")
    print(f"extracts are opened for  {found.age_public_key or 'nobody: only plain ones are taken'}")
    if found.age_problem:
        print(f"  PROBLEM: {found.age_problem}")
    print(
        f"manifests  {f'must be signed by {settings.welfare_manifest_key_file}' if settings.welfare_manifest_key_file else 'are not asked for'}"
    )
    sys.exit(1 if found.problem or found.age_problem else 0)


@keys_app.command("create")
def keys_create(
    age: Annotated[bool, typer.Option("--age", help="Make the key that opens encrypted extracts instead.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Make the pseudonym key before it is needed, or with --age the key that opens extracts; never in place of another."""
    from groningen_data.privacy.pseudonyms import key_file
    from groningen_data.sources.benefit_keys import create, create_age_key

    settings = _settings(profile=profile)
    if age:
        print(f"made; extracts are to be encrypted for {create_age_key(settings)}")
    else:
        print(f"made, identity {create(settings)}; keep a copy of {key_file(settings)} apart from the backups")


@keys_app.command("rotate")
def keys_rotate(
    yes: Annotated[bool, typer.Option("--yes", help="Do it: everything must be delivered anew afterwards.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Put a new pseudonym key in place of the present or a lost one; everything must then be delivered anew."""
    from groningen_data.landing import Landing
    from groningen_data.privacy import pseudonyms
    from groningen_data.sources.benefit_keys import state

    settings = _settings(profile=profile)
    if not yes:
        raise SettingsError(
            "--yes",
            "pseudonyms of two keys cannot be joined, so all extracts must be delivered anew",
            "say --yes when they can be",
        )
    identity = pseudonyms.rotate(settings)
    earlier = [(s.source, name) for s in state(settings, Landing.of(settings)).standing for name in s.earlier]
    print(f"the pseudonym key is now {identity}; keep a copy of {pseudonyms.key_file(settings)} apart from the backups")
    for source, name in earlier:
        print(f"to be delivered anew: {source}  {name}")
    print("after the refresh that takes them in: `groningen keys forget`")


@keys_app.command("forget")
def keys_forget(
    force: Annotated[bool, typer.Option("--force", help="Also what was not delivered anew.")] = False,
    profile: ProfileOption = None,
) -> None:
    """Remove from the landing what was made with earlier pseudonym keys."""
    from groningen_data.landing import Landing
    from groningen_data.sources.benefit_keys import forget

    settings = _settings(profile=profile)
    count = forget(settings, Landing.of(settings), force=force)
    print(f"{count:,} payloads of earlier keys removed; states of the lake and backups from before still hold their pseudonyms")


@sources_app.callback()
def sources(context: typer.Context, profile: ProfileOption = None, format: FormatOption = Format.table) -> None:
    """Each source: where it comes from, its last payload, when it is due again, and what changed in its fields."""
    if context.invoked_subcommand is not None:
        return
    from assets import all_sources
    from groningen_data.landing import Landing
    from groningen_data.serving.query import Result, render
    from groningen_data.sources.overview import states

    settings, now = _settings(profile=profile), datetime.now(UTC)
    found = states(all_sources().values(), _promised_days(), settings, Landing.of(settings), now)
    rows = [
        (
            s.name,
            s.where,
            s.payloads,
            s.last_name,
            f"{s.last_at:%Y-%m-%d %H:%M}" if s.last_at else "never",
            _age(now - s.last_at) if s.last_at else "",
            ("overdue since " if s.is_overdue else "") + (f"{s.due_at:%Y-%m-%d %H:%M}" if s.due_at else ""),
            s.problem or (f"ok {s.visited_at:%Y-%m-%d %H:%M}" if s.visited_at else "never"),
            s.drift or "none",
        )
        for s in found
    ]
    columns = (
        "source",
        "where",
        "payloads",
        "last payload",
        "landed (UTC)",
        "age",
        "next due (UTC)",
        "last visit (UTC)",
        "drift",
    )
    render(Result(columns, iter(rows)), format.value, sys.stdout)


@sources_app.command("check")
def sources_check(
    names: Annotated[list[str] | None, typer.Argument(help="Only these sources.")] = None, profile: ProfileOption = None
) -> None:
    """Try each source without loading anything: whether it answers, can be read, and has the fields it had."""
    from groningen_data.landing import Landing
    from groningen_data.sources.overview import where

    settings = _settings(profile=profile)
    landing, failed = Landing.of(settings), False
    for source in _sources(names):
        try:
            report = source.try_out(settings, landing)
            problem = str(report.problem.problem) if report.problem else ""
            problem = problem or "; ".join(f"{p.name} {p.problem} → {p.way_out}" for p in report.unreadable)
        except GroningenError as error:
            report, problem = None, error.problem
        nothing = report is not None and not report.landed
        verdict = f"FAILED: {problem}" if problem else "has nothing now" if nothing else "ok"
        drift = f"; changed: {'; '.join(report.drifts)}" if report and report.drifts else ""
        print(f"{source.name}  {verdict}{drift}  ({where(source, settings)})", flush=True)
        failed = failed or bool(problem)
    sys.exit(1 if failed else 0)


@app.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="Only these sources.")] = None,
    every: Annotated[float | None, typer.Option("--every", min=1, help="Ask again after so many seconds, until stopped.")] = None,
    lasting: Annotated[float | None, typer.Option("--for", min=1, help="With --every: stop after so many seconds.")] = None,
    profile: ProfileOption = None,
) -> None:
    """Land what is new and nothing else; with --every a source that only tells the present is asked all day long."""
    from time import sleep

    from assets import all_sources
    from groningen_data.landing import Landing
    from groningen_data.sources.deliveries import SortedDeliveries

    settings = _settings(profile=profile)
    if settings.is_sample:
        from groningen_data.sample import city

        city.build(settings)
    landing, chosen, started, failed = Landing.of(settings), _sources(names), monotonic(), False
    while True:
        begun, deliveries = monotonic(), SortedDeliveries(all_sources().values(), settings, landing)
        for source in chosen:
            report = source.fetch(settings, landing, print, deliveries)
            failed = failed or report.problem is not None
            if report.problem:
                print(f"error: {report.problem}", file=sys.stderr, flush=True)
            for line in (*(f"{p.name} {p.problem} → {p.way_out}" for p in report.unreadable), *report.drifts, *report.news):
                print(f"{source.name}: {line}", file=sys.stderr, flush=True)
            if report.landed or every is None:
                print(f"{source.name}: {len(report.landed)} new payloads, {report.known} known", flush=True)
        if every is None or (lasting is not None and monotonic() - started + every > lasting):
            break
        sleep(max(0.0, every - (monotonic() - begun)))
    sys.exit(1 if failed else 0)


@app.command()
def replica(
    port: Annotated[int, typer.Option(help="Where to listen, on this machine only.")] = 8210,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="A fault to play, such as error, error@opendata.cbs.nl or too_many@datasets.cbs.nl*2=5; may be given again."
        ),
    ] = None,
    days: Annotated[int | None, typer.Option("--days", min=2, help="Days of the sample city.")] = None,
) -> None:
    """Serve the sample city as the real services would, for `groningen refresh --profile replica`; stop it with Ctrl+C."""
    from groningen_data.replica.app import all_services, serve
    from groningen_data.replica.faults import Faults, parsed
    from groningen_data.sample import city

    settings = _settings(profile="replica", sample_days=days)
    faults = Faults(*(parsed(text) for text in fault or ()))
    city.build(settings)
    print(f"http://127.0.0.1:{port} stands in for {', '.join(h for s in all_services() for h in s.hosts)}", flush=True)
    serve(settings, port, faults)


@quarantine_app.command("list")
def quarantine_list(table: Annotated[str | None, typer.Argument(help="Only this table.")] = None) -> None:
    """Batches that were rejected, or published with rows set aside."""
    from groningen_data.gate.quarantine import kept_back
    from groningen_data.lakehouse import Lakehouse

    if table is not None:
        _recipe_of(table)
    kept = kept_back(Lakehouse(_settings()), table)
    for batch in kept:
        what = f"rejected: {batch.reason}" if batch.outcome == "rejected" else f"{batch.quarantined:,} of {batch.rows_in:,} rows"
        print(f"{batch.table}  {batch.key}  {what}")
    if not kept:
        print("nothing is kept back")


@quarantine_app.command("show")
def quarantine_show(
    table: str,
    batch: str,
    limit: Annotated[int, typer.Option(min=1, help="At most this many rows.")] = 20,
) -> None:
    """Quarantined rows of one batch with the rules they break, a JSON object per line."""
    import json

    from groningen_data.gate.quarantine import rows_of
    from groningen_data.lakehouse import Lakehouse

    for row in rows_of(Lakehouse(_settings()), table, batch, limit):
        print(json.dumps(row, ensure_ascii=False))


@quarantine_app.command("export")
def quarantine_export(table: str, batch: str, target: Path) -> None:
    """Write all quarantined rows of one batch to a .csv, .parquet or .json file."""
    from groningen_data.gate.quarantine import export
    from groningen_data.lakehouse import Lakehouse

    print(f"{export(Lakehouse(_settings()), table, batch, target):,} rows written to {target}")


@quarantine_app.command("replay")
def quarantine_replay(table: str, batch: str, profile: ProfileOption = None) -> None:
    """Gate one batch again from its landed payloads, for instance after mending a parser or a contract."""

    from assets import all_sources
    from groningen_data.gate.gate import Gate
    from groningen_data.lakehouse import Lakehouse
    from groningen_data.landing import Landing

    settings, sources = _settings(profile=profile), all_sources()
    recipe = _recipe_of(table)
    if not Lakehouse(settings).exists:
        raise GroningenError(f"{table} {batch}", "nothing was published yet", "run `groningen refresh` first")
    gate = Gate(Lakehouse(settings), f"replay-{uuid.uuid4()}", print, lambda name: sources[name].covers(settings))
    result = gate.refresh(recipe, Landing.of(settings), lambda key: key == batch, force=True)
    if not result.batches:
        raise GroningenError(f"{table} {batch}", "there is no such batch in the landing", "see `groningen quarantine list`")
    if result.published:
        print("`groningen refresh` now rebuilds the marts that stand on it")
    else:
        print("it is rejected again" if result.rejected else "it is exactly what was published already")
    sys.exit(1 if result.rejected else 0)


def _sources(names: list[str] | None) -> "list[FileSource]":
    from assets import all_sources

    known = all_sources()
    unknown = next((name for name in names or () if name not in known), None)
    if unknown is not None:
        raise GroningenError(unknown, "there is no such source", f"choose of: {', '.join(known)}")
    return [known[name] for name in names or known]


def _promised_days() -> dict[str, int]:
    """By source: the fewest days within which one of its tables promises to be renewed."""
    from assets import all_recipes

    found: dict[str, int] = {}
    for recipe in all_recipes().values():
        for feed in recipe.feeds:
            days = recipe.facts.freshness_days
            found[feed.source.name] = min(days, found.get(feed.source.name, days))
    return found


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h {int(age.total_seconds() % 3600 // 60)} min"


def _recipe_of(table: str) -> "Recipe":
    from assets import all_recipes

    recipe = all_recipes().get(table)
    if recipe is None:
        raise GroningenError(table, "there is no such table", f"choose one of: {', '.join(all_recipes())}")
    return recipe


def _settings(**overrides: Any) -> "Settings":
    from groningen_data.settings import load_settings

    return load_settings(**overrides)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError("--as-of", f"{text} is not an instant", "write it like 2026-03-16T06:00:00Z") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _unclaimed(settings: "Settings") -> str:
    """Which delivered files no source knows, in a sentence; empty when there are none."""
    from assets import all_sources
    from groningen_data.landing import Landing
    from groningen_data.sources.deliveries import SortedDeliveries

    if not settings.has_files:
        return ""
    deliveries = SortedDeliveries(all_sources().values(), settings, Landing.of(settings))
    others = [str(file.path.relative_to(settings.source_root)) for file in deliveries.unclaimed(settings.source_root)]
    if not others:
        return ""
    shown = ", ".join(others[:5]) + (", …" if len(others) > 5 else "")
    return f"\nLeft alone, because no source knows them: {len(others)} files ({shown}).\n"


def _absent(settings: "Settings") -> str:
    """Which sources never delivered anything here, in a sentence; empty when there are none."""
    from assets import all_sources
    from groningen_data.landing import Landing

    landing = Landing.of(settings)
    absent = [source.name for source in all_sources().values() if not landing.payloads(source.name)]
    return f"\nNever delivered here: {', '.join(absent)}.\n" if absent else ""


def _job_name(store: str | None) -> str:
    from groningen_data.alerts import NIGHTLY
    from groningen_data.definitions import STORES

    if store is not None and store not in STORES:
        raise SettingsError("--store", f"there is no store {store}", f"choose one of: {', '.join(STORES)}")
    return f"refresh_{store}" if store else NIGHTLY


def _days(first: datetime | None, last: datetime | None, settings: "Settings") -> list[date] | None:
    if first is None and last is None:
        return None
    start, end = first.date() if first else settings.first_local_day, last.date() if last else settings.today()
    if end < start:
        raise SettingsError("--from/--to", f"{end} lies before {start}", "swap them")
    return [start + timedelta(days=n) for n in range((end - start).days + 1)]


def _run_job(
    settings: "Settings", job_name: str, days: list[date] | None, strict: bool, ready: Callable[[], object] = lambda: None
) -> int:
    """Run a Dagster job in this process, once all is `ready`, with progress and a closing summary; returns the exit code."""
    os.environ.setdefault("DAGSTER_HOME", str(Path(__file__).parent.parent))
    os.environ.setdefault("GRONINGEN_DAGSTER_DIR", str(settings.data_dir / "dagster"))

    from dagster import AssetCheckSeverity

    from assets.factory import DAYS_TAG
    from assets.sensors import safe_message, undelivered
    from groningen_data.alerts import FailedStep, summarise
    from groningen_data.definitions import build_defs
    from groningen_data.lakehouse import Lakehouse
    from resources.launcher import PROCESS_TAG, close_dead_runs

    started = monotonic()
    with _dagsters_storage(), _progress() as show, _dagster_instance() as instance:
        close_dead_runs(instance)
        definitions = build_defs(settings, pool=None, loggers={"steps": show.steps()}, tell=show.line)
        job = definitions.resolve_job_def(job_name)
        run_id = str(uuid.uuid4())
        show.total(len(job.nodes))
        ready()
        result = job.execute_in_process(
            run_id=run_id,
            instance=instance,
            tags={PROCESS_TAG: str(os.getpid())} | ({DAYS_TAG: ",".join(d.isoformat() for d in days)} if days else {}),
            run_config={"loggers": {"steps": {}}},
            raise_on_error=False,
        )
        failed = [FailedStep(e.step_key or "run", safe_message(e)) for e in result.all_events if e.is_step_failure]
        missing = list(undelivered(instance, run_id))
        unreached = any(
            check.severity == AssetCheckSeverity.ERROR and not check.passed and check.asset_key.path[0] == "landing"
            for check in result.get_asset_check_evaluations()
        )
    summary = summarise(Lakehouse(settings), run_id, failed, job=job_name, undelivered=missing)
    print(f"\n{summary.text()}{_absent(settings)}{_unclaimed(settings)}\nTook {monotonic() - started:.0f} s.")
    return 1 if not result.success or unreached or (strict and summary.needs_attention) else 0


@contextmanager
def _dagsters_storage() -> Iterator[None]:
    """Say in one line what the database cannot do in which Dagster keeps its runs, such as write on a full disk."""
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except OperationalError as error:
        raise GroningenError(
            "Dagster's storage",
            f"cannot be used: {error.orig}",
            f"see that there is room, and the right to write, in {os.environ['GRONINGEN_DAGSTER_DIR']}; then refresh again",
        ) from None


def _dagster_instance() -> Any:
    """Dagster's instance; opened by one process at a time, because the first one creates its tables."""
    import dagster as dg
    from filelock import FileLock

    folder = Path(os.environ["GRONINGEN_DAGSTER_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "opening.lock"):
        return dg.DagsterInstance.get()


class _Progress:
    """What the shell shows while a job runs: a bar on a terminal, plain lines elsewhere."""

    def __init__(self, bar: Any | None, task: Any | None) -> None:
        self._bar, self._task = bar, task

    def total(self, steps: int) -> None:
        if self._bar:
            self._bar.update(self._task, total=steps)

    def line(self, text: str) -> None:
        if self._bar:
            self._bar.update(self._task, description=text[:70])
        else:
            print(text, flush=True)

    def steps(self) -> Any:
        """A Dagster logger that prints nothing and counts the steps that ended."""
        import logging

        import dagster as dg

        progress = self

        class Counting(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                event = getattr(record, "dagster_meta", {}).get("dagster_event")
                if event and event.event_type_value in ("STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"):
                    progress._advance()

        @dg.logger
        def steps(context: dg.InitLoggerContext) -> logging.Logger:
            logger = logging.Logger("steps")
            logger.addHandler(Counting())
            return logger

        return steps

    def _advance(self) -> None:
        if self._bar:
            self._bar.advance(self._task)


@contextmanager
def _progress() -> Iterator[_Progress]:
    if not sys.stderr.isatty():
        yield _Progress(None, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    # A channel of its own: while a step runs, Dagster catches what is written to standard output and error.
    with os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal, Progress(*columns, console=Console(file=terminal)) as bar:
        yield _Progress(bar, bar.add_task("starting", total=None))
