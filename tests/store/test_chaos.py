"""Four processes write and query while owners and writers are killed."""

from __future__ import annotations

import os
import random
import signal
import time

from processes import is_owner, owner_pid


def test_twenty_kills_lose_nothing_and_double_nothing(opened, root, traffic):
    store = opened()
    store.query("SELECT 1")
    chance = random.Random(7)
    names = [f"writer{number}" for number in range(4)]
    writers = {name: traffic(name, root, root / f"{name}.acknowledged") for name in names}
    kills = {"owner": 0, "writer": 0}
    while sum(kills.values()) < 20:
        time.sleep(chance.uniform(0.3, 1.0))
        if chance.random() < 0.7:
            pid = owner_pid(root)
            if pid is None or not is_owner(pid, root):  # the card of one already killed
                continue
            os.kill(pid, signal.SIGKILL)
            kills["owner"] += 1
        else:
            name = chance.choice(names)
            writers[name].kill()
            writers[name].wait()
            kills["writer"] += 1
            writers[name] = traffic(name, root, root / f"{name}.acknowledged")
    (root / "stop").touch()
    for name, process in writers.items():
        _, error = process.communicate(timeout=40)
        assert process.returncode == 0, f"{name}: {error}"
    acknowledged = {tuple(line.split()) for name in names for line in (root / f"{name}.acknowledged").read_text().splitlines()}
    found = [(str(execution), str(seq)) for execution, seq in store.query("SELECT execution_id, seq FROM execution_logs", timeout_s=60)]
    assert kills["owner"] >= 5
    assert len(acknowledged) > 400
    assert len(found) == len(set(found)), "doubled"
    assert acknowledged <= set(found), "lost"
    assert len(set(found) - acknowledged) <= kills["writer"], "only a kill between the write and our note of it leaves more"
    assert store.status().quarantined == 0
