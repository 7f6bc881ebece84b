"""The frame around every page: head, navigation, colours. Light and dark come from the reader's system, or from the button."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import panel as pn
from panel.io.resources import _env

from nbflow.server.pages.mount import PAGES

if TYPE_CHECKING:
    from jinja2 import Template
    from panel.viewable import Viewable


@cache
def source(name: str) -> str:
    """The text of a file of this package."""
    return files("nbflow.server.pages").joinpath(name).read_text("utf-8")


@cache
def _compiled() -> Template:
    template: Template = _env.from_string(source("frame.html"))
    return template


def framed(content: Viewable, *, path: str, user: str) -> pn.Template:
    """`content` under the navigation; `path` is the page's own. Everything in it is relative: any prefix of a proxy works."""
    template = pn.Template(_compiled())
    template.add_panel("content", content)
    template.add_variable("pages", [{"href": f".{other}", "title": title, "here": other == path} for other, title in PAGES.items()])
    template.add_variable("user", user)
    template.add_variable("styles", source("frame.css"))
    return template
