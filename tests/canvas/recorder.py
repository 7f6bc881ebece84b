"""A link that keeps what a session tells."""

from __future__ import annotations

import itertools
import time


class Recorder:
    """The browser's place: traits as they are now, messages as they came."""

    def __init__(self):
        self.traits, self.messages, self._numbers = {}, [], itertools.count()

    def set_trait(self, name, value):
        self.traits[name] = value

    def send(self, message):
        self.messages.append(message)

    def ask(self, session, question, **ask):
        """The answer to a question; an error as {"error": text}."""
        id_ = f"q{next(self._numbers)}"
        session.receive({"kind": "ask", "id": id_, "question": question, "ask": ask})
        answer = self.until(lambda: next((one for one in list(self.messages) if one.get("id") == id_), None))
        return {"error": answer["error"]} if "error" in answer else answer["answer"]

    def until(self, found, seconds=20.0):
        """What `found` gives as soon as it gives something."""
        deadline = time.monotonic() + seconds
        while not (value := found()):
            assert time.monotonic() < deadline, {name: self.traits.get(name) for name in ("notice", "statuses", "pins", "checked")}
            time.sleep(0.01)
        return value

    def ended(self, status="completed"):
        """Waits until the shown execution has this status."""
        return self.until(lambda: (one := self.traits.get("statuses", {}).get("execution") or {}).get("status") == status and one)
