import pickle
import threading
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from nbflow.core.errors import CredentialError, StoreError, UnknownCredentialError
from nbflow.core.redaction import redactor
from nbflow.store.audit import Actor
from nbflow.vault.kind import made
from nbflow.vault.vault import Vault

from .test_key import Entries

VALUES = {"host": "db.example", "user": "ada", "password": "hunter-22-hunter"}


def organization(store, name):
    id_ = uuid4()
    store.transact([("INSERT INTO organizations (id, name, created_at) VALUES ($id::UUID, $name, now()::TIMESTAMP)", {"id": str(id_), "name": name})])
    return id_


def test_a_credential_is_kept_and_found_again(vault, store):
    added = vault.add("prod-pg", "postgres", VALUES)
    credential = Vault(store, environment={}, keys=vault._keys).resolve("prod-pg", kind="postgres")
    assert (credential.name, credential.kind, credential.source) == ("prod-pg", "postgres", "vault")
    assert credential.reveal("password") == "hunter-22-hunter"
    assert (credential.host, credential.port, credential.get("database"), credential.get("port")) == ("db.example", 5432, None, "5432")
    assert isinstance(credential.password, SecretStr)
    assert [info.id for info in vault.list()] == [added.id]


def test_what_is_listed_has_no_secrets(vault):
    vault.add("prod-pg", "postgres", VALUES)
    [info] = vault.list()
    assert info.fields == {"host": "db.example", "user": "ada", "port": 5432, "ssl": "prefer"}
    assert info.secret_fields == ("password",)
    assert "hunter" not in repr(info)


def test_the_database_holds_nothing_of_the_secret(in_files, tmp_path):
    Vault(in_files, environment={}).add("prod-pg", "postgres", VALUES)
    in_files.close()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"hunter" in path.read_bytes()]


def test_its_secrets_are_known_to_the_redactor_before_anybody_has_it(vault, store):
    vault.add("prod-pg", "postgres", VALUES)
    redactor.forget_all()
    Vault(store, environment={}, keys=vault._keys).resolve("prod-pg")
    assert redactor.text("it is hunter-22-hunter") == "it is [redacted prod-pg]"


def test_a_credential_does_not_show_itself_and_does_not_travel(vault):
    vault.add("prod-pg", "postgres", VALUES)
    credential = vault.resolve("prod-pg")
    assert "hunter" not in f"{credential} {credential!r} {credential.values} {credential.fields()} {vars(credential.values)}"
    with pytest.raises(TypeError, match="does not travel"):
        pickle.dumps(credential)


def test_a_field_that_is_not_there_is_said_with_those_that_are(vault):
    vault.add("prod-pg", "postgres", {"uri": "postgres://ada:hunter-22-hunter@db/x"})
    credential = vault.resolve("prod-pg")
    with pytest.raises(CredentialError, match="has no 'password'; it has uri, port, ssl"):
        credential.reveal("password")
    with pytest.raises(AttributeError, match="no field 'pasword'"):
        credential.pasword  # noqa: B018


def test_an_unknown_name_says_where_was_looked_and_what_looks_like_it(vault):
    vault.add("prod-pg", "postgres", VALUES)
    with pytest.raises(UnknownCredentialError, match=r"no credential 'prodpg' in the vault, .*NBFLOW_CREDENTIAL_PRODPG.*did you mean 'prod-pg'\?"):
        vault.resolve("prodpg")


def test_another_kind_than_needed_is_refused(vault):
    vault.add("prod-pg", "postgres", VALUES)
    with pytest.raises(CredentialError, match="is of kind postgres, and openai is needed"):
        vault.resolve("prod-pg", kind="openai")


@pytest.mark.parametrize(
    ("name", "kind", "values", "message"),
    [
        ("a b", "postgres", VALUES, "is no name for a credential"),
        ("", "postgres", VALUES, "is no name"),
        ("x" * 65, "postgres", VALUES, "is no name"),
        ("x", "postgre", VALUES, "no kind of credential 'postgre'; did you mean 'postgres'"),
        ("x", "postgres", {"password": "hunter-22-hunter"}, "give either uri or host"),
        ("x", "postgres", {**VALUES, "pw": "hunter-22-hunter"}, "field 'pw'"),
        ("x", "postgres", {**VALUES, "port": "hunter-22-hunter"}, "field 'port'"),
        ("x", "openai", {}, "field 'api_key'"),
        ("x", "openai", {"api_key": "abc"}, "less than 4 characters"),
        ("x", "openai", {"api_key": ["hunter-22-hunter"]}, "field 'api_key'"),
        ("hunter-22-hunter", "postgres", VALUES, "a part of its name"),
        ("x", "generic", {}, "at least one value"),
        ("x", "google_service_account", {"key": '{"private_key": "hunter-22-hunter"}'}, "it lacks client_email, token_uri"),
        ("x", "google_service_account", {"key": "hunter-22-hunter"}, "not the JSON"),
        ("x", "jwt", {"secret": "hunter-22-hunter", "algorithm": "RS256"}, "HS algorithms go with a secret"),
        ("x", "jwt", {"secret": "hunter-22-hunter", "jwks_url": "http://x"}, "give one of"),
    ],
)
def test_a_wrong_credential_is_refused_without_its_value(vault, name, kind, values, message):
    with pytest.raises(CredentialError, match=message) as caught:
        vault.add(name, kind, values)
    if name != "hunter-22-hunter":
        assert "hunter" not in f"{caught.value} {caught.value.__cause__}"
    assert vault.list() == []


