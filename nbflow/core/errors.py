"""One tree of errors. Attributes carry the facts; the message says what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbflow.core.redaction import redactor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from nbflow.core.problem import Problem


class NbflowError(Exception):
    """Base of every error that nbflow raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message. IPython asks for this before it makes a traceback of its own."""
        return [redactor.text(f"{type(self).__name__}: {self}")]


# Before a run -----------------------------------------------------------------------------------


class DefinitionError(NbflowError):
    """A decorated flow or node cannot be turned into a document."""


class DocumentError(NbflowError):
    """A text is not a flow document (corrupt JSON, wrong shape, unknown document version)."""


class UnknownNodeTypeError(NbflowError):
    """No installed node type has this name."""

    def __init__(self, type_: str, suggestions: Sequence[str] = ()) -> None:
        self.type = type_
        self.suggestions = tuple(suggestions)
        hint = f"; did you mean {' or '.join(suggestions)}?" if suggestions else ""
        super().__init__(f"unknown node type '{type_}'{hint} (`nbflow nodes` lists the installed ones)")


class CheckError(NbflowError):
    """The flow document has problems; nothing ran. `problems` lists them all."""

    def __init__(self, flow: str, problems: Sequence[Problem]) -> None:
        self.flow = flow
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in problems)
        count = f"{len(problems)} problem" + ("s" if len(problems) > 1 else "")
        super().__init__(f"flow '{flow}' has {count}:\n{lines}")


class ParameterError(NbflowError):
    """A value given for a flow's parameter is missing, unknown, or of the wrong type."""

    def __init__(self, flow: str, field: str, message: str) -> None:
        self.flow = flow
        self.field = field
        super().__init__(f"flow '{flow}', parameter '{field}': {message}")


# Inside a node ----------------------------------------------------------------------------------


class NodeError(NbflowError):
    """A node could not do its work. `retryable` says whether trying again can help."""

    retryable = False

    def __init__(self, message: str, *, retryable: bool | None = None) -> None:
        super().__init__(message)
        if retryable is not None:
            self.retryable = retryable


class ConfigError(NodeError):
    """A config field has a value the node cannot work with (found after expressions were evaluated)."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        self.field = field
        super().__init__(f"field '{field}': {message}" if field else message)


class ExpressionError(NodeError):
    """An `{{ expression }}` is malformed or failed."""

    def __init__(self, message: str, *, expression: str = "", field: str | None = None) -> None:
        self.expression = expression
        self.field = field
        where = f"field '{field}': " if field else ""
        super().__init__(f"{where}{message}")


class InputError(NodeError):
    """The value that arrived at the node is not what the node can handle."""

    def __init__(self, message: str, *, index: int | None = None) -> None:
        self.index = index
        super().__init__(f"item {index}: {message}" if index is not None else message)


class MissingExtraError(NodeError):
    """A node needs an optional package that is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f'{what} needs an optional package: pip install "nbflow[{extra}]"')


class RemoteError(NodeError):
    """A remote service answered with an error. `body` is cut to 2 kB."""

    def __init__(self, message: str, *, status: int | None = None, body: str = "", retryable: bool | None = None) -> None:
        self.status = status
        self.body = redactor.cut(body, 2000)
        if retryable is None and status is not None:
            retryable = status in {408, 425, 429} or status >= 500  # noqa: PLR2004 -- HTTP's own numbers
        super().__init__(message, retryable=retryable)


class RateLimitedError(RemoteError):
    """The service asks to come back later. `retry_after` is in seconds, None when it did not say."""

    retryable = True

    def __init__(self, message: str, *, status: int = 429, body: str = "", retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message, status=status, body=body, retryable=True)


class ProtocolError(NodeError):
    """An answer broke its own protocol: bad JSON, a stream cut short."""


