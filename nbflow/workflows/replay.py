"""What an execution was given, read back whole, to give it to a flow again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbflow.core.errors import RetryError, StoreError
from nbflow.store.history import History
from nbflow.workflows.binding import bind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.core.flow import Flow
    from nbflow.store.interface import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """`params` as the flow declares them; `input` is the request of a webhook, None elsewhere."""

    execution_id: str
    source: str
    params: Mapping[str, Any]
    input: Any


def given_to(store: Store, flow: Flow, id_or_prefix: str) -> Given:
    """For `flow`, which may declare other parameters than the flow that ran: a webhook's request fills them anew.

    Raises UnknownExecutionError; RetryError when it was not kept whole; ParameterError when the request does not fill them.
    """
    history = History(store)
    row = history.execution(id_or_prefix)
    try:
        kept = history.request(row.execution_id)
    except (StoreError, ValueError) as error:
        message = f"the request of execution {row.execution_id} cannot be read: {error}"
        raise RetryError(message) from error
    if kept is None:
        kept = {"params": _whole(row.input, str(row.execution_id))}
    params, given = kept.get("params") or {}, kept.get("input")
    if row.trigger == "webhook" and given is not None:
        params = bind(flow, given)
    return Given(execution_id=str(row.execution_id), source=row.source or "", params=params, input=given)


def _whole(params: Any, execution_id: str) -> dict[str, Any]:
    """Of executions of this machine's notebooks and terminals only a preview is kept, which for small parameters is all of them."""
    cut = sorted(name for name, value in (params or {}).items() if _is_cut(value))
    if cut:
        message = f"execution {execution_id} was given more than is kept of it ('{cut[0]}' is there in part): call the flow with it again"
        raise RetryError(message)
    return dict(params or {})


def _is_cut(value: Any) -> bool:
    if isinstance(value, dict):
        return bool({"$type", "$more"} & value.keys()) or any(map(_is_cut, value.values()))
    return isinstance(value, list) and any(map(_is_cut, value))
