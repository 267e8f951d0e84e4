"""Whether engines hold the same rows: of every column the number of rows and of nulls, sum, least, greatest, and a hash.

    oracle.py rows FILE…                  how many rows the files have together
    oracle.py fingerprint FOLDER ENGINE   the fingerprint of the engine's tables, as JSON

Each engine hands its tables over as Parquet; here they are all read the same way. The hash of a column is the sum over the
rows of the hash of key and value, so neither the order of the rows nor who wrote them matters, and a value in the
wrong row does.
"""

import json
import pathlib
import sys

# Table by table, column by column.
Fingerprint = dict[str, dict[str, list]]


def main() -> None:
    what, *of = sys.argv[1:]
    if what == "rows":
        print(sum(row_count(pathlib.Path(file)) for file in of))
    else:
        print(json.dumps(fingerprint(pathlib.Path(of[0]), of[1] == "muster")))


def row_count(file: pathlib.Path) -> int:
    rows = f"read_csv('{file}', header = true, all_varchar = true)" if file.suffix == ".csv" else f"'{file}'"
    return duckdb.execute(f"SELECT count(*) FROM {rows}").fetchone()[0]


def fingerprint(folder: pathlib.Path, of_muster: bool) -> Fingerprint:
    connection = duckdb.connect(config={"threads": 2})
    return {table: of_table(connection, folder, table, of_muster) for table in shop.TYPES}


def of_table(connection, folder: pathlib.Path, table: str, of_muster: bool) -> dict[str, list]:
    name = "profiles" if of_muster and table == "customers" else table
    file = folder / f"{name}.parquet"
    columns = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM '{file}'").fetchall()]
    return {column: of_column(connection, file, table, column, of_muster)
            for column in columns if not column.startswith("__")}


def of_column(connection, file: pathlib.Path, table: str, column: str, of_muster: bool) -> list:
    value = meant(table, column, of_muster)
    sql_type = shop.TYPES[table].get(column, "VARCHAR")
    exact = {"DOUBLE": "CAST(value AS DECIMAL(18,5))", "BIGINT": "value", "DECIMAL(12,2)": "value"}.get(sql_type)
    return list(connection.execute(f"""
        SELECT count(*), count(*) - count(value), {f'CAST(sum({exact}) AS VARCHAR)' if exact else 'NULL'},
               CAST(min(value) AS VARCHAR), CAST(max(value) AS VARCHAR), CAST(sum(hash({', '.join(shop.KEYS[table])}, value)) AS VARCHAR)
        FROM (SELECT {', '.join(shop.KEYS[table])}, CAST({value} AS {sql_type}) AS value FROM '{file}')
    """).fetchone())


def meant(table: str, column: str, of_muster: bool) -> str:
    """What the column's value means, as one text or number for all engines."""
    if column in shop.ANSWERS:
        return f"CASE WHEN {column} THEN 'J' WHEN NOT {column} THEN 'N' END" if of_muster else column
    if column in shop.SETS:
        words = column if of_muster else f"string_split({column}, ';')"
        return f"array_to_string(list_sort(list_distinct({words})), ';')"
    if column in shop.PLACEHOLDERS:
        return f"nullif({column}, {shop.PLACEHOLDERS[column]})"
    if of_muster and shop.TYPES[table].get(column) == "TIMESTAMP":
        return f"timezone('{shop.ZONE}', {column})"
    return column


def differences(ours: Fingerprint, theirs: Fingerprint, name: str) -> list[str]:
    """One line for every column that is not the same; a column that only muster's tables lack is one unless it is a
    marker of deleted rows, which muster acts on."""
    found = []
    for table, columns in theirs.items():
        for column, values in columns.items():
            if column not in ours[table]:
                if column != "deleted":
                    found.append(f"{table}.{column} is not in muster's tables")
            elif ours[table][column] != values:
                found.append(f"{table}.{column}: muster {ours[table][column]}, {name} {values}")
    return found


if __name__ == "__main__":
    import duckdb
    import shop

    main()
