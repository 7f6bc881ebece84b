"""What people call things."""

from typing import Annotated

from pydantic import StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$")]
"""One line that does not begin with a space."""

Text = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]

Email = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]
"""Whether it exists only its owner knows; this keeps out what cannot be one."""
