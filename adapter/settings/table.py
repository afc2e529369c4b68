"""One table of the configuration file: values asked for by key and kind, what was not asked for refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from adapter.errors import ConfigError


class Table:
    """One TOML table being read: remembers which keys were asked for, so that the rest can be refused by
    name."""

    def __init__(self, raw: dict[str, Any], file: str, prefix: str) -> None:
        self.raw, self.file, self.prefix, self.known = raw, file, prefix, set[str]()

    def fail(self, key: str, legal: str) -> NoReturn:
        raise ConfigError(f"{self.file}: {self.prefix}{key}: legal is {legal}")

    def take(self, key: str, kind: type | tuple[type, ...], legal: str, default: Any) -> Any:
        self.known.add(key)
        value = self.raw.get(key, default)
        if value is not default and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.fail(key, legal)
        return value

    def text(self, key: str, default: Any) -> Any:
        value = self.take(key, str, "text", default)
        if value == "" and default != "":
            self.fail(key, "text that is not empty")
        return value

    def flag(self, key: str, default: bool) -> bool:
        return bool(self.take(key, bool, "true or false", default))

    def choice(self, key: str, legal: tuple[str, ...], default: str | None) -> str:
        value = self.take(key, str, " or ".join(legal), default)
        if value not in legal:
            self.fail(key, " or ".join(legal))
        return str(value)

    def number(self, key: str, default: Any, low: float, high: float) -> Any:
        kind = (int, float) if isinstance(default, float) else int
        legal = f"a number from {low} to {high}"
        value = self.take(key, kind, legal, default)
        if not low <= value <= high:
            self.fail(key, legal)
        return type(default)(value)

    def path(self, key: str) -> Path | None:
        value = self.text(key, None)
        if value is None:
            return None
        found = Path(value).expanduser()
        if not found.is_file():
            self.fail(key, "the path of a file that exists")
        return found

    def table(self, key: str) -> Table:
        return Table(self.take(key, dict, "a table", {}), self.file, f"{self.prefix}{key}.")

    def finish(self) -> None:
        for key in self.raw:
            if key not in self.known:
                self.fail(key, "one of: " + ", ".join(sorted(self.known)) + " (this key is unknown)")
