import sys
from types import ModuleType

import pandas as pd
import pytest

from nbflow.catalogue.rows import frame, is_frame, records
from nbflow.core.errors import InputError


def test_a_frame_is_known_also_while_another_thread_imports_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pd.DataFrame({"a": [1]})
    assert is_frame(table)
    monkeypatch.setitem(sys.modules, "pandas", ModuleType("pandas"))
    assert not is_frame([1])
    monkeypatch.delitem(sys.modules, "pandas")
    assert not is_frame([1])


def test_a_frame_is_given_back_as_it_is() -> None:
    table = pd.DataFrame({"a": [1]})
    assert frame(table) is table
    assert records(table) == [{"a": 1}]


@pytest.mark.parametrize("value", [None, 3, "text", [1], [{}, None]])
def test_what_is_no_table_is_refused(value: object) -> None:
    with pytest.raises(InputError):
        records(value)
