"""What has arrived where while a plan runs: values in slots, counts of what is still to come, and the nodes that are ready by it."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from nbflow.engine.call import part
from nbflow.engine.plan import ALL, ANY, MISSING, ORDER_ONLY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbflow.engine.plan import Delivery, Plan, PlanNode


class Arrivals:
    """Of one activation. Knows the joins, and that a branch is dead; runs nothing."""

    __slots__ = ("dead", "orders", "pending", "plan", "readers", "ready", "results", "started", "unreadable", "values")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.values: list[Any] = [MISSING] * plan.slots
        self.pending = plan.pending.copy()
        self.dead = bytearray(len(plan.nodes))
        self.results: list[Any] = [MISSING] * len(plan.nodes)
        self.ready = deque(plan.roots)
        self.started: set[int] | None = None  # nodes that run on any first input, and have
        self.orders: dict[int, int] | None = plan.orders.copy() if plan.orders else None
        self.readers: dict[int, int] | None = plan.readers.copy() if plan.readers else None
        self.unreadable: dict[int, Exception] | None = None  # nodes whose input has not the part that an edge asks for

    def deliver(self, position: int, ports: Mapping[str, Any]) -> None:
        """Sends a node's values on; ports that are not named are dead."""
        for ways in (self.plan.outgoing[position], self.plan.branches[position]):
            for delivery in ways:
                if delivery.slot == ORDER_ONLY:
                    self.pass_on(delivery, None)
                elif delivery.port in ports:
                    self.pass_on(delivery, ports[delivery.port])
                else:
                    self.kill(delivery)

    def pass_on(self, delivery: Delivery, value: Any) -> None:
        """A value, or the end of a node that an expression names, arrives."""
        target, slot, *_ = delivery
        if slot == ORDER_ONLY:
            if self.orders is not None and target in self.orders:
                self.orders[target] -= 1
        elif self.plan.nodes[target].join != ANY or not self.has_input(target):
            self.put(delivery, value)
        self.arrived(target)

    def kill(self, delivery: Delivery) -> None:
        """Nothing will come this way."""
        if delivery.slot == ORDER_ONLY:
            self.pass_on(delivery, None)
            return
        self.dead[delivery.target] = 1
        self.arrived(delivery.target)

    def put(self, delivery: Delivery, value: Any) -> None:
        """Puts the part of the value that the edge asks for into its slot."""
        try:
            self.values[delivery.slot] = part(value, delivery.path)
        except Exception as error:  # noqa: BLE001 -- becomes the failure of the node that asked for the part
            if self.unreadable is None:
                self.unreadable = {}
            self.unreadable[delivery.target] = error

    def arrived(self, target: int) -> None:
        """One thing less to wait for: makes the node ready when that was the last, or enough for it."""
        left = self.pending[target] - 1
        self.pending[target] = left
        if self.plan.nodes[target].join != ANY:
            if left == 0:
                self.ready.append(target)
            return
        if self.started is None:
            self.started = set()
        first = left == 0 or (self.has_input(target) and not (self.orders and self.orders.get(target)))
        if first and target not in self.started:
            self.started.add(target)
            self.ready.append(target)

    def has_input(self, target: int) -> bool:
        """Whether a value has arrived, has been used even, or could not be read."""
        if (self.started is not None and target in self.started) or (self.unreadable is not None and target in self.unreadable):
            return True
        return any(self.values[slot] is not MISSING for slot in self.plan.nodes[target].held)

    def lives(self, position: int, node: PlanNode) -> bool:
        """Whether a node with a dead input runs all the same: it merges, and something else has arrived."""
        if node.join == ALL:
            return False
        unreadable = self.unreadable is not None and position in self.unreadable
        return unreadable or any(self.values[slot] is not MISSING for slot in node.held)

    def release(self, node: PlanNode) -> None:
        """Lets go of what only this node still needed: its inputs, and the values that only its expressions name."""
        for slot in node.held:
            self.values[slot] = MISSING
        if node.reads and self.readers is not None:
            for read in node.reads:
                left = self.readers.get(read, 0) - 1
                self.readers[read] = left
                if left == 0:
                    self.results[read] = MISSING
