"""The embedded Resource Manager refuses what Azure's refuses, in its words, and remembers what it took."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from remediator.local.azure.arm.embedded import EmbeddedArm
from remediator.local.azure.arm.refusals import ArmRefusal, throttled
from remediator.local.azure.arm.samples import MAKERS

if TYPE_CHECKING:
    from remediator.local.azure.arm.embedded import Asked

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/g"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/store"
VAULT = f"{GROUP}/providers/Microsoft.KeyVault/vaults/vault"
SERVER = f"{GROUP}/providers/Microsoft.Sql/servers/sql"
DATABASE = f"{SERVER}/databases/orders"
NSG = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/app"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/disk"
POSTGRESQL = f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/pg"
SECURE = f"{POSTGRESQL}/configurations/require_secure_transport"
APIS = {
    "Storage": "2021-09-01",
    "KeyVault": "2021-10-01",
    "Sql": "2021-11-01-preview",
    "Network": "2021-05-01",
    "Web": "2021-03-01",
    "Compute": "2021-12-01",
    "DBforPostgreSQL": "2021-06-01",
}


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: Any

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])


class Cloud:
    """A Resource Manager with one of each resource, and a clock."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.arm = EmbeddedArm(lambda: self.now)
        for path in (ACCOUNT, VAULT, SERVER, DATABASE, NSG, SITE, DISK, POSTGRESQL):
            self.arm.add(path)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        provider = path.rpartition("/providers/Microsoft.")[2].partition("/")[0]
        return self.raw(method, path, {"api-version": APIS.get(provider, "1")}, body, **headers)

    def raw(self, method: str, path: str, query: dict[str, str], body: Any = None, **headers: str) -> Reply:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        status, told, answer = self.arm.handle(method, path, query, named, content, "me")
        return Reply(status, told, json.loads(answer) if answer else None)

    def patch(self, path: str, **properties: Any) -> Reply:
        return self.ask("PATCH", path, {"properties": properties})

    def properties(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.arm.resource(path)["properties"]
        return found

    def later(self, seconds: float = 1.0) -> None:
        self.now += seconds


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


class TestWhatDoesNotExist:
    @pytest.mark.parametrize(
        ("path", "code"),
        [
            (ACCOUNT + "x", "ResourceNotFound"),
            (f"{GROUP}/providers/Microsoft.Storage/storageAcounts/store", "InvalidResourceType"),
            (f"{GROUP}/providers/Microsoft.Storag/storageAccounts/store", "InvalidResourceType"),
            (f"{GROUP}/providers/Microsoft.Storage", "NotFound"),
            ("/subscriptions", "NotFound"),
            (f"{SERVER}x/databases/orders/transparentDataEncryption/current", "ParentResourceNotFound"),
            (f"{SERVER}/databases/other/transparentDataEncryption/current", "ParentResourceNotFound"),
            (f"{SITE}x/config/web", "ParentResourceNotFound"),
            (f"{POSTGRESQL}/configurations/other", "ResourceNotFound"),
        ],
    )
    def test_is_not_found(self, cloud: Cloud, path: str, code: str) -> None:
        reply = cloud.ask("GET", path)
        assert (reply.status, reply.code) == (404, code)

    def test_is_not_found_by_any_spelling_but_letter_case(self, cloud: Cloud) -> None:
        query = {"api-version": APIS["Storage"]}
        assert cloud.raw("GET", ACCOUNT.upper(), query).body == cloud.raw("GET", ACCOUNT, query).body
        assert cloud.raw("GET", ACCOUNT, query).status == 200

    def test_is_not_deleted_twice(self, cloud: Cloud) -> None:
        assert cloud.ask("DELETE", SITE).status == 200
        assert cloud.ask("DELETE", SITE).status == 204
        assert cloud.ask("GET", f"{SITE}/config/web").code == "ParentResourceNotFound"


class TestVersionsAndMethods:
    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ({}, "MissingApiVersionParameter"),
            ({"api-version": ""}, "MissingApiVersionParameter"),
            ({"api-version": "2015-01-01"}, "NoRegisteredProviderFound"),
        ],
    )
    def test_an_unknown_version_is_refused_and_told_which_is_known(
        self, cloud: Cloud, query: dict[str, str], code: str
    ) -> None:
        reply = cloud.raw("GET", ACCOUNT, query)
        assert (reply.status, reply.code) == (400, code)
        assert code != "NoRegisteredProviderFound" or "2021-09-01" in reply.body["error"]["message"]

    @pytest.mark.parametrize(("method", "path"), [("POST", ACCOUNT), ("DELETE", SECURE), ("PATCH", f"{DATABASE}/transparentDataEncryption/current")])  # fmt: skip # noqa: E501 - a table
    def test_a_method_that_a_type_does_not_have_is_refused(self, cloud: Cloud, method: str, path: str) -> None:
        assert cloud.ask(method, path, {}).status == 405


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{",
            b"[]",
            b"7",
            {"unknown": 1},
            {"properties": {"supportsHttpsTrafficOnly": "true"}},
            {"properties": {"supportsHttpsTrafficOnly": 1}},
            {"properties": {"suportsHttpsTrafficOnly": True}},
            {"properties": {"minimumTlsVersion": "TLS1_4"}},
            {"properties": {"minimumTlsVersion": 12}},
            {"properties": {"networkAcls": {"bypass": "AzureServices"}}},
            {"properties": {"networkAcls": {"defaultAction": "Allow", "bypass": "Nobody"}}},
            {"properties": {"networkAcls": {"defaultAction": "Allow", "bypass": "Logging,Metrics"}}},
            {"properties": {"networkAcls": {"defaultAction": "Allow", "bypass": 7}}},
            {"properties": {"networkAcls": {"defaultAction": "Allow", "ipRules": {"value": "10.0.0.0/8"}}}},
            {"properties": {"networkAcls": {"defaultAction": "Allow", "ipRules": [{"action": "Allow"}]}}},
            {"properties": {"networkAcls": {"defaultAction": "Allow", "ipRules": ["10.0.0.0/8"]}}},
            {"properties": []},
            {"tags": {"a": 1}},
            {"tags": ["a"]},
        ],
    )
    def test_that_do_not_have_their_shape_are_refused_and_change_nothing(self, cloud: Cloud, body: Any) -> None:
        before = cloud.arm.resource(ACCOUNT)
        reply = cloud.ask("PATCH", ACCOUNT, body)
        assert (reply.status, reply.code) == (400, "InvalidRequestContent")
        assert cloud.arm.resource(ACCOUNT) == before

    def test_that_say_where_they_are_wrong(self, cloud: Cloud) -> None:
        rules = [{"value": "10.0.0.0/8"}, {"valu": "x"}]
        reply = cloud.patch(ACCOUNT, networkAcls={"defaultAction": "Allow", "ipRules": rules})
        assert "'valu' on object at path 'properties.networkAcls.ipRules[1]'" in reply.body["error"]["message"]

    def test_what_only_azure_writes_is_ignored_and_null_is_nothing(self, cloud: Cloud) -> None:
        body = cloud.arm.resource(VAULT)
        reply = cloud.ask("PATCH", NSG, {"tags": {"a": "b"}})
        assert reply.status == 200
        assert reply.body["tags"] == {"a": "b"}
        reply = cloud.patch(VAULT, sku=body["properties"]["sku"], enablePurgeProtection=None)
        assert reply.status == 200
        assert "enablePurgeProtection" not in reply.body["properties"]

    def test_flags_stand_in_one_text(self, cloud: Cloud) -> None:
        assert cloud.patch(ACCOUNT, networkAcls={"defaultAction": "Deny", "bypass": "Logging, Metrics"}).status == 200

    def test_a_patch_merges_and_network_rules_are_replaced_whole(self, cloud: Cloud) -> None:
        rule = {"value": "203.0.113.0/24", "action": "Allow"}
        cloud.patch(ACCOUNT, networkAcls={"defaultAction": "Allow", "ipRules": [rule]})
        cloud.patch(ACCOUNT, supportsHttpsTrafficOnly=True)
        assert cloud.properties(ACCOUNT)["networkAcls"]["ipRules"] == [rule]
        cloud.patch(ACCOUNT, networkAcls={"defaultAction": "Deny"})
        assert cloud.properties(ACCOUNT)["networkAcls"] == {"defaultAction": "Deny"}
        assert cloud.properties(ACCOUNT)["supportsHttpsTrafficOnly"] is True

    def test_a_put_creates_what_is_not_there(self, cloud: Cloud) -> None:
        body = {
            "location": "westeurope",
            "kind": "StorageV2",
            "sku": {"name": "Standard_LRS"},
            "properties": {"minimumTlsVersion": "TLS1_2", "provisioningState": "ignored?"},
        }
        reply = cloud.ask("PUT", ACCOUNT + "2", body)
        assert (reply.status, reply.code) == (400, "InvalidRequestContent")
        del body["properties"]["provisioningState"]  # type: ignore[attr-defined]  # of the literal above
        reply = cloud.ask("PUT", ACCOUNT + "2", body)
        assert (reply.status, reply.body["name"], reply.body["id"]) == (201, "store2", ACCOUNT + "2")
        assert cloud.ask("PUT", ACCOUNT + "2", body).status == 200


