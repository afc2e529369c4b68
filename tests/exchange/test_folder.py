"""A folder as partner: journal of bundles, manifest last, later wins, damage is noticed."""

import hashlib
import json

import pytest

from adapter.errors import ConfigError, Stop, VersionMismatch
from adapter.exchange import Folder, connect
from adapter.exchange.parcel import SENT
from adapter.settings import Target

from .conftest import parcel


@pytest.fixture
def folder(tmp_path) -> Folder:
    made = connect(Target(name="out", fhir="R4", folder=tmp_path / "out", bundle_entries=4), mapping_version="m1")
    assert isinstance(made, Folder)
    return made


def manifest(folder: Folder) -> dict:
    return json.loads((folder.path / "manifest.json").read_bytes())


def test_round_trip_later_bundles_win(folder):
    parcels = [parcel(f"r{n}", f"Patient/{n}", parts=2) for n in range(5)]
    outcomes = [one for batch in folder.send(parcels) for one in batch]
    assert [one.state for one in outcomes] == [SENT] * 5
    assert outcomes[-1].versions == ("3", "3")
    list(folder.send([parcel("r1", "Patient/1", parts=2, body="changed")]))
    found = {}
    for page in folder.pages():
        assert len(page) <= 4
        found.update({one["id"]: one["text"] for one in page})
    assert len(found) == 10
    assert found["r1-0"] == "changed"
    assert found["r2-0"] == ""


def test_manifest_lists_every_file(folder):
    list(folder.send([parcel(f"r{n}", f"Patient/{n}", parts=2) for n in range(5)]))
    said = manifest(folder)
    assert (said["fhirVersion"], said["mappingVersion"], said["counts"]) == ("4.0.1", "m1", {"Observation": 10})
    assert [file["name"] for file in said["files"]] == [f"bundle-{n:06}.json" for n in (1, 2, 3)]
    assert [file["entries"] for file in said["files"]] == [4, 4, 2]
    for file in said["files"]:
        data = (folder.path / file["name"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
        assert json.loads(data)["type"] == "transaction"
    assert folder.describe()["counts"] == {"Observation": 10}


def test_nothing_is_told_done_before_the_manifest_lists_it(folder):
    for batch in folder.send(parcel(f"r{n}", f"Patient/{n}", parts=4) for n in range(50)):
        files = {file["name"] for file in manifest(folder)["files"]}
        assert {f"bundle-{int(one.versions[0]):06}.json" for one in batch} <= files


def test_a_crash_between_bundle_and_manifest_is_harmless(folder, monkeypatch):
    list(folder.send([parcel("r0", "Patient/0")]))
    with monkeypatch.context() as patch:
        patch.setattr(folder, "_write_manifest", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            list(folder.send([parcel("r1", "Patient/1")]))
    assert [one["id"] for page in folder.pages() for one in page] == ["r0-0"]
    list(folder.send([parcel("r1", "Patient/1")]))
    assert [one["id"] for page in folder.pages() for one in page] == ["r0-0", "r1-0"]
    assert [path.name for path in folder.path.iterdir() if path.name.startswith(".")] == []


def test_a_changed_file_is_noticed(folder):
    list(folder.send([parcel("r0", "Patient/0")]))
    file = folder.path / "bundle-000001.json"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(Stop, match=r"bundle-000001\.json"):
        list(folder.pages())


def test_sending_nothing_new_leaves_the_folder_as_it_is(folder):
    list(folder.send([parcel("r0", "Patient/0")]))
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    assert list(folder.send([])) == []
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before


def test_folders_of_others_are_read(tmp_path):
    (tmp_path / "a.ndjson").write_text('{"resourceType":"Patient","id":"1"}\n\n{"resourceType":"Group","id":"2"}\n')
    entry = [{"resource": {"resourceType": "Patient", "id": "3"}}]
    (tmp_path / "b.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entry}))
    (tmp_path / "c.json").write_text('{"resourceType":"Patient","id":"4"}')
    partner = connect(Target(name="in", fhir="R5", folder=tmp_path))
    assert [one["id"] for page in partner.pages("") for one in page] == ["1", "2", "3", "4"]
    assert [one["id"] for page in partner.pages("Patient") for one in page] == ["1", "3", "4"]
    (tmp_path / "d.json").write_text("[1]")
    with pytest.raises(Stop, match=r"d\.json"):
        list(partner.pages(""))


def test_wrong_version_no_folder_and_foreign_paths(folder, tmp_path):
    list(folder.send([parcel("r0", "Patient/0")]))
    other = connect(Target(name="out", fhir="R5", folder=folder.path))
    with pytest.raises(VersionMismatch):
        list(other.pages(""))
    with pytest.raises(VersionMismatch):
        list(other.send([parcel("r1", "Patient/0")]))
    with pytest.raises(ConfigError):
        list(connect(Target(name="x", fhir="R4", folder=tmp_path / "none")).pages(""))
    said = manifest(folder)
    said["files"][0]["name"] = "../secret.json"
    (folder.path / "manifest.json").write_text(json.dumps(said))
    with pytest.raises(Stop, match="outside"):
        list(folder.pages())
