# SPDX-License-Identifier: ISC
"""The reference peers: strongSwan, xl2tpd and pppd as a client, and as the server
that proves the test network."""

import contextlib
import os
import signal

from lab import SERVER, Failure, wait_for

PSK, USER, PASSWORD = "a shared secret of the laboratory", "alice", "her password"

CHARON_PLUGINS = (
    "random nonce openssl kdf pem pkcs1 x509 kernel-netlink socket-default vici"
)


class Charon:
    """strongSwan in a host, configured through swanctl."""

    def __init__(self, host, options=""):
        self.host, self.options, self.process = host, options, None

    def start(self, connection, secrets):
        """Start it with a connection and the secrets; return when it serves."""
        self.host.write(
            "/etc/strongswan.conf",
            f"""
charon {{
    load = {CHARON_PLUGINS}
    install_routes = no
    retransmit_tries = 8
    retransmit_timeout = 2
    filelog {{
        stdout {{
            time_format = %T
            flush_line = yes
            default = 1
            ike = 2
            cfg = 2
            knl = 2
        }}
    }}
    {self.options}
}}
""",
        )
        self.host.write(
            "/etc/swanctl/swanctl.conf",
            f"connections {{\n{connection}\n}}\nsecrets {{\n{secrets}\n}}\n",
        )
        vici = self.host.path("/run/charon.vici")
        with contextlib.suppress(FileNotFoundError):  # of the one before
            os.unlink(vici)
        self.process = self.host.start("charon", "/usr/lib/ipsec/charon")
        wait_for(
            f"{self.host.name}'s charon to serve",
            lambda: os.path.exists(vici) or not self.process.running(),
        )
        self.host.run("swanctl", "--load-all", "--noprompt")

    def swanctl(self, *arguments, check=True):
        return self.host.run("swanctl", *arguments, check=check)

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


def connection(
    local, remote, proposals, esp, ports, remote_id="%any", more="", child=""
):
    """A swanctl connection named sp with a child named l2tp; ports are the selectors'
    (local, remote)."""
    return f"""
    sp {{
        version = 1
        local_addrs = {local}
        remote_addrs = {remote}
        proposals = {proposals}
        {more}
        local {{
            auth = psk
        }}
        remote {{
            auth = psk
            id = {remote_id}
        }}
        children {{
            l2tp {{
                mode = transport
                local_ts = dynamic[{ports[0]}]
                remote_ts = dynamic[{ports[1]}]
                esp_proposals = {esp}
                {child}
            }}
        }}
    }}"""


def secret(psk):
    return f'    ike-sp {{\n        secret = "{psk}"\n    }}'


def ppp_options(host, extra, debug_log):
    """The options that both ends' pppd have in common."""
    return (
        "\n".join(
            (
                "noccp",
                "nodeflate",
                "nobsdcomp",
                "mtu 1400",
                "mru 1400",
                "nodefaultroute",
                "nodetach",
                "debug",
                "lcp-echo-interval 30",
                "lcp-echo-failure 8",
                f"logfile {os.path.join(host.lab.out, debug_log)}",
                *extra,
            )
        )
        + "\n"
    )