class TestRights:
    def test_every_operation_is_asked_for_by_principal_and_scope(self, cloud: Cloud) -> None:
        asked: list[tuple[str, str, str]] = []
        cloud.arm.allowed = lambda *one: not asked.append(one)  # type: ignore[func-returns-value]  # never False
        cloud.patch(ACCOUNT, supportsHttpsTrafficOnly=True)
        assert asked == [("me", "Microsoft.Storage/storageAccounts/write", ACCOUNT)]

    def test_who_has_no_right_is_told_which_and_where(self, cloud: Cloud) -> None:
        cloud.arm.allowed = lambda _, operation, __: operation.endswith("/read")
        reply = cloud.patch(ACCOUNT, supportsHttpsTrafficOnly=True)
        assert (reply.status, reply.code) == (403, "AuthorizationFailed")
        assert f"'Microsoft.Storage/storageAccounts/write' over scope '{ACCOUNT}'" in reply.body["error"]["message"]
        assert cloud.ask("GET", ACCOUNT).status == 200

    def test_what_a_body_links_to_needs_a_right_of_its_own(self, cloud: Cloud) -> None:
        subnet = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v/subnets/s"
        cloud.arm.allowed = lambda _, __, scope: scope != subnet
        rules = {"defaultAction": "Deny", "virtualNetworkRules": [{"id": subnet}]}
        reply = cloud.patch(ACCOUNT, networkAcls=rules)
        assert (reply.status, reply.code) == (403, "LinkedAuthorizationFailed")
        assert "joinViaServiceEndpoint" in reply.body["error"]["message"]

    def test_a_group_that_rules_name_twice_is_asked_for_once(self, cloud: Cloud) -> None:
        rules = [ssh("a", 100, **ASG), ssh("b", 101, **ASG)]
        asked = cloud.arm.understand(
            "PUT", NSG, {"api-version": APIS["Network"]}, {}, json.dumps(group(rules)).encode()
        )
        assert [operation.rpartition("/")[0].rpartition("/")[2] for operation, _ in asked.operations[1:]] == [
            "joinNetworkSecurityRule"
        ]

    def test_whether_something_exists_is_not_told_to_who_may_not_read(self, cloud: Cloud) -> None:
        cloud.arm.allowed = lambda *_: False
        assert cloud.ask("GET", ACCOUNT + "x").code == "AuthorizationFailed"


