"""`logic.loop.foreach`."""

from typing import Any, Literal

from pydantic import Field

from nbflow.catalogue.rows import is_frame, is_record, items
from nbflow.core.config import NodeConfig
from nbflow.core.errors import InputError
from nbflow.core.node import Context, node_type
from nbflow.core.suggest import advice


class ForeachConfig(NodeConfig):
    """What to go through, and how."""

    items: Any = Field(default=None, description="What to go through; the input when not given. Example: `{{ input.orders }}`.")
    field: str = Field(default="", description="Name of the input's entry to go through, dots between levels: `answer.rows`.")
    batch_size: int = Field(default=1, ge=1, description="Items a round; with more than one, a round gets a list (or a piece of the DataFrame).")
    concurrency: int = Field(default=1, ge=1, description="Rounds that run at the same time.")
    on_item_error: Literal["stop", "collect"] = Field(
        default="stop", description="Stop at the first failed round, or put its failure in its place in the result."
    )


@node_type("logic.loop.foreach", container=True)
async def loop_foreach(config: ForeachConfig, input: Any = None, *, ctx: Context) -> list[Any]:  # noqa: A002 - the port's name
    """Repeat the nodes inside for each item.

    Goes through lists, DataFrames (rows as dicts) and mappings (`key` and `value`). Gives the rounds' results in the order of the items;
    nothing to go through gives []. Raises InputError when the input cannot be gone through.
    """
    source = config.items if config.items is not None else _pick(input, config.field)
    if config.batch_size == 1:
        rounds = items(source)
    else:
        whole = source if is_frame(source) else items(source)
        rounds = [whole[start : start + config.batch_size] for start in range(0, len(whole), config.batch_size)]
    if not rounds:
        return []
    return await ctx.body.map(rounds, concurrency=config.concurrency, collect_errors=config.on_item_error == "collect")


def _pick(value: Any, field: str) -> Any:
    if not field:
        return value
    for part in field.split("."):
        if not is_record(value) or part not in value:
            msg = f"the input has no '{field}'{advice(part, value) if is_record(value) else ''}"
            raise InputError(msg)
        value = value[part]
    return value
