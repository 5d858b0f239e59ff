"""The remediator's function app."""

import azure.functions as func

from remediator.azure.remediate_function import answer

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="v1/{*path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def remediate(req: func.HttpRequest) -> func.HttpResponse:
    """Answer the protocol; who calls is checked inside, by token."""
    return answer(req)