ASG: dict[str, Any] = {
    "sourceAddressPrefix": None,
    "sourceApplicationSecurityGroups": [{"id": f"{GROUP}/providers/Microsoft.Network/applicationSecurityGroups/a"}],
}


def ssh(name: str, priority: int | None, **more: Any) -> dict[str, Any]:
    properties = {
        "access": "Allow",
        "direction": "Inbound",
        "priority": priority,
        "protocol": "Tcp",
        "sourceAddressPrefix": "10.0.0.0/8",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "22",
    } | more
    return {"name": name, "properties": {key: value for key, value in properties.items() if value is not None}}


def group(rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"location": "westeurope", "properties": {"securityRules": rules}}


class TestNetworkSecurityGroups:
    def put(self, cloud: Cloud, *rules: dict[str, Any], **headers: str) -> Reply:
        return cloud.ask("PUT", NSG, group(list(rules)), **headers)

    @pytest.mark.parametrize(
        ("rules", "code"),
        [
            ([ssh("a", 100), ssh("b", 100)], "SecurityRuleConflict"),
            ([ssh("a", 100), ssh("A", 101)], "DuplicateResourceName"),
            ([ssh("a", 99)], "SecurityRuleInvalidPriority"),
            ([ssh("a", 4097)], "SecurityRuleInvalidPriority"),
            ([ssh("a", None)], "SecurityRuleInvalidPriority"),
            ([ssh("", 100)], "InvalidResourceName"),
            ([ssh("a b", 100)], "InvalidResourceName"),
            ([ssh("a", 100, sourceAddressPrefix=None)], "SecurityRuleParameterNotSpecified"),
            ([ssh("a", 100, sourceAddressPrefixes=["10.0.0.0/8"])], "SecurityRuleParameterNotSpecified"),
            ([ssh("a", 100, destinationPortRange=None)], "SecurityRuleParameterNotSpecified"),
            ([ssh("a", 100, destinationPortRanges=["22"])], "SecurityRuleParameterNotSpecified"),
            (
                [ssh("a", 100, sourceAddressPrefix=None, sourceAddressPrefixes=["Internet"])],
                "SecurityRuleParameterContainsUnsupportedValue",
            ),
            (
                [ssh("a", 100, sourceAddressPrefix=None, sourceAddressPrefixes=["10.0.0.0/8", "::/0"])],
                "ResourceCannotContainAddressPrefixesFromDifferentAddressFamilies",
            ),
            ([ssh("a", 100, sourceAddressPrefix="10.0.0.0/33")], "SecurityRuleInvalidAddressPrefix"),
            ([ssh("a", 100, destinationPortRange="22-20")], "SecurityRuleInvalidPortRange"),
            ([ssh("a", 100, destinationPortRange="70000")], "SecurityRuleInvalidPortRange"),
            ([ssh("a", 100, destinationPortRange="ssh")], "SecurityRuleInvalidPortRange"),
            (
                [ssh("a", 100, destinationPortRange=None, destinationPortRanges=["22", "*"])],
                "SecurityRuleInvalidPortRange",
            ),
            (
                [ssh(f"r{n}", 100 + n) for n in range(1001)],
                "MaxSecurityRulesPerNetworkSecurityGroupReached",
            ),
            ([ssh("a", 100, protocol="Gre")], "InvalidRequestContent"),
            ([ssh("a", 100, access=None)], "InvalidRequestContent"),
        ],
    )
    def test_rules_that_azure_refuses_are_refused(self, cloud: Cloud, rules: list[dict[str, Any]], code: str) -> None:
        reply = self.put(cloud, *rules)
        assert (reply.status, reply.code) == (400, code)
        assert cloud.properties(NSG)["securityRules"] == []

    def test_one_priority_serves_each_direction_once(self, cloud: Cloud) -> None:
        assert self.put(cloud, ssh("in", 100), ssh("out", 100, direction="Outbound")).status == 200

    def test_a_rule_is_shown_with_what_azure_adds(self, cloud: Cloud) -> None:
        self.put(cloud, ssh("a", 100))
        cloud.later()
        (rule,) = cloud.properties(NSG)["securityRules"]
        assert rule["id"] == f"{NSG}/securityRules/a"
        assert rule["properties"]["destinationPortRanges"] == []
        assert rule["properties"]["provisioningState"] == "Succeeded"

    def test_a_write_changes_the_etag_and_an_old_one_fails(self, cloud: Cloud) -> None:
        first = cloud.ask("GET", NSG).headers["ETag"]
        assert self.put(cloud, ssh("a", 100), If_Match=first).status == 200
        cloud.later()
        second = cloud.ask("GET", NSG)
        assert second.headers["ETag"] == second.body["etag"] != first
        reply = self.put(cloud, ssh("b", 100), If_Match=first)
        assert (reply.status, reply.code) == (412, "PreconditionFailed")
        assert self.put(cloud, ssh("b", 100), if_match="*").status == 200
        cloud.later()
        assert cloud.ask("DELETE", NSG, If_Match=first).code == "PreconditionFailed"

    def test_azures_own_properties_survive_a_put(self, cloud: Cloud) -> None:
        guid = cloud.properties(NSG)["resourceGuid"]
        self.put(cloud, ssh("a", 100))
        cloud.later()
        assert cloud.properties(NSG)["resourceGuid"] == guid

    def test_other_types_have_no_etags_to_fail_on(self, cloud: Cloud) -> None:
        assert cloud.ask("PATCH", ACCOUNT, {"properties": {}}, If_Match='"old"').status == 200


