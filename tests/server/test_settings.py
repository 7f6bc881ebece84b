from __future__ import annotations

import os

import pytest
from pydantic import ValidationError

from nbflow.core.errors import SettingsError
from nbflow.server.settings import ServerSettings

OIDC = {"issuer": "https://id.example.org", "client_id": "nbflow"}


@pytest.fixture(autouse=True)
def nothing_from_outside(monkeypatch):
    for name in [name for name in os.environ if name.startswith("NBFLOW_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def project(tmp_path):
    def write(text):
        (tmp_path / "nbflow.toml").write_text(text)
        return tmp_path

    return write


def test_with_nothing_set_one_person_on_this_machine_is_let_in_by_a_new_token(tmp_path):
    first, second = ServerSettings.load(project=tmp_path), ServerSettings.load(project=tmp_path)

    assert (first.host, first.port, first.auth) == ("127.0.0.1", 8520, "token")
    assert len(first.token.get_secret_value()) >= 43
    assert first.token != second.token
    assert first.token_is_new


def test_flags_come_before_environment_before_file_before_defaults(project, monkeypatch):
    folder = project('[server]\nport = 1\nhost = "127.0.0.2"\nmax_running = 3\n')
    monkeypatch.setenv("NBFLOW_SERVER_PORT", "2")
    monkeypatch.setenv("NBFLOW_SERVER_HOST", "127.0.0.3")

    found = ServerSettings.load({"port": 4}, project=folder)

    assert (found.port, found.host, found.max_running, found.worker_kernels) == (4, "127.0.0.3", 3, 2)


def test_parts_of_the_provider_may_come_from_different_places(project, monkeypatch):
    folder = project('[server]\nauth = "oidc"\n[server.oidc]\nissuer = "https://id.example.org"\nclient_id = "nbflow"\n')
    monkeypatch.setenv("NBFLOW_SERVER_OIDC__CLIENT_SECRET", "from-the-environment")

    found = ServerSettings.load(project=folder)

    assert found.oidc.issuer == "https://id.example.org"
    assert found.oidc.client_secret.get_secret_value() == "from-the-environment"


@pytest.mark.parametrize("text", ["https://a.example, https://b.example:8443", '["https://a.example", "https://b.example:8443"]'])
def test_a_list_in_the_environment_is_one_line(tmp_path, monkeypatch, text):
    monkeypatch.setenv("NBFLOW_SERVER_ALLOWED_ORIGINS", text)

    assert ServerSettings.load(project=tmp_path).allowed_origins == ("https://a.example", "https://b.example:8443")


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "lab.example.org"])
def test_a_public_address_without_sign_in_is_refused_with_what_to_do(host):
    with pytest.raises(SettingsError, match=r"run code as you.*auth 'token' or 'oidc'") as refused:
        ServerSettings.load({"auth": "none", "host": host})

    assert host in str(refused.value)
    assert ServerSettings.load({"auth": "token", "host": host}).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_without_sign_in_this_machine_is_fine(host):
    assert ServerSettings.load({"auth": "none", "host": host}).auth == "none"


def test_a_token_that_can_be_guessed_is_refused_and_not_repeated():
    with pytest.raises(SettingsError, match="16 characters") as refused:
        ServerSettings.load({"token": "tok-guessable"})

    assert "tok-guessable" not in str(refused.value)


@pytest.mark.parametrize(
    ("oidc", "message"),
    [
        ({}, r"needs oidc\.issuer"),
        ({"issuer": "https://id.example.org"}, "made for any other application"),
        ({**OIDC, "issuer": "http://id.example.org"}, "must start with https"),
        ({**OIDC, "algorithms": ("HS256",)}, "HS256 cannot be used"),
        ({**OIDC, "algorithms": ("RS256", "none")}, "none cannot be used"),
        ({**OIDC, "issuers": "x"}, "did you mean 'issuer'"),
        ({**OIDC, "leeway_s": 4000}, "less than or equal to 300"),
    ],
)
def test_an_unsafe_provider_is_refused(oidc, message):
    with pytest.raises(SettingsError, match=message):
        ServerSettings.load({"auth": "oidc", "oidc": oidc})


