"""A PostgreSQL for tests: one server a session, a template a service, a clone a test.

    @pytest.fixture
    async def database(embedded_postgres):
        async with clone_database(embedded_postgres, "audit", migrate) as database:
            yield database        # database.owner_dsn, database.runtime_dsn

`migrate(owner_dsn)` runs once a session and service, on the template; clones are copies of what it made. The server is
the wheel's unless CASEMESH_TEST_POSTGRES_BIN names another bin directory.
"""

import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from casemesh.local.postgres import EmbeddedPostgres
from casemesh.local.provisioning import ServiceDatabase, provision, restrict_database, role_dsn

Migrate = Callable[[str], Awaitable[object]]

_clone_numbers = count(1)
_templates: dict[tuple[int, str], str] = {}


@pytest.fixture(scope="session")
def embedded_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """The session's server, empty but for what `clone_database` makes in it. fsync is off: nothing here is kept."""
    chosen = os.environ.get("CASEMESH_TEST_POSTGRES_BIN")
    server = EmbeddedPostgres(
        tmp_path_factory.mktemp("postgres") / "data",
        bin_dir=Path(chosen) if chosen else None,
        settings={"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "32MB"},
    )
    server.start()
    try:
        yield server
    finally:
        server.stop()
        # pytest keeps the directories of its last runs; a cluster in each would fill the disk.
        shutil.rmtree(server.data_dir)


@asynccontextmanager
async def clone_database(
    server: EmbeddedPostgres, service: str, migrate: Migrate | None = None
) -> AsyncIterator[ServiceDatabase]:
    """A fresh copy of the service's migrated database, dropped at the end even while connections are open."""
    template = await _template(server, service, migrate)
    name = f"{template}_{os.getpid()}_{next(_clone_numbers)}"
    runtime = f"{template}_runtime"
    admin = await asyncpg.connect(server.admin_dsn())
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {template}_owner")
        await restrict_database(admin, name, runtime)
        try:
            yield ServiceDatabase(
                name=name,
                owner_dsn=role_dsn(server.admin_dsn(), name, f"{template}_owner", server.secrets_dir),
                runtime_dsn=role_dsn(server.admin_dsn(), name, runtime, server.secrets_dir),
            )
        finally:
            await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def _template(server: EmbeddedPostgres, service: str, migrate: Migrate | None) -> str:
    key = (server.port, service)
    if key not in _templates:
        database = (await provision(server.admin_dsn(), [service], server.secrets_dir))[service]
        if migrate is not None:
            await migrate(database.owner_dsn)
        _templates[key] = database.name
    return _templates[key]