class TestProvidersRules:
    def test_purge_protection_is_never_switched_off(self, cloud: Cloud) -> None:
        assert cloud.patch(VAULT, enablePurgeProtection=True).code == "BadRequest"
        assert cloud.patch(VAULT, enablePurgeProtection=False).code == "BadRequest"
        assert cloud.patch(VAULT, enableSoftDelete=True, enablePurgeProtection=True).status == 200
        assert cloud.patch(VAULT, enablePurgeProtection=False).code == "BadRequest"
        assert cloud.patch(VAULT, enableSoftDelete=False).code == "BadRequest"

    @pytest.mark.parametrize("version", ["None", "1.4", "", "TLS1_2"])
    def test_an_sql_server_takes_no_version_that_is_none(self, cloud: Cloud, version: str) -> None:
        assert cloud.patch(SERVER, minimalTlsVersion=version).code == "InvalidMinimalTlsVersion"

    def test_a_server_parameter_has_its_values(self, cloud: Cloud) -> None:
        assert cloud.patch(SECURE, value="maybe", source="user-override").code == "InvalidParameterValue"
        assert cloud.patch(SECURE, value="ON", source="user-override").status == 202


class TestLongRunningOperations:
    def test_are_seen_by_their_status(self, cloud: Cloud) -> None:
        begun = cloud.patch(SECURE, value="on", source="user-override")
        assert (begun.status, begun.body) == (202, None)
        url, _, version = (
            begun.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").partition("?")
        )
        query = dict([version.split("=")])
        assert cloud.raw("GET", url, query).body["status"] == "InProgress"
        assert cloud.raw("GET", url, query).headers["Retry-After"] == "1"
        assert cloud.properties(SECURE)["value"] == "off"
        cloud.later()
        assert cloud.raw("GET", url, query).body["status"] == "Succeeded"
        assert cloud.properties(SECURE)["value"] == "on"

    def test_are_seen_by_their_place(self, cloud: Cloud) -> None:
        begun = cloud.patch(DISK, publicNetworkAccess="Disabled")
        assert "Azure-AsyncOperation" not in begun.headers
        url, _, rest = begun.headers["Location"].removeprefix("https://management.azure.com").partition("?")
        query = dict(one.split("=") for one in rest.split("&"))
        assert cloud.raw("GET", url, query).status == 202
        cloud.later()
        assert cloud.raw("GET", url, query).body["properties"]["publicNetworkAccess"] == "Disabled"

    def test_hold_other_writes_off_until_they_end(self, cloud: Cloud) -> None:
        cloud.patch(DISK, publicNetworkAccess="Disabled")
        reply = cloud.patch(DISK, publicNetworkAccess="Enabled")
        assert (reply.status, reply.code) == (409, "AnotherOperationInProgress")
        cloud.later()
        assert cloud.patch(DISK, publicNetworkAccess="Enabled").status == 202

    @pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
    def test_can_be_told_to_fail_and_then_change_nothing(self, cloud: Cloud, header: str) -> None:
        cloud.arm.operations.failures.append(("SkuNotAvailable", "Not here."))
        begun = cloud.patch(SERVER, minimalTlsVersion="1.2")
        cloud.later()
        url, _, rest = begun.headers[header].removeprefix("https://management.azure.com").partition("?")
        shown = cloud.raw("GET", url, dict(one.split("=") for one in rest.split("&")))
        assert shown.body["error"] == {"code": "SkuNotAvailable", "message": "Not here."}
        assert cloud.properties(SERVER)["minimalTlsVersion"] == "1.0"
        assert cloud.patch(SERVER, minimalTlsVersion="1.2").status == 202

    def test_of_a_group_show_it_as_it_will_be(self, cloud: Cloud) -> None:
        reply = cloud.ask("PUT", NSG, group([ssh("a", 100)]))
        assert reply.body["properties"]["provisioningState"] == "Updating"
        assert [rule["name"] for rule in reply.body["properties"]["securityRules"]] == ["a"]

    def test_that_nobody_began_are_not_found(self, cloud: Cloud) -> None:
        path = f"{GROUP}/providers/Microsoft.Sql/locations/westeurope/serverAzureAsyncOperation/{'0' * 36}"
        assert cloud.ask("GET", path).code == "OperationNotFound"

    def test_take_a_right_to_be_looked_at(self, cloud: Cloud) -> None:
        asked: list[tuple[str, str]] = []
        begun = cloud.patch(SERVER, minimalTlsVersion="1.2")
        cloud.arm.allowed = lambda _, operation, scope: bool(asked.append((operation, scope)))  # type: ignore[func-returns-value]  # always False
        url = begun.headers["Azure-AsyncOperation"].removeprefix("https://management.azure.com").partition("?")[0]
        assert cloud.ask("GET", url).status == 403
        assert asked == [("Microsoft.Sql/locations/serverAzureAsyncOperation/read", GROUP)]

    def test_may_say_nothing_of_when_to_come_back(self, cloud: Cloud) -> None:
        cloud.arm.operations.retry_after = None
        assert "Retry-After" not in cloud.patch(DISK, publicNetworkAccess="Disabled").headers