def test_a_name_is_taken_once(vault):
    vault.add("prod-pg", "postgres", VALUES)
    with pytest.raises(CredentialError, match="there is a credential 'prod-pg' already"):
        vault.add("prod-pg", "openai", {"api_key": "sk-123456789"})


def test_of_many_who_take_a_name_at_once_one_gets_it(in_files):
    refused, added = [], []

    def add():
        try:
            added.append(Vault(in_files, environment={}).add("prod-pg", "postgres", VALUES))
        except CredentialError:
            refused.append(1)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(added), len(refused)) == (1, 7)


def test_an_update_keeps_what_was_not_given(vault):
    info = vault.add("prod-pg", "postgres", {**VALUES, "database": "orders"})
    vault.update("prod-pg", {"password": "another-33-secret", "database": None})
    changed = vault.resolve("prod-pg")
    assert (changed.reveal("password"), changed.host, changed.database) == ("another-33-secret", "db.example", None)
    assert vault.get(str(info.id)).created_at == info.created_at
    vault.update(str(info.id), {"api_key": "sk-123456789"}, kind="openai")
    assert vault.resolve("prod-pg", kind="openai").reveal("api_key") == "sk-123456789"


def test_a_change_by_another_process_is_seen(vault, store):
    other = Vault(store, environment={}, keys=vault._keys)
    vault.add("prod-pg", "postgres", VALUES)
    assert other.resolve("prod-pg").reveal("password") == "hunter-22-hunter"
    vault.update("prod-pg", {"password": "another-33-secret"})
    assert other.resolve("prod-pg").reveal("password") == "another-33-secret"
    vault.remove("prod-pg")
    with pytest.raises(UnknownCredentialError):
        other.resolve("prod-pg")


def test_what_is_gone_can_neither_be_changed_nor_removed(vault):
    for change in (lambda: vault.update("x", {"a": "b"}), lambda: vault.remove("x"), lambda: vault.get("x"), lambda: vault.test("x")):
        with pytest.raises(UnknownCredentialError):
            change()


def test_explicit_comes_before_the_environment_before_the_keyring_before_the_vault(store):
    environment = {"NBFLOW_CREDENTIAL_A": "from-environment", "NBFLOW_CREDENTIAL_B": "from-environment"}
    entries = Entries(a="from-keyring", b="from-keyring", c="from-keyring")
    explicit = {"a": made("generic", {"value": "from-explicit"}, "a")}
    vault = Vault(store, environment=environment, keyring=entries, explicit=explicit)
    for name in "abcd":
        vault.add(name, "generic", {"value": "from-vault"})
    found = {name: (vault.resolve(name).source, vault.resolve(name).reveal("value")) for name in "abcd"}
    assert found == {
        "a": ("explicit", "from-explicit"),
        "b": ("environment", "from-environment"),
        "c": ("keyring", "from-keyring"),
        "d": ("vault", "from-vault"),
    }


def test_an_organization_sees_its_own_credentials_only(store):
    first, second = organization(store, "first"), organization(store, "second")
    vault = Vault(store, environment={"NBFLOW_CREDENTIAL_HOUSE": "of-the-machine"})
    vault.add("same", "generic", {"value": "of-the-first"}, organization_id=first)
    theirs = vault.add("same", "generic", {"value": "of-the-second"}, organization_id=second)
    assert vault.resolve("same").reveal("value") == "of-the-first"
    assert vault.resolve("same", organization_id=second).reveal("value") == "of-the-second"
    assert vault.resolve("house", organization_id=first).reveal("value") == "of-the-machine"
    for call in (vault.resolve, vault.get, vault.test, vault.remove):
        with pytest.raises(UnknownCredentialError):
            call("house", organization_id=second)
    with pytest.raises(UnknownCredentialError):
        vault.get(str(theirs.id), organization_id=first)
    assert [info.id for info in vault.list(organization_id=second)] == [theirs.id]


def test_what_was_kept_before_there_was_an_organization_belongs_to_the_first(store):
    vault = Vault(store, environment={})
    vault.add("early", "generic", {"value": "early-secret"})
    first, second = organization(store, "first"), organization(store, "second")
    assert vault.resolve("early").reveal("value") == "early-secret"
    assert vault.resolve("early", organization_id=first).reveal("value") == "early-secret"
    with pytest.raises(CredentialError, match="already"):
        vault.add("early", "generic", {"value": "another"}, organization_id=first)
    with pytest.raises(UnknownCredentialError):
        vault.resolve("early", organization_id=second)


