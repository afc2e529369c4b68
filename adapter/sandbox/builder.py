"""Builds the sandbox's jar with Maven, once for each state of its sources, and finds Java.

A finished build is a folder `<cache>/<hash of the sources>` with `hapi-sandbox.jar` and `lib/`; it appears
whole or not at all, so parallel builds and half-finished ones harm nobody. This module must not know what is
run from it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from adapter.errors import Stop

JAR = "hapi-sandbox.jar"
INSTALL_HINT = (
    "Java 17 or later and Maven are needed; on Debian: apt-get install openjdk-17-jdk-headless maven "
    "(a JRE is enough once the sandbox has been built)"
)
_KEEP_OLD_BUILDS = 24 * 3600  # seconds since last use

Progress = Callable[[str], None]


class SandboxError(Stop):
    """The sandbox cannot be built, started, asked or stopped; the message says what to do."""


def default_state() -> Path:
    """Where the sandbox keeps builds, logs and state: $HYDROFHIR_STATE, else ~/.local/state/hydrofhir."""
    given = os.environ.get("HYDROFHIR_STATE")
    return Path(given) if given else Path.home() / ".local" / "state" / "hydrofhir"


def sources() -> Path:
    """The folder of the Java sources: inside an installed wheel, else in the checkout.

    Raises SandboxError when there is neither.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_data" / "hapi-sandbox", package.parent / "examples" / "hapi-sandbox"):
        if (folder / "pom.xml").is_file():
            return folder
    raise SandboxError("the sources of the sandbox (hapi-sandbox/pom.xml) are not part of this installation")


def sources_hash(folder: Path) -> str:
    """16 hex digits over names and contents of pom.xml and src/; all that decides what a build contains."""
    digest = hashlib.sha256()
    files = [folder / "pom.xml", *sorted(p for p in (folder / "src").rglob("*") if p.is_file())]
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def tool(name: str) -> str:
    """The path of `java`, `javac` (JAVA_HOME comes first) or `mvn`; SandboxError with a hint when missing."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which(name, path=str(Path(home) / "bin")) if home and name != "mvn" else None
    found = found or shutil.which(name)
    if found is None:
        raise SandboxError(f"{name} was not found. {INSTALL_HINT}")
    return found


def missing_tools() -> tuple[str, ...]:
    """Which of java, javac and mvn are not there; empty when the sandbox can be built and run."""
    missing = []
    for name in ("java", "javac", "mvn"):
        try:
            tool(name)
        except SandboxError:
            missing.append(name)
    return tuple(missing)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on the file `path` between processes; waits for whoever has it."""
    try:
        import fcntl
    except ImportError:
        raise SandboxError("the sandbox runs on Linux and macOS only") from None
    private_folder(path.parent)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def private_folder(path: Path) -> Path:
    """Makes the folder, readable by its owner only; SandboxError when that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SandboxError(f"{path} cannot be made: {error.strerror}") from None
    return path


def tail(path: Path, lines: int = 30) -> str:
    """The last lines of a log without Java's stack frames, for a message; empty when there is no log."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - 100_000))
            text = handle.read().decode("utf-8", "replace")
    except OSError:
        return ""
    told = [line for line in text.splitlines() if not line.startswith(("\tat ", "\t... "))]
    return "\n".join(told[-lines:])


def build(cache: Path | None = None, *, progress: Progress | None = None, timeout: float = 1800) -> Path:
    """Builds the sandbox unless this state of the sources has been built already.

    `cache` is the folder of builds (default: `hapi-sandbox` in the state directory); `timeout` in seconds
    covers the first download of some 350 MB. Returns the folder that holds the jar. Raises SandboxError.
    """
    origin = sources()
    cache = cache or default_state() / "hapi-sandbox"
    done = cache / sources_hash(origin)
    if not (done / JAR).is_file():
        with locked(cache / "build.lock"):
            if not (done / JAR).is_file():
                _build(origin, cache, done, progress or (lambda _: None), timeout)
    os.utime(done)
    return done


def _build(origin: Path, cache: Path, done: Path, progress: Progress, timeout: float) -> None:
    tool("java")
    tool("javac")
    command = [tool("mvn"), "-B", "-q", "package"]
    work = cache / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    shutil.copy(origin / "pom.xml", work)
    shutil.copytree(origin / "src", work / "src")
    log = cache / "build.log"
    progress("building the sandbox (the first time, Maven downloads about 350 MB)")
    begun = time.monotonic()
    try:
        with log.open("wb") as output:
            result = subprocess.run(  # noqa: S603
                command,
                cwd=work,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise SandboxError(f"Maven did not finish within {timeout:.0f} s; its log is {log}") from None
    if result.returncode != 0:
        raise SandboxError(f"Maven failed. {INSTALL_HINT}. The end of {log}:\n{tail(log)}")
    target = work / "target"
    for old in target.iterdir():
        if old.name not in (JAR, "lib"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    shutil.rmtree(done, ignore_errors=True)
    target.rename(done)
    shutil.rmtree(work)
    _remove_old(cache, done)
    progress(f"built in {time.monotonic() - begun:.0f} s")


def _remove_old(cache: Path, current: Path) -> None:
    """Removes builds of other sources that nobody has started for a day."""
    for folder in cache.iterdir():
        if (folder / JAR).is_file() and folder != current:
            age = time.time() - folder.stat().st_mtime
            if age > _KEEP_OLD_BUILDS:
                shutil.rmtree(folder, ignore_errors=True)
