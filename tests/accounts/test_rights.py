from __future__ import annotations

from itertools import pairwise

import pytest

from nbflow.accounts.rights import RIGHTS, Permission, Role, rights

ORDER = [Role.OWNER, Role.ADMIN, Role.DEVELOPER, Role.MEMBER, Role.VIEWER, Role.GUEST]


def test_every_role_is_in_the_table():
    assert set(RIGHTS) == set(Role) == set(ORDER)


@pytest.mark.parametrize(("higher", "lower"), list(pairwise(ORDER)))
def test_each_role_may_all_that_the_next_may_and_more(higher, lower):
    assert RIGHTS[higher] > RIGHTS[lower]


def test_every_permission_is_had_by_somebody():
    assert RIGHTS[Role.OWNER] == set(Permission)


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        (Role.ADMIN, Permission.MEMBER_WRITE, Permission.ORGANIZATION_DELETE),
        (Role.DEVELOPER, Permission.WORKFLOW_WRITE, Permission.MEMBER_WRITE),
        (Role.MEMBER, Permission.WORKFLOW_RUN, Permission.WORKFLOW_WRITE),
        (Role.VIEWER, Permission.EXECUTION_READ, Permission.WORKFLOW_RUN),
        (Role.GUEST, Permission.WORKFLOW_READ, Permission.EXECUTION_READ),
    ],
)
def test_a_role_ends_where_the_next_begins(role, may, may_not):
    assert may in RIGHTS[role]
    assert may_not not in RIGHTS[role]


def test_a_key_may_only_what_its_user_its_role_and_its_scopes_allow():
    assert rights(Role.VIEWER, ceiling=Role.ADMIN) == RIGHTS[Role.VIEWER]
    assert rights(Role.ADMIN, ceiling=Role.VIEWER) == RIGHTS[Role.VIEWER]
    assert rights(Role.ADMIN, scopes=[Permission.WORKFLOW_RUN]) == {Permission.WORKFLOW_RUN}
    assert rights(Role.VIEWER, scopes=[Permission.WORKFLOW_RUN]) == frozenset()
