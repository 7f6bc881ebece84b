"""Flows to draw, with their functions."""

import pandas as pd

import nbflow as nf
from nbflow import flow, node

calls = []


@node
def numbers(count: int = 3) -> list:
    calls.append("numbers")
    return list(range(count))


@node
def doubled(values: list) -> list:
    calls.append("doubled")
    return [2 * value for value in values]


@node
def table(values: list) -> pd.DataFrame:
    calls.append("table")
    print("making a table")
    return pd.DataFrame({"value": values})


@node
def broken(values: list) -> list:
    raise ValueError("no such thing")


@node
def other() -> int:
    calls.append("other")
    return 7


@flow
def straight(count: int = 3):
    other()
    return table(doubled(numbers(count)))


@flow
def failing():
    return broken(numbers(2))


@flow
def branching():
    check = nf.nodes.logic.if_(numbers(3), condition="{{ input | length > 2 }}")
    return {"big": doubled.options(id="big")(check.true), "small": doubled.options(id="small")(check.false)}


@node
def plus(item: int) -> int:
    calls.append(f"plus {item}")
    return item + 1


@node
def unused(item: int) -> int:
    calls.append("unused")
    return item


@flow
def looping():
    def body(item):
        unused(item)
        return plus(item)

    return table(nf.foreach(numbers(3), body))
