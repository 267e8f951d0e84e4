"""Do the notebooks run to their end, and are they kept without what they printed?

    notebooks/check.py --muster target/debug/muster --data FOLDER [NOTEBOOK …]
    notebooks/check.py --strip                                                  take outputs and counts out of the notebooks

Executes every notebook of this folder, or those that are named, from its beginning, with the Python that runs this check. Their cells assert what they
say, so a notebook that ends is true. Exits with 1 and the cell where one fails, where one leaves a file behind, and where
a notebook holds outputs or execution counts.
"""

import argparse
import os
import pathlib
import re
import sys
import tempfile
import time

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

HERE = pathlib.Path(__file__).resolve().parent
SECONDS_PER_CELL = 300


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--muster", type=pathlib.Path, help="the binary")
    parser.add_argument("--data", type=pathlib.Path, help="the folder of real data, with cdnow and online-retail in it")
    parser.add_argument("--strip", action="store_true", help="take outputs and counts out, and execute nothing")
    parser.add_argument("notebooks", nargs="*", type=pathlib.Path)
    wanted = parser.parse_args()
    notebooks = wanted.notebooks or sorted(HERE.glob("*.ipynb"))
    if wanted.strip:
        for path in notebooks:
            strip(path)
        return
    if wanted.muster is None or wanted.data is None:
        parser.error("--muster and --data are needed to execute notebooks")
    for name, path in {"MUSTER": wanted.muster, "MUSTER_TEST_DATA": wanted.data}.items():
        if not path.exists():
            parser.error(f"there is no {path}")
        os.environ[name] = str(path.resolve())
    faults = [fault for path in notebooks for fault in [*kept(path), *executed(path)]]
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


def strip(path: pathlib.Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        cell.metadata = {}
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = {name: notebook.metadata[name] for name in ["kernelspec"] if name in notebook.metadata}
    nbformat.write(notebook, path)


def kept(path: pathlib.Path) -> list[str]:
    """What the notebook's file holds and should not."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell.id for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count") is not None]
    return [f"{path.name}: cell {cell} has outputs or an execution count; check.py --strip takes them out" for cell in cells]


def executed(path: pathlib.Path) -> list[str]:
    """What goes wrong when the notebook is executed."""
    notebook = nbformat.read(path, as_version=4)
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        # The kernel's own folders beside the one where the notebook's files are looked for.
        places = {name: pathlib.Path(folder) / name for name in ("TMPDIR", "IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
        for place in places.values():
            place.mkdir()
        before = {file.name for file in path.parent.iterdir()}
        client = NotebookClient(
            notebook,
            timeout=SECONDS_PER_CELL,
            kernel_name="python3",
            config=Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"}),  # nobody else listens
            resources={"metadata": {"path": str(path.resolve().parent)}},
        )
        try:
            client.execute(env={**os.environ, **{name: str(place) for name, place in places.items()}})
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return [f"{path.name}: cell {failed(notebook)}: {plain(error)}"]
        left = sorted({file.name for file in path.parent.iterdir()} - before)
        left += sorted(file.name for file in places["TMPDIR"].iterdir())
    print(f"{path.name}: {len(notebook.cells)} cells in {time.monotonic() - started:.1f} s")
    return [f"{path.name}: leaves {name} behind" for name in left]


def failed(notebook: nbformat.NotebookNode) -> str:
    """The cell that was executed last, by its id."""
    begun = [cell for cell in notebook.cells if "iopub.execute_input" in cell.metadata.get("execution", {})]
    return begun[-1].id if begun else "before the first"


def plain(error: Exception) -> str:
    """What an error says, without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error))


if __name__ == "__main__":
    main()