class TestFaults:
    def test_strike_in_the_clouds_place_what_is_allowed(self, cloud: Cloud) -> None:
        def busy(asked: Asked) -> None:
            if asked.method == "PATCH":
                raise throttled(9)

        cloud.arm.faults.append(busy)
        reply = cloud.patch(ACCOUNT, supportsHttpsTrafficOnly=True)
        assert (reply.status, reply.code, reply.headers["Retry-After"]) == (429, "TooManyRequests", "9")
        assert cloud.ask("GET", ACCOUNT).status == 200
        cloud.arm.allowed = lambda *_: False
        assert cloud.patch(ACCOUNT, supportsHttpsTrafficOnly=True).status == 403

    def test_can_be_any_refusal(self, cloud: Cloud) -> None:
        def broken(_: Asked) -> None:
            raise ArmRefusal(503, "ServiceUnavailable", "Later.")

        cloud.arm.faults.append(broken)
        assert cloud.ask("GET", ACCOUNT).body == {"error": {"code": "ServiceUnavailable", "message": "Later."}}


def test_every_exchange_is_kept_and_none_shows_a_token(cloud: Cloud) -> None:
    cloud.ask("GET", ACCOUNT, Authorization="Bearer secret")
    cloud.ask("PATCH", NSG, {"tags": {}}, If_Match="*")
    cloud.ask("GET", "/nowhere")
    assert [(one.method, one.status, one.if_match) for one in cloud.arm.exchanges] == [
        ("GET", 200, None),
        ("PATCH", 200, "*"),
        ("GET", 404, None),
    ]
    assert cloud.arm.exchanges[1].body == {"tags": {}}
    assert cloud.arm.exchanges[0].operations == (("Microsoft.Storage/storageAccounts/read", ACCOUNT),)
    assert "secret" not in repr(cloud.arm.exchanges)


