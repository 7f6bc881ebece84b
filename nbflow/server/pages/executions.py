"""The page of executions: what runs, what ran, one of them in full. Live."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

import orjson
import panel as pn
import param
from panel.custom import JSComponent

from nbflow.accounts.rights import Permission
from nbflow.core.errors import NbflowError
from nbflow.core.states import ENDED
from nbflow.display.look import LOOKS
from nbflow.runtime.past import PastExecution
from nbflow.server.pages.live import Question
from nbflow.server.pages.look import framed, source
from nbflow.store.audit import entry
from nbflow.store.sql import statements

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from nbflow.server.pages.live import Live
    from nbflow.server.pages.mount import Visitor

MOST = 1000  # executions in one list; older ones are found by the filter or the API
_STEP = 50
_WATCH_S = 1.0  # how often an open execution that has not ended is read again
_FILTERS = frozenset({"active", "pending", "running", "waiting", "completed", "failed", "cancelled"})

log = logging.getLogger("nbflow.pages")


class ExecutionsView(JSComponent):  # type: ignore[misc]  # untyped base
    """The browser's side. Texts are JSON: `listing` as `Live` tells it, `detail` one execution, `notice` what an action led to."""

    listing = param.String(default="")
    detail = param.String(default="")
    notice = param.String(default="")
    looks = param.Dict(default={word: look._asdict() for word, look in LOOKS.items()})

    _esm = source("executions.js")
    _stylesheets: ClassVar[list[str]] = [source("executions.css")]


