"""One flow on the canvas: what the browser is told of it, and what it asks for. Knows no notebook and no network.

Everything that may take a while happens on a thread of the session; `set_flow` and `receive` return at once. What goes wrong is told as
`notice`, in the words of the error.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from nbflow.authoring.trace import Definition
from nbflow.canvas.catalogue import catalogue
from nbflow.canvas.evaluation import evaluate, items_of, scope_of
from nbflow.canvas.memory import Memory
from nbflow.canvas.part import alone, up_to, with_known
from nbflow.canvas.record import node_record, value_of
from nbflow.canvas.statuses import Statuses
from nbflow.core.check import check
from nbflow.core.errors import DefinitionError, DocumentError, NbflowError
from nbflow.core.flow import Flow
from nbflow.core.values import preview
from nbflow.display.look import duration
from nbflow.engine.call import plain
from nbflow.runtime.catalogue import FunctionCatalogue
from nbflow.runtime.origin import Origin
from nbflow.runtime.past import PastExecution
from nbflow.runtime.runtime import prepare, runtime
from nbflow.store.history import History
from nbflow.workflows.code import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbflow.canvas.link import Link
    from nbflow.core.node import NodeType
    from nbflow.display.state import ExecutionState
    from nbflow.runtime.execution import Execution
    from nbflow.runtime.runtime import Runtime

_EXECUTIONS = 50
_CAPABILITIES = ("run", "run_to", "run_node", "stop", "pin", "inspect", "evaluate", "executions", "code")

log = logging.getLogger(__name__)


class CanvasSession:
    """`document`: JSON, or a flow. `functions`: those that its nodes may name. `save` is called with the document when the canvas asks for that."""

    def __init__(
        self,
        document: Mapping[str, Any] | Flow,
        link: Link,
        *,
        functions: Callable[[], Mapping[str, NodeType]] = dict,
        params: Mapping[str, Any] | None = None,
        changed: Callable[[Flow], None] = lambda _flow: None,
        save: Callable[[dict[str, Any]], None] | None = None,
        lent: Runtime | None = None,
    ) -> None:
        self._document = document.to_dict() if isinstance(document, Flow) else dict(document)
        self._link = link
        self._functions = functions
        self._known: Mapping[str, NodeType] = {}
        self._params = dict(params or {})
        self._changed = changed
        self._save = save
        self._lent = lent
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="nbflow-canvas")
        self._revision = 0
        self._flow: Flow | None = None
        self._running: Execution | None = None
        self._memory = Memory()
        self._pins: dict[str, tuple[Any, str]] = {}
        self._shown: str | None = None  # id of the execution that was chosen; None is the newest
        self._statuses = Statuses(link)
        self.flow_or_none()
        link.set_trait("flow", self._document)
        self._do(self._open)

    # From the host ------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What this session can do, for the `options` trait."""
        return (*_CAPABILITIES, *(("save",) if self._save is not None else ()))

    @property
    def document(self) -> dict[str, Any]:
        """The document as the canvas has it, right or wrong."""
        return self._document

    def definition(self) -> Definition:
        """The flow with its functions. Raises DocumentError as long as what was drawn is no flow."""
        return Definition(flow=Flow.from_dict(self._document, source="the canvas"), functions=dict(self._functions()))

    def set_flow(self, document: Mapping[str, Any]) -> None:
        """The browser has edited it."""
        self._document = dict(document)
        self._revision += 1
        if (flow := self.flow_or_none()) is not None:
            self._changed(flow)
        self._do(self._check, self._revision)

    def replace(self, flow: Flow) -> None:
        """Python has edited it: the browser is told, and the user can undo it."""
        self._document = flow.to_dict()
        self._link.set_trait("flow", self._document)
        self._revision += 1
        self.flow_or_none()
        self._do(self._check, self._revision)

    def set_params(self, params: Mapping[str, Any]) -> None:
        """The values of the flow's parameters in runs from the canvas; defaults for those not named."""
        self._params = dict(params)

    def receive(self, message: Mapping[str, Any]) -> None:
        """A message of the browser: a command, a renaming, or a question. Unknown ones are refused by a notice."""
        kind = message.get("kind")
        if kind == "ask":
            self._do(self._answer, message)
        elif kind == "command" and message.get("name") == "stop":
            if self._running is not None:
                self._running.cancel()
        elif kind == "command":
            self._do(self._command, message)
        elif kind == "renamed":
            self._do(self._rename, str(message.get("from")), str(message.get("to")))
        else:
            self.tell(f"the canvas sent '{kind}', which this version of nbflow does not know; load the page again")

    def tell(self, text: str | None) -> None:
        """Shows a notice; None takes it away."""
        self._link.set_trait("notice", text)

    def close(self, *, wait: bool = False) -> None:
        """When what was asked for is done, which `wait` waits for; what runs goes on to its recorded end."""
        self._worker.shutdown(wait=wait)

    def flow_or_none(self) -> Flow | None:
        """The document as a flow; the last one that was right stays known."""
        try:
            self._flow = Flow.from_dict(self._document, source="the canvas")
        except DocumentError:
            return None
        return self._flow

    # On the session's thread --------------------------------------------------------------------------

    def _do(self, work: Callable[..., None], *values: Any) -> None:
        def guarded() -> None:
            try:
                work(*values)
            except NbflowError as error:
                self.tell(str(error))
            except Exception as error:
                log.exception("the canvas of flow '%s'", self._document.get("name"))
                self.tell(f"that did not work, by a mistake of nbflow: {type(error).__name__}: {error}")

        try:
            self._worker.submit(guarded)
        except RuntimeError:  # closed meanwhile
            return

    @property
    def _runtime(self) -> Runtime:
        return self._lent or runtime()

    def _open(self) -> None:
        self._check(self._revision)
        self._tell_credentials()
        self._tell_executions()
        self._tell_samples()

    def _check(self, revision: int) -> None:
        if revision != self._revision:
            return  # a newer document waits in line
        functions = dict(self._functions())
        if functions != self._known or not self._known:
            self._known = functions
            self._link.set_trait("catalogue", catalogue(functions))
        try:
            flow = Flow.from_dict(self._document, source="the canvas")
        except DocumentError as error:
            self._link.set_trait("checked", {"problems": [{"code": "document", "message": str(error), "node": None, "field": None}], "ports": {}})
            return
        known = FunctionCatalogue(functions)
        problems = [{"code": found.code, "message": found.message, "node": found.node, "field": found.field} for found in check(flow, known)]
        self._link.set_trait("checked", {"problems": problems, "ports": _ports(flow, known)})

    # Commands -----------------------------------------------------------------------------------------

    def _command(self, message: Mapping[str, Any]) -> None:
        name, node = str(message.get("name")), str(message.get("node"))
        if name == "run":
            self._run(with_known(self.definition(), self._pinned()))
        elif name == "run_to":
            self._run(up_to(self.definition(), node, self._pinned()))
        elif name == "run_node":
            self._run(alone(self.definition(), node, {**self._memory.latest(), **self._pinned()}))
        elif name == "pin":
            self._pin(node, message.get("execution_id"))
        elif name == "unpin":
            self._pins.pop(node, None)
            self._tell_pins()
        elif name == "show_execution":
            self._show(message.get("execution_id"))
        elif name == "save" and self._save is not None:
            self._save(self._document)
        else:
            self.tell(f"the canvas asked for '{name}', which cannot be done here")

    def _run(self, definition: Definition) -> None:
        if self._running is not None and not self._running.done:
            self.tell("it runs already; stop it first")
            return
        prepared = prepare(definition)
        self.tell(None)
        self._shown = None
        followed = self._statuses.follow(definition.flow, self._ended)
        try:
            self._running = self._runtime.start(prepared, self._given(definition.flow), sinks=(followed,), origin=Origin(source="canvas"))
        except NbflowError:
            followed.give_up()
            raise
        self._memory.keep(self._running)

    def _given(self, flow: Flow) -> dict[str, Any]:
        return {name: value for name, value in self._params.items() if name in flow.parameters.get("properties", {})}

    def _ended(self, _state: ExecutionState) -> None:
        self._do(self._after_run)

    def _after_run(self) -> None:
        if self._running is not None:
            try:
                self._running.result()  # until it is recorded
            except Exception as error:  # noqa: BLE001 -- the statuses tell of the flow's failure
                log.debug("run from the canvas: %s", error)
        self._tell_executions()
        self._tell_samples()

    def _pin(self, node: str, execution_id: str | None) -> None:
        results = self._memory.results(execution_id) if execution_id else self._memory.latest()
        if node not in results:
            message = (
                f"what node '{node}' gave is not in memory (nodes inside loops and runs of other processes keep only a preview): run up to it first"
            )
            raise DefinitionError(message)
        self._pins[node] = (results[node], self._memory.now())
        self._tell_pins()

    def _pinned(self) -> dict[str, Any]:
        return {node: value for node, (value, _) in self._pins.items()}

    def _rename(self, before: str, after: str) -> None:
        if before in self._pins:
            self._pins[after] = self._pins.pop(before)
            self._tell_pins()
        self._memory.rename(before, after)

    def _show(self, execution_id: str | None) -> None:
        self._shown = execution_id
        self._statuses.show(self._state())
        self._tell_samples()

    # Questions ----------------------------------------------------------------------------------------

    def _answer(self, message: Mapping[str, Any]) -> None:
        id_, asked = str(message.get("id")), message.get("ask") or {}
        try:
            answer = self._answer_to(str(message.get("question")), asked)
        except NbflowError as error:
            self._link.send({"kind": "answer", "id": id_, "error": str(error)})
        except Exception as error:
            log.exception("a question of the canvas of flow '%s'", self._document.get("name"))
            self._link.send({"kind": "answer", "id": id_, "error": f"that did not work, by a mistake of nbflow: {type(error).__name__}: {error}"})
        else:
            self._link.send({"kind": "answer", "id": id_, "answer": answer})

    def _answer_to(self, question: str, asked: Mapping[str, Any]) -> Any:
        if question == "inspect":
            return self._inspect(str(asked.get("node")), asked.get("execution_id"))
        if question == "evaluate":
            return self._evaluate(str(asked.get("node")), str(asked.get("text")), bare=bool(asked.get("bare")))
        if question == "code":
            return {"source": code_of(self.definition())}
        if question == "catalogue":
            return catalogue(dict(self._functions()))
        message = f"the canvas asked for '{question}', which this version of nbflow does not know; load the page again"
        raise DefinitionError(message)

    def _inspect(self, node: str, execution_id: str | None) -> Any:
        state = self._state(execution_id)
        return None if state is None else node_record(state, node, self._memory.results(state.execution_id))

    def _evaluate(self, node: str, text: str, *, bare: bool) -> Any:
        flow, state = self.definition().flow, self._state()
        results = self._memory.results(state.execution_id) if state is not None else {}
        try:
            asking = flow.node(node)
        except KeyError:
            return {"error": f"there is no node '{node}' any more"}
        return evaluate(text, scope_of(flow, asking, state, {**results, **self._pinned()}, self._params), bare=bare)

    # What is told -------------------------------------------------------------------------------------

    def _state(self, execution_id: str | None = None) -> ExecutionState | None:
        """Of this execution; of the chosen one, or of the newest from here, or of the newest in the history."""
        wanted = execution_id or self._shown
        if wanted is None and self._running is not None:
            wanted = self._running.id
        if wanted is None:
            return None
        kept = self._memory.execution(wanted)
        if kept is not None:
            return kept.state
        return PastExecution.find(self._runtime.store, wanted).state

    def _tell_executions(self) -> None:
        rows = History(self._runtime.store).executions(flow=str(self._document.get("name")), limit=_EXECUTIONS)
        told = []
        for row in rows:
            one = {"id": str(row.execution_id), "status": str(row.status), "started_at": f"{(row.started_at or row.accepted_at).isoformat()}Z"}  # type: ignore[union-attr]
            if row.duration_ms is not None:
                one["duration"] = duration(row.duration_ms * 1e6)
            told.append(one)
        self._link.set_trait("executions", told)

    def _tell_samples(self) -> None:
        state, flow = self._state(), self._flow
        nodes = {id_: told.preview for id_, told in state.nodes.items() if told.preview is not None} if state is not None else {}
        samples: dict[str, Any] = {
            "execution_id": state.execution_id if state is not None else None,
            "nodes": nodes,
            "inputs": {},
            "items": {},
            "params": preview(self._params),
            "vars": {},
        }
        if flow is not None:
            samples["vars"] = preview(dict(flow.settings.vars))
            samples["items"] = items_of(flow, nodes)
            samples["inputs"] = {node.id: preview(scope_of(flow, node, state, {}, self._params)["input"]) for node in flow.nodes}
        self._link.set_trait("samples", samples)

    def _tell_credentials(self) -> None:
        found = self._runtime.vault.list()
        self._link.set_trait("credentials", [{"name": one.name, "kind": one.kind} for one in found])

    def _tell_pins(self) -> None:
        self._link.set_trait("pins", {node: {"value": value_of(plain(value)), "at": at} for node, (value, at) in self._pins.items()})


def _ports(flow: Flow, known: FunctionCatalogue) -> dict[str, Any]:
    """Of nodes whose ports depend on their config."""
    found: dict[str, Any] = {}
    for node in flow.nodes:
        try:
            declared = known.resolve(node)
            if callable(declared.outputs):
                found[node.id] = {"outputs": [{"name": name} for name in declared.outputs_of(node.config)]}
        except Exception as error:  # noqa: BLE001 -- half-written configs; the check tells what is wrong
            log.debug("ports of %s: %s", node.id, error)
    return found
