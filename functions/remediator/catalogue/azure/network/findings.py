"""List CloudSploit's findings about open ports of network security groups, and which ports each is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON


def closing(port: int, *also: str, protocol: str = "tcp") -> dict[str, JSON]:
    """Return the parameters that close a port, and others as well."""
    first: dict[str, JSON] = {"port": port} if protocol == "tcp" else {"port": port, "protocol": protocol}
    return first | {"also": list(also)} if also else first


CLOUDSPLOIT: Final[Mapping[str, Mapping[str, JSON]]] = {
    "openCIFS": closing(445, protocol="udp"),
    "openDNS": closing(53, "udp/53"),
    "openDocker": closing(2375, "tcp/2376"),
    "openFTP": closing(20, "tcp/21"),
    "openHadoopNameNode": closing(8020),
    "openHadoopNameNodeWebUI": closing(50070, "tcp/50470"),
    "openKibana": closing(5601),
    "openMySQL": closing(3306, "tcp/4333"),
    "openNetBIOS": closing(137, "udp/138", protocol="udp"),
    "openOracle": closing(1521),
    "openOracleAutoDataWarehouse": closing(1522),
    "openPostgreSQL": closing(5432),
    "openRDP": closing(3389),
    "openRPC": closing(135),
    "openSMBoTCP": closing(445),
    "openSMTP": closing(25),
    "openSQLServer": closing(1433, "udp/1434"),
    "openSSH": closing(22),
    "openSalt": closing(4505, "tcp/4506"),
    "openTelnet": closing(23),
    "openVNCClient": closing(5500),
    "openVNCServer": closing(5900),
}
"""Source: the `ports` of the plugins of that name in github.com/aquasecurity/cloudsploit, plugins/azure."""
