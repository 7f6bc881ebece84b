"""`import nbflow` costs next to nothing."""

import subprocess
import sys

HEAVY = {"duckdb", "pandas", "pyarrow", "pydantic", "IPython", "httpx", "matplotlib", "numpy", "rich", "typer", "jinja2"}


def imported_by(statement):
    script = f"import sys\n{statement}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split())


def test_importing_nbflow_imports_nothing_heavy():
    assert not HEAVY & imported_by("import nbflow")


def test_importing_the_decorators_imports_neither_database_nor_tables():
    assert not {"duckdb", "pandas", "pyarrow", "IPython", "httpx", "matplotlib"} & imported_by("from nbflow import flow, node, nodes, foreach")
