import json
import os
import pty
import re
import select
import subprocess
import time

import pytest
from cli_project import COMMAND

SECRET = "hunter-22-hunter"


def test_a_secret_comes_by_a_pipe_and_is_not_listed(project):
    added = project.nbflow("credentials", "add", "crm", "--kind", "http_header", "--field", "name=X-Key", stdin=f"{SECRET}\n")
    assert (added.code, added.out) == (0, "")
    assert "credential crm (http_header) is kept, its value encrypted" in added.err
    listed = project.nbflow("credentials", "list")
    assert "crm" in listed.out
    [info] = project.nbflow("credentials", "list", "--json").json
    assert (info["name"], info["kind"], info["fields"], info["secret_fields"]) == ("crm", "http_header", {"name": "X-Key"}, ["value"])
    assert SECRET not in listed.out + str(info)


def test_values_come_from_a_file(project):
    project.write("pg.json", json.dumps({"kind": "ignored", "host": "db", "password": SECRET}))
    assert project.nbflow("credentials", "add", "prod-pg", "-k", "postgres", "--file", "pg.json", "-f", "port=5433").code == 0
    [info] = project.nbflow("credentials", "list", "--json").json
    assert (info["fields"]["host"], info["fields"]["port"]) == ("db", 5433)


def test_values_come_from_the_services_own_variables(project):
    project.environment["OPENAI_API_KEY"] = SECRET
    assert project.nbflow("credentials", "add", "openai", "--from-env").code == 0
    refused = project.nbflow("credentials", "add", "anthropic", "--from-env")
    assert (refused.code, "ANTHROPIC_API_KEY" in refused.err) == (2, True)


def test_a_secret_is_no_argument(project):
    refused = project.nbflow("credentials", "add", "openai", "--field", f"api_key={SECRET}")
    assert refused.code == 2
    assert "api_key is a secret: an argument would stay in the shell's history" in refused.err
    assert project.nbflow("credentials", "add", "any", "--kind", "generic", "--field", f"value={SECRET}").code == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (["x", "-k", "postgre"], SECRET, "did you mean 'postgres'"),
        (["x", "-k", "openai"], "", "standard input is empty"),
        (["x", "-k", "openai"], "{broken " + SECRET, "begins like JSON, but is none"),
        (["x", "-k", "postgres"], SECRET, "must hold a JSON object"),
        (["x", "-k", "openai", "-f", "base_url"], SECRET, "--field wants NAME=VALUE"),
        (["x", "-k", "openai", "--file", "none.json"], "", "cannot be read"),
        (["a b", "-k", "openai"], SECRET, "is no name for a credential"),
    ],
)
def test_what_is_wrong_is_one_message_without_the_secret(project, arguments, stdin, message):
    refused = project.nbflow("credentials", "add", *arguments, stdin=stdin)
    assert refused.code == 2
    assert message in refused.err
    assert SECRET not in refused.err


def test_one_is_replaced_only_when_asked(project):
    project.nbflow("credentials", "add", "openai", stdin=SECRET)
    again = project.nbflow("credentials", "add", "openai", stdin="another-33-secret")
    assert (again.code, "already" in again.err) == (2, True)
    assert project.nbflow("credentials", "add", "openai", "--replace", stdin="another-33-secret").code == 0


def test_testing_tells_by_the_exit_code(project):
    project.nbflow("credentials", "add", "openai", "-f", "base_url=http://127.0.0.1:9", stdin=SECRET)
    failed = project.nbflow("credentials", "test", "openai")
    assert (failed.code, "does not work: 127.0.0.1 cannot be reached" in failed.out) == (1, True)
    project.nbflow("credentials", "add", "plain", "-k", "generic", stdin=SECRET)
    untested = project.nbflow("credentials", "test", "plain", "--json")
    assert (untested.code, untested.json["ok"]) == (0, None)
    assert project.nbflow("credentials", "test", "nobody").code == 2


def test_rotating_and_removing(project):
    project.nbflow("credentials", "add", "crm", "-k", "http_bearer", stdin=SECRET)
    before = (project.folder / ".nbflow" / "key").read_text()
    assert "1 credential encrypted anew" in project.nbflow("credentials", "rotate").err
    assert (project.folder / ".nbflow" / "key").read_text() != before
    assert project.nbflow("credentials", "remove", "crm", stdin="n\n").code == 0
    assert len(project.nbflow("credentials", "list", "--json").json) == 1
    assert project.nbflow("credentials", "remove", "crm", "--yes").code == 0
    assert "no credentials yet" in project.nbflow("credentials", "list").out
    assert project.nbflow("credentials", "remove", "crm", "--yes").code == 2


def test_kinds_are_listed_with_their_fields(project):
    listed = project.nbflow("credentials", "kinds").out
    assert re.search(r"http_basic .* user, password\*", listed)
    assert re.search(r"generic .* any\*", listed)


def test_at_a_terminal_secrets_are_asked_for_without_an_echo(project):
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "credentials", "add", "crm", "-k", "http_header"],
        cwd=project.folder,
        env=project.environment,
        stdin=child,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    seen = ""
    for asked, answer in (("name, Name of the header", "X-Key"), ("value, Its value", SECRET), ("test_url", "")):
        seen += until(parent, asked)
        os.write(parent, f"{answer}\n".encode())
    seen += until(parent, "is kept")
    assert process.wait(30) == 0
    os.close(parent)
    assert "X-Key" in seen
    assert SECRET not in seen
    assert project.nbflow("credentials", "list", "--json").json[0]["fields"] == {"name": "X-Key"}


def until(terminal, text, seconds=30.0):
    seen, deadline = "", time.monotonic() + seconds
    while text not in seen:
        assert time.monotonic() < deadline, seen
        if select.select([terminal], [], [], 0.1)[0]:
            seen += os.read(terminal, 4096).decode()
    time.sleep(0.2)  # a prompt without echo drops what was typed before it
    return seen
