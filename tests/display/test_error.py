from __future__ import annotations

import json

from nbflow.core.errors import RemoteError
from nbflow.display.error import describe_error, user_traceback


def failing(call):
    try:
        call()
    except (KeyError, ValueError, RemoteError) as error:
        return error
    raise AssertionError


def test_the_users_line_is_shown_and_library_frames_are_counted():
    text = user_traceback(failing(lambda: json.loads("{")))

    assert "test_error.py, line" in text
    assert "-> " in text
    assert "inside decoder" in text
    assert text.endswith("Expecting property name enclosed in double quotes: line 1 column 2 (char 1)")
    assert "raw_decode" in text
    assert "/json/" not in text


def test_causes_come_first():
    def run():
        try:
            {}["customer"]
        except KeyError as error:
            raise ValueError("no such order") from error

    text = user_traceback(failing(run))

    assert text.index("KeyError") < text.index("led to") < text.index("ValueError: no such order")


def test_errors_of_nbflow_are_named_without_their_module():
    def run():
        raise RemoteError("answered 503", status=503)

    record = describe_error(failing(run))

    assert record.traceback.endswith("\nRemoteError: answered 503")
    assert record.retryable


def test_an_exception_that_cannot_be_read_is_described_all_the_same():
    class BrokenError(Exception):
        def __str__(self):
            raise RuntimeError

    assert describe_error(BrokenError()).type == "BrokenError"


def test_the_lines_of_a_notebook_cell_are_named_by_cell(kernel):
    cell = kernel.run("""
from nbflow.display.error import user_traceback
def node(rows):
    return rows["total"] / 0
try:
    node({"total": 1})
except ZeroDivisionError as error:
    print(user_traceback(error))
""")

    assert "Cell In[1], line 3, in node" in cell.text
    assert '->    3     return rows["total"] / 0' in cell.text
