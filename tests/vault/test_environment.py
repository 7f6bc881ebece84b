import json

import pytest

from nbflow.core.errors import CredentialError
from nbflow.vault.environment import from_environment, from_text, services_own, variable
from nbflow.vault.kinds import KINDS

ACCOUNT = {"client_email": "a@b", "private_key": "-----BEGIN PRIVATE KEY-----\nabcdefghijk\n", "token_uri": "http://127.0.0.1/token"}


def test_a_name_has_one_variable():
    assert variable("prod-pg.2") == "NBFLOW_CREDENTIAL_PROD_PG_2"


def test_a_json_object_gives_fields_and_kind():
    text = json.dumps({"kind": "postgres", "host": "db", "password": "hunter-22"})
    values = from_environment("prod-pg", None, {"NBFLOW_CREDENTIAL_PROD_PG": text})
    assert (values.kind, values.host, values.password.get_secret_value()) == ("postgres", "db", "hunter-22")


def test_a_bare_text_is_the_only_secret():
    environment = {"NBFLOW_CREDENTIAL_OPENAI_PROD": "sk-123456789"}
    assert from_environment("openai-prod", "openai", environment).api_key.get_secret_value() == "sk-123456789"
    assert from_environment("openai-prod", None, environment).kind == "generic"


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("openai", '{"api_key": "hunter-22"', "begins like JSON, but is none"),
        ("postgres", "hunter-22", "must hold a JSON object with the fields of postgres"),
        ("openai", '{"key": "hunter-22"}', "field 'api_key': Field required"),
    ],
)
def test_a_wrong_text_is_refused_without_being_repeated(kind, text, message):
    with pytest.raises(CredentialError, match=message) as caught:
        from_text("x", kind, text, "NBFLOW_CREDENTIAL_X")
    assert "hunter" not in str(caught.value)
    assert "hunter" not in str(caught.value.__cause__)


OWN = {
    "openai": ({"OPENAI_API_KEY": "sk-1234", "OPENAI_BASE_URL": "http://x/v1"}, {"api_key": "sk-1234", "base_url": "http://x/v1"}),
    "anthropic": ({"ANTHROPIC_API_KEY": "sk-1234"}, {"api_key": "sk-1234"}),
    "gemini": ({"GOOGLE_API_KEY": "other", "GEMINI_API_KEY": "first"}, {"api_key": "first"}),
    "postgres": ({"PGHOST": "db", "PGPORT": "5433", "PGPASSWORD": "pass"}, {"host": "db", "port": "5433", "password": "pass"}),
    "mysql": ({"MYSQL_URL": "mysql://u:pass@h/d"}, {"uri": "mysql://u:pass@h/d"}),
    "mongodb": ({"MONGODB_URI": "mongodb://h"}, {"uri": "mongodb://h"}),
    "smtp": ({"SMTP_HOST": "mail", "SMTP_PASSWORD": "pass"}, {"host": "mail", "password": "pass"}),
    "sendgrid": ({"SENDGRID_API_KEY": "SG.1"}, {"api_key": "SG.1"}),
    "resend": ({"RESEND_API_KEY": "re_1"}, {"api_key": "re_1"}),
    "aws": ({"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "sec"}, {"access_key_id": "AKIA", "secret_access_key": "sec"}),
    "slack": ({"SLACK_BOT_TOKEN": "xoxb-1"}, {"bot_token": "xoxb-1"}),
    "discord": ({"DISCORD_WEBHOOK_URL": "http://d/1"}, {"webhook_url": "http://d/1"}),
    "zapier": ({"ZAPIER_WEBHOOK_URL": "http://z/1"}, {"webhook_url": "http://z/1"}),
    "twilio": ({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "tok"}, {"account_sid": "AC1", "auth_token": "tok"}),
    "vonage": ({"VONAGE_API_KEY": "k", "VONAGE_API_SECRET": "sec"}, {"api_key": "k", "api_secret": "sec"}),
    "airtable": ({"AIRTABLE_API_KEY": "pat1"}, {"token": "pat1"}),
    "notion": ({"NOTION_TOKEN": "ntn1"}, {"token": "ntn1"}),
}


@pytest.mark.parametrize("kind", OWN)
def test_a_credential_called_like_its_kind_is_found_where_the_services_own_tools_look(kind):
    environment, fields = OWN[kind]
    assert services_own(kind, environment) == fields
    assert from_environment(kind, None, environment).kind == kind


def test_every_kind_with_variables_is_in_the_list_above():
    assert {name for name, kind in KINDS.items() if kind.environment} == set(OWN)


def test_a_whole_address_wins_over_its_parts():
    environment = {"DATABASE_URL": "postgres://u:pass@h/d", "PGHOST": "other", "PGPASSWORD": "other"}
    assert from_environment("postgres", None, environment).host is None


def test_a_host_without_a_secret_is_no_credential():
    assert from_environment("postgres", None, {"PGHOST": "db"}) is None
    assert from_environment("prod-pg", None, {"PGHOST": "db", "PGPASSWORD": "x"}) is None


def test_googles_variable_names_a_file(tmp_path):
    file = tmp_path / "account.json"
    file.write_text(json.dumps(ACCOUNT))
    values = from_environment("google_service_account", None, {"GOOGLE_APPLICATION_CREDENTIALS": str(file)})
    assert values.account == ACCOUNT
    assert from_text("g", "google_service_account", json.dumps(ACCOUNT), "file").account == ACCOUNT
    with pytest.raises(CredentialError, match="names a file that cannot be read"):
        services_own("google_service_account", {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none")})
