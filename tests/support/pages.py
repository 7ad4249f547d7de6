"""The commands in guides: fenced `sh` blocks, those to be run marked `sh run`."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import typer

from casemesh.cli import daemon, main

_BLOCK = re.compile(r"^(?P<lead> *)```sh(?P<run> run)?\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)
PROGRAMS = {"casemesh": typer.main.get_command(main.app), "casemeshd": typer.main.get_command(daemon.app)}


def blocks(page: Path, *, run: bool = False) -> list[str]:
    """Return a page's blocks of commands, or only those that are to be run."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [textwrap.dedent(match["body"]) for match in found if match["run"] or not run]


def commands(page: Path) -> list[list[str]]:
    """Return each call of our programs on a page as its words."""
    lines = [line for block in blocks(page) for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True)) and words[0] in PROGRAMS]


def unknown_in(words: list[str]) -> list[str]:
    """Return the words of a call that the program does not know: a command, or an option."""
    command: Any = PROGRAMS[words[0]]
    rest = words[1:]
    while hasattr(command, "commands"):
        if not rest or rest[0].startswith("-"):
            return [] if rest == ["--help"] else rest or ["a command is missing"]
        if rest[0] not in command.commands:
            return rest[:1]
        command, rest = command.commands[rest[0]], rest[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    return [word for word in rest if word.startswith("-") and word not in known | {"--help"}]
