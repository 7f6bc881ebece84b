import pandas as pd

from nbflow.testing import FakeContext, run_node


async def test_the_input_of_the_execution_goes_on() -> None:
    frame = pd.DataFrame({"a": [1]})
    assert await run_node("trigger.manual", {"sample": 1}, ctx=FakeContext(input=frame)) is frame
    assert await run_node("trigger.manual", ctx=FakeContext(input={"id": 7})) == {"id": 7}


async def test_the_sample_stands_in_for_no_input() -> None:
    assert await run_node("trigger.manual", {"sample": {"id": 1}}, ctx=FakeContext(input={})) == {"id": 1}
    assert await run_node("trigger.manual", {"sample": {"id": 1}}) == {"id": 1}
    assert await run_node("trigger.manual", {"sample": 1}, ctx=FakeContext(input=0)) == 0
