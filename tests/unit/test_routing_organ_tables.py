"""Which table of codes a reader uses."""

from pathlib import Path

import pytest

from casemesh.data import code_system_packs, organ_kinds
from casemesh.routing.csv_tables import TableError, read_table
from casemesh.routing.organ_tables import OrganTables, load_organ_tables


def row(organ: str, subject: str, code_system: str) -> dict[str, str]:
    return {"organ": organ, "subject": subject, "code_system": code_system}


def test_a_charge_goes_to_the_table_of_its_reader() -> None:
    tables = load_organ_tables()
    assert tables.target("police-case-categories", "JCY") == "criminal-charges"
    assert tables.target("criminal-charges", "GA") == "police-case-categories"
    assert tables.target("criminal-charges", "FY") == "criminal-charges"


def test_where_nothing_is_known_of_table_or_reader_a_code_stands_as_it_is() -> None:
    tables = load_organ_tables()
    assert tables.target("weights", "JCY") == "weights"
    assert tables.target("police-case-categories", "BDC") == "police-case-categories"


def test_a_code_of_one_subject_never_goes_to_a_table_of_another() -> None:
    tables = OrganTables([row("GA", "charge", "a"), row("JCY", "charge", "b"), row("JCY", "measure", "c")])
    assert tables.target("a", "JCY") == "b"
    assert tables.target("c", "JCY") == "c"


@pytest.mark.parametrize(
    "rows",
    [
        [row("GA", "charge", "a"), row("JCY", "measure", "a")],
        [row("GA", "charge", "a"), row("GA", "charge", "b")],
        [row("GA", "", "a")],
    ],
)
def test_a_table_that_contradicts_itself_is_refused(rows: list[dict[str, str]]) -> None:
    with pytest.raises(TableError):
        OrganTables(rows)


def test_a_site_puts_its_own_file_in_place_of_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "tables.csv"
    path.write_text("organ,subject,code_system\nGA,charge,mine\nJCY,charge,theirs\n")
    assert load_organ_tables(path).target("mine", "JCY") == "theirs"


def test_the_shipped_file_names_organs_and_tables_that_ship() -> None:
    shipped = read_table("organ_code_systems.csv", ("organ", "subject", "code_system"))
    assert {each["organ"] for each in shipped} <= {kind.code for kind in organ_kinds()}
    assert {each["code_system"] for each in shipped} <= {pack.code_system for pack in code_system_packs()}
