"""What the operations pages say is so: metrics, alerts with their pages, commands that exist, links that lead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casemesh.runtime.instruments import INSTRUMENTS
from tests.support.pages import commands, unknown_in

DOCS = Path(__file__).parents[2] / "docs"
OPERATIONS = DOCS / "operations"
PAGES = sorted([*OPERATIONS.rglob("*.md"), DOCS / "capacity.md"])
NAMES = [str(page.relative_to(DOCS)) for page in PAGES]


def test_the_table_of_metrics_is_the_table_of_instruments() -> None:
    expected = [
        [
            f"`{item.name}`",
            f"`{item.prometheus_name}`",
            str(item.kind),
            item.unit,
            ", ".join(f"`{name}`" for name in item.attributes),
            item.meaning,
        ]
        for item in INSTRUMENTS
    ]
    rows = [
        line for line in (OPERATIONS / "metrics.md").read_text().splitlines() if re.match(r"\| `(rpc|casemesh)\.", line)
    ]
    assert expected == [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    assert {} == {" ".join(words): found for words in commands(page) if (found := unknown_in(words))}


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    assert ["mend"] == unknown_in(["casemeshd", "mend"])
    assert ["renewed"] == unknown_in(["casemeshd", "pki", "renewed", "mesh/dossier"])
    assert ["--quick"] == unknown_in(["casemeshd", "doctor", "--data", "./data", "--quick"])


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_to_a_page(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [] == [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_page_has_a_summary_in_chinese(page: Path) -> None:
    assert "中文摘要:" in page.read_text(encoding="utf-8")
