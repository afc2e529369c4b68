"""The command `hydrofhir`: a thin shell around `adapter.commands`, so that no traceback reaches anybody.

The commands are imported inside the guard: even a Ctrl-C while Python is still loading ends with one line.
"""

from __future__ import annotations

import signal
import sys
from typing import Any


def main() -> None:
    """Run the command line; ends with an exit code of decisions 26: 0, 1, 2, 3 or 4."""
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        from adapter.commands import hydrofhir

        hydrofhir(prog_name="hydrofhir")
    except KeyboardInterrupt:
        print("hydrofhir: interrupted before the command began", file=sys.stderr)
        sys.exit(3)


def _interrupt(*_: Any) -> None:
    """A polite request to end is a Ctrl-C: files and servers are left as that leaves them."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
