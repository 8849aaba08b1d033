"""SQLite under the emulator: rows in, rows out, one transaction a request.

Knows how rows are kept, nothing of what they mean.
"""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from reconciler.emulator import rows

Row = TypeVar("Row")

_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS actor_workspace ON actor(workspace_id)",
    "CREATE INDEX IF NOT EXISTS connection_source ON connection(source_id)",
    "CREATE INDEX IF NOT EXISTS connection_destination ON connection(destination_id)",
    "CREATE INDEX IF NOT EXISTS connection_workspace ON connection(workspace_id)",
    "CREATE INDEX IF NOT EXISTS stream_state_connection ON stream_state(connection_id)",
    "CREATE INDEX IF NOT EXISTS job_connection ON job(connection_id)",
    "CREATE INDEX IF NOT EXISTS job_status ON job(status)",
)


class Store:
    """One SQLite connection behind one lock: safe from any thread and any event loop."""

    def __init__(self, path: Path | str) -> None:
        if str(path) != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(
            str(path), isolation_level=None, check_same_thread=False, timeout=30.0
        )
        self.close = weakref.finalize(self, self._db.close)
        self._db.row_factory = sqlite3.Row
        # WAL with FULL: one fsync a commit, and a second process may read meanwhile.
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        with self.transaction():
            for row in rows.ROWS:
                self._db.execute(_create_table(row))
                self._add_missing_columns(row)
            for index in _INDEXES:
                self._db.execute(index)

    @contextmanager
    def transaction(
        self, keep: type[Exception] | tuple[type[Exception], ...] = ()
    ) -> Iterator[None]:
        """Commits at the end, also when one of `keep` is raised; any other exception rolls back.

        Not reentrant: one request is one transaction.
        """
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except keep:
                self._db.execute("COMMIT")
                raise
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _add_missing_columns(self, kind: type) -> None:
        """A file of an earlier release lacks the fields that came since; all of those have defaults."""
        known = {
            column["name"] for column in self._db.execute(f"PRAGMA table_info({_table(kind)})")
        }
        for field in dataclasses.fields(kind):
            if field.name not in known:
                default = (
                    field.default
                    if field.default_factory is dataclasses.MISSING
                    else field.default_factory()
                )
                value = _encoded(kind, field.name, default)
                self._db.execute(f"ALTER TABLE {_table(kind)} ADD COLUMN {_column(field)}")
                self._db.execute(f"UPDATE {_table(kind)} SET {field.name} = ?", (value,))  # noqa: S608 - names are our own fields

    def put(self, row: Any) -> None:
        """Writes a whole row; an existing one keeps its place in the order."""
        columns = [f.name for f in dataclasses.fields(row)]
        values = [_encoded(type(row), column, getattr(row, column)) for column in columns]
        marks = ", ".join("?" * len(columns))
        changes = ", ".join(f"{column} = excluded.{column}" for column in columns if column != "id")
        self._db.execute(
            f"INSERT INTO {row.table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 - names are our own fields
            f" ON CONFLICT(id) DO UPDATE SET {changes}",
            values,
        )

    def get(self, kind: type[Row], row_id: str | int) -> Row | None:
        found = self.select(kind, "id = ?", (row_id,))
        return found[0] if found else None

    def select(
        self,
        kind: type[Row],
        where: str = "1",
        parameters: Sequence[Any] = (),
        *,
        limit: int = -1,
        offset: int = 0,
        order: str = "rowid",
    ) -> list[Row]:
        """`where` and `order` are written in this package; whatever a caller sent is a parameter."""
        cursor = self._db.execute(
            f"SELECT * FROM {_table(kind)} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 - see above
            (*parameters, limit, offset),
        )
        return [_decode(kind, row) for row in cursor]

    def count(self, kind: type, where: str = "1", parameters: Sequence[Any] = ()) -> int:
        cursor = self._db.execute(
            f"SELECT count(*) FROM {_table(kind)} WHERE {where}",  # noqa: S608 - see select
            tuple(parameters),
        )
        return int(cursor.fetchone()[0])

    def next_id(self, kind: type) -> int:
        """The next of a table whose rows are numbered and never deleted."""
        cursor = self._db.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {_table(kind)}")  # noqa: S608 - see select
        return int(cursor.fetchone()[0])

    def delete(self, kind: type, where: str, parameters: Sequence[Any] = ()) -> int:
        cursor = self._db.execute(
            f"DELETE FROM {_table(kind)} WHERE {where}",  # noqa: S608 - see select
            tuple(parameters),
        )
        return cursor.rowcount


def among(column: str, values: Sequence[str]) -> str:
    """`column IN (?, ?)` for as many parameters as there are values."""
    return f"{column} IN ({', '.join('?' * len(values))})"


def _table(kind: type) -> str:
    return str(vars(kind)["table"])


def _create_table(kind: type) -> str:
    columns = ", ".join(_column(field) for field in dataclasses.fields(kind))
    return f"CREATE TABLE IF NOT EXISTS {_table(kind)} ({columns})"


def _column(field: dataclasses.Field[Any]) -> str:
    key = " PRIMARY KEY" if field.name == "id" else ""
    # Text, unless the field's type says number: an id that looks like one must stay text.
    affinity = {"int": "INTEGER", "bool": "INTEGER", "float": "REAL"}.get(str(field.type), "TEXT")
    return f"{field.name} {affinity}{key}"


def _encoded(kind: type, column: str, value: Any) -> Any:
    if column in vars(kind)["json_columns"]:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value


def _decode(kind: type[Row], row: sqlite3.Row) -> Row:
    json_columns: frozenset[str] = vars(kind)["json_columns"]
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type] # Row is always one of rows.ROWS
        value = row[field.name]
        if field.name in json_columns:
            value = json.loads(value)
        elif field.type == "bool":
            value = bool(value)
        values[field.name] = value
    return kind(**values)