@pytest.mark.parametrize("base_url", ["nbflow", "ftp://x/", "//evil.example/", "/a b/", "https://", "/x?y=1"])
def test_a_base_url_is_a_path_or_an_address(base_url):
    with pytest.raises(SettingsError, match="neither a path like"):
        ServerSettings.load({"base_url": base_url})


@pytest.mark.parametrize(
    ("base_url", "root_path", "public_url"),
    [
        ("/", "", None),
        ("/nbflow", "/nbflow", None),
        ("/user/ada@x/nbflow/", "/user/ada@x/nbflow", None),
        ("https://lab.example.org", "", "https://lab.example.org"),
        ("https://lab.example.org:8443/a/b/", "/a/b", "https://lab.example.org:8443/a/b"),
    ],
)
def test_a_base_url_says_where_the_server_is_seen(base_url, root_path, public_url):
    found = ServerSettings(base_url=base_url)

    assert (found.root_path, found.public_url) == (root_path, public_url)


def test_a_problem_names_the_place_where_it_was_set(project, monkeypatch):
    folder = project('[server]\nport = "many"\nqueue_limt = 3\n[server.oidc]\nissuer = "http://id.example.org"\n')
    monkeypatch.setenv("NBFLOW_SERVER_MAX_RUNNING", "0")

    with pytest.raises(SettingsError) as refused:
        ServerSettings.load({"log_level": "loud"}, project=folder)

    text = str(refused.value)
    assert f"{folder / 'nbflow.toml'}, [server] port: " in text
    assert "[server] queue_limt: there is no such setting; did you mean 'queue_limit'" in text
    assert "[server] oidc.issuer: " in text
    assert "NBFLOW_SERVER_MAX_RUNNING: " in text
    assert "--log-level: " in text


def test_a_misspelt_variable_is_not_silently_without_effect(monkeypatch, tmp_path):
    monkeypatch.setenv("NBFLOW_SERVER_PROT", "9000")

    with pytest.raises(SettingsError, match="NBFLOW_SERVER_PROT; did you mean 'port'"):
        ServerSettings.load(project=tmp_path)


@pytest.mark.parametrize(("text", "message"), [("[server\n", "cannot be read"), ("server = 3\n", "must be a table")])
def test_a_broken_file_is_told(project, text, message):
    with pytest.raises(SettingsError, match=message):
        ServerSettings.load(project=project(text))


def test_a_named_file_must_exist(tmp_path):
    with pytest.raises(SettingsError, match="there is no file"):
        ServerSettings.load(file=tmp_path / "missing.toml")


def test_other_tables_of_the_file_belong_to_others(project):
    assert ServerSettings.load(project=project("[reports]\nx = 1\n[server]\nport = 9\n")).port == 9


def test_secrets_are_in_no_text_of_the_settings():
    found = ServerSettings(token="the-token-of-the-tests", session_secret="s" * 40, oidc={"client_secret": "of-the-client"})

    for text in (repr(found), str(found), str(found.model_dump()), found.model_dump_json()):
        assert not any(secret in text for secret in ("the-token-of-the-tests", "s" * 40, "of-the-client"))


def test_settings_do_not_change_while_the_server_runs():
    with pytest.raises(ValidationError, match="frozen"):
        ServerSettings().port = 1


@pytest.mark.parametrize("rate", ["many", "5", "5/fortnight"])
def test_a_rate_is_a_number_in_a_time(rate):
    with pytest.raises(SettingsError, match="such as '20/minute'"):
        ServerSettings.load({"sign_in_rate_limit": rate})


def test_every_setting_says_what_it_is_for():
    fields = {**ServerSettings.model_fields, **ServerSettings.model_fields["oidc"].annotation.model_fields}

    assert [name for name, field in fields.items() if not field.description and name != "oidc"] == []
