"""What all bodies and answers have in common."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """What a caller sends: an unknown field is an error, so that a misspelt one is not silently without effect."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What the server answers. Times are UTC and end in Z, durations are milliseconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)