def test_what_is_read_is_a_copy(cloud: Cloud) -> None:
    cloud.arm.resource(ACCOUNT)["properties"]["supportsHttpsTrafficOnly"] = "changed"
    assert cloud.properties(ACCOUNT)["supportsHttpsTrafficOnly"] is False


def test_what_is_added_twice_stays_as_it_was(cloud: Cloud) -> None:
    cloud.patch(ACCOUNT, supportsHttpsTrafficOnly=True)
    cloud.arm.add(ACCOUNT)
    assert cloud.properties(ACCOUNT)["supportsHttpsTrafficOnly"] is True


def test_there_is_a_sample_of_every_kind_that_fixes_repair() -> None:
    assert len(MAKERS) == 8


TAGS = f"{ACCOUNT}/providers/Microsoft.Resources/tags/default"


def tags_of(cloud: Cloud, path: str = TAGS, method: str = "GET", api: str = "2021-04-01") -> Reply:
    status, headers, body = cloud.arm.handle(method, path, {"api-version": api}, {}, b"", "me")
    return Reply(int(status), headers, json.loads(body))


def test_tags_are_shown_alone_by_a_right_of_their_own(cloud: Cloud) -> None:
    asked: list[tuple[str, str]] = []

    def allowed(_: str, operation: str, scope: str) -> bool:
        asked.append((operation, scope))
        return True

    cloud.arm.allowed = allowed
    assert tags_of(cloud).body["properties"] == {"tags": {"team": "example"}}
    assert asked == [("Microsoft.Resources/tags/read", ACCOUNT)]
    cloud.arm.allowed = lambda *_: False
    assert (tags_of(cloud).status, tags_of(cloud).code) == (403, "AuthorizationFailed")


def test_tags_of_what_isn_t_there_or_asked_for_otherwise_are_refused(cloud: Cloud) -> None:
    gone = TAGS.replace("/store/", "/gone/")
    assert (tags_of(cloud, gone).status, tags_of(cloud, gone).code) == (404, "ResourceNotFound")
    assert tags_of(cloud, method="PATCH").status == 405
    assert tags_of(cloud, api="2021-09-01").status == 400
