"""Files of nodes: whole catalogues and provincial overlays are held to the same rules, with line and column."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from casemesh.data import CollaborationNode, ShippedDataError, nodes
from casemesh.data.catalogue import NODE_COLUMNS, OVERLAY_COLUMNS, cells_of, read_nodes, read_overlay
from casemesh.data.tables import shipped_bytes
from casemesh.routing.node_catalogue_store import CatalogueVersion
from casemesh.routing.node_catalogues import in_force

BY_CODE = {node.code: node for node in nodes()}


def file_of(rows: list[dict[str, str]], columns: list[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def test_the_shipped_file_is_what_its_nodes_write() -> None:
    rows = [cells_of(node) for node in nodes()]
    assert read_nodes("csv", file_of(rows, NODE_COLUMNS)) == nodes() == read_nodes("csv", shipped_bytes("nodes.csv"))


Change = Callable[[dict[str, dict[str, str]]], None]


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda rows: rows["QS001"].update(from_organ="NOBODY"), "from_organ"),
        (lambda rows: rows["QS001"].update(feedback_nodes="QS002;XX999"), "feedback_nodes"),
        (lambda rows: rows["QS002"].update(answers_node=""), "feedback_nodes"),
        (lambda rows: rows["QS002"].update(kind="perhaps"), "kind"),
        (lambda rows: rows["QS001"].update(limit_length="three"), "limit_length"),
        (lambda rows: rows["QS001"].update(code="qs1"), "code"),
        (lambda rows: rows["QS003"].update(code="QS002"), "code"),
        (lambda rows: rows["QS001"].update(name_zh=""), "name_zh"),
        (lambda rows: rows["QS001"].update(dossier="some"), "dossier"),
        # Two that answer each other lead nowhere.
        (
            lambda rows: (
                rows["QS001"].update(answers_node="QS002"),
                rows["QS002"].update(feedback_nodes=rows["QS002"]["feedback_nodes"] + ";QS001"),
            ),
            "answers_node",
        ),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_with_its_column(change: Change, column: str) -> None:
    rows = {node.code: cells_of(node) for node in nodes()}
    change(rows)
    with pytest.raises(ShippedDataError) as refusal:
        read_nodes("csv", file_of(list(rows.values()), NODE_COLUMNS))
    assert (column, True) == (refusal.value.field, refusal.value.line > 1)


def overlaid(*rows: dict[str, str]) -> tuple[dict[str, CollaborationNode], dict[str, str]]:
    found, external = read_overlay("csv", file_of(list(rows), OVERLAY_COLUMNS), nodes())
    return {node.code: node for node in found}, dict(external)


def test_an_overlay_keeps_what_it_leaves_empty_and_empties_what_it_dashes() -> None:
    own, external = overlaid({"code": "QS001", "name_zh": "移送起诉", "note": "-", "external_code": "0104A"})
    expected = {**cells_of(BY_CODE["QS001"]), "name_zh": "移送起诉", "note": ""}
    assert expected == cells_of(own["QS001"])
    assert external == {"QS001": "0104A"}
    assert {code: node for code, node in own.items() if code != "QS001"} == {
        code: node for code, node in BY_CODE.items() if code != "QS001"
    }


def test_an_overlay_adds_a_whole_node() -> None:
    added = {**cells_of(BY_CODE["LA020"]), "code": "FJ001", "external_code": "9901A"}
    own, external = overlaid(added)
    assert (len(BY_CODE) + 1, "FJ001", "9901A") == (len(own), own["FJ001"].code, external["FJ001"])


@pytest.mark.parametrize(
    ("rows", "column"),
    [
        ([{"code": "FJ001", "name_zh": "只有名称"}], "stage"),
        ([{"code": "QS001", "external_code": "0104A"}, {"code": "QS005", "external_code": "0104A"}], "external_code"),
        ([{"code": "QS001", "external_code": "有空格 A"}], "external_code"),
        ([{"code": "QS001"}, {"code": "QS001"}], "code"),
        ([{"code": "QS001", "feedback_nodes": "QS002"}], "answers_node"),
    ],
)
def test_an_overlay_that_does_not_fit_is_refused(rows: list[dict[str, str]], column: str) -> None:
    with pytest.raises(ShippedDataError) as refusal:
        overlaid(*rows)
    assert column == refusal.value.field


def version(name: str, day: int, *, activated: int | None, province: str = "") -> CatalogueVersion:
    at = datetime(2026, 1, 1, activated or 0, tzinfo=UTC)
    return CatalogueVersion(
        version=name,
        province=province,
        effective_from=date(2026, 1, day),
        content=b"",
        node_count=0,
        note="",
        imported_by="operator",
        import_time=at,
        activate_time=at if activated is not None else None,
    )


@pytest.mark.parametrize(
    ("day", "expected"),
    [(1, {}), (2, {"": "early"}), (5, {"": "late"}), (9, {"": "late", "35": "fujian"})],
)
def test_what_is_in_force_is_activated_and_of_the_latest_date_that_has_come(day: int, expected: dict[str, str]) -> None:
    versions = [
        version("late", 5, activated=1),
        version("early", 2, activated=3),
        version("replaced", 5, activated=0),
        version("preview", 6, activated=None),
        version("fujian", 9, activated=4, province="35"),
    ]
    chosen = in_force(versions, date(2026, 1, day))
    assert expected == {province: each.version for province, each in chosen.items()}
