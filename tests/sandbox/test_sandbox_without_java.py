"""What the sandbox does around Java, with small shell scripts in the place of java, javac and mvn."""

import json
import os
import subprocess
import threading
from pathlib import Path

import pytest

from adapter import sandbox
from adapter.errors import Stop

MVN = """#!/bin/sh
echo run >> "{count}"
sleep 0.3
mkdir -p target/lib target/classes
touch target/lib/a.jar target/hapi-sandbox.jar target/classes/A.class
"""


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder that stands first on the path; returns a function that puts a script into it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("JAVA_HOME", raising=False)

    def script(name: str, text: str = "#!/bin/sh\n") -> None:
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)

    script("java")
    script("javac")
    script("mvn", MVN.format(count=tmp_path / "runs"))
    return script


@pytest.fixture
def sources(tmp_path, monkeypatch):
    folder = tmp_path / "sources"
    (folder / "src").mkdir(parents=True)
    (folder / "pom.xml").write_text("<project/>")
    (folder / "src" / "A.java").write_text("class A {}")
    monkeypatch.setattr("adapter.sandbox.builder.sources", lambda: folder)
    return folder


def runs(tmp_path: Path) -> int:
    return len((tmp_path / "runs").read_text().splitlines())


def test_builds_again_only_when_the_sources_change(tools, sources, tmp_path):
    first = sandbox.build(tmp_path / "cache")
    assert sandbox.build(tmp_path / "cache") == first
    assert runs(tmp_path) == 1
    assert sorted(p.name for p in first.iterdir()) == ["hapi-sandbox.jar", "lib"]

    (sources / "src" / "A.java").write_text("class A { }")
    assert sandbox.build(tmp_path / "cache") != first
    assert runs(tmp_path) == 2
    assert (first / "hapi-sandbox.jar").exists(), "a server may still run from it"


def test_a_build_unused_for_days_makes_room(tools, sources, tmp_path):
    first = sandbox.build(tmp_path / "cache")
    os.utime(first, (0, 0))
    (sources / "pom.xml").write_text("<project></project>")
    sandbox.build(tmp_path / "cache")
    assert not first.exists()


def test_parallel_builds_do_the_work_once(tools, sources, tmp_path):
    homes: list[Path] = []
    threads = [threading.Thread(target=lambda: homes.append(sandbox.build(tmp_path / "cache"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(homes) == 3
    assert len(set(homes)) == 1
    assert runs(tmp_path) == 1


def test_a_failing_build_shows_the_end_of_mavens_log(tools, sources, tmp_path):
    tools("mvn", "#!/bin/sh\necho 'package x does not exist'\nexit 1\n")
    with pytest.raises(sandbox.SandboxError, match="package x does not exist"):
        sandbox.build(tmp_path / "cache")
    tools("mvn", MVN.format(count=tmp_path / "runs"))
    assert (sandbox.build(tmp_path / "cache") / "hapi-sandbox.jar").exists()


def test_missing_tools_are_named_with_a_remedy(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert sandbox.missing_tools() == ("java", "javac", "mvn")
    with pytest.raises(Stop, match=r"java was not found.*apt-get install openjdk-17"):
        sandbox.build(tmp_path / "cache")


def test_the_checkout_holds_the_sources():
    from adapter.sandbox.builder import sources

    folder = sources()
    assert (folder / "src" / "main" / "resources" / "application.properties").is_file()
    assert "server.address=127.0.0.1" in (folder / "src" / "main" / "resources" / "application.properties").read_text(
        "utf-8"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"version": "R4B"}, "R4 or R5"),
        ({"version": "R4", "id_policy": "SOME"}, "NOT_ALLOWED"),
        ({"version": "R4", "heap": "1 GB"}, "such as 1g"),
        ({"version": "R4", "db": "jdbc:mysql://h/d"}, "jdbc:postgresql:"),
        ({"version": "R4", "switches": {"spring.datasource.url": "x"}}, "unknown switch"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_built(tools, sources, tmp_path, arguments, message):
    with pytest.raises(sandbox.SandboxError, match=message):
        sandbox.up(**arguments, state=tmp_path, cache=tmp_path / "cache")
    assert not (tmp_path / "runs").exists()


def test_a_server_that_dies_shows_its_log_and_leaves_no_state(tools, sources, tmp_path):
    tools(
        "java",
        "#!/bin/sh\necho 'OutOfMemory: Java heap space'\nprintf '\\tat a.B.c\\n%.0s' $(seq 50)\nexit 3\n",
    )
    with pytest.raises(sandbox.SandboxError, match="Java heap space"):
        sandbox.up("R4", state=tmp_path / "state", cache=tmp_path / "cache")
    assert sandbox.status(tmp_path / "state") == []
    assert list((tmp_path / "state" / "sandbox").glob("*.json")) == []


def test_a_server_that_never_answers_is_stopped(tools, sources, tmp_path, monkeypatch):
    monkeypatch.setenv("SPRING_DATASOURCE_URL", "jdbc:postgresql://elsewhere/real")
    (tmp_path / "sleeper").write_text("import os, time\nprint(dict(os.environ), flush=True)\ntime.sleep(60)\n")
    tools("java", f'#!/bin/sh\nexec python3 {tmp_path / "sleeper"} "$@"\n')
    with pytest.raises(sandbox.SandboxError, match=r"did not answer within 1 s"):
        sandbox.up("R4", state=tmp_path / "state", cache=tmp_path / "cache", wait=1)
    assert sandbox.status(tmp_path / "state") == []
    (log,) = (tmp_path / "state" / "sandbox").glob("*.log")
    assert "PATH" in log.read_text("utf-8")
    assert "SPRING_DATASOURCE_URL" not in log.read_text("utf-8"), "no database comes in by accident"


def test_a_port_in_use_is_refused(tools, sources, tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(sandbox.SandboxError, match=f"port {port} is not free"):
            sandbox.up("R4", port, state=tmp_path / "state", cache=tmp_path / "cache")


def test_a_process_id_that_somebody_else_has_now_is_left_alone(tmp_path):
    folder = tmp_path / "sandbox"
    folder.mkdir()
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        try:
            record = {
                "pid": stranger.pid,
                "base_url": "http://127.0.0.1:1/fhir",
                "version": "R4",
                "log_path": "x.log",
                "port": 1,
                "token": "0" * 32,
                "options": "",
            }
            (folder / "1.json").write_text(json.dumps(record))
            (folder / "2.json").write_text("{not json")
            assert sandbox.down("R4", tmp_path) == []
            assert stranger.poll() is None
            assert list(folder.glob("*.json")) == []
        finally:
            stranger.kill()


def test_down_refuses_what_is_neither_a_release_nor_a_port(tmp_path):
    with pytest.raises(sandbox.SandboxError, match="R4, R5 or a port"):
        sandbox.down("R6", tmp_path)


def test_a_password_is_never_shown():
    assert "geheim" not in repr(sandbox.Database("jdbc:postgresql://h/d", "u", "geheim"))


def test_a_validator_that_dies_says_so(tools, sources, tmp_path):
    tools("java", "#!/bin/sh\necho 'no such class' >&2\nexit 1\n")
    with (
        sandbox.Validator("R4", cache=tmp_path / "cache") as validator,
        pytest.raises(sandbox.SandboxError, match="no such class"),
    ):
        validator.check(b"{}")
