"""Databases and roles of the services, in the embedded PostgreSQL or in one that somebody else runs.

Each service has a database `casemesh_<service>`, a role `..._owner` that migrates it and a role `..._runtime` that the
process uses. The owner may not be used by a running service and the runtime role owns nothing: what it may do is
what migrations grant it.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

_SERVICE = re.compile(r"[a-z][a-z_]{0,30}")
_SCRAM_ITERATIONS = 4096
_CONNECT_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True)
class ServiceDatabase:
    """A service's database. The DSNs hold no password: each names its role's password file."""

    name: str
    owner_dsn: str
    runtime_dsn: str


async def provision(admin_dsn: str, service_names: Iterable[str], secrets_dir: Path) -> dict[str, ServiceDatabase]:
    """Makes what is missing and puts right what is there; returns the databases by service.

    Guarantee: afterwards the two roles of each service have the passwords in `secrets_dir` (made on the first call,
    files `<role>.pgpass`, mode 0600), nobody else may connect to the database, and PUBLIC has no right in it. Calling
    it again changes nothing. The password itself never reaches the server, which might log it: only its SCRAM verifier
    does. `admin_dsn` must be a superuser's; its query parameters, except the password file, are kept in the DSNs.
    Raises asyncpg's errors when the server refuses, ValueError for a service name that is no SQL name. It drops nothing
    and does not migrate.
    """
    made = {}
    connection = await asyncpg.connect(admin_dsn, timeout=_CONNECT_TIMEOUT_SECONDS)
    try:
        for service in service_names:
            if not _SERVICE.fullmatch(service):
                raise ValueError(f"service {service!r}: use 1 to 31 of a-z and '_', a letter first")
            database = f"casemesh_{service}"
            owner, runtime = f"{database}_owner", f"{database}_runtime"
            for role in (owner, runtime):
                await _ensure_role(connection, role, _password(secrets_dir, role))
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", database):
                await connection.execute(f"CREATE DATABASE {database} OWNER {owner}")
            await restrict_database(connection, database, runtime)
            await _restrict_contents(_with(admin_dsn, database=database), owner, runtime)
            made[service] = ServiceDatabase(
                name=database,
                owner_dsn=role_dsn(admin_dsn, database, owner, secrets_dir),
                runtime_dsn=role_dsn(admin_dsn, database, runtime, secrets_dir),
            )
    finally:
        await connection.close()
    return made


async def restrict_database(connection: "asyncpg.Connection[asyncpg.Record]", database: str, runtime: str) -> None:
    """Lets the owner, `runtime` and nobody else connect. A copy of a database does not inherit this."""
    await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
    await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {runtime}")


def role_dsn(admin_dsn: str, database: str, role: str, secrets_dir: Path) -> str:
    """The DSN of `role` at the server of `admin_dsn`, with its password file in `secrets_dir`."""
    return _with(admin_dsn, database=database, role=role, passfile=secrets_dir.resolve() / f"{role}.pgpass")


async def _ensure_role(connection: "asyncpg.Connection[asyncpg.Record]", role: str, password: str) -> None:
    exists = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role)
    # DDL takes no parameters; the verifier consists of base64 and punctuation that needs no quoting.
    await connection.execute(
        f"{'ALTER' if exists else 'CREATE'} ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
        f"NOBYPASSRLS NOINHERIT PASSWORD '{_scram_verifier(password)}'"
    )


async def _restrict_contents(admin_dsn: str, owner: str, runtime: str) -> None:
    connection = await asyncpg.connect(admin_dsn, timeout=_CONNECT_TIMEOUT_SECONDS)
    try:
        await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
        await connection.execute(f"GRANT ALL ON SCHEMA public TO {owner}")
        await connection.execute(f"GRANT USAGE ON SCHEMA public TO {runtime}")
        # PostgreSQL lets everybody execute a new function unless told otherwise.
        await connection.execute(f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
    finally:
        await connection.close()


def _password(secrets_dir: Path, role: str) -> str:
    secrets_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = secrets_dir / f"{role}.pgpass"
    if path.exists():
        return path.read_text().rstrip("\n").rpartition(":")[2]
    password = secrets.token_urlsafe(32)
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        # Host and port are left open: the embedded server takes another port at each start.
        stream.write(f"*:*:*:{role}:{password}\n")
        stream.flush()
        os.fsync(descriptor)
    temporary.rename(path)
    return password


def _scram_verifier(password: str) -> str:
    """The form in which PostgreSQL stores a password. Source: RFC 5803, RFC 7677; ASCII needs no SASLprep."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, _SCRAM_ITERATIONS)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored_key, server_key)]
    return f"SCRAM-SHA-256${_SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


def _with(dsn: str, *, database: str, role: str | None = None, passfile: Path | None = None) -> str:
    parts = urlsplit(dsn)
    authority, query = parts.netloc, parts.query
    if role is not None:
        authority = f"{role}@{parts.netloc.rpartition('@')[2]}"
        kept = [field for field in query.split("&") if field and not field.startswith(("passfile=", "password="))]
        query = "&".join([*kept, f"passfile={quote(str(passfile), safe='/')}"])
    return urlunsplit((parts.scheme, authority, f"/{database}", query, ""))
