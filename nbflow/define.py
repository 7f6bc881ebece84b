"""`@flow`: a function that draws a flow; what it makes can be called, checked, saved and displayed."""

from __future__ import annotations

import functools
import inspect
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from nbflow.authoring.trace import Defined, Definition, active_trace, draw
from nbflow.core.errors import DefinitionError, ParameterError
from nbflow.core.flow import Flow, FlowSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nbflow.canvas.widget import Canvas
    from nbflow.core.problem import Problem
    from nbflow.runtime.execution import Execution
    from nbflow.runtime.past import PastExecution
    from nbflow.runtime.runtime import Prepared
    from nbflow.workflows.publish import Published


class DefinedFlow(Defined):
    """A flow that can run here. Calling it starts an execution and gives its handle at once; displayed, it draws its graph."""

    def __init__(self, draw: Callable[[], Definition], *, name: str, file: Path | None = None) -> None:
        self.name = name
        self._drawn = draw
        self._file = file
        self._edited: Flow | None = None
        self._canvas: Canvas | None = None
        self._prepared: Prepared | None = None

    def _define(self) -> Definition:
        """As it was drawn on the canvas, if it was; else as the code draws it."""
        drawn = self._drawn()
        if self._edited is None:
            return drawn
        from nbflow.canvas.functions import functions_at_hand

        return Definition(flow=self._edited, functions=functions_at_hand(drawn.functions))

    @property
    def document(self) -> Flow:
        """The flow document, drawn anew, so that functions defined again since are seen. Raises DefinitionError."""
        return self._define().flow

    def definition(self) -> Definition:
        """Document and functions."""
        return self._define()

    def check(self) -> list[Problem]:
        """Everything that is wrong with the flow; empty when it can run."""
        from nbflow.runtime.runtime import problems_of

        return problems_of(self._define())

    def prepare(self) -> Prepared:
        """Checked and compiled; done again only when the definition has changed. Raises CheckError, DefinitionError."""
        from nbflow.runtime.runtime import prepare

        definition = self._define()
        if self._prepared is None or self._prepared.definition != definition:
            self._prepared = prepare(definition)
        return self._prepared

    def __call__(self, *args: Any, **params: Any) -> Execution:
        """Starts an execution with these parameters. Raises CheckError, ParameterError, StoreError before anything runs."""
        return self.start(self._bind(args, params))

    def start(self, params: Mapping[str, Any] | None = None, **options: Any) -> Execution:
        """Starts an execution; `options` are those of `Runtime.start`: input, trigger, sinks, source."""
        from nbflow.runtime.runtime import runtime

        return runtime().start(self.prepare(), params, **options)

    def replay(self, execution: str | PastExecution) -> Execution:
        """Starts the flow, as it is defined here, with what an earlier execution was given: its parameters, or its webhook's request.

        Raises UnknownExecutionError; RetryError when that was too large to be kept whole; CheckError, ParameterError, StoreError.
        """
        from nbflow.history import recorded
        from nbflow.runtime.origin import Origin
        from nbflow.workflows.replay import given_to

        given = given_to(recorded(), self.document, execution if isinstance(execution, str) else execution.id)
        origin = Origin(trigger="replay", source=given.source, parent_execution_id=given.execution_id)
        return self.start(given.params, input=given.input, origin=origin)

    def _bind(self, args: tuple[Any, ...], params: dict[str, Any]) -> dict[str, Any]:
        names = list(self.document.parameters.get("properties", {})) if args else []
        if len(args) > len(names):
            raise ParameterError(self.name, str(len(args)), f"the flow takes {len(names)} parameters, {len(args)} values were given")
        for name, value in zip(names, args, strict=False):
            if name in params:
                raise ParameterError(self.name, name, "given twice, by place and by name")
            params[name] = value
        return params

    def edit(self, *, height: int = 520, readonly: bool = False, theme: Literal["auto", "light", "dark"] = "auto", **params: Any) -> Canvas:
        """The flow on the canvas, to be drawn, configured, run and watched; always the same one, however often it is shown.

        What is drawn counts at once: calling, checking, publishing and saving this flow use it, until `reset()` or until the cell with the
        @flow runs again. `params`: the values of the flow's parameters in runs from the canvas. `height`: pixels. Raises DefinitionError;
        ModuleNotFoundError without the extra `notebook`; NotBuiltError in a clone without its front end.
        """
        if self._canvas is None:
            from nbflow.canvas.functions import functions_at_hand
            from nbflow.canvas.widget import Canvas

            self._canvas = Canvas(
                self.document,
                functions=lambda: functions_at_hand(self._drawn().functions),
                changed=self._draw_over,
                save=None if self._file is None else self._save_back,
            )
        self._canvas.show(height=height, readonly=readonly, theme=theme, params=params)
        return self._canvas

    def reset(self) -> None:
        """As the code draws it again: what was drawn on the canvas is left (the canvas can undo that)."""
        self._edited = None
        if self._canvas is not None:
            self._canvas.session.replace(self.document)

    def _draw_over(self, flow: Flow) -> None:
        self._edited = flow

    def _save_back(self, document: Mapping[str, Any]) -> None:
        assert self._file is not None  # noqa: S101 -- only then there is something to press
        Flow.from_dict(dict(document), source="the canvas").save(self._file)

    def save(self, path: str | Path) -> Path:
        """Writes the document (by convention NAME.flow.json)."""
        return self.document.save(path)

    def to_python(self) -> str:
        """The flow as code that draws it, with the sources of its functions where they can be found; a canvas's or file's flow, too.

        The code makes a document of the same hash when it is executed in a notebook or script. It does not have layout and
        sticky notes. Raises DefinitionError, naming node and field, for what code cannot draw.
        """
        from nbflow.workflows.code import code_of

        return code_of(self._define())

    def publish(
        self,
        *,
        webhook: str | Mapping[str, Any] | None = None,
        schedule: str | Mapping[str, Any] | None = None,
        name: str | None = None,
        active: bool = True,
        tags: Iterable[str] = (),
        comment: str = "",
    ) -> Published:
        """Stores the flow with the code of its functions as a version of the workflow `name`, for `nbflow serve` to run. No server is needed now.

        `webhook`: a path such as "/orders" (or fields of trigger.webhook); the request fills the flow's parameters. `schedule`: cron.
        Raises CheckError, WebhookClashError; PublishError for what exists only in this kernel, with the cell and the fix.
        """
        from nbflow.runtime.runtime import runtime
        from nbflow.store.project import read_server_card
        from nbflow.workflows.publish import publish

        here = runtime()
        return publish(
            self._define(),
            store=here.store,
            project=here.project,
            webhook=webhook,
            schedule=schedule,
            name=name,
            active=active,
            tags=tags,
            comment=comment,
            server=read_server_card(here.project).get("url"),
        )

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, Any]:
        from nbflow.display.flow import flow_bundle

        return flow_bundle(self.document, self.check())

    def __repr__(self) -> str:
        return f"<flow {self.name}>"


