"""Several statements as one: labels and numbers of parameters."""

from casemesh.runtime.postgres import Writes


async def test_each_statement_keeps_its_own_parameters() -> None:
    writes = Writes()
    writes.add("first", "INSERT INTO a VALUES ($1, $2) RETURNING id", 1, 2)
    await writes.execute("INSERT INTO b SELECT id, $2 FROM first WHERE x = $1 OR y = $2", 3, 4)
    writes.add("last", "DELETE FROM c WHERE d = $1", 5)
    sql, arguments = writes.as_one("SELECT id FROM first")
    assert sql == (
        "WITH first AS (INSERT INTO a VALUES ($1, $2) RETURNING id), "
        "part_1 AS (INSERT INTO b SELECT id, $4 FROM first WHERE x = $3 OR y = $4), "
        "last AS (DELETE FROM c WHERE d = $5) SELECT id FROM first"
    )
    assert ([1, 2, 3, 4, 5], 3) == (arguments, len(writes))
