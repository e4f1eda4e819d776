"""Where a setting comes from, and what an impossible one is answered with."""

from datetime import UTC, date, datetime

import pytest

from groningen_data import settings as module
from groningen_data.errors import SettingsError
from groningen_data.settings import PROFILES, load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    import os

    for name in [n for n in os.environ if n.startswith("GRONINGEN_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def profile(tmp_path, monkeypatch):
    """A folder of profiles with one more, `made_up`."""
    for path in PROFILES.glob("*.toml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "made_up.toml").write_text('profile = "made_up"\nsample_days = 30\nsample_seed = 7\nthreads = 3\n')
    monkeypatch.setattr(module, "PROFILES", tmp_path)
    return "made_up"


def test_an_argument_goes_before_the_environment_before_the_profile_before_the_default(profile, monkeypatch):
    monkeypatch.setenv("GRONINGEN_SAMPLE_DAYS", "20")
    monkeypatch.setenv("GRONINGEN_SAMPLE_SEED", "8")
    settings = load_settings(profile=profile, sample_days=10)
    assert (settings.sample_days, settings.sample_seed, settings.threads, settings.smtp_port) == (10, 8, 3, 25)


def test_the_profile_may_be_named_in_the_environment_and_an_argument_goes_before_it(profile, monkeypatch):
    monkeypatch.setenv("GRONINGEN_PROFILE", profile)
    assert (load_settings().profile, load_settings().threads) == (profile, 3)
    assert (load_settings(profile="sample").profile, load_settings(profile="sample").threads) == ("sample", 2)


def test_nothing_said_means_the_sample_city():
    assert load_settings().profile == "sample"


@pytest.mark.parametrize("value", [None, ""])
def test_what_is_empty_counts_as_not_given(monkeypatch, value):
    monkeypatch.setenv("GRONINGEN_SAMPLE_DAYS", "")
    assert load_settings(threads=None).threads == 2
    assert load_settings().sample_days == 60


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.toml")), ids=lambda path: path.stem)
def test_each_profile_can_be_loaded(path):
    assert load_settings(profile=path.stem).profile == path.stem


def test_an_unknown_profile_is_refused_and_the_known_ones_are_named():
    with pytest.raises(SettingsError, match=r"profile nowhere: there is no such profile → choose one of: .*real.*sample"):
        load_settings(profile="nowhere")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("municipality_code", "Groningen!"),
        ("sample_days", "1"),
        ("threads", "several"),
        ("writer_wait_s", "-1"),
        ("slice_rows", "10"),
        ("smtp_port", "70000"),
        ("refresh_max_age_h", "0"),
        ("as_of", "last week"),
        ("first_day", "2026-02-30"),
        ("alert_when_fine", "perhaps"),
        ("collection_end", "06:00"),
        ("collection_windows", '{"centrum": ["06:30", "11:00"]}'),
        ("collection_windows", '{"WK001400": ["11:00", "06:30"]}'),
    ],
)
def test_an_impossible_value_is_refused_by_name_and_never_shown(monkeypatch, name, value):
    monkeypatch.setenv(f"GRONINGEN_{name.upper()}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert name in caught.value.problem and "docs/settings.md" in caught.value.way_out
    assert len(value) < 3 or value not in str(caught.value)
    assert caught.value.__suppress_context__


def test_an_unknown_argument_is_refused_without_its_value():
    with pytest.raises(SettingsError, match="datadir") as caught:
        load_settings(datadir="hunter2")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["catalog_uri", "smtp_password", "alert_webhook_url"])
def test_secrets_are_not_shown(monkeypatch, name):
    monkeypatch.setenv(f"GRONINGEN_{name.upper()}", "hunter2")
    settings = load_settings()
    assert getattr(settings, name).get_secret_value() == "hunter2"
    assert "hunter2" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_the_logical_clock_is_what_as_of_says_in_utc():
    settings = load_settings(as_of="2026-03-16T23:30:00+01:00")
    assert settings.now() == datetime(2026, 3, 16, 22, 30, tzinfo=UTC)
    assert settings.today() == date(2026, 3, 16)
    assert load_settings(as_of="2026-03-16T23:30:00").today() == date(2026, 3, 17)
    assert load_settings().now() <= datetime.now(UTC)


def test_folders_are_absolute_and_below_the_data_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings(data_dir="here")
    folders = (settings.landing_dir, settings.lake_dir, settings.serving_dir, settings.sample_dir, settings.scratch_dir)
    assert settings.data_dir == tmp_path.resolve() / "here"
    assert len({*folders}) == 5 and {f.parent for f in folders} == {settings.data_dir}


def test_a_profile_of_files_needs_a_folder_that_exists(tmp_path):
    with pytest.raises(SettingsError, match="no folder of source files is named"):
        _ = load_settings(profile="real").source_root
    with pytest.raises(SettingsError, match="does not exist"):
        _ = load_settings(profile="real", files=tmp_path / "gone").source_root
    assert load_settings(profile="real", files=tmp_path).source_root == tmp_path.resolve()
    assert load_settings(data_dir=tmp_path).source_root == tmp_path.resolve() / "sample-city"


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("GRONINGEN_TIMEZONE", "Mars/Olympus", "timezone"),
        ("GRONINGEN_TIMEZONE", "../etc/passwd", "timezone"),
        ("GRONINGEN_EXTENTS", "NL", "extents"),
    ],
)
def test_an_odd_time_zone_or_extent_is_refused_without_showing_it(monkeypatch, variable, value, said):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert said in str(refused.value)
    assert "Olympus" not in str(refused.value) and "passwd" not in str(refused.value)


@pytest.mark.parametrize("value", ["true", "1", "yes"])
def test_nobody_can_be_approached_as_a_person_and_the_refusal_names_the_law(monkeypatch, value):
    assert load_settings().person_level_outreach is False
    monkeypatch.setenv("GRONINGEN_PERSON_LEVEL_OUTREACH", value)
    with pytest.raises(SettingsError, match=r"person_level_outreach.*36 799.*is not in force.*no name or address"):
        load_settings()


@pytest.mark.parametrize("bounds", [(0.8, 0.9), (1.1, 1.25), (0, 1.25), (1.25, 0.8)])
def test_bounds_of_the_bias_audit_lie_around_one(bounds):
    with pytest.raises(SettingsError, match="must lie around 1"):
        load_settings(bias_ratio_bounds=bounds)