class FlowFunction(DefinedFlow):
    """Made by `@flow`. Called while another flow is being drawn, it draws its nodes into that one."""

    def __init__(
        self, function: Callable[..., Any], *, name: str, description: str, settings: FlowSettings, parameters: Mapping[str, Any] | None = None
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self._description = description
        self._settings = settings
        self._parameters = parameters
        super().__init__(self._draw, name=name)

    def _draw(self) -> Definition:
        if self._parameters is None:
            from nbflow.core.parameters import schema_of

            self._parameters = schema_of(self.function)
        return draw(self.function, name=self.name, description=self._description, parameters=self._parameters, settings=self._settings)

    def __call__(self, *args: Any, **params: Any) -> Any:
        """An Execution; inside another flow's function, the outputs of this flow's nodes."""
        if active_trace() is not None:
            return self.function(*args, **params)
        return super().__call__(*args, **params)


@overload
def flow(function: Callable[..., Any], /) -> FlowFunction: ...
@overload
def flow(
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    concurrency: int = 16,
    timeout: timedelta | float | None = None,
    timezone: str = "UTC",
    keep_outputs: bool = True,
    vars: Mapping[str, Any] | None = None,
    max_running: int | None = None,
    on_interrupt: Literal["fail", "run_again"] = "fail",
) -> Callable[[Callable[..., Any]], FlowFunction]: ...
def flow(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    description: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    concurrency: int = 16,
    timeout: timedelta | float | None = None,
    timezone: str = "UTC",
    keep_outputs: bool = True,
    vars: Mapping[str, Any] | None = None,  # noqa: A002 -- the document's word
    max_running: int | None = None,
    on_interrupt: Literal["fail", "run_again"] = "fail",
) -> Any:
    """Makes a function draw a flow: each node it calls becomes a node, what it returns becomes the flow's outputs.

    Its parameters are the flow's, validated by their annotations; `parameters`, a JSON Schema, says more than annotations can. Its docstring
    is the flow's description, unless that is given. `concurrency`: nodes at the same time. `timeout`: seconds for
    a whole execution. `keep_outputs=False` releases each value after its last consumer. `vars`: constants for expressions.
    On a server: `max_running` executions at the same time; `on_interrupt="run_again"` for those that ran when the server died.
    """

    def declare(decorated: Callable[..., Any]) -> FlowFunction:
        if inspect.iscoroutinefunction(decorated):
            message = f"@flow {decorated.__name__}: a flow's function only draws; make it a plain `def` and put awaiting into nodes"
            raise DefinitionError(message)
        if parameters is not None:
            _refuse_unknown(decorated, parameters)
        settings = FlowSettings(
            concurrency=concurrency,
            timeout=timedelta(seconds=timeout) if isinstance(timeout, int | float) else timeout,
            timezone=timezone,
            keep_outputs=keep_outputs,
            vars=vars or {},
            max_running=max_running,
            on_interrupt=on_interrupt,
        )
        return FlowFunction(
            decorated,
            name=decorated.__name__ if name is None else name,
            description=(inspect.getdoc(decorated) or "") if description is None else description,
            settings=settings,
            parameters=parameters,
        )

    return declare if function is None else declare(function)


def _refuse_unknown(function: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
    """The function may leave parameters to expressions, but has no others."""
    for name in inspect.signature(function).parameters:
        if name not in parameters.get("properties", {}):
            message = f"@flow {function.__name__}: the argument '{name}' is no property of `parameters`; add it there"
            raise DefinitionError(message)


def load(path: str | Path) -> DefinedFlow:
    """A flow from a `.flow.json` file, to be called like a decorated one. Raises DocumentError.

    The code in an exported workflow is executed here when the flow is first looked at, checked or run, not by loading it.
    """
    from nbflow.workflows.file import read_file

    file = read_file(path)
    module = file.module
    if module is None:
        return DefinedFlow(lambda: Definition(flow=file.flow), name=file.flow.name, file=Path(path))

    @functools.cache
    def definition() -> Definition:
        import atexit
        from tempfile import TemporaryDirectory

        from nbflow.workflows.loading import load_module

        folder = TemporaryDirectory(prefix="nbflow-")
        atexit.register(folder.cleanup)
        return Definition(flow=file.flow, functions=load_module(module, folder.name))

    return DefinedFlow(definition, name=file.flow.name)


def new(name: str) -> DefinedFlow:
    """An empty flow, to be drawn on the canvas: `orders = nf.new("orders"); orders.edit()`."""
    return DefinedFlow(lambda: Definition(flow=Flow(name=name)), name=name)
