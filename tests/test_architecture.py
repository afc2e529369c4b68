"""The rules of the house, read from its imports: who may use whom, where third-party libraries live, what is too long.

Every arrow that is not inside one room, or down to the four modules below all rooms, stands in ARROWS with its reason.
A row that nothing uses any more fails too, so that the tables stay true. The checker is a function of a folder: small
houses built for the purpose show that it sees what it should.
"""

from __future__ import annotations

import ast
import re
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import adapter

HOUSE = Path(adapter.__file__).parent
BELOW = ("codec", "catalog", "settings", "errors")

# importer -> what it may import besides its own room and BELOW -> why. A name stands for all that is under it.
ARROWS: dict[str, dict[str, str]] = {
    "exchange.answers": {
        "fhir.bundle": "reads a transaction answer entry by entry, and builds what is sent",
        "fhir.outcome": "digs the useful, safe sentence out of an OperationOutcome",
    },
    "assembly": {
        "records": "schemas are handed to mapping, which must not know them by itself",
        "mapping": "loads and proves it",
        "fhir.ids": "makes resource ids",
        "fhir.versions": "FHIR models are handed to mapping",
        "definitions": "made of mappings and record fields, when asked for",
    },
    "definitions": {
        "mapping": "read off its compiled trees, so that what is published cannot differ from what is sent",
    },
    "publish": {
        "assembly": "where definitions come from",
        "exchange": "loads them into a partner",
        "report": "how it went",
    },
    "neighbours": {
        "measures": "dates, windows and doses: one arithmetic for what is derived and what is ruled",
        "records.procedure_rules": "which class an agent is of",
    },
    "mill": {
        "assembly": "what it turns",
        "records": "a record that came back is validated again",
        "mapping": "names what a pool of resources gives (Found)",
        "receiver": "what the target wants differently",
        "fhir.gate": "nothing leaves unchecked",
    },
    "scope": {
        "exchange": "asks a partner, page by page",
        "mapping.literal": "whose resource it is, by the grammar of references",
        "mapping.mapper": "which resource types there are is told by the mappings",
        "mill": "the mappings of one version; strangers",
        "store": "cursor and staged resources",
    },
    "gather": {
        "fhir.safe": "a foreign resource is looked at before a mapping walks it",
        "mapping": "pools, and which part of which record a resource is",
        "mill": "resources to validated records",
        "report": "how it went",
        "store": "where resources wait for the rest of their record",
    },
    "admission": {
        "circles": "the neighbours of a chunk, and their flags",
        "neighbours": "rules between records",
        "report": "what was refused, what waits",
        "store": "versions kept; what waits",
    },
    "circles": {
        "neighbours": "rules between records",
        "records": "what is unusual in a record by itself is a flag too",
        "report": "what was flagged",
        "store": "a subject's records, studies, flags",
    },
    "derivation": {
        "measures": "what follows from a subject's records",
        "records": "a derived value is a record too",
        "report": "how it went",
        "store": "who is due; records in and out",
    },
    "pipeline": {
        "admission": "who is let in",
        "gather": "resources to records, the second half of a pull",
        "records": "intake, keys",
        "store": "records land there first; ledger, staging",
        "exchange.parcel": "what is sent, what became of it",
        "mill": "record to resources and back",
        "scope": "what a pull asks for",
        "report": "how it went",
    },
    "files": {
        "gather": "resources to records",
        "records": "reads the pieces of a file",
        "fhir.bundle": "collection Bundles, in and out",
        "store": "spills resources to disk to bring graphs together",
        "mill": "record to resources and back",
        "scope": "whose resource it is",
        "pipeline": "keeps what was mapped back",
        "report": "how it went",
    },
    "processes": {
        "assembly": "each worker joins the parts once",
        "mill": "each worker has one",
        "files": "the work of one chunk",
        "records.split": "pieces of a file, as bytes",
    },
    "demo": {
        "assembly": "with the fixed namespace of the demo",
        "derivation": "what follows from the records travels with them",
        "records": "intake; which fields are derived",
        "mill": "one per version",
        "pipeline": "the journeys it shows",
        "exchange": "the server or folder in the middle",
        "store": "two stores that must be equal in the end",
        "synthetic": "where the records come from",
        "sandbox": "starts a server when none is given",
        "picture": "pain curves from what came back",
        "files": "files appear whole or not at all",
        "report": "how it went",
    },
    "synthetic": {"records": "field names, ids and offsets as intake derives them"},
    "receiver": {},
    "report": {},
    "picture": {},
    "sandbox": {},  # stands alone: it could be lifted out
    "cli": {"commands": "the thin shell around them"},
    "commands": {
        "app": "serve",
        "assembly": "check, map, push: with the namespace of this installation",
        "derivation": "push",
        "demo": "demo",
        "exchange": "connects to a target",
        "files": "map, unmap; output of derive",
        "measures": "derive",
        "mill": "map, unmap, push, pull",
        "pipeline": "push, pull",
        "processes": "map of large files",
        "publish": "push of definitions",
        "records": "schema; reading the input",
        "report": "what is shown",
        "sandbox": "sandbox, doctor",
        "scope": "what a pull asks for",
        "store": "opens the store of this installation",
        "synthetic": "generate",
    },
    "app": {
        "assembly": "joined once, at the start",
        "exchange": "how the service connects to a target",
        "mill": "one per version",
        "scope": "what a partner is",
        "store": "opens the store of this installation",
        "web": "blueprints, errors, traffic",
    },
    "web": {
        "derivation": "push",
        "fhir": "gate for what comes in; Bundle and OperationOutcome in and out",
        "gather": "resources to records, bounded",
        "mill": "map, unmap",
        "pipeline": "push, pull",
        "records": "schemas; strict intake of a body",
        "report": "what is answered",
        "scope": "what a pull asks for",
        "store": "keeps what comes in",
    },
}

