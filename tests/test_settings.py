"""Settings: defaults, every mistake named by file and key, no secret in the file or in any text."""

import uuid
from pathlib import Path

import pytest

from adapter import settings
from adapter.errors import ConfigError
from adapter.settings import Secret


@pytest.fixture
def write(tmp_path):
    def make(text: str, **env: str):
        file = tmp_path / "hydrofhir.toml"
        file.write_text(text)
        return settings.load({"HYDROFHIR_STATE": str(tmp_path), **env}, file)

    return make


def test_defaults(tmp_path):
    found = settings.load({"HYDROFHIR_STATE": str(tmp_path)})
    assert found.store_url == f"sqlite:///{tmp_path}/store.sqlite"
    assert (found.host, found.port) == ("127.0.0.1", 8080)
    assert found.namespace is None
    assert found.sid == settings.DEFAULT_SID
    assert found.limits.line_bytes == 1024 * 1024
    for name, version in (("hapi-r4", "R4"), ("hapi-r5", "R5")):
        public = found.targets[name]
        assert public.base_url == f"https://hapi.fhir.org/base{version}"
        assert public.synthetic_only
        assert public.pace > 0
        assert public.bundle_entries < 100


def test_a_full_target(write, tmp_path):
    (tmp_path / "ca.pem").write_text("x")
    found = write(
        """
        namespace = "6f1f4a3c-7a44-4f0e-8f5f-0c1f0d3c2b11"
        sid = "https://clinic.example/sid/"
        [limits]
        chunk_records = 50
        [targets.ward]
        base_url = "https://fhir.clinic.example/r4/"
        fhir = "R4"
        auth = "bearer"
        token_env = "WARD_TOKEN"
        ca_bundle = "CA"
        proxy = "http://proxy.example:3128"
        patient = "hospital"
        timezone = "Europe/Vienna"
        concurrency = 2
        pace = 1
        [targets.ward.actors]
        op1 = "Practitioner/77"
        """.replace("CA", str(tmp_path / "ca.pem"))
    )
    ward = found.resolve_target("ward")
    assert ward.base_url == "https://fhir.clinic.example/r4"
    assert ward.secret == Secret(env="WARD_TOKEN")
    assert (ward.patient, ward.timezone, ward.concurrency, ward.pace) == ("hospital", "Europe/Vienna", 2, 1.0)
    assert ward.actors["op1"] == "Practitioner/77"
    assert ward.ledger_key == ward.base_url
    assert found.namespace == uuid.UUID("6f1f4a3c-7a44-4f0e-8f5f-0c1f0d3c2b11")
    assert found.sid == "https://clinic.example/sid"
    assert found.limits.chunk_records == 50


TARGET = '[targets.ward]\nbase_url = "https://a.example/fhir"\nfhir = "R4"\n'


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("stoer = 'x'", "stoer"),
        ("port = 99999", "port"),
        ("port = 'x'", "port"),
        ("port = true", "port"),
        ("host = ''", "host"),
        ("sid = 'no-uri'", "sid"),
        ("namespace = 'x'", "namespace"),
        ("store = 'nowhere.db'", "store"),
        ("store = 'postgresql://u:INLINE@h/db'", "store"),
        ("[limits]\nline_bytes = 0", "limits.line_bytes"),
        ("[limits]\nlines = 1", "limits.lines"),
        ("targets = 5", "targets"),
        ("[targets.'Ward 1']\nfhir = 'R4'", "targets.Ward 1"),
        (TARGET + "fihr = 'R4'", "targets.ward.fihr"),
        (TARGET.replace("R4", "R3"), "targets.ward.fhir"),
        ("[targets.ward]\nfhir = 'R4'", "targets.ward.base_url"),
        (TARGET + "folder = 'x'", "targets.ward.base_url"),
        (TARGET.replace("https://", "https://u:INLINE@"), "targets.ward.base_url"),
        (TARGET.replace("https://a", "ftp://a"), "targets.ward.base_url"),
        (TARGET.replace("/fhir", "/fhir?x=1"), "targets.ward.base_url"),
        (TARGET + "token = 'INLINE'", "targets.ward.token"),
        (TARGET + "password = 'INLINE'", "targets.ward.password"),
        (TARGET + "auth = 'magic'", "targets.ward.auth"),
        (TARGET + "auth = 'bearer'", "targets.ward.token_env"),
        (TARGET + "auth = 'bearer'\ntoken_env = 'A'\ntoken_file = 'b'", "targets.ward.token_env"),
        (TARGET + "auth = 'basic'\npassword_env = 'A'", "targets.ward.user"),
        (TARGET + "auth = 'certificate'", "targets.ward.cert_file"),
        (TARGET + "ca_bundle = '/no/such/file'", "targets.ward.ca_bundle"),
        (TARGET + "proxy = 'http://u:INLINE@p:1'", "targets.ward.proxy"),
        (TARGET + "proxy_env = 'HF_NOT_SET'", "targets.ward.proxy_env"),
        (TARGET + "timezone = 'Mars/Base'", "targets.ward.timezone"),
        (TARGET + "patient = 'theirs'", "targets.ward.patient"),
        (TARGET + "concurrency = 0", "targets.ward.concurrency"),
        (TARGET + "synthetic_only = 'no'", "targets.ward.synthetic_only"),
        (TARGET + "[targets.ward.actors]\nop1 = 'Nurse/1'", "targets.ward.actors.op1"),
        (
            TARGET.replace("https", "http") + "auth = 'bearer'\ntoken_env = 'A'",
            "targets.ward.base_url: legal is https",
        ),
        ("this is not toml", "is not TOML"),
    ],
)
def test_mistakes_are_named(write, text, named):
    with pytest.raises(ConfigError) as caught:
        write(text)
    assert "hydrofhir.toml" in str(caught.value)
    assert named in str(caught.value)
    assert "INLINE" not in str(caught.value)


