"""A project's history: a journal per process, one owner with DuckDB, SQL for everyone. Importing this imports no database."""

from nbflow.store.history import EventRow, ExecutionRow, History, NodeRow
from nbflow.store.interface import PruneReport, Rows, Store, StoreStatus
from nbflow.store.opening import open_store
from nbflow.store.project import find_project

__all__ = ["EventRow", "ExecutionRow", "History", "NodeRow", "PruneReport", "Rows", "Store", "StoreStatus", "find_project", "open_store"]