# the package's own version is the one thing in adapter/__init__.py that others may ask for
ROOT_USERS = ("commands", "web")

# library -> where it may be imported -> why
HOMES: dict[str, dict[str, str]] = {
    "alembic": {"store": "migrations"},
    "click": {"commands": "the command line"},
    "fhir": {"fhir": "fhir.resources, the door to the models"},
    "flask": {"web": "HTTP", "app": "makes the application"},
    "flask_smorest": {"web": "HTTP, OpenAPI"},
    "marshmallow": {"records": "schemas are the definition", "web": "schemas of requests and answers"},
    "matplotlib": {"picture": "pain curves"},
    "msgspec": {
        "codec": "exact and fast JSON",
        "fhir.gate": "the compiled check decodes into structs",
        "fhir.rules": "tells unset from null in those structs",
        "fhir.structs": "structs generated from model metadata",
    },
    "requests": {"exchange": "the wire"},
    "rich": {"commands": "progress and tables on a terminal"},
    "sqlalchemy": {"store": "the database"},
    "urllib3": {"exchange.wire": "exceptions of requests' lower layer, which requests lets through"},
    "waitress": {"commands.local": "serve"},
    "werkzeug": {"web": "HTTP exceptions of flask"},
    "yaml": {"catalog": "reads mappings/"},
}

# who reads the environment -> why
ENVIRONMENT = {
    "settings": "the one reader",
    "settings.target": "a secret is read anew each time it is used",
    "sandbox.builder": "stands alone: JAVA_HOME, and where its builds are kept",
    "sandbox.process": "hands the environment on to Java, without variables that would change the server",
}

# modules of more than LONG lines -> why they are not cut
LONG = 300
LONG_MODULES: dict[str, str] = {}


@dataclass
class Module:
    """One module: its dotted name below ``adapter`` ("" for the package itself) and what its source says."""

    name: str
    path: Path
    tree: ast.Module
    lines: int
    imports: set[str] = field(default_factory=set)  # dotted names below adapter
    libraries: set[str] = field(default_factory=set)

    @property
    def unit(self) -> str:
        return self.name.partition(".")[0]


