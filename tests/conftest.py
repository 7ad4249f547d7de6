"""Fixtures that every test may ask for."""

pytest_plugins = [
    "tests.support.pki",
    "tests.support.postgres",
    "tests.support.mesh",
    "tests.support.routing",
    "tests.support.dossiers",
    "tests.support.object_store",
    "tests.support.store_yard",
    "tests.support.node",
]
