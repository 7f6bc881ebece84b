"""Signatures against values that the services and standards publish."""

from __future__ import annotations

import pytest

from nbflow.catalogue.trigger.webhook import HmacRules
from nbflow.server.errors import ApiError
from nbflow.server.webhooks.signature import UsedSignatures, verify


def test_githubs_own_example():
    # https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
    header = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verify(HmacRules(prefix="sha256="), "x-hub-signature-256", "It's a Secret to Everybody", {"x-hub-signature-256": header}, b"Hello, World!")


def test_slacks_own_example():
    # https://docs.slack.dev/authentication/verifying-requests-from-slack
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA"
        b"&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554"
        b"%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    rules = HmacRules(signed="v0:{timestamp}:{body}", prefix="v0=", timestamp_header="X-Slack-Request-Timestamp")
    headers = {
        "x-slack-request-timestamp": "1531420618",
        "x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
    }
    found = verify(rules, "x-slack-signature", "8f742231b10e8888abcd99yyyzzz85a5", headers, body, now_s=1531420618)
    assert found is not None
    assert found[1] == 1531420618 + 300
    with pytest.raises(ApiError, match="more than 300 s ago"):
        verify(rules, "x-slack-signature", "8f742231b10e8888abcd99yyyzzz85a5", headers, body, now_s=1531420618 + 301)


def test_standard_webhooks_own_example():
    # https://github.com/standard-webhooks/standard-webhooks, the reference implementations' test
    rules = HmacRules(signed="{webhook-id}.{timestamp}.{body}", prefix="v1,", timestamp_header="webhook-timestamp", encoding="base64", key="base64")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    found = verify(rules, "webhook-signature", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", headers, b'{"test": 2432232314}', now_s=1614265330)
    assert found is not None


def test_rfc_4231_test_case_2():
    for algorithm, mac in (
        ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (
            "sha512",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ),
    ):
        verify(HmacRules(algorithm=algorithm), "s", "Jefe", {"s": mac}, b"what do ya want for nothing?")
        verify(HmacRules(algorithm=algorithm, key="hex"), "s", "4a656665", {"s": mac.upper()}, b"what do ya want for nothing?")


def test_times_in_milliseconds_are_understood():
    rules = HmacRules(signed="{timestamp}{body}", timestamp_header="T")
    import hashlib
    import hmac

    mac = hmac.new(b"k", b"1700000000000x", hashlib.sha256).hexdigest()
    assert verify(rules, "s", "k", {"s": mac, "t": "1700000000000"}, b"x", now_s=1_700_000_000) is not None


def test_the_memory_of_signatures_does_not_grow_without_end():
    now = 0.0
    used = UsedSignatures(clock=lambda: now)
    for number in range(10_000):
        now = float(number)
        used.use(str(number), now + 300)
    assert len(used._until) < 2000
    with pytest.raises(ApiError, match="received before"):
        used.use("9999", now)
    used.free("9999")
    used.use("9999", now)
