"""The project's own installer installs into the embedded cloud, and what it installed works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from typing import TYPE_CHECKING, Any

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient

from remediator.azure_install.examination import examine
from remediator.azure_install.installation import Cloud
from remediator.azure_install.plan import Site
from remediator.core.seeds import RING
from remediator.local.azure.apps.interpreters import plain
from remediator.local.azure.cloud import EmbeddedAzure
from remediator.local.azure.deployment import GROUP, Order, PackagingFailed, package
from remediator.local.azure.places import SUBSCRIPTION, TENANT, subscription_id
from remediator.local.azure.tables.azurite import NODE
from tests.local.azure.conftest import signed_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.xdist_group("embedded Azure's deployment")

RESOURCES = f"{subscription_id()}/resourceGroups/{GROUP}/providers"


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def deployed(packages: Path) -> Iterator[EmbeddedAzure]:
    """Share one cloud that was deployed to and rotated once."""
    with EmbeddedAzure(python=plain) as cloud:
        cloud.deploy(Order(packages=packages))
        cloud.rotate()
        yield cloud


def arm(cloud: EmbeddedAzure, method: str, path: str, version: str, body: Any = None) -> tuple[int, Any]:
    token = signed_in(cloud.identities.admin).get_token("https://management.azure.com/.default").token
    url = f"https://management.azure.com{path}?api-version={version}"
    answer = requests.request(method, url, json=body, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    return answer.status_code, answer.json() if answer.content else None


def test_the_outputs_are_the_templates_and_tell_clients_what_they_need(deployed: EmbeddedAzure) -> None:
    told = deployed.describe()
    assert told["endpoint_url"] == deployed.outputs["Endpoint"]
    assert uuid.UUID(told["deployment"])
    wanted = ("audience", "scope", "seed_vault_url", "ca_file", "proxy_url", "environment", "vendor_credentials")
    assert [name for name in wanted if not told.get(name)] == []


def test_a_second_run_of_the_installer_changes_nothing(deployed: EmbeddedAzure, packages: Path) -> None:
    said: list[str] = []
    deployed._say = said.append
    outputs = dict(deployed.outputs)
    assert deployed.deploy(Order(packages=packages)) == outputs
    assert [line for line in said if not line.startswith("stands: ")] == []


def test_the_installers_own_examination_finds_nothing_wrong(deployed: EmbeddedAzure) -> None:
    admin = deployed.identities.admin
    credential = ClientSecretCredential(TENANT, admin.client_id, admin.secret)
    found = examine(Cloud(credential, Site(SUBSCRIPTION, GROUP), lambda _: None))
    assert [one for one in found if not one.fine] == []
    assert len(found) > 6


def test_the_reader_reads_the_seed_of_the_window_and_may_not_write_it(deployed: EmbeddedAzure) -> None:
    window = int(time.time()) // 300
    client = SecretClient(deployed.outputs["SeedVault"], signed_in(deployed.identities.vendor))
    record = json.loads(client.get_secret(f"seed-{window // 1152}-{window % RING}").value or "")
    assert (record["window"], record["deployment"]) == (window, deployed.outputs["Deployment"])
    with pytest.raises(HttpResponseError, match="not authorized"):
        client.set_secret(f"seed-{window // 1152}-{window % RING}", "mine")
    with pytest.raises(HttpResponseError, match="not authorized"):
        SecretClient(deployed.outputs["CredentialVault"], signed_in(deployed.identities.vendor)).get_secret(
            "remediator-credential"
        )


def test_nobody_but_the_apps_reaches_the_tables(deployed: EmbeddedAzure) -> None:
    for identity in (deployed.identities.vendor, deployed.identities.admin):
        tables = TableServiceClient(deployed.outputs["TablesEndpoint"], credential=signed_in(identity))
        with pytest.raises(HttpResponseError, match="AuthorizationPermissionMismatch"):
            list(tables.get_table_client("remediatorwindows").list_entities())


def test_the_endpoint_answers_the_reader_and_refuses_the_rest(deployed: EmbeddedAzure) -> None:
    url = f"{deployed.outputs['Endpoint']}v1/health"
    token = signed_in(deployed.identities.vendor).get_token(f"{deployed.outputs['Audience']}/.default").token
    answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    assert (answer.status_code, answer.json()["deployment"]) == (200, deployed.outputs["Deployment"])
    assert requests.get(url, timeout=30).status_code == 403


def test_what_the_apps_called_is_in_the_log_by_app(deployed: EmbeddedAzure) -> None:
    mark = deployed.calls.mark()
    deployed.rotate()
    rotate_app = deployed.outputs["RotateApp"]
    mine = [call for call in deployed.calls.since(mark) if (call.origin or "").startswith(f"{rotate_app}/")]
    assert {call.service for call in mine} >= {"tables", "vault"}
    assert [call for call in mine if not call.allowed and call.principal] == []


def test_a_template_that_azure_would_refuse_is_refused(deployed: EmbeddedAzure) -> None:
    path = f"{RESOURCES}/Microsoft.Resources/deployments/bad"
    empty = {"$schema": "s", "contentVersion": "1.0.0.0", "resources": []}
    robot = {"type": "Microsoft.Robots/arms", "apiVersion": "2020-01-01", "name": "r", "properties": {}}
    for template in ({**empty, "resources": [{"type": "x"}]}, {**empty, "resources": [robot]}):
        body = {"properties": {"mode": "Incremental", "template": template}}
        status, document = arm(deployed, "PUT", path, "2021-04-01", body)
        assert (status, document["error"]["code"]) == (400, "InvalidTemplate")
    assert arm(deployed, "PUT", path, "2021-04-01", {"properties": {"mode": "Complete"}})[0] == 400
    missing = path.replace(GROUP, "nowhere")
    body = {"properties": {"mode": "Incremental", "template": empty}}
    assert arm(deployed, "PUT", missing, "2021-04-01", body)[1]["error"]["code"] == "ResourceGroupNotFound"
    assert arm(deployed, "PUT", path, "2001-01-01", body)[0] == 400


def test_a_deployment_that_fails_says_what_failed(deployed: EmbeddedAzure) -> None:
    path = f"{RESOURCES}/Microsoft.Resources/deployments/failing"
    nobody = {
        "type": "Microsoft.Authorization/roleAssignments",
        "apiVersion": "2022-04-01",
        "name": str(uuid.uuid4()),
        "properties": {"roleDefinitionId": "acdd72a7-3385-48ef-bd42-f606fba81ae7", "principalId": str(uuid.uuid4())},
    }
    template = {"$schema": "s", "contentVersion": "1.0.0.0", "resources": [nobody]}
    body = {"properties": {"mode": "Incremental", "template": template}}
    assert arm(deployed, "PUT", path, "2021-04-01", body)[0] == 201
    properties = arm(deployed, "GET", path, "2021-04-01")[1]["properties"]
    assert properties["provisioningState"] == "Failed"
    assert [one["code"] for one in properties["error"]["details"]] == ["PrincipalNotFound"]
    assert arm(deployed, "DELETE", path, "2021-04-01")[0] == 202
    assert arm(deployed, "GET", path, "2021-04-01")[0] == 404


def test_a_secret_parameter_is_in_no_record(deployed: EmbeddedAzure) -> None:
    path = f"{RESOURCES}/Microsoft.Resources/deployments/secretive"
    vault = deployed.outputs["SeedVault"].removeprefix("https://").partition(".")[0]
    template = {
        "$schema": "s",
        "contentVersion": "1.0.0.0",
        "parameters": {"value": {"type": "securestring"}},
        "resources": [
            {
                "type": "Microsoft.KeyVault/vaults/secrets",
                "apiVersion": "2023-07-01",
                "name": f"{vault}/other",
                "tags": {"a": "b"},
                "properties": {"value": "[parameters('value')]"},
            }
        ],
    }
    parameters = {"value": {"value": "hush, hush"}}
    body = {"properties": {"mode": "Incremental", "template": template, "parameters": parameters}}
    assert arm(deployed, "PUT", path, "2021-04-01", body)[0] == 201
    record = arm(deployed, "GET", path, "2021-04-01")[1]
    assert record["properties"]["parameters"] == {"value": {"type": "securestring"}}
    secret = arm(deployed, "GET", f"{RESOURCES}/Microsoft.KeyVault/vaults/{vault}/secrets/other", "2023-07-01")[1]
    assert secret["tags"] == {"a": "b"}
    assert "hush" not in json.dumps([record, secret])


def test_a_stopped_app_answers_nobody_and_a_broken_package_is_not_run(deployed: EmbeddedAzure) -> None:
    site = f"{RESOURCES}/Microsoft.Web/sites/{deployed.outputs['RemediateApp']}"
    url = f"{deployed.outputs['Endpoint']}v1/health"
    assert arm(deployed, "POST", f"{site}/stop", "2024-04-01")[0] == 200
    assert arm(deployed, "GET", site, "2024-04-01")[1]["properties"]["state"] == "Stopped"
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=30)
    assert arm(deployed, "POST", f"{site}/start", "2024-04-01")[0] == 200
    assert requests.get(url, timeout=30).status_code == 403
    token = signed_in(deployed.identities.admin).get_token("https://management.azure.com/.default").token
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/zip"}
    scm = f"https://{deployed.outputs['RemediateApp']}.scm.azurewebsites.net"
    build = requests.post(f"{scm}/api/publish", data=b"no zip", headers=headers, timeout=30).json()
    assert requests.get(f"{scm}/api/deployments/{build}", headers=headers, timeout=30).json()["status"] == 3
    assert requests.get(url, timeout=30).status_code == 403
    vendor = signed_in(deployed.identities.vendor).get_token("https://management.azure.com/.default").token
    refused = requests.post(
        f"{scm}/api/publish", data=b"", headers=headers | {"Authorization": f"Bearer {vendor}"}, timeout=30
    )
    assert refused.status_code == 403


def test_packaging_that_fails_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PackagingFailed, match="file"):
        package(tmp_path / "file")


OUTSIDE = """
import json, sys
import requests
from azure.identity import ClientSecretCredential
from azure.keyvault.secrets import SecretClient
told = json.load(sys.stdin)
who = told["vendor_credentials"]
credential = ClientSecretCredential(who["tenant_id"], who["client_id"], who["client_secret"])
header = {"Authorization": "Bearer " + credential.get_token(told["scope"]).token}
health = requests.get(told["endpoint_url"] + "v1/health", headers=header, timeout=30)
try:
    requests.get("https://example.com/", timeout=5)
    out = True
