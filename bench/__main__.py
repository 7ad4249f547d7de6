"""Run benchmarks: all of them, or those named. Prints a table and writes `bench/results/latest.jsonl`."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys

from rich.console import Console
from rich.table import Table

from bench.figures import Report

BENCHES = (
    "dossier",
    "dossier_small",
    "dossier_memory",
    "catalogue",
    "exchange",
    "query",
    "access",
    "access_timing",
    "audit",
    "rules",
    "translate",
    "edge",
    "supervision",
)
"""Modules of this package with `async def measure(report: Report) -> None`."""
BY_NAME_ONLY = ("dossier_scale", "exchange_scale", "audit_scale")
"""Those that take long or much disk."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="BENCH",
        help=f"which to run: {', '.join(BENCHES)} (default: all), {', '.join(BY_NAME_ONLY)}",
    )
    chosen = parser.parse_args().names or list(BENCHES)
    unknown = sorted(set(chosen) - set(BENCHES + BY_NAME_ONLY))
    if unknown:
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    report = Report()
    report.start()
    for name in chosen:
        asyncio.run(importlib.import_module(f"bench.{name}").measure(report))
    table = Table("figure", "value", "unit", "against", "n")
    for figure in report.figures:
        table.add_row(figure.name, f"{figure.value:g}", figure.unit, figure.against, str(figure.n))
    Console().print(table)
    print(f"written to {report.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
