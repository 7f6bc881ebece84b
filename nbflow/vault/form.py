"""A form for a credential in a notebook, which holds no secret longer than it takes to hear it.

A widget's state lies in the browser and may be saved with the notebook. So a secret field is emptied as soon as its value arrives here; the value
waits in this process until it is saved, and is in no widget, no message to the browser (no echo either) and no repr.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets
import traitlets

from nbflow.core.errors import NbflowError
from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbflow.vault.vault import Vault

_WIDE = ipywidgets.Layout(width="520px")
_LABEL = {"description_width": "130px"}


class SecretInput(ipywidgets.Password):  # type: ignore[misc]  # ipywidgets has no types
    """A password field that forgets. `take` gives what was typed last, once."""

    value = traitlets.Unicode("").tag(sync=True, echo_update=False)

    def __init__(self, label: str, hint: str) -> None:
        self._typed = ""
        super().__init__(description=label, placeholder=hint, continuous_update=False, layout=_WIDE, style=_LABEL)  # sent when the field is left
        self.observe(self._keep, "value")

    def _keep(self, change: Any) -> None:
        if change["new"]:
            self._typed = change["new"]
            self.value = ""
            self.placeholder = "entered; type again to change it"

    def take(self) -> str:
        """The value; from now on it is nowhere here."""
        typed, self._typed = self._typed, ""
        self.placeholder = ""
        return typed


class Form:
    """Asks for one credential. `saved` is told its name."""

    def __init__(self, vault: Vault, name: str, kind: str | None, *, replace: bool, saved: Callable[[str], object] = lambda _: None) -> None:
        from nbflow.vault.kinds import KINDS

        self._vault = vault
        self._replace = replace
        self._saved = saved
        self.name = ipywidgets.Text(
            value=name, description="credential", placeholder="what flows call it by", disabled=replace, layout=_WIDE, style=_LABEL
        )
        first = kind or (name if name in KINDS else "generic")
        options = [(f"{known}: {declared.title}", known) for known, declared in sorted(KINDS.items())]
        self.kind = ipywidgets.Dropdown(options=options, value=first, description="kind", layout=_WIDE, style=_LABEL)
        self.kind.observe(lambda _: self._ask(), "value")
        self.fields: dict[str, Any] = {}
        self._area = ipywidgets.VBox()
        self._button = ipywidgets.Button(description="Save", button_style="primary")
        self._button.on_click(lambda _: self.save())
        self.status = ipywidgets.HTML()
        self._ask()
        self.widget = ipywidgets.VBox([self.name, self.kind, self._area, self._button, self.status])

    def _ask(self) -> None:
        """The fields of the chosen kind."""
        from nbflow.vault.kind import kind_named

        declaration = kind_named(self.kind.value)
        secret = declaration.secret_fields()
        self.fields = {}
        for field, info in sorted(declaration.model_fields.items(), key=lambda item: not item[1].is_required()):
            hint = "" if info.is_required() else "optional" if info.default is None else str(info.default)
            hint = "unchanged" if self._replace else hint
            make = SecretInput(field, hint) if field in secret else ipywidgets.Text(description=field, placeholder=hint, layout=_WIDE, style=_LABEL)
            make.tooltip = info.description or ""
            self.fields[field] = make
        if not declaration.model_fields:  # generic: one value; more of them by the command line
            self.fields["value"] = SecretInput("value", "")
        self._area.children = list(self.fields.values())

    def save(self) -> None:
        """Keep what was entered; what is wrong is said under the form. Secrets have to be entered again then."""
        values = {field: text for field, widget in self.fields.items() if (text := _entered(widget))}
        try:
            if self._replace:
                info = self._vault.update(self.name.value, values, kind=self._other_kind())
            else:
                info = self._vault.add(self.name.value.strip(), self.kind.value, values)
        except NbflowError as error:
            self.status.value = f'<span style="color:#e5484d">{escape(redactor.text(str(error)))}</span>'
            return
        self.status.value = f"<b>{escape(info.name)}</b> is kept, its {escape(', '.join(info.secret_fields))} encrypted."
        self._saved(info.name)

    def _other_kind(self) -> str | None:
        known = self._vault.get(self.name.value).kind
        return None if known == self.kind.value else str(self.kind.value)

    def __repr__(self) -> str:
        return f"<form for a credential of kind {self.kind.value}>"

    def _repr_mimebundle_(self, **_: Any) -> Any:
        return {
            **self.widget._repr_mimebundle_(),
            "text/plain": repr(self),
            "text/html": f"<i>A form for a credential of kind {escape(str(self.kind.value))}. Run the cell again to use it.</i>",
        }


def _entered(widget: Any) -> str:
    return widget.take() if isinstance(widget, SecretInput) else str(widget.value).strip()