def house(folder: Path) -> dict[str, Module]:
    """Every module below ``folder``, by name, with its imports resolved (relative ones, and those inside functions)."""
    found: dict[str, Module] = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, path, ast.parse(text), text.count("\n"))
    for module in found.values():
        for target in _targets(module, set(found)):
            head, _, rest = target.partition(".")
            if head == "adapter":
                module.imports.add(rest)
            elif head not in sys.stdlib_module_names:
                module.libraries.add(head)
    return found


def _targets(module: Module, known: set[str]) -> Iterator[str]:
    package = ["adapter", *([p for p in module.name.split(".") if p])]
    if module.path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            where = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                below = f"{where}.{alias.name}".removeprefix("adapter.")
                yield f"adapter.{below}" if where.startswith("adapter") and below in known else where
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            first = node.args[0] if node.args else None
            yield first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else "dynamic-import"


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def under(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def rows_for(table: Mapping[str, dict[str, str]], name: str) -> Iterator[tuple[str, str]]:
    """(importer, imported) rows of a table that speak of module ``name``."""
    for importer, allowed in table.items():
        if under(name, importer):
            yield from ((importer, imported) for imported in allowed)


def forbidden_arrows(
    modules: Mapping[str, Module], arrows: Mapping[str, dict[str, str]] = ARROWS
) -> tuple[list[str], set[tuple[str, str]]]:
    """Imports inside the house that no rule allows, as ``importer -> imported``; and the rows that were needed."""
    wrong, used = [], set()
    for module in modules.values():
        for target in sorted(module.imports):
            unit = target.partition(".")[0]
            if module.unit == unit and module.name:
                continue
            if not target:  # the package itself
                allowed = any(under(module.name, user) for user in ROOT_USERS)
            elif unit in BELOW:
                allowed = module.unit not in BELOW or unit == "errors"
            else:
                fits = [row for row in rows_for(arrows, module.name) if under(target, row[1])]
                used.update(fits)
                allowed = bool(fits)
            if not allowed:
                wrong.append(f"{module.name or '__init__'} -> {target or 'adapter'}")
    return wrong, used


def homeless_libraries(
    modules: Mapping[str, Module], homes: Mapping[str, dict[str, str]] = HOMES
) -> tuple[list[str], set[tuple[str, str]]]:
    """Third-party imports away from the library's home, and the rows of the table that were needed."""
    wrong, used = [], set()
    for module in modules.values():
        for library in sorted(module.libraries):
            fits = [(library, home) for home in homes.get(library, {}) if under(module.name, home)]
            used.update(fits)
            if not fits:
                wrong.append(f"{module.name or '__init__'} -> {library}")
    return wrong, used


def environment_readers(modules: Mapping[str, Module]) -> set[str]:
    """Modules that touch os.environ or os.getenv."""
    names = {"environ", "environb", "getenv"}
    return {
        module.name
        for module in modules.values()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in names and getattr(node.value, "id", "") == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {a.name for a in node.names})
    }


def cycles(modules: Mapping[str, Module]) -> list[str]:
    """Units (rooms and top-level modules) on a ring of imports; the package itself is no unit."""
    edges: dict[str, set[str]] = {}
    for module in modules.values():
        edges.setdefault(module.unit, set()).update(t.partition(".")[0] for t in module.imports)
    edges = {unit: {t for t in to if t and t != unit} for unit, to in edges.items() if unit}
    while free := [unit for unit, to in edges.items() if not to & edges.keys()]:
        for unit in free:
            del edges[unit]
    while free := [unit for unit in edges if not any(unit in to for to in edges.values())]:
        for unit in free:  # only above a ring, not on it
            del edges[unit]
    return sorted(edges)


def undocumented(modules: Mapping[str, Module]) -> list[str]:
    return [m.name for m in modules.values() if m.tree.body and not (ast.get_docstring(m.tree) or "").strip()]


def mapped_names(docstring: str) -> set[str]:
    """The rooms (``name/``) and modules (``name.py``) that the map of the house draws."""
    return set(re.findall(r"^ {4}([a-z_]+(?:/|\.py))(?= |$)", docstring, re.MULTILINE))


