"""Which table of codes a kind of organ uses for what, so that a code can be translated for its reader.

`organ_code_systems.csv` ships with what is known; a site that loads other tables puts its own file in its place.
"""

from __future__ import annotations

from pathlib import Path

from casemesh.routing.csv_tables import TableError, read_table

_SHIPPED = "organ_code_systems.csv"
_COLUMNS = ("organ", "subject", "code_system")


class OrganTables:
    """Tables of codes by kind of organ and subject, e.g. the charge."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        """Each row names `organ`, `subject` and `code_system`.

        Raises TableError when a table has two subjects, or an organ two tables for one.
        """
        self._subjects: dict[str, str] = {}
        self._tables: dict[tuple[str, str], str] = {}
        for row in rows:
            organ, subject, table = row["organ"], row["subject"], row["code_system"]
            if not (organ and subject and table):
                raise TableError(f"{_SHIPPED}: {organ},{subject},{table}: no field may be empty")
            if self._subjects.setdefault(table, subject) != subject:
                raise TableError(f"{_SHIPPED}: {table} has two subjects")
            if self._tables.setdefault((organ, subject), table) != table:
                raise TableError(f"{_SHIPPED}: {organ} has two tables for {subject}")

    def subject(self, code_system: str) -> str:
        """Return what the codes of a table are codes of; empty where nothing is known of it."""
        return self._subjects.get(code_system, "")

    def target(self, code_system: str, organ: str) -> str:
        """Return the table to translate a code of `code_system` to for a reader of kind `organ`.

        Where nothing is known of the table or the reader, that is the code's own table: it stands as it is.
        """
        subject = self._subjects.get(code_system)
        if subject is None:
            return code_system
        return self._tables.get((organ, subject), code_system)


def load_organ_tables(replacement: Path | None = None) -> OrganTables:
    """Return the shipped tables, or those of the file a site put in their place."""
    return OrganTables(read_table(_SHIPPED, _COLUMNS, replacement))
