"""Many rows of one table in one statement: COPY and UPDATE … FROM on PostgreSQL, executemany on SQLite. Runs in the caller's transaction.

Rows are mappings by attribute name (`account_id`, not `account`), such as the `__dict__` of a model instance.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from django.db import connection, models

Row: TypeAlias = Mapping[str, Any]
Model: TypeAlias = type[models.Model]
Column: TypeAlias = "models.Field[Any, Any]"


def new_ids(model: Model, count: int) -> list[int]:
    """So many primary keys that no other row has or will get."""
    if not count:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
            return [number for (number,) in cursor.fetchall()]
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = %s", [count, table])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, count])
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        last = int(cursor.fetchone()[0])
    return list(range(last - count + 1, last + 1))


def number(model: Model, instances: Sequence[models.Model]) -> None:
    """Give new instances their primary keys, before they are written, so that other rows can already name them."""
    nameless = [row for row in instances if row.pk is None]
    for row, pk in zip(nameless, new_ids(model, len(nameless)), strict=True):
        row.pk = pk


def insert(model: Model, rows: Sequence[Row]) -> None:
    """Add rows; what a row does not name gets the field's default."""
    if not rows:
        return
    columns = tuple(column for column in model._meta.concrete_fields if not column.primary_key or rows[0].get(column.attname) is not None)
    names = ", ".join(_quoted(column) for column in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    if connection.vendor == "postgresql":
        _copy(f"COPY {table} ({names}) FROM STDIN", columns, rows)
        return
    places = ", ".join(["%s"] * len(columns))
    values = ([_prepared(column, _value(column, row)) for column in columns] for row in rows)
    with connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values))  # noqa: S608  # names from the model


def update(model: Model, rows: Sequence[Row], fields: Iterable[str]) -> None:
    """Store these attributes of rows that exist, by their `id`."""
    if not rows:
        return
    columns = _columns(model, tuple(fields))
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            assigned = ", ".join(f"{_quoted(column)} = new.{_quoted(column)}" for column in columns)
            types = ", ".join(f"{_quoted(column)} {column.db_type(connection)}" for column in columns)
            source = f"jsonb_to_recordset(%s::jsonb) AS new (id bigint, {types})"
            cursor.execute(
                f"UPDATE {table} AS old SET {assigned} FROM {source} WHERE old.id = new.id",  # noqa: S608  # names from the model
                [json.dumps([_as_json(row, columns) for row in rows], default=str)],
            )
            return
        assigned = ", ".join(f"{_quoted(column)} = %s" for column in columns)
        values = [[*(_prepared(column, row[column.attname]) for column in columns), row["id"]] for row in rows]
        cursor.executemany(f"UPDATE {table} SET {assigned} WHERE id = %s", values)  # noqa: S608  # names from the model


def _as_json(row: Row, columns: Sequence[Column]) -> dict[str, Any]:
    return {"id": row["id"], **{str(column.column): row[column.attname] for column in columns}}


@lru_cache(maxsize=64)
def _columns(model: Model, names: tuple[str, ...]) -> tuple[Column, ...]:
    """Fields by name or attribute name."""
    known = {name: column for column in model._meta.concrete_fields for name in (column.name, column.attname)}
    return tuple(known[name] for name in names)


def _copy(statement: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
    """Rows as PostgreSQL's COPY takes them; errors are Django's own."""
    readers = [_reader(column) for column in columns]
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([read(row) for read in readers])


def _reader(column: Column) -> Callable[[Row], Any]:
    """How a column's value is taken from a row for COPY, which knows every type here but a JSON document."""
    name, default = column.attname, column.get_default

    if isinstance(column, models.JSONField):

        def document(row: Row) -> str | None:
            value = row[name] if name in row else default()
            return None if value is None else json.dumps(value)

        return document

    def plain(row: Row) -> Any:
        return row[name] if name in row else default()

    return plain


def _value(column: Column, row: Row) -> Any:
    return row[column.attname] if column.attname in row else column.get_default()


def _prepared(column: Column, value: Any) -> Any:
    return column.get_db_prep_save(value, connection)


def _quoted(column: Column) -> str:
    return connection.ops.quote_name(str(column.column))
