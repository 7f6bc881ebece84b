"""The runtime of this process, which knows the executions that were started in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from nbflow.runtime.runtime import Runtime

if TYPE_CHECKING:
    from nbflow.runtime.execution import Execution


class StartedHere(Runtime):
    """Executions of the canvas run in the Jupyter server: nobody else can cancel them."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._executions: WeakValueDictionary[str, Execution] = WeakValueDictionary()

    def start(self, *args: Any, **options: Any) -> Execution:
        """As Runtime.start."""
        execution = super().start(*args, **options)
        self._executions[execution.id] = execution
        return execution

    def running(self, execution_id: str) -> Execution | None:
        """The handle of an execution that was started here and has not ended."""
        execution = self._executions.get(execution_id)
        return None if execution is None or execution.done else execution
