"""Nodes with several operations: which config fields belong to which, checked in one place."""

from collections.abc import Mapping

from nbflow.core.config import NodeConfig


def check_fields(config: NodeConfig, operation: str, allowed: Mapping[str, str]) -> None:
    """Refuses fields of other operations and asks for missing ones. For use in a `model_validator`.

    `allowed` maps each operation to its fields, separated by blanks; a `!` marks a required one. Fields in no operation's list go with
    every operation. Raises ValueError.
    """
    mine = allowed[operation].split()
    names = {name.rstrip("!") for name in mine}
    special = {name.rstrip("!") for fields in allowed.values() for name in fields.split()}
    for name in sorted(config.model_fields_set & special - names):
        owners = ", ".join(other for other, fields in allowed.items() if name in fields.replace("!", "").split())
        msg = f"field '{name}' does not belong to operation '{operation}' (it belongs to: {owners})"
        raise ValueError(msg)
    for name in mine:
        if name.endswith("!") and name.rstrip("!") not in config.model_fields_set:
            msg = f"operation '{operation}' needs the field '{name.rstrip('!')}'"
            raise ValueError(msg)
