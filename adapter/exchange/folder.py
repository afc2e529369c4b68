"""A folder as exchange partner, both ways: for sites with no network path, for review, for archives.

Written as an append-only journal of transaction bundles (``bundle-000001.json`` ...), each ready to be posted
to a server, and a ``manifest.json`` with counts and a SHA-256 for every file. Every file appears whole or not
at all, and the manifest is renewed last: what it does not list was not delivered. A resource that is sent
again comes in a later bundle; the later one wins. Reading takes one bundle into memory at a time, and also
takes folders that others have written (bundles of any type, NDJSON, no manifest).
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import codec
from ..errors import CodecError, ConfigError, Stop, VersionMismatch
from ..settings import Target
from .answers import Received, bundle_of, received, resources_in
from .packing import bundles, leave_out
from .parcel import NO_CHANGE, SENT, Outcome, Parcel
from .publish import Definition, Published

MANIFEST = "manifest.json"
_BUNDLE = re.compile(r"bundle-([0-9]{6,})\.json")
_FHIR = {"R4": "4.0.1", "R5": "5.0.0"}
_BATCH = 20
_LINES = 500


class Folder:
    """One folder. ``mapping_version`` goes into the manifest. Not for two writers at once."""

    def __init__(self, target: Target, *, mapping_version: str = "") -> None:
        if target.folder is None:
            raise ConfigError(f"target {target.name}: has no folder")
        self.target, self.path, self.mapping_version = target, target.folder, mapping_version
        self.stopped = False

    def send(
        self, parcels: Iterable[Parcel], before: Callable[[Sequence[Parcel]], None] | None = None
    ) -> Iterator[list[Outcome]]:
        """Write parcels as bundles; outcomes come when the manifest lists them. Same contract as
        ``Sender.send``."""
        self._make()
        manifest = self._manifest() or self._fresh()
        number = self._last_number()
        done: list[Outcome] = []
        written = 0
        for whole in bundles(parcels, self.target.bundle_entries):
            bundle, refused = leave_out(whole, self.target)
            done += refused
            if not bundle:
                continue
            if before is not None:
                before(bundle)
            number += 1
            written += 1
            self._write_bundle(number, bundle, manifest)
            version = str(number)
            done += [
                Outcome(parcel, SENT, (version,) * len(parcel.parts), ("",) * len(parcel.parts)) for parcel in bundle
            ]
            if written % _BATCH == 0:
                self._write_manifest(manifest)
                yield done
                done = []
        if written % _BATCH or not (self.path / MANIFEST).is_file():
            self._write_manifest(manifest)
        if done:
            yield done

    def publish(self, definitions: Sequence[Definition]) -> Iterator[list[Published]]:
        """Write definitions as NDJSON, one file for each type; a file that would be the same is left. They stand in the
        manifest by themselves: who reads records does not meet them."""
        self._make()
        manifest = self._manifest() or self._fresh()
        for kind in dict.fromkeys(one.kind for one in definitions):
            mine = [one for one in definitions if one.kind == kind]
            data = b"".join(codec.dumps(one.resource) + b"\n" for one in mine)
            path = self.path / f"{kind}.ndjson"
            same = path.is_file() and self._bytes(path) == data
            if not same:
                self._write(path.name, data)
            listed = {"name": path.name, "entries": len(mine), "sha256": hashlib.sha256(data).hexdigest()}
            known = [file for file in manifest.get("definitions", ()) if file["name"] != path.name]
            if listed not in manifest.get("definitions", ()):
                manifest["definitions"] = sorted([*known, listed], key=lambda file: str(file["name"]))
                self._write_manifest(manifest)
            yield [Published(one, NO_CHANGE if same else SENT) for one in mine]

    def pages(self, resource_type: str = "", params: Mapping[str, Any] | None = None) -> Iterator[list[Received]]:
        """Resources, bundle by bundle in the order written: of a resource that comes twice the later one
        counts.

        ``resource_type`` leaves out all others; ``params`` are not understood by a folder and ignored.
        ``Stop`` when a file is not what the manifest says.
        """
        for page in self._all_pages():
            kept = [one for one in page if not resource_type or one.get("resourceType") == resource_type]
            if kept:
                yield kept

    def describe(self) -> dict[str, Any]:
        """What ``doctor`` shows: FHIR version, files and resources by type."""
        found = self._manifest() or self._fresh()
        return {
            "folder": str(self.path),
            **{key: found[key] for key in ("fhirVersion", "mappingVersion", "counts")},
        }

    def close(self) -> None:
        """Nothing is kept open."""

    def _all_pages(self) -> Iterator[list[Received]]:
        manifest = self._manifest()
        if manifest is None:
            if not self.path.is_dir():
                raise ConfigError(f"target {self.target.name}: no such folder")
            names = sorted(p.name for p in self.path.iterdir() if p.suffix in (".json", ".ndjson") and p.is_file())
            for name in names:
                yield from self._pages_of(name, None)
            return
        for file in manifest["files"]:
            name = str(file["name"])
            if "/" in name or "\\" in name or name.startswith("."):
                raise Stop(f"target {self.target.name}: the manifest names a file outside the folder")
            yield from self._pages_of(name, str(file["sha256"]))

    def _pages_of(self, name: str, sha256: str | None) -> Iterator[list[Received]]:
        path = self.path / name
        if path.suffix == ".ndjson":
            yield from self._lines(path, sha256)
            return
        data = self._bytes(path)
        if sha256 is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise Stop(f"target {self.target.name}: {name}: is not the file that the manifest lists (sha256)")
        found = self._resource(data, name)
        if found["resourceType"] != "Bundle":
            yield [found]
            return
        try:
            yield resources_in(data)
        except ValueError:
            raise Stop(f"target {self.target.name}: {name}: is not a readable Bundle") from None

    def _lines(self, path: Path, sha256: str | None) -> Iterator[list[Received]]:
        page: list[Received] = []
        try:
            with path.open("rb") as stream:
                if sha256 is not None and hashlib.file_digest(stream, "sha256").hexdigest() != sha256:
                    raise Stop(f"target {self.target.name}: {path.name}: is not the file listed (sha256)")
                stream.seek(0)
                for line in stream:
                    if line.strip():
                        page.append(self._resource(line, path.name))
                    if len(page) >= _LINES:
                        yield page
                        page = []
        except OSError:
            raise Stop(f"target {self.target.name}: {path.name}: cannot be read") from None
        if page:
            yield page

    def _resource(self, text: bytes, name: str) -> Received:
        try:
            found = received(text)
        except CodecError:
            raise Stop(f"target {self.target.name}: {name}: is not JSON, or no object") from None
        if "resourceType" not in found:
            raise Stop(f"target {self.target.name}: {name}: holds what is no FHIR resource")
        return found

    def _decode(self, data: bytes, name: str) -> Any:
        try:
            return codec.loads_wire(data)
        except CodecError:
            raise Stop(f"target {self.target.name}: {name}: is not JSON") from None

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError:
            raise Stop(f"target {self.target.name}: {path.name}: cannot be read") from None

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError:
            raise ConfigError(f"target {self.target.name}: the folder cannot be made") from None

    def _fresh(self) -> dict[str, Any]:
        return {
            "fhirVersion": _FHIR[self.target.fhir],
            "mappingVersion": self.mapping_version,
            "updated": "",
            "counts": {},
            "files": [],
        }

    def _manifest(self) -> dict[str, Any] | None:
        path = self.path / MANIFEST
        if not path.is_file():
            return None
        found = self._decode(self._bytes(path), MANIFEST)
        try:
            good = all(isinstance(file["name"], str) and isinstance(file["sha256"], str) for file in found["files"])
            version = str(found["fhirVersion"])
        except (KeyError, TypeError):
            good, version = False, ""
        if not good:
            raise ConfigError(f"target {self.target.name}: {MANIFEST}: is not a manifest of ours")
        if version != _FHIR[self.target.fhir]:
            raise VersionMismatch(f"target {self.target.name}: the folder is not FHIR {self.target.fhir}")
        return {**self._fresh(), **found}

    def _last_number(self) -> int:
        found = (_BUNDLE.fullmatch(path.name) for path in self.path.iterdir())
        return max((int(match.group(1)) for match in found if match), default=0)

    def _write_bundle(self, number: int, bundle: list[Parcel], manifest: dict[str, Any]) -> None:
        data, count = bundle_of(bundle)
        name = f"bundle-{number:06}.json"
        self._write(name, data)
        sha256 = hashlib.sha256(data).hexdigest()
        manifest["files"].append({"name": name, "entries": count, "bytes": len(data), "sha256": sha256})
        counts = Counter(manifest["counts"])
        counts.update(part[0] for parcel in bundle for part in parcel.parts)
        manifest["counts"] = dict(sorted(counts.items()))

    def _write_manifest(self, manifest: dict[str, Any]) -> None:
        manifest["mappingVersion"] = self.mapping_version
        manifest["updated"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self._write(MANIFEST, codec.dumps_pretty(manifest))

    def _write(self, name: str, data: bytes) -> None:
        """The whole file under its name, or none: written beside it, flushed to the disk, then renamed."""
        aside = self.path / f".{name}.tmp"
        try:
            with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(aside, self.path / name)
        except OSError:
            raise Stop(f"target {self.target.name}: {name}: cannot be written") from None
