"""What holds for every test."""

import pytest

from nbflow.core.redaction import redactor


@pytest.fixture(autouse=True)
def _no_secrets_of_other_tests():
    """What one test taught the process's redactor must not eat the words of the next."""
    yield
    redactor.forget_all()
