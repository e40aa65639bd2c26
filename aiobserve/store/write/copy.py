"""Binary COPY into a table, straight or by way of a temporary table that is merged in."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from django.db import connection
from psycopg import sql

from aiobserve.store.write.binary import HEADER, TRAILER, binary_rows, is_binary

Columns = Mapping[str, str]


def copy_frame(table: str, columns: Columns, frame: pd.DataFrame) -> int:
    """COPY the named columns of a frame into a table; returns the number of rows.

    Args:
        table: name of the table.
        columns: PostgreSQL type by column name; the frame has columns of the same names.
        frame: missing values (NaN, NaT, NA, None) become NULL.
    """
    if is_binary(columns):
        with connection.cursor() as cursor, cursor.copy(_statement(table, columns)) as copy:
            copy.write(HEADER)
            for rows in binary_rows(columns, frame):
                copy.write(rows)
            copy.write(TRAILER)
        return len(frame)
    lists = [_python_values(frame[name], pg_type) for name, pg_type in columns.items()]
    return copy_rows(table, columns, list(zip(*lists, strict=True)))


def copy_rows(table: str, columns: Columns, rows: Sequence[Sequence[Any]]) -> int:
    """COPY rows of Python values into a table; returns the number of rows."""
    with connection.cursor() as cursor, cursor.copy(_statement(table, columns)) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
    return len(rows)


def _statement(table: str, columns: Columns) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )


def merge_frame(
    table: str, columns: Columns, frame: pd.DataFrame, *, key: Sequence[str], update: Sequence[str] = ()
) -> int:
    """COPY a frame into a temporary table and insert it from there; returns rows inserted or changed.

    Rows whose `key` exists are updated in the `update` columns where those differ, or left alone when no
    column is named. A key that stands twice in the frame counts once, the last row winning.
    """
    if frame.empty:
        return 0
    frame = frame.drop_duplicates(list(key), keep="last")
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    target, incoming = sql.Identifier(table), sql.Identifier(f"incoming_{table}")
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(incoming))
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                incoming, names, target
            )
        )
    copy_frame(f"incoming_{table}", columns, frame)
    statement = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} ON CONFLICT ({}) {}").format(
        target, names, names, incoming, sql.SQL(", ").join(map(sql.Identifier, key)), _on_conflict(table, update)
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        changed = cursor.rowcount
        cursor.execute(sql.SQL("DROP TABLE {}").format(incoming))
    return int(changed)


def _on_conflict(table: str, update: Sequence[str]) -> sql.Composable:
    if not update:
        return sql.SQL("DO NOTHING")
    sets = [sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in update]
    old = [sql.SQL("{}.{}").format(sql.Identifier(table), sql.Identifier(name)) for name in update]
    new = [sql.SQL("EXCLUDED.{}").format(sql.Identifier(name)) for name in update]
    return sql.SQL("DO UPDATE SET {} WHERE ({}) IS DISTINCT FROM ({})").format(
        sql.SQL(", ").join(sets), sql.SQL(", ").join(old), sql.SQL(", ").join(new)
    )


def _python_values(column: "pd.Series[Any]", pg_type: str) -> list[Any]:
    if pg_type == "timestamptz":
        values = column.astype("object")
        return [None if value is pd.NaT else value for value in values.where(column.notna(), pd.NaT)]
    values = column.to_numpy(dtype=object, na_value=None) if column.hasnans else column.to_numpy()
    return list(values.tolist())
