"""docs/nodes.md is what the shipped data say."""

from pathlib import Path

from casemesh.cli.node_table import limit_text, node_table
from casemesh.data import StatutoryLimit, nodes

PAGE = Path(__file__).resolve().parents[2] / "docs" / "nodes.md"


def test_the_page_is_fresh() -> None:
    assert node_table() == PAGE.read_text(encoding="utf-8"), "run `casemeshd node table --out docs/nodes.md`"


def test_every_node_has_a_row_with_its_article() -> None:
    rows = {line.split()[1]: line for line in node_table().splitlines() if line.startswith("| ") and "<br>" in line}
    assert set(rows) == {node.code for node in nodes()}
    assert all(node.legal_basis.replace("|", "\\|") in rows[node.code] for node in nodes())


def test_a_limit_reads_with_its_length_and_its_names() -> None:
    assert limit_text(StatutoryLimit(("TL015",), 3, "day", "")) == "3日 TL015"
    assert limit_text(StatutoryLimit(("TL064", "TL066"), None, "", "")) == "TL064, TL066"
    assert limit_text(None) == ""