def standing_names(folder: Path) -> set[str]:
    rooms = {f"{p.name}/" for p in folder.iterdir() if (p / "__init__.py").is_file()}
    return rooms | {p.name for p in folder.glob("*.py")}


MODULES = house(HOUSE)


# -- the house as it stands ---------------------------------------------------------------------------------------


def test_arrows_point_down() -> None:
    wrong, used = forbidden_arrows(MODULES)
    assert not wrong, "imports that ARROWS does not allow: " + ", ".join(wrong)
    idle = {(a, b) for a, rows in ARROWS.items() for b in rows} - used
    idle = {(a, b) for a, b in idle if a.partition(".")[0] in {m.unit for m in MODULES.values()}}
    assert not idle, f"rows of ARROWS that nothing uses any more: {sorted(idle)}"


def test_every_unit_has_its_place() -> None:
    """A new room or module says in ARROWS what it may import, or is a plain room that may import nothing."""
    plain = {"records", "measures", "mapping", "fhir", "store"}
    known = {a.partition(".")[0] for a in ARROWS} | plain | set(BELOW) | {""}
    assert {m.unit for m in MODULES.values()} == known


def test_no_ring_of_imports() -> None:
    assert cycles(MODULES) == []


def test_libraries_have_one_home() -> None:
    wrong, used = homeless_libraries(MODULES)
    assert not wrong, "libraries away from home: " + ", ".join(wrong)
    idle = {(library, home) for library, homes in HOMES.items() for home in homes} - used
    assert not idle, f"rows of HOMES that nothing uses any more: {sorted(idle)}"


def test_the_environment_has_one_reader() -> None:
    assert environment_readers(MODULES) == set(ENVIRONMENT)


def test_every_module_says_what_it_is_for() -> None:
    assert undocumented(MODULES) == []


def test_long_modules_have_a_reason() -> None:
    assert {m.name for m in MODULES.values() if m.lines > LONG} == set(LONG_MODULES)


def test_the_map_of_the_house_is_true() -> None:
    assert mapped_names(adapter.__doc__ or "") == standing_names(HOUSE)


def test_the_version_is_the_one_of_the_package() -> None:
    project = tomllib.loads((HOUSE.parent / "pyproject.toml").read_text())["project"]
    assert adapter.__version__ == project["version"]


