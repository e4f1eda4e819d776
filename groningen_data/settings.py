"""One typed `Settings` for the whole application, read from environment, profile file and defaults.

Order of precedence: arguments, environment variables (`GRONINGEN_…`), the profile's TOML file, defaults. Nothing else in
the project reads environment variables for configuration.
"""

import os
import re
import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from groningen_data.errors import SettingsError

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
PROFILES = Path(__file__).parent / "profiles"
PROJECT = Path(__file__).parent.parent


class Settings(BaseSettings):
    """Every knob of the platform; each is documented in `docs/settings.md`."""

    model_config = SettingsConfigDict(env_prefix="GRONINGEN_", frozen=True, extra="forbid", env_ignore_empty=True)

    profile: str = Field("sample", description="Name of the profile file: where the payloads come from.")
    municipality_code: str = Field(
        "GM0014", pattern=r"^GM\d{4}$", description="CBS code of the municipality that the lakehouse describes."
    )
    data_dir: Path = Field(PROJECT / "data", description="Folder of everything made at run time.")
    files: Path | None = Field(None, description="Folder from which the file sources of profile `real` read.")
    as_of: datetime | None = Field(
        None, description="Logical clock (ISO 8601): what the platform takes for 'now'. Empty: the real clock."
    )
    extents: dict[str, str] = Field(
        {}, description="Area that a source covers, where it differs from the source's own: `NL` or municipality codes."
    )
    clocks: dict[str, str] = Field(
        {}, description="Time zone of a source's times that name none, where it is not the source's own, such as `UTC`."
    )
    addresses: dict[str, str] = Field(
        {}, description="Base URL of each service that sources are pulled from; a service without one is not asked."
    )
    replica_url: str | None = Field(
        None, description="Where the replica listens: every address is then asked there, below the name of its host."
    )
    secrets: dict[str, SecretStr] = Field(
        {}, description="Credentials of services by name, as JSON. Those not named here are read from `secrets_dir`."
    )
    secrets_dir: Path | None = Field(
        None, description="Folder with a file per credential. Empty: the folder keys in the data folder."
    )
    http_timeout_s: float = Field(30, gt=0, description="How long a service may stay silent, in seconds.")
    http_deadline_s: float = Field(1800, gt=0, description="How long one answer may take in all, in seconds.")
    http_attempts: int = Field(4, ge=1, description="How often a request is tried in all.")
    http_wait_s: float = Field(120, ge=0, description="Longest wait that a service may ask for between attempts, in seconds.")
    http_rate_per_s: float = Field(10, gt=0, description="Most requests per second to one source.")
    http_concurrency: int = Field(2, ge=1, description="Most connections to one source at a time.")
    http_answer_limit_mb: int = Field(
        200, ge=1, description="Most MB that an answer may unpack to that is not downloaded to disk."
    )
    timezone: str = Field("Europe/Amsterdam", description="Time zone of local dates and hours.")
    first_day: date | None = Field(
        None,
        description="First local day for which daily tables have a partition. Empty: the first day of the sample city.",
    )
    sample_days: int = Field(60, ge=2, le=3660, description="Days that the embedded sample city covers.")
    sample_seed: int = Field(14, description="Seed of the embedded sample city.")

    weather_station: int = Field(280, description="KNMI station whose weather stands for the municipality (280 is Eelde).")
    ndw_datex_version: int = Field(
        3, ge=2, le=3, description="Version of DATEX II in which NDW's feed and site table are pulled."
    )
    traffic_area: tuple[float, float, float, float] = Field(
        (6.40, 53.10, 6.75, 53.30),
        description="Area whose sites are kept of NDW's national publications: west, south, east and north, in degrees.",
    )
    statline_tables: tuple[str, ...] = Field(
        (), description="Ids of the tables of CBS StatLine that are pulled. Empty: all in `data/reference/cbs_tables.csv`."
    )
    container_alarm_pct: float = Field(
        80, gt=0, le=150, description="Fill level at which a container needs emptying, where its registry gives none, in %."
    )

    routing_detour_factor: float = Field(
        1.3, ge=1, le=3, description="Road metres per metre of straight line, where no service `osrm` has an address."
    )
    routing_speed_km_h: float = Field(
        25,
        gt=0,
        le=120,
        description="Mean driving speed of collection vehicles, where no service `osrm` has an address, in km/h.",
    )
    routing_profile: str = Field("driving", description="Routing profile that is asked of the service `osrm`.")
    collection_start: time = Field(time(6, 30), description="Local time at which collection vehicles may leave the depot.")
    collection_end: time = Field(
        time(15, 0), description="Local time by which they are back, empty; breaks are to fit in what is left of the day."
    )
    collection_windows: dict[str, tuple[time, time]] = Field(
        {},
        description="Between which local times containers of a district or neighbourhood may be emptied, by its CBS code, "
        'such as {"WK001400": ["06:30", "11:00"]}.',
    )
    collection_stop_s: int = Field(180, ge=0, description="Time to empty one container, in seconds.")
    collection_tipping_s: int = Field(900, ge=0, description="Time to tip a load, in seconds.")
    collection_prize_km: float = Field(
        15,
        gt=0,
        description="Kilometres that are worth driving to empty a container that is sure to overflow before the next round.",
    )
    collection_iterations: int = Field(200, ge=1, description="Iterations of the search for the rounds of one fraction.")
    collection_seed: int = Field(1, ge=0, description="Seed of the search for rounds: the same seed gives the same rounds.")
    collection_backtest_fractions: tuple[str, ...] = Field(
        ("residual",), description="Fractions of which the plan is replayed on the last whole week of each month."
    )

    bias_ratio_bounds: tuple[float, float] = Field(
        (0.8, 1.25),
        description="Between which ratios to the reference group a rate of selection counts as alike: the four-fifths rule "
        "(29 CFR 1607.4 D) and its reciprocal.",
    )
    bias_confidence: float = Field(
        0.95, gt=0.5, lt=1, description="Chance that all intervals of one process and period of the bias audit hold together."
    )
    person_level_outreach: bool = Field(
        False,
        description="Whether single persons are approached about help they do not use. Refused: no law in force allows it "
        "(Wet proactieve dienstverlening SZW, 36 799, is pending), and nothing here could do it.",
    )

    pseudonym_key_file: Path | None = Field(
        None, description="File with the key of the welfare pseudonyms. Empty: keys/welfare.key in the data folder."
    )
    welfare_manifest_key_file: Path | None = Field(
        None,
        description="File with the Ed25519 public key (PEM) of who signs the benefit administration's manifests. "
        "Empty: extracts need no manifest.",
    )
    remove_personal_deliveries: bool = Field(
        False, description="Whether extracts about persons are removed from the folder of files once they have landed."
    )

    signal_rules: Path | None = Field(
        None, description="Folder with the signal rules. Empty: none; in the sample city those of `data/reference/signal_rules`."
    )
    signal_minimum_outcomes: int = Field(
        200, ge=30, description="Outcomes of a rule, and of the random sample, from which on they are held against each other."
    )
    checks_a_month: int = Field(150, ge=1, description="Checks of benefit cases that there is capacity for in a month.")
    sample_share_pct: float = Field(
        20, ge=20, le=100, description="Share of the checks that chance asks for instead of a rule, in %."
    )

    catalog_uri: SecretStr | None = Field(
        None, description="PostgreSQL URI of the lake's catalog. Empty: SQLite in the data folder."
    )
    writer_wait_s: float = Field(900, ge=0, description="How long a writer waits for another writer, in seconds.")
    memory_limit_mb: int = Field(500, ge=100, description="Memory DuckDB may use in one step, in MB.")
    threads: int = Field(2, ge=1, description="Threads that DuckDB, and replays of rounds, may use in one step.")
    slice_rows: int = Field(200_000, ge=1_000, description="Rows that pass through the contract at a time.")
    payload_limit_mb: int = Field(2_000, ge=1, description="Largest payload accepted, unpacked, in MB.")
    snapshot_retention_days: int = Field(30, ge=1, description="Days of history that `maintain` keeps for time travel.")
    rejected_retention_days: int = Field(90, ge=1, description="Days that `maintain` keeps quarantined and staged rows.")

    schedule_enabled: bool = Field(False, description="Whether the nightly schedule starts switched on.")
    schedule_cron: str = Field("0 2 * * *", description="When the nightly job runs, in the time zone above.")
    refresh_max_age_h: float = Field(26, gt=0, description="`groningen watch` fails when the last refresh is older, in hours.")
    fetch_retries: int = Field(3, ge=0, description="How often a failed fetch is tried again.")

    alert_webhook_url: SecretStr | None = Field(None, description="Address that receives alerts as JSON. Empty: none.")
    alert_email_to: str | None = Field(None, description="Comma-separated recipients of alerts. Empty: none.")
    alert_email_from: str = Field("groningen-data@localhost", description="Sender of alert e-mails.")
    alert_when_fine: bool = Field(False, description="Whether a nightly run that needs no attention is reported too.")
    smtp_host: str = Field("localhost", description="Mail server for alerts.")
    smtp_port: int = Field(25, ge=1, le=65535, description="Port of the mail server.")
    smtp_user: str | None = Field(None, description="User name at the mail server; with it, STARTTLS is used.")
    smtp_password: SecretStr | None = Field(None, description="Password at the mail server.")
    ui_url: str = Field("http://127.0.0.1:3000", description="Address of the Dagster UI that alerts link to.")

    sql_row_limit: int = Field(100_000, ge=1, description="Most rows that one `groningen sql` prints.")
    sql_timeout_s: float = Field(60, gt=0, description="Longest time one `groningen sql` may take, in seconds.")

    @field_validator("as_of")
    @classmethod
    def _as_of_is_an_instant(cls, value: datetime | None) -> datetime | None:
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("is no time zone of the IANA database, such as Europe/Amsterdam")
        return value

    @field_validator("clocks")
    @classmethod
    def _clocks_exist(cls, value: dict[str, str]) -> dict[str, str]:
        for zone in value.values():
            cls._timezone_exists(zone)
        return value

    @field_validator("traffic_area")
    @classmethod
    def _area_is_there(cls, value: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
        west, south, east, north = value
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
            raise ValueError("is no area: write [west, south, east, north], such as [6.40, 53.10, 6.75, 53.30]")
        return value

    @field_validator("bias_ratio_bounds")
    @classmethod
    def _alike_is_around_one(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 < value[0] < 1 < value[1]:
            raise ValueError("must lie around 1, such as [0.8, 1.25]")
        return value

    @field_validator("person_level_outreach")
    @classmethod
    def _nobody_is_approached(cls, value: bool) -> bool:
        if value:
            raise ValueError(
                "cannot be switched on: the Wet proactieve dienstverlening SZW (36 799) is not in force, so there is no legal basis "
                "for approaching single persons, and the lakehouse holds no name or address to do it with; see docs/cases/welfare.md"
            )
        return value

    @field_validator("collection_end")
    @classmethod
    def _shift_ends_after_it_starts(cls, value: time, info: ValidationInfo) -> time:
        if "collection_start" in info.data and value <= info.data["collection_start"]:
            raise ValueError("is no later than collection_start")
        return value

    @field_validator("collection_windows")
    @classmethod
    def _windows_are_readable(cls, value: dict[str, tuple[time, time]]) -> dict[str, tuple[time, time]]:
        for code, (first, last) in value.items():
            if not re.fullmatch(r"WK\d{6}|BU\d{8}", code):
                raise ValueError(f"{code} is no code of a district or neighbourhood, such as WK001400 or BU00140000")
            if first >= last:
                raise ValueError(f"the window of {code} ends before it begins")
        return value

    @field_validator("schedule_cron")
    @classmethod
    def _cron_is_readable(cls, value: str) -> str:
        if len(value.split()) != 5:
            raise ValueError("is no cron expression of five fields, such as 0 2 * * *")
        return value

    @field_validator("addresses")
    @classmethod
    def _addresses_are_urls(cls, value: dict[str, str]) -> dict[str, str]:
        for service, url in value.items():
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"the address of {service} is no URL that begins with https://")
            if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
                raise ValueError(f"the address of {service} must begin with https://")
            if parts.username or parts.password:
                raise ValueError(f"the address of {service} holds credentials; put them in secrets")
        return value

    @field_validator("replica_url")
    @classmethod
    def _replica_is_here(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).hostname not in _LOOPBACK:
            raise ValueError("must be on this machine, such as http://127.0.0.1:8210")
        return value

    @field_validator("data_dir", "files", "pseudonym_key_file", "secrets_dir", "signal_rules", "welfare_manifest_key_file")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value is not None else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _ProfileFile(settings_cls, init_settings)

    def address(self, service: str) -> str | None:
        """Base URL of a service, or None when it has none; with a replica, the place where that stands in for it."""
        url = self.addresses.get(service)
        if url is None or self.replica_url is None:
            return url
        parts = urlsplit(url)
        return f"{self.replica_url.rstrip('/')}/{parts.netloc}{parts.path}"

    def secret(self, name: str) -> str:
        """A credential, from the setting `secrets` or from its file.

        Raises:
            SettingsError: There is none; the message never shows a value.
        """
        if name in self.secrets:
            return self.secrets[name].get_secret_value()
        path = (self.secrets_dir or self.data_dir / "keys") / name
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise SettingsError(
                f"credential {name}", "is not set", f"put it in the file {path}, or in GRONINGEN_SECRETS"
            ) from None

    def now(self) -> datetime:
        """The logical clock: `as_of` when set, otherwise the real time (UTC)."""
        return (self.as_of or datetime.now(UTC)).astimezone(UTC)

    def today(self) -> date:
        """The local date of the logical clock."""
        return self.now().astimezone(ZoneInfo(self.timezone)).date()

    @property
    def is_sample(self) -> bool:
        """Whether the payloads are those of the sample city, from its files or from the replica that serves it."""
        return self.profile in ("sample", "replica")

    @property
    def first_local_day(self) -> date:
        """First local day for which daily tables have a partition: `first_day`, or as far back as the sample city goes."""
        return self.first_day or self.today() - timedelta(days=self.sample_days)

    @property
    def landing_dir(self) -> Path:
        return self.data_dir / "landing"

    @property
    def lake_dir(self) -> Path:
        return self.data_dir / "lake"

    @property
    def serving_dir(self) -> Path:
        return self.data_dir / "serving"

    @property
    def sample_dir(self) -> Path:
        return self.data_dir / "sample-city"

    @property
    def scratch_dir(self) -> Path:
        return self.data_dir / "scratch"

    @property
    def has_files(self) -> bool:
        """Whether there is a folder of files to search; a profile that pulls from services needs none."""
        return self.is_sample or self.files is not None or not self.addresses

    @property
    def source_root(self) -> Path:
        """Folder that the file sources search: the sample city, or the folder named by `GRONINGEN_FILES`.

        Raises:
            SettingsError: The profile reads files but no folder is named, or it does not exist.
        """
        if self.is_sample:
            return self.sample_dir
        if self.files is None:
            raise SettingsError(
                f"profile {self.profile}", "no folder of source files is named", "set GRONINGEN_FILES to the folder"
            )
        if not self.files.is_dir():
            raise SettingsError(
                f"profile {self.profile}",
                f"the folder of source files does not exist: {self.files}",
                "set GRONINGEN_FILES to an existing folder",
            )
        return self.files


class _ProfileFile(PydanticBaseSettingsSource):
    """Reads `profiles/<profile>.toml`, the profile being named by argument or environment."""

    def __init__(self, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._init = init_settings

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        name = self._init().get("profile") or os.environ.get("GRONINGEN_PROFILE") or "sample"
        path = PROFILES / f"{name}.toml"
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in PROFILES.glob("*.toml")))
            raise SettingsError(f"profile {name}", "there is no such profile", f"choose one of: {known}")
        return _profile(path)


def _profile(path: Path) -> dict[str, Any]:
    """A profile, with the files of the folder of the same name added: one per source, so that a new source changes no file.

    `addresses_of` names a profile whose addresses count where this one has none.
    """
    found: dict[str, Any] = {}
    for part in (path, *sorted(path.with_suffix("").glob("*.toml"))):
        found = _merged(found, tomllib.loads(part.read_text(encoding="utf-8")))
    other = found.pop("addresses_of", None)
    if other is not None:
        found["addresses"] = _profile(PROFILES / f"{other}.toml")["addresses"] | found.get("addresses", {})
    return found


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both; where both say something the second counts, table by table."""
    tables = {k: _merged(first[k], v) for k, v in second.items() if isinstance(v, dict) and isinstance(first.get(k), dict)}
    return first | second | tables


def load_settings(**overrides: Any) -> Settings:
    """Settings of this process; `None` overrides count as not given.

    Raises:
        SettingsError: A value is impossible; the message names the setting and never shows its value.
    """
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise SettingsError("settings", problems, "see docs/settings.md for each setting and its range") from None
    except UnreadableSetting as error:
        # Its text names the variable and the source, never the value.
        raise SettingsError("settings", str(error), "write it as JSON, as docs/settings.md shows") from None