class Client:
    """A client that dials, with strongSwan, xl2tpd and pppd."""

    def __init__(
        self,
        host,
        server=SERVER,
        psk=PSK,
        user=USER,
        password=PASSWORD,
        proposals="aes128-sha1-modp2048",
        esp="aes128-sha1",
        port=1701,
    ):
        """port 0: an ephemeral L2TP source port, and a selector without it."""
        self.host, self.server, self.psk, self.user, self.password = (
            host,
            server,
            psk,
            user,
            password,
        )
        self.proposals, self.esp, self.port = proposals, esp, port
        self.ike_options, self.child_options = "", ""
        self.charon, self.xl2tpd = Charon(host), None

    def start_ike(self):
        """Start strongSwan without dialling yet."""
        refuse_clear(self.host)
        ports = (f"17/{self.port}" if self.port else "17", "17/1701")
        self.charon.start(
            connection(
                "%any",
                self.server,
                self.proposals,
                self.esp,
                ports,
                more=self.ike_options,
                child=self.child_options,
            ),
            secret(self.psk),
        )

    def ipsec(self, seconds=60):
        """Bring IPsec up, or fail with what strongSwan says."""
        if not self.charon.process:
            self.start_ike()
        done = self.initiate(seconds)
        if done.returncode:
            raise Failure(
                f"{self.host.name}: IPsec did not come up: "
                f"{done.stdout[-600:]}{done.stderr[-300:]}"
            )

    def initiate(self, seconds=60):
        """Try to bring IPsec up and return the result of swanctl, good or bad."""
        return self.charon.swanctl(
            "--initiate", "--child", "l2tp", "--timeout", str(seconds), check=False
        )

    def start_l2tp(self):
        """Start xl2tpd without dialling yet."""
        self.host.write(
            "/etc/xl2tpd/xl2tpd.conf",
            f"""[global]
port = {self.port}
access control = no

[lac sp]
lns = {self.server}
ppp debug = yes
pppoptfile = /etc/ppp/options.sp
length bit = yes
""",
        )
        self.host.write(
            "/etc/ppp/options.sp",
            ppp_options(
                self.host,
                (
                    "noauth",
                    "ipcp-accept-local",
                    "ipcp-accept-remote",
                    f'user "{self.user}"',
                    f'password "{self.password}"',
                    "hide-password",
                ),
                f"{self.host.name}-pppd.log",
            ),
        )
        self.xl2tpd = self.host.start(
            "xl2tpd", "xl2tpd", "-D", "-c", "/etc/xl2tpd/xl2tpd.conf"
        )
        control = self.host.path("/run/xl2tpd/l2tp-control")
        wait_for(
            f"{self.host.name}'s xl2tpd to serve",
            lambda: os.path.exists(control) or not self.xl2tpd.running(),
        )

    def order(self, letter):
        """Give xl2tpd an order about the connection: c connects, d disconnects."""
        path = self.host.path("/run/xl2tpd/l2tp-control")

        def opened():
            """The pipe is there a moment before anybody reads it."""
            with contextlib.suppress(OSError):
                return os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            return None

        control = wait_for(f"{self.host.name}'s xl2tpd to read orders", opened)
        os.write(control, f"{letter} sp".encode())
        os.close(control)

    def dial(self):
        """Dial without waiting for the result."""
        if not self.xl2tpd:
            self.start_l2tp()
        self.order("c")

    def address(self):
        return self.host.address("ppp0")

    def wait_address(self, seconds=60):
        """Wait for the address that PPP gives."""
        return wait_for(
            f"{self.host.name}'s ppp0 to have an address", self.address, seconds
        )

    def connect(self, seconds=60):
        """Do all of it and return the address given."""
        self.ipsec(seconds)
        self.dial()
        return self.wait_address(seconds)

    def hang_up(self, seconds=60):
        """End the PPP session, then the tunnel; keep IPsec."""
        for pid in self.host.find("pppd"):
            os.kill(pid, signal.SIGTERM)
        wait_for(
            f"{self.host.name}'s pppd to end",
            lambda: not self.host.find("pppd"),
            seconds,
        )
        self.order("d")

    def pppd_log(self):
        with open(
            os.path.join(self.host.lab.out, f"{self.host.name}-pppd.log"),
            encoding="utf-8",
        ) as log:
            return log.read()

    def stop(self):
        """End everything in order, as a user does; no pppd stays to hold ppp0."""
        if self.xl2tpd:
            self.xl2tpd.stop()
            self.xl2tpd = None
        for pid in self.host.find("pppd"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        wait_for(
            f"{self.host.name}'s pppd to end",
            lambda: not self.host.find("pppd"),
        )
        self.charon.stop()


class Server:
    """The reference server: it shows that the test network and the clients work
    without our programs."""

    local, first, last = "10.99.0.1", "10.99.0.10", "10.99.0.99"

    def __init__(self, host, psk=PSK, user=USER, password=PASSWORD):
        self.host, self.psk, self.user, self.password = host, psk, user, password
        self.charon, self.xl2tpd = Charon(host), None

    def start(self):
        refuse_clear(self.host)
        self.charon.start(
            connection(
                SERVER, "%any", "aes128-sha1-modp2048", "aes128-sha1", ("17/1701", "17")
            ),
            secret(self.psk),
        )
        self.host.write(
            "/etc/xl2tpd/xl2tpd.conf",
            f"""[global]
access control = no

[lns default]
ip range = {self.first}-{self.last}
local ip = {self.local}
refuse pap = yes
require authentication = yes
ppp debug = yes
pppoptfile = /etc/ppp/options.sp
length bit = yes
""",
        )
        self.host.write(
            "/etc/ppp/options.sp",
            ppp_options(self.host, ("require-mschap-v2",), "srv-pppd.log"),
        )
        self.host.write(
            "/etc/ppp/chap-secrets", f'"{self.user}" * "{self.password}" *\n', 0o600
        )
        self.xl2tpd = self.host.start(
            "xl2tpd", "xl2tpd", "-D", "-c", "/etc/xl2tpd/xl2tpd.conf"
        )
        self.xl2tpd.wait_output("Listening on IP address")

    def stop(self):
        self.xl2tpd.stop()
        self.charon.stop()


def refuse_clear(host):
    """Let no peer of ours show L2TP in clear: it takes IPsec down before the last words
    are sent, and answers what comes after with ICMP errors that quote them."""
    host.run(
        "nft",
        "-f",
        "-",
        text="""
        table inet clear {
            chain output {
                type filter hook output priority filter
                udp dport 1701 rt ipsec missing drop
                udp sport 1701 rt ipsec missing drop
                icmp type destination-unreachable drop
            }
        }""",
    )
