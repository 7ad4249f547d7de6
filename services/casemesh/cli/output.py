"""What a command prints: a result on stdout, everything else on stderr; JSON when asked for.

With --json the result is one JSON value on stdout, and notices, progress and failures are JSON lines on stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from casemesh.cli.messages import Language, text

_FILE_WIDTH = 120
# What others have typed (titles, names) must not steer the reader's terminal, nor break a row in two.
_CONTROLS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}
_IN_CELLS = _CONTROLS | {ord("\n"): " ", ord("\t"): " "}


class Output:
    """Prints for one command, in one language."""

    def __init__(
        self, *, as_json: bool, language: Language, stdout: TextIO | None = None, stderr: TextIO | None = None
    ) -> None:
        self.as_json = as_json
        self.language = language
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr

    def text(self, key: str, **values: object) -> str:
        """Return a message of the catalogue in the user's language."""
        return text(key, self.language, **values)

    def result(self, value: Any, human: str | None = None) -> None:
        """Print the command's result: `value` as JSON, or `human` for people."""
        if self.as_json:
            print(json.dumps(value, ensure_ascii=False, indent=2), file=self.stdout)
        elif human is not None:
            print(human.translate(_CONTROLS), file=self.stdout)

    def notice(self, key: str, **values: object) -> None:
        """Say something in passing."""
        if self.as_json:
            self.event({"event": key, **values})
        else:
            self.complain(self.text(key, **values))

    def complain(self, message: str) -> None:
        """Print a text for people on stderr."""
        print(message.translate(_CONTROLS), file=self.stderr)

    def event(self, value: Mapping[str, object]) -> None:
        """Print one JSON line on stderr."""
        print(json.dumps(value, ensure_ascii=False, default=str), file=self.stderr, flush=True)

    def fields(self, value: Any, rows: Iterable[tuple[str, object]]) -> None:
        """Print one thing: `value` as JSON, or the rows as label and text; rows without text are left out."""
        if self.as_json:
            self.result(value)
            return
        shown = [(label, str(content)) for label, content in rows if content not in ("", None)]
        self.table(None, ["", ""], shown, heading=False)

    def table(
        self, value: Any, headings: Sequence[str], rows: Iterable[Sequence[object]], *, heading: bool = True
    ) -> None:
        """Print a list: `value` as JSON, or the rows under their headings; without a terminal, the rows with tabs."""
        if self.as_json:
            self.result(value)
            return
        if not self.stdout.isatty():
            for row in rows:
                print("\t".join(_cell(cell) for cell in row), file=self.stdout)
            return
        from rich.table import Table

        table = Table(box=None, show_header=heading, header_style="bold", pad_edge=False)
        for index, title in enumerate(headings):
            table.add_column(title, style="dim" if not heading and index == 0 else "", overflow="fold")
        for row in rows:
            table.add_row(*(_cell(cell) for cell in row))
        self.console().print(table)

    def console(self, *, on_stderr: bool = False) -> Any:
        """Return a rich console that treats brackets in data as text, not as markup."""
        from rich.console import Console

        file = self.stderr if on_stderr else self.stdout
        return Console(
            file=file,
            width=None if file.isatty() else _FILE_WIDTH,
            markup=False,
            highlight=False,
            emoji=False,
        )


def _cell(content: object) -> str:
    return str(content).translate(_IN_CELLS)
