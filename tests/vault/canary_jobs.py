"""Published by test_canary_server.py: functions that run in a worker kernel and let the secret go wherever it goes."""

import logging
import sys

import nbflow as nf
from nbflow import Context, flow, node


@node
def tells(echoed, ctx: Context) -> dict:
    secret = ctx.credential("crm").reveal("value")
    print("printed", secret)
    print("to stderr", secret, file=sys.stderr)
    logging.getLogger("mine").error("logged %s", secret)
    return {"echoed": echoed, "secret": secret, "bytes": secret.encode()}


@node
def breaks(value: dict):
    raise RuntimeError("broke with " + value["secret"])


@flow
def tell(url: str):
    return tells(nf.nodes.action.http(url=url, auth={"credential": "crm"}, full_response=True))


@flow
def fail(url: str):
    return breaks(tells(nf.nodes.action.http(url=url, auth={"credential": "crm"}, full_response=True)))
