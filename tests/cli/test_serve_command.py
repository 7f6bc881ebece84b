"""`nbflow serve`: its options are the settings. What a running server does: tests/server/test_serve.py."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from nbflow.cli.app import app
from nbflow.cli.serve import setting_fields
from nbflow.core.errors import SettingsError
from nbflow.server.settings import ServerSettings


@pytest.fixture
def started_with(monkeypatch, tmp_path):
    """The settings with which `nbflow serve FLAGS` would start a server, and whether it would open a browser."""
    seen = []
    monkeypatch.setattr("nbflow.server.serve.serve", lambda settings, **words: seen.append((settings, words)))
    monkeypatch.setenv("NBFLOW_PROJECT", str(tmp_path))

    def start(*flags):
        result = CliRunner().invoke(app, ["serve", *flags])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return seen[-1]

    return start


def test_every_setting_that_is_no_secret_is_an_option(project):
    shown = project.nbflow("serve", "--help").out
    for path, _ in setting_fields():
        assert f"--{'-'.join(path).replace('_', '-')} " in shown
    for secret in ("--token", "--session-secret", "--oidc-client-secret"):
        assert secret not in shown


def test_the_options_reach_the_settings(started_with):
    settings, _ = started_with("--port", "9000", "--base-url", "/lab", "--cookie-secure", "true", "--allowed-hosts", "db.internal, 10.0.0.7")
    assert (settings.port, settings.base_url, settings.cookie_secure, settings.allowed_hosts) == (9000, "/lab/", True, ("db.internal", "10.0.0.7"))


def test_options_of_the_identity_provider_reach_the_settings(started_with):
    settings, _ = started_with("--auth", "oidc", "--oidc-issuer", "https://id.example.org", "--oidc-client-id", "nbflow")
    assert (settings.oidc.issuer, settings.oidc.client_id) == ("https://id.example.org", "nbflow")


def test_without_options_everything_is_as_it_is_without_them(started_with):
    settings, words = started_with()
    assert settings.model_fields_set <= {"oidc"}
    assert words == {"open_browser": False}


def test_an_option_hides_a_variable_and_a_variable_the_file(started_with, tmp_path, monkeypatch):
    (tmp_path / "nbflow.toml").write_text("[server]\nport = 1111\nmax_running = 3\nlog_level = 'debug'\n")
    monkeypatch.setenv("NBFLOW_SERVER_PORT", "2222")
    monkeypatch.setenv("NBFLOW_SERVER_MAX_RUNNING", "4")
    settings, _ = started_with("--port", "3333")
    assert (settings.port, settings.max_running, settings.log_level) == (3333, 4, "debug")


def test_another_file_can_be_named(started_with, tmp_path):
    (tmp_path / "other.toml").write_text("[server]\nport = 4444\n")
    assert started_with("--config", str(tmp_path / "other.toml"))[0].port == 4444


def test_a_browser_opens_on_demand(started_with):
    assert started_with("--open")[1] == {"open_browser": True}


def test_a_wrong_value_names_its_option(started_with):
    with pytest.raises(SettingsError, match="--port"):
        started_with("--port", "many")


def test_a_wrong_value_is_a_usage_error(project):
    done = project.nbflow("serve", "--port", "many")
    assert done.code == 2
    assert "--port" in done.err


def test_an_unknown_option_is_a_usage_error(project):
    assert project.nbflow("serve", "--ports", "1").code == 2


def test_an_example_that_there_is_not_says_which_there_are(project):
    done = project.nbflow("serve", "--example", "docker")
    assert done.code == 2
    assert "config, systemd, container, nginx" in done.err


def test_the_other_commands_do_not_pay_for_the_settings():
    script = (
        "import sys; from nbflow.cli.app import app; from typer.testing import CliRunner; CliRunner().invoke(app, ['--help']); print(*sys.modules)"
    )
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not {"pydantic", "fastapi", "uvicorn", "nbflow.server.settings"} & set(modules)


def test_settings_are_the_same_by_constructor_and_command(started_with):
    assert started_with()[0].model_dump(exclude={"token"}) == ServerSettings().model_dump(exclude={"token"})
