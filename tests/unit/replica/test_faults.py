"""The switches of the replica's faults."""

import httpx
import pytest

from groningen_data.errors import SettingsError
from groningen_data.replica.app import all_services, running
from groningen_data.replica.faults import KINDS, Fault, Faults, parsed
from groningen_data.settings import PROFILES, load_settings


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("error", Fault("error")),
        ("too_many@opendata.cbs.nl*2=3", Fault("too_many", "opendata.cbs.nl", 2, "3")),
        ("drift@api.pdok.nl/cbs=naam:name", Fault("drift", "api.pdok.nl/cbs", None, "naam:name")),
    ],
)
def test_a_fault_is_written_in_the_shell(text, fault):
    assert parsed(text) == fault


@pytest.mark.parametrize("text", ["flood", "error*many", ""])
def test_no_fault(text):
    with pytest.raises(SettingsError):
        parsed(text)


def test_a_fault_is_met_so_many_times_and_where_it_is():
    faults = Faults(Fault("error", "a.nl", 1), Fault("slow"))
    assert faults.met("/b.nl/x", "error") is None
    assert faults.met("/a.nl/x", "error") is not None
    assert faults.met("/a.nl/x", "error") is None
    assert faults.met("/a.nl/x", "slow") is not None


def test_each_kind_is_explained():
    assert all(KINDS.values())


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    settings = load_settings(profile="replica", data_dir=tmp_path_factory.mktemp("replica"), sample_days=2)
    with running(settings) as url, httpx.Client(base_url=url) as client:
        yield client


def test_faults_are_switched_while_it_runs(replica):
    path = "/www.daggegevens.knmi.nl/klimatologie/daggegevens?fmt=json"
    assert replica.get(path).status_code == 200
    assert replica.post("/_replica/faults", json={"kind": "error", "times": 1}).status_code == 200
    assert [replica.get(path).status_code for _ in range(2)] == [500, 200]
    assert replica.post("/_replica/faults", json={"kind": "flood"}).status_code == 400
    assert replica.delete("/_replica/faults").json() == {"faults": []}


def test_what_it_does_not_stand_in_for_is_not_there(replica):
    assert replica.get("/example.org/").status_code == 404


def test_every_address_of_the_profile_has_a_stand_in():
    addresses = load_settings(profile="replica").addresses
    hosts = {host for service in all_services() for host in service.hosts}
    assert {httpx.URL(url).host for url in addresses.values()} <= hosts


def test_live_and_replica_have_the_same_public_addresses():
    live, replica = load_settings(profile="live").addresses, load_settings(profile="replica").addresses
    assert live.items() <= replica.items()
    assert (PROFILES / "live").is_dir()
