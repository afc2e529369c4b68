"""`extensions.yaml`: what people say of each extension of ours, for its definition. Knows no row that uses one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from adapter.catalog.files import Fail, Files, within
from adapter.catalog.rows import Row


@dataclass(frozen=True, slots=True)
class ExtensionText:
    """Title and one sentence; for a complex extension a sentence for each part (``absent``, ``absent.field``)."""

    title: str
    text: str
    parts: Mapping[str, str]
    line: int


def extension_texts(files: Files) -> dict[str, ExtensionText]:
    file = files.root / "extensions.yaml"
    fail = files.fail(file)
    return {name: _text(row, within(fail, name)) for name, row in files.yaml(file).items()}


def _text(row: object, fail: Fail) -> ExtensionText:
    if not isinstance(row, Row) or not {"title", "text"} <= set(row) <= {"title", "text", "parts"}:
        raise fail("has the words title and text, and parts where it is complex")
    parts = row.get("parts", {})
    said = [row["title"], row["text"], *(parts.values() if isinstance(parts, Mapping) else (None,))]
    if not all(isinstance(one, str) and one.strip() for one in said):
        raise fail(f"line {row.line}: title, text and each of the parts are text")
    return ExtensionText(row["title"], row["text"], dict(parts), row.line)
