"""`nf.credentials`: named secrets, from a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbflow.vault.form import Form
    from nbflow.vault.records import CredentialInfo
    from nbflow.vault.vault import Rotation, TestResult, Vault

_CELL = "padding:3px 14px 3px 0;border-bottom:1px solid rgba(128,128,128,0.25);text-align:left;vertical-align:top"
_MUTED = "color:rgb(128,134,145)"


class Credentials:
    """The project's named secrets. Displayed, it lists them; their values it never shows.

    `nf.credentials.add("prod-pg", "postgres")` shows a form. In a node, `ctx.credential("prod-pg").reveal("password")` gives a value.
    """

    def add(self, name: str = "", kind: str | None = None) -> Form:
        """A form for a new credential. Values are typed into it, not written into the cell."""
        from nbflow.vault.form import Form

        return Form(self._vault, name, kind, replace=False)

    def update(self, name: str) -> Form:
        """A form that changes one: what is left empty stays. Raises UnknownCredentialError."""
        from nbflow.vault.form import Form

        info = self._vault.get(name)
        return Form(self._vault, info.name, info.kind, replace=True)

    def test(self, name: str) -> TestResult:
        """Asks the service whether it accepts the credential. Raises UnknownCredentialError."""
        return self._vault.test(name)

    def remove(self, name: str) -> None:
        """Deletes it. Raises UnknownCredentialError."""
        self._vault.remove(name)

    def rotate(self) -> Rotation:
        """Encrypts all of them with a new key. Raises CredentialError where the key is not ours to change."""
        return self._vault.rotate()

    @property
    def kinds(self) -> dict[str, str]:
        """Names of all kinds, with what each is for."""
        from nbflow.vault.kinds import KINDS

        return {name: kind.title for name, kind in sorted(KINDS.items())}

    @property
    def _vault(self) -> Vault:
        from nbflow.runtime.runtime import runtime

        return runtime().vault

    def __iter__(self) -> Iterator[CredentialInfo]:
        return iter(self._vault.list())

    def __len__(self) -> int:
        return len(self._vault.list())

    def __repr__(self) -> str:
        lines = [f"{info.name}  {info.kind}  ({', '.join(info.secret_fields)} encrypted)" for info in self]
        return "\n".join(lines) or 'no credentials yet: nf.credentials.add("name", "kind") shows a form'

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr>{_cells(info)}</tr>" for info in self)
        if not rows:
            return f'<span style="{_MUTED}">no credentials yet: <code>nf.credentials.add("name", "kind")</code> shows a form</span>'
        head = "".join(f'<th style="{_CELL}">{title}</th>' for title in ("name", "kind", "values", "encrypted", "last used (UTC)"))
        return f'<table style="font-size:13px"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _cells(info: CredentialInfo) -> str:
    shown = ", ".join(f"{name}={value}" for name, value in info.fields.items())
    used = f"{info.last_used_at:%Y-%m-%d %H:%M}" if info.last_used_at else ""
    texts: list[Any] = [info.name, info.kind, shown, ", ".join(info.secret_fields), used]
    return "".join(f'<td style="{_CELL}">{escape(str(text))}</td>' for text in texts)


credentials = Credentials()
"""The one of this process's project."""