class ExecutionsPage:
    """One open page: what its visitor asked for, and what they may do."""

    def __init__(self, visitor: Visitor, live: Live) -> None:
        self._principal = visitor.principal
        self._actor = visitor.principal.actor(visitor.address)
        self._live = live
        self.view = ExecutionsView(sizing_mode="stretch_both")
        self.view.on_msg(lambda event: self._heard(event.data))
        self._document = pn.state.curdoc
        self._question = Question(organizations=self._principal.where(Permission.EXECUTION_READ))
        self._stop: Callable[[], None] = lambda: None
        self._open: str | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._closed = False
        self._notices = 0

    def start(self) -> None:
        """Begins to listen; `close` ends that."""
        self._stop = self._live.watch(self._question, lambda text: self._tell(listing=text))

    def close(self) -> None:
        """The browser has gone."""
        self._closed = True
        self._stop()
        for task in [*self._tasks, *filter(None, [self._watching])]:
            task.cancel()

    def _tell(self, **values: str) -> None:
        """From anywhere on the loop: Bokeh wants changes of a document under its lock."""
        if not self._closed:
            self._document.add_next_tick_callback(lambda: self.view.param.update(**values))

    # What the browser asks --------------------------------------------------------------------------

    def _heard(self, message: Any) -> None:
        """Messages come from a browser: nothing in them is believed."""
        asked = message if isinstance(message, dict) else {}
        answers: dict[Any, Callable[[dict[str, Any]], Awaitable[None]]] = {
            "list": self._list,
            "more": self._more,
            "open": self._show,
            "cancel": self._cancel,
            "retry": self._retry,
        }
        answer = answers.get(asked.get("type"))
        if answer is not None:
            self._spawn(self._answered(answer(asked)))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answered(self, answer: Awaitable[None]) -> None:
        try:
            await answer
        except NbflowError as error:
            self._say(str(error))
        except Exception:
            log.exception("a page's message could not be answered")
            self._say("That did not work: a mistake of the server, which its log describes.")

    def _say(self, text: str, *, open_: str | None = None) -> None:
        self._notices += 1  # the same words twice are still news
        self._tell(notice=orjson.dumps({"text": text, "open": open_, "number": self._notices}).decode())

    async def _list(self, asked: dict[str, Any]) -> None:
        status, text = asked.get("status"), asked.get("text")
        await self._ask(status=status if status in _FILTERS else None, text=text[:200] if isinstance(text, str) else None)

    async def _more(self, _asked: dict[str, Any]) -> None:
        await self._ask(status=self._question.status, text=self._question.text, limit=min(MOST, self._question.limit + _STEP))

    async def _ask(self, *, status: str | None, text: str | None, limit: int = _STEP) -> None:
        self._stop()
        self._question = Question(organizations=self._question.organizations, status=status, text=text or None, limit=limit)
        self.start()

    # One execution ----------------------------------------------------------------------------------

    async def _show(self, asked: dict[str, Any]) -> None:
        self._open = _uuid(asked.get("id"))
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if self._open is not None:
            self._watching = asyncio.get_running_loop().create_task(self._answered(self._follow(self._open)))
        elif asked.get("id"):
            self._say("There is no such execution.")

    async def _follow(self, id_: str) -> None:
        """Shows an execution, again and again until it has ended."""
        ended = False
        while not ended:
            facts = await self._facts(id_)
            if facts is None:
                self._say("There is no such execution.")
                return
            ended = facts["status"] in ENDED
            detail = await asyncio.to_thread(self._detail, id_, facts)
            self._tell(detail=orjson.dumps(detail, option=orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z).decode())
            if not ended:
                await asyncio.sleep(_WATCH_S)

    async def _facts(self, id_: str) -> dict[str, Any] | None:
        """None also for executions of organizations that the visitor is not in: they do not exist for them."""
        params = {"home": str(self._live.state.home), "execution_id": id_}
        found = (await asyncio.to_thread(self._live.state.store.query, statements("pages.sql")["page_execution"], params)).dicts()
        return found[0] if found and found[0]["organization_id"] in self._question.organizations else None

    def _detail(self, id_: str, facts: dict[str, Any]) -> dict[str, Any]:
        past = PastExecution.find(self._live.state.store, id_)
        may = self._principal.rights(facts["organization_id"])
        parent = facts["parent_execution_id"]
        return {
            "id": id_,
            "flow": past.row.flow,
            "html": past.state.html(),
            "source": past.row.source or past.row.trigger,
            "user": facts["user_name"],
            "started_at": past.row.started_at or past.row.accepted_at,
            "parent": str(parent) if parent else None,
            "may_cancel": self._live.state.executor.ticket(id_) is not None and Permission.EXECUTION_CANCEL in may,
            "may_retry": facts["status"] in ENDED and bool(facts["repeatable"]) and Permission.WORKFLOW_RUN in may,
        }

    async def _cancel(self, asked: dict[str, Any]) -> None:
        id_, organization = await self._allowed(asked, Permission.EXECUTION_CANCEL)
        if id_ is None:
            return
        if await self._live.state.executor.cancel(id_):
            await self._note("execution.cancelled", id_, organization)
            self._say("Cancelled.")
        else:
            self._say("It has just ended, or runs in another process (a notebook, a terminal) and can only be stopped there.")
        self._live.wake()

    async def _retry(self, asked: dict[str, Any]) -> None:
        id_, organization = await self._allowed(asked, Permission.WORKFLOW_RUN)
        if id_ is None:
            return
        ticket = await self._live.state.executor.retry(id_, user=self._principal.user.label)
        await self._note("execution.retried", id_, organization, after={"execution_id": ticket.execution_id})
        self._say("Started again.", open_=ticket.execution_id)
        self._live.wake()

    async def _note(self, action: str, id_: str, organization: UUID | None, after: dict[str, Any] | None = None) -> None:
        """In the audit log, as the API's routes do."""
        note = entry(self._actor, action, "execution", id_, organization_id=organization, after=after)
        await asyncio.to_thread(self._live.state.store.transact, [note])

    async def _allowed(self, asked: dict[str, Any], permission: Permission) -> tuple[str | None, UUID | None]:
        """The execution's id and organization; (None, None), and the visitor knows why, when this is not theirs to do."""
        id_ = _uuid(asked.get("id"))
        facts = None if id_ is None else await self._facts(id_)
        if facts is None:
            self._say("There is no such execution.")
            return None, None
        if not self._principal.may(permission, facts["organization_id"]):
            self._say(f"Your role does not allow this ({permission}).")
            return None, None
        return id_, facts["organization_id"]


def _uuid(text: Any) -> str | None:
    try:
        return str(UUID(text)) if isinstance(text, str) else None
    except ValueError:
        return None


def executions_page(visitor: Visitor, live: Live) -> pn.Template:
    """Made for each opened page; Bokeh's session ends it."""
    page = ExecutionsPage(visitor, live)
    pn.state.onload(page.start)  # not before: Panel drops what changes between the pulled document and the browser's word that it stands
    pn.state.on_session_destroyed(lambda _context: page.close())
    return framed(page.view, path="/executions", user=visitor.principal.user.label)
