"""Secrets of no particular service."""

from typing import Any, ClassVar

from pydantic import ConfigDict, SecretStr, model_validator

from nbflow.vault.kind import Kind


class Generic(Kind):
    """Any fields, all of them secret."""

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)
    __pydantic_extra__: dict[str, SecretStr]

    kind: ClassVar[str] = "generic"
    title: ClassVar[str] = "Any names and values, all secret"

    @model_validator(mode="before")
    @classmethod
    def _texts(cls, values: Any) -> Any:
        if not isinstance(values, dict) or not values:
            msg = "give at least one value"
            raise ValueError(msg)
        return {name: value if isinstance(value, str | SecretStr) else str(value) for name, value in values.items()}

    def values(self) -> dict[str, Any]:
        """What was given."""
        return dict(self.__pydantic_extra__)