# -- the checker sees what it should ------------------------------------------------------------------------------


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """A legal house in small."""
    files = {
        "__init__.py": '"""Map.\n\n    errors.py   errors\n    fhir/       shapes\n    exchange/   the wire\n"""',
        "errors.py": '"""Errors."""',
        "codec.py": '"""JSON."""\nimport msgspec\nfrom adapter.errors import X',
        "settings.py": '"""Settings."""\nimport os\nHERE = os.environ.get("A")',
        "fhir/__init__.py": '"""Shapes."""',
        "fhir/bundle.py": '"""Bundles."""\nfrom adapter import codec\nfrom ..errors import X',
        "fhir/gate.py": '"""Gate."""\nimport msgspec\nfrom adapter.fhir import bundle',
        "exchange/__init__.py": '"""Wire."""',
        "exchange/answers.py": '"""Answers."""\nfrom ..fhir import bundle as b\nimport requests',
        "mapping/__init__.py": '"""Mapping."""',
        "mapping/mapper.py": '"""Mapper."""\nfrom adapter.errors import X',
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
    return tmp_path


def test_a_legal_house_passes(small_house: Path) -> None:
    modules = house(small_house)
    assert forbidden_arrows(modules) == ([], {("exchange.answers", "fhir.bundle")})
    assert homeless_libraries(modules)[0] == []
    assert environment_readers(modules) == {"settings"}
    assert cycles(modules) == []
    assert undocumented(modules) == []


MUTATIONS = {
    "a sibling": ("mapping/mapper.py", "from adapter.fhir import bundle", "mapping.mapper -> fhir.bundle"),
    "a sibling, relative": ("mapping/mapper.py", "from ..fhir.bundle import B", "mapping.mapper -> fhir.bundle"),
    "a sibling, whole room": ("mapping/mapper.py", "from adapter import fhir", "mapping.mapper -> fhir"),
    "a sibling, plain import": ("mapping/mapper.py", "import adapter.fhir.gate", "mapping.mapper -> fhir.gate"),
    "a sibling, late": (
        "mapping/mapper.py",
        "def f():\n    from adapter.exchange import answers",
        "mapping.mapper -> exchange.answers",
    ),
    "a sibling, for types only": (
        "mapping/mapper.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from adapter.fhir.gate import Gate",
        "mapping.mapper -> fhir.gate",
    ),
    "a sibling, by name": (
        "mapping/mapper.py",
        'import importlib\nimportlib.import_module("adapter.fhir.gate")',
        "mapping.mapper -> fhir.gate",
    ),
    "beyond the exception": ("exchange/answers.py", "from ..fhir import gate", "exchange.answers -> fhir.gate"),
    "another module of the room": (
        "exchange/__init__.py",
        "from adapter.fhir import bundle",
        "exchange -> fhir.bundle",
    ),
    "upwards": ("codec.py", "from adapter.fhir import bundle", "codec -> fhir.bundle"),
    "sideways at the bottom": ("errors.py", "from adapter import settings", "errors -> settings"),
    "the package from a room": ("fhir/gate.py", "from adapter import __version__", "fhir.gate -> adapter"),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_forbidden_import_is_seen(name: str, small_house: Path) -> None:
    file, line, arrow = MUTATIONS[name]
    path = small_house / file
    path.write_text(f"{path.read_text()}{line}\n")
    assert arrow in forbidden_arrows(house(small_house))[0]


@pytest.mark.parametrize(
    ("file", "line", "arrow"),
    [
        ("mapping/mapper.py", "import requests", "mapping.mapper -> requests"),
        ("mapping/mapper.py", "from fhir.resources import patient", "mapping.mapper -> fhir"),
        ("exchange/answers.py", "import numpy.linalg", "exchange.answers -> numpy"),
        ("fhir/bundle.py", "def f():\n    import msgspec", "fhir.bundle -> msgspec"),
        ("fhir/bundle.py", "import importlib\nimportlib.import_module(name)", "fhir.bundle -> dynamic-import"),
    ],
)
def test_a_library_away_from_home_is_seen(file: str, line: str, arrow: str, small_house: Path) -> None:
    path = small_house / file
    path.write_text(f"{path.read_text()}{line}\n")
    assert homeless_libraries(house(small_house))[0] == [arrow]


@pytest.mark.parametrize("line", ["import os\nos.getenv('A')", "from os import environ", "import os\nx = os.environ"])
def test_a_second_reader_of_the_environment_is_seen(line: str, small_house: Path) -> None:
    (small_house / "fhir" / "gate.py").write_text(f'"""Gate."""\n{line}\n')
    assert environment_readers(house(small_house)) == {"settings", "fhir.gate"}


def test_a_ring_is_seen(small_house: Path) -> None:
    (small_house / "fhir" / "gate.py").write_text('"""Gate."""\nfrom adapter.exchange import answers\n')
    assert cycles(house(small_house)) == ["exchange", "fhir"]


def test_a_module_without_words_is_seen(small_house: Path) -> None:
    (small_house / "fhir" / "gate.py").write_text("X = 1\n")
    (small_house / "fhir" / "empty.py").write_text("")
    assert undocumented(house(small_house)) == ["fhir.gate"]


def test_the_map_is_read_line_by_line(small_house: Path) -> None:
    text = ast.get_docstring(house(small_house)[""].tree, clean=False) or ""
    assert mapped_names(text) == {"errors.py", "fhir/", "exchange/"}
    assert standing_names(small_house) - mapped_names(text) == {"__init__.py", "codec.py", "settings.py", "mapping/"}
    assert mapped_names(textwrap.indent("ghosts/  a room that is not there", "    ")) == {"ghosts/"}
