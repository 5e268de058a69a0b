"""From every released schema to the present one, step by step; a store that a newer Farz wrote is left alone.

A step is frozen text: what the schema module says today must not change what a step did when it was released.
"""

from pathlib import Path

import apsw

from sorter.errors import StoreError
from sorter.store.schema import SCHEMA_VERSION, SQLITE, TABLES, create_statements

# version → the statements that lead from it to the next
STEPS: dict[int, tuple[str, ...]] = {}


def migrate(connection: apsw.Connection, path: Path) -> None:
    """Bring a store to the present schema in one transaction; an empty file gets it at once.

    Raises:
        StoreError: if the store is of a later schema than this Farz knows.
    """
    version = int(connection.pragma("user_version"))
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"store {path}: schema {version} is of a later Farz than this one, which knows {SCHEMA_VERSION}"
        )
    if version == SCHEMA_VERSION:
        return
    with connection:
        for statement in _statements(version):
            connection.execute(statement)
        connection.pragma("user_version", SCHEMA_VERSION)


def _statements(version: int) -> list[str]:
    if version == 0:
        return [statement for table in TABLES for statement in create_statements(table, SQLITE)]
    return [statement for step in range(version, SCHEMA_VERSION) for statement in STEPS[step]]