def test_a_row_moved_to_another_organization_cannot_be_read_there(store):
    organization(store, "first")
    second = organization(store, "second")
    vault = Vault(store, environment={})
    vault.add("stolen", "generic", {"value": "of-the-first"})
    store.transact([("UPDATE credentials SET organization_id = $to::UUID", {"to": str(second)})])
    with pytest.raises(CredentialError, match="credential 'stolen': its stored value was changed, or belongs to another"):
        vault.resolve("stolen", organization_id=second)


def test_a_rotation_encrypts_everything_anew(store):
    organization(store, "first")
    second = organization(store, "second")
    vault = Vault(store, environment={})
    vault.add("a", "generic", {"value": "secret-a"})
    vault.add("b", "generic", {"value": "secret-b"}, organization_id=second)
    before = store.query("SELECT name, secret FROM credentials ORDER BY name").rows
    done = vault.rotate()
    after = store.query("SELECT name, secret FROM credentials ORDER BY name").rows
    assert done.credentials == 2
    assert all(bytes(old[1]) != bytes(new[1]) and bytes(new[1])[1:9].hex() == done.key for old, new in zip(before, after, strict=True))
    assert vault.resolve("a").reveal("value") == "secret-a"
    assert vault.resolve("b", organization_id=second).reveal("value") == "secret-b"


def test_a_rotation_that_fails_leaves_everything_readable(in_files, monkeypatch):
    vault = Vault(in_files, environment={})
    vault.add("a", "generic", {"value": "secret-a"})
    transact = in_files.transact
    monkeypatch.setattr(in_files, "transact", lambda *_: (_ for _ in ()).throw(StoreError("the disk is full")))
    with pytest.raises(StoreError):
        vault.rotate()
    monkeypatch.setattr(in_files, "transact", transact)
    assert vault.resolve("a").reveal("value") == "secret-a"
    assert vault.rotate().credentials == 1
    assert vault.resolve("a").reveal("value") == "secret-a"


def test_rotating_while_others_write_loses_nothing(in_files):
    done = threading.Event()
    failures = []

    def write(number):
        count = 0
        while not done.is_set():
            try:
                Vault(in_files, environment={}).add(f"c{number}-{count}", "generic", {"value": f"secret-{number}-{count}"})
                count += 1
            except Exception as error:  # noqa: BLE001 -- told to the test
                failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(4):
        Vault(in_files, environment={}).rotate()
    done.set()
    for thread in threads:
        thread.join()
    vault = Vault(in_files, environment={})
    assert failures == []
    assert {vault.resolve(info.name).reveal("value") for info in vault.list()} == {f"secret-{info.name[1:]}" for info in vault.list()}


def test_every_change_is_in_the_audit_log_without_values(vault, store):
    user = uuid4()
    vault.add("prod-pg", "postgres", VALUES, actor=Actor(user_id=user))
    vault.update("prod-pg", {"password": "another-33-secret"})
    vault.rotate()
    vault.remove("prod-pg")
    rows = store.query("SELECT action, user_id, data FROM audit_logs ORDER BY id").rows
    assert [row[0] for row in rows] == ["credential.created", "credential.updated", "credential.rotated", "credential.removed"]
    assert rows[0][1] == user
    assert not any(secret in str(rows) for secret in ("hunter", "another-33"))


def test_its_use_is_noted_once_an_hour(vault, store):
    vault.add("a", "generic", {"value": "secret-a"})
    assert vault.get("a").last_used_at is None
    vault.resolve("a")
    used = vault.get("a").last_used_at
    generation = store.generation()
    Vault(store, environment={}, keys=vault._keys).resolve("a")
    assert vault.get("a").last_used_at == used
    assert store.generation() == generation
    assert timedelta(0) <= used - vault.get("a").created_at < timedelta(minutes=5)


def test_a_short_secret_from_outside_is_used_with_a_warning(store):
    vault = Vault(store, environment={"NBFLOW_CREDENTIAL_PIN": "123"})
    with pytest.warns(RuntimeWarning, match="less than 4 characters"):
        assert vault.resolve("pin").reveal("value") == "123"


def test_a_lost_key_is_said_with_the_way_out(in_files, tmp_path):
    Vault(in_files, environment={}).add("a", "generic", {"value": "secret-a"})
    (tmp_path / ".nbflow" / "key").unlink()
    vault = Vault(in_files, environment={})
    with pytest.raises(CredentialError, match=r"credential 'a': it is encrypted with key .* bring that key back, or add the credential again"):
        vault.resolve("a")
    result = vault.test("a")
    assert result.ok is False
    vault.remove("a")
    assert isinstance(vault.add("a", "generic", {"value": "secret-b"}).id, UUID)


def test_a_credential_from_the_environment_needs_no_store():
    class NoStore:
        def __getattr__(self, name):
            if name == "folder":
                raise AttributeError
            pytest.fail(f"the store was asked for {name}")

    assert Vault(NoStore(), environment={"OPENAI_API_KEY": "sk-123456789"}).resolve("openai").reveal("api_key") == "sk-123456789"