def test_a_file_that_is_named_must_be_there(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml"):
        settings.load({"HYDROFHIR_CONFIG": str(tmp_path / "none.toml")})


def test_the_file_in_the_current_directory_and_the_environment(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("hydrofhir.toml").write_text("port = 1234\nhost = '0.0.0.0'")
    assert settings.load({}).port == 1234
    env = {"HYDROFHIR_PORT": "4321", "HYDROFHIR_HOST": "::1", "HYDROFHIR_STORE": "sqlite:///x"}
    found = settings.load(env)
    assert (found.port, found.host, found.store_url) == (4321, "::1", "sqlite:///x")
    with pytest.raises(ConfigError, match="HYDROFHIR_PORT"):
        settings.load({"HYDROFHIR_PORT": "0"})


def test_proxy_and_ca_bundle_of_the_environment(write):
    env = {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "b.example", "REQUESTS_CA_BUNDLE": "/ca.pem"}
    text = TARGET + "[targets.near]\nbase_url = 'https://x.b.example/fhir'\nfhir = 'R4'\n"
    text += "[targets.here]\nbase_url = 'http://localhost:8080/fhir'\nfhir = 'R4'\n"
    text += "[targets.off]\nbase_url = 'https://a.example/off'\nfhir = 'R4'\nproxy = 'none'\n"
    found = write(text, **env).targets
    assert (found["ward"].proxy, found["ward"].ca_bundle) == ("http://p:1", Path("/ca.pem"))
    assert [found[name].proxy for name in ("near", "here", "off")] == [None, None, None]
    named = write(TARGET + "proxy_env = 'MY_PROXY'", MY_PROXY="http://u:SECRET@p:1").targets["ward"]
    assert named.proxy == "http://u:SECRET@p:1"
    assert "SECRET" not in repr(named)


def test_targets_by_url_name_and_folder(write, tmp_path):
    found = write(TARGET)
    assert found.resolve_target("ward").name == "ward"
    assert found.resolve_target("https://a.example/fhir/").name == "ward"
    free = found.resolve_target("http://localhost:8080/fhir", "R5")
    assert (free.base_url, free.fhir, free.folder) == ("http://localhost:8080/fhir", "R5", None)
    folder = found.resolve_target(str(tmp_path / "out"), "R4")
    assert (folder.base_url, folder.folder, folder.ledger_key) == (None, tmp_path / "out", f"{tmp_path}/out#R4")
    for argument, version in (("https://b.example/fhir", None), ("./out", None), ("wrad", None), ("ward", "R5")):
        with pytest.raises(ConfigError):
            found.resolve_target(argument, version)
    with pytest.raises(ConfigError, match="R4 and R5"):
        found.resolve_target("ward", "R3")
    for argument in ("https://a.example/fhir", str(tmp_path), "../x"):
        with pytest.raises(ConfigError):
            found.resolve_target(argument, "R4", names_only=True)
    assert found.resolve_target("ward", names_only=True).name == "ward"


def test_secrets_are_read_when_asked_for_and_never_shown(tmp_path, monkeypatch):
    file = tmp_path / "token"
    secret = Secret(file=file)
    with pytest.raises(ConfigError, match="cannot be read"):
        secret.read()
    file.write_text(" one\n")
    assert secret.read() == "one"
    file.write_text("two")
    assert secret.read() == "two"
    assert "two" not in repr(secret)
    file.write_text("")
    with pytest.raises(ConfigError, match="empty"):
        secret.read()
    monkeypatch.setenv("HF_TEST_SECRET", "three")
    assert Secret(env="HF_TEST_SECRET").read() == "three"
    monkeypatch.delenv("HF_TEST_SECRET")
    with pytest.raises(ConfigError, match="HF_TEST_SECRET"):
        Secret(env="HF_TEST_SECRET").read()
