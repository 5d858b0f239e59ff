"""Serve moto from this process."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from moto.core.base_backend import BackendDict, backend_lock
from moto.core.model_instances import reset_model_data
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import ThreadedWSGIServer

if TYPE_CHECKING:
    from moto.backends import SERVICE_NAMES

# What a deployment touches first: loaded side by side with the rest of the start instead of one after the other.
_PRELOADED: Final[tuple[SERVICE_NAMES, ...]] = (
    *("iam", "sts", "s3", "cloudformation", "lambda", "dynamodb", "secretsmanager", "kms", "logs"),
    *("sqs", "sns", "cloudwatch", "scheduler", "ssm", "ecr"),
)
# Its parts know nothing of any account, and take a while to make: one for all accounts of a process.
_APPLICATION: Final = DomainDispatcherApplication(create_backend_app)
_SETTINGS: Final = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}


class _RequestHandler(MotoRequestHandler):
    disable_nagle_algorithm = True  # headers and body leave apart; waiting for an acknowledgement costs milliseconds

    def log_request(self, *_: object) -> None:
        """Say nothing: the call log knows more."""


class MotoServer:
    """Answer for every service on one port of loopback, until closed. moto's state is the process's: one at a time."""

    def __init__(self, port: int = 0) -> None:
        reset()
        # The server would end the process if the port is taken; a socket of ours raises.
        with socket.create_server(("127.0.0.1", port), backlog=128) as listening:
            descriptor = listening.fileno()
            self._server = ThreadedWSGIServer("127.0.0.1", port, _APPLICATION, handler=_RequestHandler, fd=descriptor)
        self._settings_before = {name: os.environ.get(name) for name in _SETTINGS}
        os.environ.update(_SETTINGS)
        self._server.daemon_threads = True
        self.port: int = self._server.port
        # moto takes the bucket out of a template's URL; under another name of this machine it takes the wrong part.
        self.endpoint = f"http://localhost:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def preload(self) -> None:
        """Load the services that a deployment needs, in the background."""
        pool = ThreadPoolExecutor(max_workers=1)
        pool.submit(self._preload)
        pool.shutdown(wait=False)

    def close(self) -> None:
        """Stop answering and forget everything."""
        self._server.shutdown()
        self._server.server_close()
        for name, value in self._settings_before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        reset()

    def _preload(self) -> None:
        import_module("moto.cloudformation.models")
        for service in _PRELOADED:
            with _APPLICATION.lock:
                if service not in _APPLICATION.app_instances:
                    _APPLICATION.app_instances[service] = create_backend_app(service)


def reset() -> None:
    """Forget every account's state. moto's own reset makes everything anew before it throws it away."""
    with backend_lock:
        for backends in _all_backends():
            backends.clear()
        _all_backends().clear()
    s3_backends.bucket_accounts.clear()
    reset_model_data()


def _all_backends() -> list[BackendDict[Any]]:
    return BackendDict._instances  # type: ignore[misc] # noqa: SLF001 - generic there; and there is no other list of them
