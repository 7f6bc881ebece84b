"""Where the project folder is."""

from __future__ import annotations

import pytest

from nbflow.core.errors import StoreError
from nbflow.store import find_project, open_store
from nbflow.store.project import ProjectFolder


def test_the_nearest_folder_upward_is_found(tmp_path):
    (tmp_path / ".nbflow").mkdir()
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find_project(deep) == tmp_path
    (deep.parent / ".nbflow").mkdir()
    assert find_project(deep) == deep.parent


def test_without_one_the_working_folder_is_it_and_nothing_is_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_project() == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_the_environment_decides(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path / "other"))
    assert find_project(tmp_path) == tmp_path / "other"


def test_the_folder_is_private_and_ignored_by_git(tmp_path):
    folder = ProjectFolder(root=tmp_path).make()
    assert folder.home.stat().st_mode & 0o777 == 0o700
    assert (folder.home / ".gitignore").read_text() == "*\n"


def test_a_root_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(StoreError, match="is gone or is not a folder"):
        ProjectFolder(root=tmp_path / "none").make()


def test_an_unknown_kind_of_store_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("NBFLOW_STORE", "postgres")
    with pytest.raises(StoreError, match="shared, inline or memory"):
        open_store(tmp_path)
