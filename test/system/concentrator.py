# SPDX-License-Identifier: ISC
"""The concentrator as the cases use it: a configuration, a start, what `show` says, what a stop leaves."""

import contextlib
import json
import os
import re

from lab import Failure, wait_for
from product import Product
from reference import PASSWORD, PSK, USER
from traffic import esp_states

LOCAL = "10.20.0.1"
CONFIGURATION = f"""
user = "nobody"
ike {{
    listen = {{"192.0.2.1"}}
    proposals = {{"aes256-sha256-modp2048", "aes256-sha1-ecp256", "aes128-sha1-modp2048"}}
    esp = {{"aes256-sha256", "aes128-sha256", "aes256-sha1", "aes128-sha1"}}
    dpd = 30
}}
l2tp {{
    pool = "10.20.0.10-10.20.0.20"
    local = "{LOCAL}"
    dns = {{"10.20.0.1"}}
    mtu = 1400
    auth = {{"mschap-v2"}}
    hello = 60
    max-clients = 32
}}
"""


class Concentrator(Product):
    """ikev1d and l2tpd in the server's host."""

    def __init__(self, host, configuration=CONFIGURATION, psk=PSK, users=None):
        super().__init__(host)
        users = users or f"{USER}:$plain${PASSWORD.replace(' ', '%20')}\n"
        self.configure(
            sallyport__conf=configuration, psk=f'any "{psk}"\n', users=users
        )

    def start(self):
        """Start both and return when both answer."""
        self.start_l2tpd()
        self.start_ikev1d()
        wait_for("both daemons to answer", self.answers)

    def answers(self):
        for daemon in (self.l2tpd, self.ikev1d):
            if not daemon.running():
                raise Failure(f"{daemon.name} ended: {daemon.output()[-800:]}")
        sockets = ("/run/sallyport/l2tpd.sock", "/run/sallyport/ikev1d.sock")
        if not all(os.path.exists(self.host.path(name)) for name in sockets):
            return False
        return self.sallyport("show", "-j", check=False).returncode == 0

    def clients(self):
        """What `sallyport show -j` says of the clients."""
        return json.loads(self.sallyport("show", "-j"))["clients"]

    def client(self, **wanted):
        """The one client with these fields."""
        found = [
            row
            for row in self.clients()
            if all(row.get(key) == value for key, value in wanted.items())
        ]
        if len(found) != 1:
            raise Failure(f"{len(found)} clients with {wanted}: {self.clients()}")
        return found[0]

    def connect(self, client, seconds=60):
        """Dial, and wait until our end of the PPP link is up too; return the address given."""
        address = client.connect(seconds)
        wait_for(
            f"{address} to be up at the concentrator",
            lambda: any(
                row.get("address") == address and row.get("ppp_state") == "up"
                for row in self.clients()
            ),
            seconds,
        )
        return address

    def engine(self, daemon):
        """The pid of a daemon's engine: its child that runs the same program."""
        with open(
            f"/proc/{daemon.pid}/task/{daemon.pid}/children", encoding="ascii"
        ) as children:
            pids = children.read().split()
        for pid in pids:
            # a child may end while it is looked for
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(
                f"/proc/{pid}/cmdline", "rb"
            ) as command:
                if b"--engine" in command.read().split(b"\0"):
                    return int(pid)
        return None

    def logs(self):
        return self.ikev1d.output() + self.l2tpd.output()

    def units(self):
        """Our ppp units."""
        lines = self.host.run("ip", "-o", "link").splitlines()
        return [line.split(":")[1].strip() for line in lines if re.search(r": sp\d", line)]

    def left(self, stopped=True):
        """What is left in the kernel and among the processes that should not be there, as text."""
        found = [f"SA {state['spi']}" for state in esp_states(self.host)]
        found += [f"unit {unit}" for unit in self.units()]
        tunnels = self.host.run("ip", "l2tp", "show", "tunnel").strip()
        found += [f"tunnel {tunnels}"] if tunnels else []
        found += [f"pppd {pid}" for pid in self.host.find("pppd")]
        if stopped:
            for name in ("ikev1d", "ikev1d-engine", "l2tpd", "l2tpd-engine"):
                found += [f"{name} {pid}" for pid in self.host.find(name)]
            tables = self.host.run("nft", "list", "tables")
            found += ["nft table"] if "sallyport" in tables else []
            policies = self.host.run("ip", "xfrm", "policy")
            found += [f"policy {policies[:200]}"] if policies.strip() else []
            udp = self.host.run("ss", "-Hanup")
            found += [f"socket {line}" for line in udp.splitlines() if re.search(r":(1701|4?500) ", line)]
        return ", ".join(found)

    def wait_clean(self, stopped=True, seconds=30):
        """Wait until nothing is left."""
        try:
            wait_for("nothing to be left", lambda: not self.left(stopped), seconds)
        except Failure:
            raise Failure(f"left behind: {self.left(stopped)}") from None
