"""What somebody may have meant."""

from nbflow.core.suggest import advice, listed, nearest


def test_a_typo_and_a_wrong_case_are_recognised():
    assert nearest("totl", ["total", "name"]) == ("total",)
    assert nearest("TOTAL", ["total", "totals"]) == ("total",)


def test_advice_lists_what_there_is_when_nothing_looks_alike():
    assert advice("zzz", ["a", "b"]) == "; there is 'a', 'b'"
    assert advice("zzz", []) == ""


def test_lists_are_short():
    assert listed(str(i) for i in range(1000)).endswith("'11', ...")
