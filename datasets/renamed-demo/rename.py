"""Writes the demo's shop under the names of names.toml into files/, gzipped, always the same bytes.

    muster demo --customers 500 --seed 42 --files csv --only-write --into SHOP
    python3 rename.py SHOP/files
"""

import gzip
import pathlib
import sys
import tomllib

HERE = pathlib.Path(__file__).parent


def renamed(source: pathlib.Path, columns: list[str]) -> bytes:
    """The text of the file under other column names; its rows stay as they are."""
    header, rows = source.read_bytes().split(b"\n", 1)
    assert len(header.split(b",")) == len(columns), f"{source}: {header} has not {len(columns)} columns"
    return ",".join(columns).encode() + b"\n" + rows


def main(folder: pathlib.Path) -> None:
    names = tomllib.loads((HERE / "names.toml").read_text())
    (HERE / "files").mkdir(exist_ok=True)
    for table, said in names.items():
        text = renamed(folder / f"{said['file']}.csv", said["columns"])
        (HERE / "files" / f"{table}.csv.gz").write_bytes(gzip.compress(text, mtime=0))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