except requests.RequestException:
    out = False
names = sorted(one.name for one in SecretClient(told["seed_vault_url"], credential).list_properties_of_secrets())
print(json.dumps([health.status_code, names, out]))
"""


def test_a_client_in_another_process_comes_in_through_the_proxy_and_gets_no_further(deployed: EmbeddedAzure) -> None:
    told = deployed.describe()
    answer = subprocess.run(  # noqa: S603 - the script above
        [sys.executable, "-I", "-c", OUTSIDE],
        input=json.dumps(told),
        env={"PATH": os.environ["PATH"], **told["environment"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    status, names, out = json.loads(answer.stdout)
    assert (status, out) == (200, False)
    assert len(names) >= 4


def test_a_client_of_another_make_reaches_the_port_itself_and_checks_the_certificate(deployed: EmbeddedAzure) -> None:
    told = deployed.describe()
    script = """
      const [file, port, host] = process.argv.slice(1)
      const options = { host: '127.0.0.1', port, path: '/v1/health', servername: host, headers: { host }, agent: false }
      if (file) options.ca = require('fs').readFileSync(file)
      require('https').get(options, answer => { console.log(answer.statusCode); answer.resume() })
        .on('error', error => console.log(error.code))
    """
    host = deployed.outputs["Endpoint"].removeprefix("https://").rstrip("/")
    port = told["connect_to"]["*.azurewebsites.net"].rpartition(":")[2]

    def ask(authority: str) -> str:
        command = [str(NODE), "-e", script, authority, port, host]
        return subprocess.run(  # noqa: S603 - our own Node, the script above
            command, env={}, capture_output=True, text=True, check=True, timeout=30
        ).stdout.strip()

    assert ask(told["ca_file"]) == "403"
    assert ask("") == "UNABLE_TO_VERIFY_LEAF_SIGNATURE"


def test_the_rotators_app_lets_nobody_in_by_its_name_and_rotates_all_the_same(deployed: EmbeddedAzure) -> None:
    app = deployed.outputs["RotateApp"]
    for path in ("/", "/admin/functions/rotate_window"):
        assert requests.get(f"https://{app}.azurewebsites.net{path}", timeout=30).status_code == 403
    assert deployed.rotate().outcome.status == "success"
