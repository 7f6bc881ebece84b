"""pyplot's figures, one registry per node: nodes in different threads never draw into each other's figures.

pyplot keeps its open figures in one global mapping. Ours stands in its place and answers with the running node's own.
matplotlib is not imported for this; the detours wait for the user to import it.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

from nbflow.core.current import NodeOutput, current_node
from nbflow.display.bundle import is_instance_of, mime_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_lock = threading.Lock()


def install() -> None:
    """Patches the parts of matplotlib that are imported, and the others when they are."""
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)
    for name, patch in _PATCHES.items():
        if (module := sys.modules.get(name)) is not None:
            patch(module)


def uninstall() -> None:
    """Gives matplotlib back as it was."""
    if _finder in sys.meta_path:
        sys.meta_path.remove(_finder)
    helpers = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None and isinstance(helpers.Gcf.figs, NodeFigures):
        helpers.Gcf.figs = helpers.Gcf.figs.outside
    pyplot = sys.modules.get("matplotlib.pyplot")
    for name in ("show", "new_figure_manager"):
        if pyplot is not None and hasattr(function := getattr(pyplot, name), "nbflow_original"):
            setattr(pyplot, name, function.nbflow_original)


def finish(node: NodeOutput, value: Any = None) -> None:
    """Renders the figures that the node left open, except one that is its value, and closes them. Never raises."""
    figures, node.figures = node.figures, None
    for manager in list((figures or {}).values()):
        figure = manager.canvas.figure
        if not _is_part_of(figure, value):
            _show(node, figure)
        _close(manager)


class NodeFigures(MutableMapping[Any, Any]):
    """Stands for `Gcf.figs`: number to figure manager, of the running node or, `outside` of nodes, of everybody."""

    def __init__(self, outside: OrderedDict[Any, Any]) -> None:
        self.outside = outside

    def _own(self) -> Any:
        node = current_node.get()
        if node is None:
            return self.outside
        if node.figures is None:
            with _lock:
                if node.figures is None:
                    node.figures = OrderedDict()
        return node.figures

    def __getitem__(self, number: Any) -> Any:
        return self._own()[number]

    def __setitem__(self, number: Any, manager: Any) -> None:
        self._own()[number] = manager

    def __delitem__(self, number: Any) -> None:
        del self._own()[number]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._own())

    def __len__(self) -> int:
        return len(self._own())

    def keys(self) -> Any:
        """The mapping's own views, which can be reversed."""
        return self._own().keys()

    def values(self) -> Any:
        """The mapping's own views, which can be reversed."""
        return self._own().values()

    def items(self) -> Any:
        """The mapping's own views, which can be reversed."""
        return self._own().items()

    def move_to_end(self, number: Any, last: bool = True) -> None:  # noqa: FBT001, FBT002  OrderedDict's signature
        """Makes a figure the active one."""
        self._own().move_to_end(number, last)


def _patch_registry(module: ModuleType) -> None:
    if not isinstance(module.Gcf.figs, NodeFigures):
        module.Gcf.figs = NodeFigures(module.Gcf.figs)


def _patch_pyplot(module: Any) -> None:
    if hasattr(module.show, "nbflow_original"):
        return
    show, new_figure_manager = module.show, module.new_figure_manager

    def show_own(*args: Any, **kwargs: Any) -> Any:
        node = current_node.get()
        if node is None:
            return show(*args, **kwargs)
        for number, manager in list((node.figures or {}).items()):
            _show(node, manager.canvas.figure)
            node.figures.pop(number, None)
            _close(manager)
        return None

    def new_own(*args: Any, **kwargs: Any) -> Any:
        node = current_node.get()
        if node is None:
            return new_figure_manager(*args, **kwargs)
        from matplotlib.backends import backend_agg  # no window and no cell belongs to a node

        manager = backend_agg.new_figure_manager(*args, **kwargs)
        manager.canvas.figure.show = lambda *_, **__: _show(node, manager.canvas.figure)
        return manager

    show_own.nbflow_original = show  # type: ignore[attr-defined]
    new_own.nbflow_original = new_figure_manager  # type: ignore[attr-defined]
    show_own.__doc__, new_own.__doc__ = show.__doc__, new_figure_manager.__doc__
    module.show, module.new_figure_manager = show_own, new_own


_PATCHES: dict[str, Callable[[ModuleType], None]] = {"matplotlib._pylab_helpers": _patch_registry, "matplotlib.pyplot": _patch_pyplot}


class _AfterImport(MetaPathFinder):
    """Runs a patch right after the module it is for."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if (patch := _PATCHES.get(fullname)) is None:
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader.exec_module = _then(spec.loader.exec_module, patch)  # type: ignore[assignment, method-assign]
                return spec
        return None


def _then(execute: Callable[[ModuleType], None], patch: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    def exec_module(module: ModuleType) -> None:
        execute(module)
        patch(module)

    return exec_module


_finder = _AfterImport()


def _show(node: NodeOutput, figure: Any) -> None:
    data = mime_bundle(figure)
    if data is not None:
        node.display(data, {})


def _close(manager: Any) -> None:
    if hasattr(manager, "_cidgcf"):
        manager.canvas.mpl_disconnect(manager._cidgcf)  # noqa: SLF001  as pyplot.close does
    manager.destroy()


def _is_part_of(figure: Any, value: Any) -> bool:
    """Whether a node's value is the figure, its axes, or a pair with one of them (`plt.subplots()` gives such)."""
    parts = value if isinstance(value, tuple) else (value,)
    return any(part is figure or (is_instance_of(part, "matplotlib.axes", "Axes") and part.figure is figure) for part in parts)
