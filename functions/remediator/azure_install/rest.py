"""Call Azure's REST interfaces as whoever installs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport

JSON: TypeAlias = Any

ARM: Final = "https://management.azure.com"
GRAPH: Final = "https://graph.microsoft.com"

NOT_FOUND: Final = 404
FIRST_ERROR: Final = 400


class AzureRefused(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that Azure refused a call; the message is Azure's own, and names the call."""

    def __init__(self, call: str, status: int, code: str, message: str) -> None:
        super().__init__(f"{call}: {status} {code}: {message}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold what came back: the status, and the document or None."""

    status: int
    body: JSON


class Rest:
    """Call one service with tokens of its own; calls that got no answer are tried again."""

    def __init__(
        self,
        credential: TokenCredential,
        base: str,
        *,
        audience: str = "",
        transport: HttpTransport[Any, Any] | None = None,
    ) -> None:
        self._base = base
        policies: list[Any] = [
            UserAgentPolicy("remediator"),
            RetryPolicy(retry_total=4),
            BearerTokenCredentialPolicy(credential, f"{audience or base}/.default"),
        ]
        self._pipeline: Pipeline[HttpRequest, HttpResponse] = Pipeline(
            transport or RequestsTransport(connection_timeout=10, read_timeout=120), policies
        )

    def ask(
        self, method: str, path: str, body: JSON = None, *, content: bytes | None = None, prefer: str | None = None
    ) -> Answer:
        """Return the answer, or raise `AzureRefused`. `path` may be a whole address of the same service."""
        url = path if path.startswith("https://") else f"{self._base}{path}"
        if not url.startswith(f"{self._base}/"):
            raise AzureRefused(f"{method} {url}", 0, "ForeignAddress", "a token goes to its own service alone")
        headers = {"Content-Type": "application/zip"} if content is not None else {}
        headers |= {"Prefer": prefer} if prefer else {}
        request = HttpRequest(method, url, json=body, content=content, headers=headers)
        response = self._pipeline.run(request).http_response
        document = _document(response)
        if response.status_code >= FIRST_ERROR:
            code, message = _said(document)
            raise AzureRefused(f"{method} {url.partition('?')[0]}", response.status_code, code, message)
        return Answer(response.status_code, document)

    def get(self, path: str) -> JSON | None:
        """Return a document, or None if there is nothing there."""
        try:
            return self.ask("GET", path).body
        except AzureRefused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def listed(self, path: str) -> Iterator[Mapping[str, JSON]]:
        """Yield what a list holds, page by page."""
        next_path: str | None = path
        while next_path:
            page = self.ask("GET", next_path).body
            yield from page["value"]
            next_path = page.get("nextLink") or page.get("@odata.nextLink")

    def delete(self, path: str) -> bool:
        """Delete, and tell whether there was anything, as far as the service says so."""
        try:
            self.ask("DELETE", path)
        except AzureRefused as refused:
            if refused.status == NOT_FOUND:
                return False
            raise
        return True


def _document(response: HttpResponse) -> JSON:
    if not response.content:
        return None
    try:
        return response.json()
    except ValueError:
        return None


def _said(document: JSON) -> tuple[str, str]:
    """Return code and message of an error as ARM and Graph both write it."""
    error = document.get("error") if isinstance(document, dict) else None
    if not isinstance(error, dict):
        return "Unknown", "no reason was given"
    return str(error.get("code", "Unknown")), str(error.get("message", "no reason was given"))
