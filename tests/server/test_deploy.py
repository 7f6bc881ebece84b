"""The examples that `nbflow serve --example` prints."""

import configparser
import re
import shutil
import subprocess
import tomllib

import pytest
from serving import COMMAND

from nbflow.server.example import NAMES, example
from nbflow.server.settings import OidcSettings, ServerSettings


def settings_named_in(text):
    return {name.lower() for name in re.findall(r"NBFLOW_SERVER_([A-Z_]+)", text)}


@pytest.mark.parametrize("name", NAMES)
def test_the_command_prints_it(name):
    done = subprocess.run([COMMAND, "serve", "--example", name], capture_output=True, text=True, check=True)
    assert done.stdout == example(name)


@pytest.mark.parametrize("name", NAMES)
def test_it_names_no_setting_that_does_not_exist(name):
    known = set(ServerSettings.model_fields) | {f"oidc__{field}" for field in OidcSettings.model_fields}
    assert settings_named_in(example(name)) <= known


def test_the_configuration_is_the_defaults():
    text = example("config")
    assert tomllib.loads(text) == {"server": {}}
    taken = re.sub(r"^# (?=[a-z_]+ = |\[)", "", text, flags=re.MULTILINE)
    table = tomllib.loads(taken)["server"]
    oidc = table.pop("oidc")
    for found, model in ((table, ServerSettings), (oidc, OidcSettings)):
        assert set(found) == set(model.model_fields) - {"oidc"}
        for name, value in found.items():
            default = model.model_fields[name].default
            if name == "token" or default is None:
                assert value == ""
            else:
                assert (tuple(value) if isinstance(value, list) else value) == default


def test_the_configuration_is_a_file_to_start_with(tmp_path):
    path = tmp_path / "nbflow.toml"
    path.write_text(example("config").replace("# port = 8520", "port = 9000"))
    assert ServerSettings.load(file=path).port == 9000


def test_the_unit_waits_as_long_as_the_server_may_take():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(example("systemd"))
    assert int(unit["Service"]["TimeoutStopSec"]) > ServerSettings.model_fields["shutdown_grace_s"].default + 5
    assert unit["Service"]["ExecStart"].endswith("/nbflow serve")
    assert unit["Service"]["KillMode"] == "mixed"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_understands_the_unit(tmp_path):
    command = tmp_path / "nbflow"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    unit = tmp_path / "nbflow.service"
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={command}", example("systemd"), flags=re.MULTILINE)
    unit.write_text(re.sub(r"^User=.*$", "User=root", text, flags=re.MULTILINE))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "nbflow.service" in line]
    assert not complaints


def test_the_container_serves_all_its_networks_with_sign_in(monkeypatch):
    text = example("container")
    for name, value in re.findall(r"(NBFLOW_SERVER_[A-Z_]+)=(\S+)", text.partition("FROM")[2]):
        monkeypatch.setenv(name, value)
    settings = ServerSettings()
    assert (settings.host, settings.auth) == ("0.0.0.0", "token")
    assert f"EXPOSE {settings.port}" in text


def test_nginx_and_the_server_agree_on_port_body_and_prefix():
    text = example("nginx")
    settings = ServerSettings(base_url=re.search(r"--base-url (\S+)", text)[1])
    assert f"location {settings.root_path}/ {{" in text
    assert f"proxy_pass http://127.0.0.1:{settings.port};" in text
    assert f"client_max_body_size {settings.max_body_bytes >> 20}m;" in text


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx here")
def test_nginx_understands_the_configuration(tmp_path):
    inner = re.sub(r"^\s*ssl_.*$", "", example("nginx").replace("listen 443 ssl;", "listen 8443;"), flags=re.MULTILINE)  # no certificate here
    path = tmp_path / "nginx.conf"
    path.write_text(f"pid {tmp_path}/nginx.pid;\nevents {{}}\nhttp {{\n{inner}\n}}\n")
    done = subprocess.run(["nginx", "-t", "-c", str(path), "-p", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
