"""An app that does a little of all that the embedded host has to do for one."""

# ruff: noqa: ARG001 - the host calls by name

import json
import logging
import os
import socket
import time
from functools import cache

import azure.functions as func
from azure.identity import ManagedIdentityCredential
from azure.keyvault.secrets import SecretClient

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
log = logging.getLogger("sample")
log.info("the app was imported")


@cache
def _vault() -> SecretClient:
    identity = ManagedIdentityCredential(client_id=os.environ["IDENTITY_CLIENT_ID"])
    return SecretClient(os.environ["VAULT_URL"], identity, api_version="7.4")


@app.route(route="echo/{*rest}", methods=["GET", "POST"])
def echo(req: func.HttpRequest) -> func.HttpResponse:
    """Say what came in."""
    log.info("echoing %s", req.method)
    seen = {
        "method": req.method,
        "url": req.url,
        "query": dict(req.params),
        "rest": req.route_params.get("rest"),
        "header": req.headers.get("x-colour"),
        "body": list(req.get_body()),
    }
    return func.HttpResponse(
        json.dumps(seen), status_code=207, headers={"X-Taste": "sour"}, mimetype="application/json"
    )


@app.route(route="binary")
def binary(req: func.HttpRequest) -> func.HttpResponse:
    """Give every byte there is."""
    return func.HttpResponse(bytes(range(256)), mimetype="application/octet-stream")


@app.route(route="text")
async def text(req: func.HttpRequest) -> str:
    """Give a text, from a coroutine."""
    return "plain words"


@app.route(route="guarded", auth_level=func.AuthLevel.FUNCTION)
def guarded(req: func.HttpRequest) -> func.HttpResponse:
    """Be called with a key alone."""
    return func.HttpResponse("in")


@app.route(route="around")
def around(req: func.HttpRequest) -> func.HttpResponse:
    """Say what is around."""
    print("written to standard output")  # noqa: T201 - that is the point
    try:
        socket.create_connection(("example.com", 80), timeout=1)
        reached = "example.com"
    except OSError:
        reached = None
    names = ("COLOUR", "WEBSITE_HOSTNAME", "FUNCTIONS_WORKER_RUNTIME", "WEBSITE_SITE_NAME")
    facts = {"time": time.time(), "pid": os.getpid(), "reached": reached} | {
        name: os.environ.get(name) for name in names
    }
    return func.HttpResponse(json.dumps(facts))


@app.route(route="secret/{name}")
def secret(req: func.HttpRequest) -> func.HttpResponse:
    """Read a secret, and write it back under another name."""
    held = _vault().get_secret(req.route_params["name"])
    _vault().set_secret("copied", held.value or "")
    return func.HttpResponse(held.value)


@app.route(route="fail")
def fail(req: func.HttpRequest) -> func.HttpResponse:
    """Raise."""
    raise LookupError("what was looked for isn't there")


@app.route(route="hang")
def hang(req: func.HttpRequest) -> func.HttpResponse:
    """Take longer than it may."""
    time.sleep(30)
    return func.HttpResponse("too late")


@app.timer_trigger(schedule="%TIMES%", arg_name="timer", run_on_startup=False, use_monitor=True)
def tick(timer: func.TimerRequest) -> None:
    """Note that it was time."""
    status: dict[str, str] = getattr(timer, "schedule_status")  # noqa: B009 - the SDK's types lack it
    log.info("tick past_due=%s next=%s", timer.past_due, status["Next"])