class PartialError(NodeError):
    """Some items worked and some did not."""

    def __init__(self, message: str, *, succeeded: Sequence[object] = (), failed: Sequence[object] = ()) -> None:
        self.succeeded = tuple(succeeded)
        self.failed = tuple(failed)
        super().__init__(message)


class NodeTimeoutError(NodeError):
    """The node was still running when its time was over."""

    retryable = True


class LimitError(NodeError):
    """A loop, a process or an output went past its declared limit."""


# A run ------------------------------------------------------------------------------------------


class ExecutionError(NbflowError):
    """An execution failed. `node` is the failing node's id; `__cause__` is its own exception.

    `report` is that exception's traceback with the user's own lines first; `execution` is the handle, where there is one.
    """

    def __init__(self, message: str, *, execution_id: str = "", node: str | None = None) -> None:
        self.execution_id = execution_id
        self.node = node
        self.report = ""
        self.execution: Any = None
        super().__init__(message)

    def _render_traceback_(self) -> list[str]:
        lines = [f"{type(self).__name__}: {self}"]
        return [*lines, "", self.report] if self.report else lines


class ExecutionCancelledError(ExecutionError):
    """The execution was cancelled before it finished."""


class FlowTimeoutError(ExecutionError):
    """The flow was still running when its own time was over."""


# The store --------------------------------------------------------------------------------------


class StoreError(NbflowError):
    """The project's history cannot be read or written."""


class StoreReadOnlyError(StoreError):
    """The project folder refuses writing."""


class StoreBusyError(StoreError):
    """The store's owner did not answer within the time given, or another program holds the database file."""


class QueryError(StoreError):
    """SQL given to `nbflow.sql` is wrong, or reads something that does not exist."""


class UnknownExecutionError(StoreError):
    """No execution has this id (or this beginning of an id)."""


# Executions on a server -------------------------------------------------------------------------


class ServerRunningError(NbflowError):
    """Another server already serves this project. `pid` and `url` are its own, as far as it has told them."""

    def __init__(self, project: str, *, pid: int | None = None, url: str | None = None) -> None:
        self.pid = pid
        self.url = url
        who = (f" at {url}" if url else "") + (f" (process {pid})" if pid else "")
        super().__init__(f"a server already runs for {project}{who}: use that one, stop it, or set NBFLOW_PROJECT to another folder")


class AddressError(NbflowError):
    """The server cannot listen where it should: the port is in use, or the address is none of this machine's."""


class QueueFullError(NbflowError):
    """The server takes no more executions now: too many wait, or it is stopping. Nothing was accepted; trying later helps."""


class RetryError(NbflowError):
    """An execution cannot be run again."""


class WorkerError(NbflowError):
    """A worker kernel could not do its work: it did not start, could not load the published code, or died. The message says why."""


# Workflows --------------------------------------------------------------------------------------


class WorkflowError(NbflowError):
    """A stored workflow cannot be what is asked for."""


class UnknownWorkflowError(WorkflowError):
    """No workflow has this id (or name) here: it was deleted, or is another organization's."""

    def __init__(self, workflow: object, advice: str = "") -> None:
        self.workflow = str(workflow)
        why = advice or ": it was deleted or never published here (`nbflow workflows list` shows what there is)"
        super().__init__(f"there is no workflow '{workflow}'{why}")


class UnknownVersionError(WorkflowError):
    """The workflow has no such version."""

    def __init__(self, workflow: str, version: object) -> None:
        self.workflow = workflow
        self.version = str(version)
        super().__init__(f"workflow '{workflow}' has no version '{version}' (`nbflow workflows versions` lists them)")


class WebhookClashError(WorkflowError):
    """Another active workflow answers this method on this path already (`:names` of parameters do not matter).

    `workflow` is its name; None when it is another organization's, whose names are nobody else's business.
    """

    def __init__(self, path: str, method: str, workflow: str | None) -> None:
        self.path = path
        self.method = method
        self.workflow = workflow
        by = f"the active workflow '{workflow}'" if workflow else "a workflow of another organization"
        fix = "choose another path or method" + (", or deactivate that workflow" if workflow else "")
        super().__init__(f"{method} {path} is answered by {by} already: {fix}")


