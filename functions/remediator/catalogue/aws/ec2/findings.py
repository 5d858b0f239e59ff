"""List the scanners' findings about open ports, and which ports each is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from remediator.catalogue.spec import JSON


def tcp(*ports: int) -> dict[str, JSON]:
    """Return the parameters that close TCP ports."""
    return _closing([("tcp", port) for port in ports])


def udp(*ports: int) -> dict[str, JSON]:
    """Return the parameters that close UDP ports."""
    return _closing([("udp", port) for port in ports])


def both(port: int) -> dict[str, JSON]:
    """Return the parameters that close a port of TCP and of UDP."""
    return _closing([("tcp", port), ("udp", port)])


def _closing(ports: list[tuple[str, int]]) -> dict[str, JSON]:
    (protocol, port), *more = ports
    first: dict[str, JSON] = {"port": port, "protocol": protocol} if protocol != "tcp" else {"port": port}
    return first | {"also": [f"{one}/{number}" for one, number in more]} if more else first


CLOUDSPLOIT: Final[Mapping[str, Mapping[str, JSON]]] = {
    "openCIFS": udp(445),
    "openCassandraClient": tcp(9042),
    "openCassandraInternode": tcp(7001),
    "openCassandraMonitoring": tcp(7199),
    "openCassandraThrift": tcp(9160),
    "openDNS": both(53),
    "openDocker": tcp(2375, 2376),
    "openElasticsearch": tcp(9200),
    "openFTP": tcp(20, 21),
    "openHadoopNameNode": tcp(8020),
    "openHadoopNameNodeWebUI": tcp(50070, 50470),
    "openInternalWeb": tcp(8080),
    "openKibana": tcp(5601),
    "openLDAP": both(389),
    "openLDAPS": tcp(636),
    "openMemcached": both(11211),
    "openMongoDB": tcp(27017, 27018, 27019),
    "openMySQL": tcp(3306, 4333),
    "openNetBIOS": udp(137, 138),
    "openOracle": tcp(1521),
    "openOracleAutoDataWarehouse": tcp(1522),
    "openPostgreSQL": tcp(5432),
    "openRDP": tcp(3389),
    "openRPC": tcp(135),
    "openRedis": tcp(6379),
    "openSMBoTCP": tcp(445),
    "openSMTP": tcp(25),
    "openSNMP": udp(161),
    "openSQLServer": {"port": 1433, "also": ["udp/1434"]},
    "openSSH": tcp(22),
    "openSalt": tcp(4505, 4506),
    "openTelnet": tcp(23),
    "openVNCClient": tcp(5500),
    "openVNCServer": tcp(5900),
}
"""Source: the `ports` of the plugins of that name in github.com/aquasecurity/cloudsploit, plugins/aws/ec2."""

_PROWLER_PORTS: Final = {
    "22": tcp(22),
    "3389": tcp(3389),
    "cassandra_7199_9160_8888": tcp(7199, 9160, 8888),
    "elasticsearch_kibana_9200_9300_5601": tcp(9200, 9300, 5601),
    "ftp_20_21": tcp(20, 21),
    "kafka_9092": tcp(9092),
    "memcached_11211": tcp(11211),
    "mongodb_27017_27018": tcp(27017, 27018),
    "mysql_3306": tcp(3306),
    "oracle_1521_2483": tcp(1521, 2483),
    "postgres_5432": tcp(5432),
    "redis_6379": tcp(6379),
    "sql_server_1433_1434": tcp(1433, 1434),
    "telnet_23": tcp(23),
}

PROWLER: Final[Mapping[str, Mapping[str, JSON]]] = {
    f"ec2_securitygroup_allow_ingress_from_internet_to_tcp_port_{ports}": implied
    for ports, implied in _PROWLER_PORTS.items()
}
"""Source: the checks of that name in github.com/prowler-cloud/prowler, whose names list the ports."""

SECURITY_HUB: Final[Mapping[str, Mapping[str, JSON]]] = {"EC2.13": tcp(22), "EC2.14": tcp(3389)}
"""Source: Security Hub user guide, "Amazon EC2 controls"."""