class VersionConflictError(WorkflowError):
    """The workflow has changed since it was read. Nothing was saved."""

    def __init__(self, workflow: str, expected: int, found: int) -> None:
        self.workflow = workflow
        self.expected = expected
        self.found = found
        super().__init__(f"workflow '{workflow}' is at version {found} by now, not {expected}: read it again and repeat the change")


class PublishError(WorkflowError):
    """A flow cannot be made self-contained. The message names the cell, the name and what to do."""


# Accounts and sign-in ---------------------------------------------------------------------------


class SettingsError(NbflowError):
    """The server's settings are wrong. The message names the flag, variable or line, and what it should be."""


class AccountError(NbflowError):
    """An account cannot be what is asked for."""


class UnknownAccountError(AccountError):
    """There is no such user, organization, member, workspace or API key here; `kind` says which. Also for another organization's."""

    def __init__(self, id_: object, kind: str) -> None:
        self.kind = kind
        self.id = str(id_)
        super().__init__(f"there is no {kind} '{id_}' here")


class AccountConflictError(AccountError):
    """It exists already, or something else depends on it staying as it is. Nothing was changed."""


class LastOwnerError(AccountConflictError):
    """An organization always has an owner: make somebody else owner first."""

    def __init__(self, organization: str) -> None:
        self.organization = organization
        super().__init__(f"this is the last owner of '{organization}': make another member owner first")


class ForbiddenError(AccountError):
    """Signed in, and a member there, but without this right. `permission` names it."""

    def __init__(self, message: str, *, permission: str) -> None:
        self.permission = permission
        super().__init__(message)


class SignInError(AccountError):
    """Who asks could not be established. One subclass for each cause."""


class NotSignedInError(SignInError):
    """The request carries no credential."""


class MalformedAuthorizationError(SignInError):
    """The Authorization header, or the token in it, is not of a known form."""


class WrongTokenError(SignInError):
    """It is not this server's token."""


class ExpiredTokenError(SignInError):
    """The time of the identity provider's token is over, or has not begun."""


class ForgedTokenError(SignInError):
    """The signature of the token does not belong to its content."""


class WrongIssuerError(SignInError):
    """The token comes from another identity provider."""


class WrongAudienceError(SignInError):
    """The token was made for another application (`aud`, `azp`)."""


class WrongAlgorithmError(SignInError):
    """The token is signed by a method that this server does not take: none at all, a shared secret, or one that does not fit the key."""


class UnknownSigningKeyError(SignInError):
    """The token names a key that the identity provider does not publish."""


class UnknownApiKeyError(SignInError):
    """No such API key was ever made here."""


class RevokedApiKeyError(SignInError):
    """The API key was revoked, or its user is no member any more."""


class ExpiredApiKeyError(SignInError):
    """The API key's time is over."""


class SessionEndedError(SignInError):
    """The session was signed out, is too old, or its cookie is not ours."""


class InactiveUserError(SignInError):
    """The user was switched off."""


class NotAdmittedError(SignInError):
    """The identity provider knows them, but this server does not let them in."""


class TooManyAttemptsError(SignInError):
    """So many wrong tokens came from one address that it has to wait."""


class ForeignOriginError(AccountError):
    """A page of another site made a browser send this request."""


class IdentityProviderError(NbflowError):
    """The identity provider does not answer, or answers what it must not. Trying later can help."""


# Credentials ------------------------------------------------------------------------------------


class CredentialError(NodeError):
    """A credential cannot be used: incomplete, of another kind, or encrypted with a key that is not here."""


class UnknownCredentialError(CredentialError):
    """No credential has this name, neither in the environment nor in the OS keyring nor in the vault."""
