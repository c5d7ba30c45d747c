# SPDX-License-Identifier: ISC
"""Many IPsec clients at once in one strongSwan: each has an address, and so an identity, of its own. No L2TP."""

import re
import time

from lab import SERVER
from reference import PSK, Charon, refuse_clear, secret

RETRANSMIT = "retransmit_base = 1\nretransmit_timeout = 1\nretransmit_tries = 30\ninit_limit_half_open = 0\n"


def _connection(name, address, proposals, esp, trap):
    start = "start_action = start" if trap else ""
    return f"""
    {name} {{
        version = 1
        local_addrs = {address}
        remote_addrs = {SERVER}
        proposals = {proposals}
        keyingtries = 0
        local {{
            auth = psk
        }}
        remote {{
            auth = psk
            id = %any
        }}
        children {{
            {name} {{
                mode = transport
                local_ts = dynamic[17/1701]
                remote_ts = dynamic[17/1701]
                esp_proposals = {esp}
                {start}
            }}
        }}
    }}"""


class Swarm:
    """count clients in a host, on addresses 192.0.2.100 and up."""

    def __init__(self, host, count, proposals="aes128-sha1-modp2048", esp="aes128-sha1"):
        self.host, self.count = host, count
        self.proposals, self.esp = proposals, esp
        self.charon = Charon(host, RETRANSMIT)

    def addresses(self):
        return [f"192.0.2.{100 + n}" for n in range(self.count)]

    def start(self):
        """Load every connection; all of them start at once."""
        refuse_clear(self.host)
        lines = [f"addr add {address}/24 dev eth0" for address in self.addresses()]
        self.host.run("ip", "-batch", "-", text="\n".join(lines) + "\n")
        connections = [
            _connection(f"c{n}", address, self.proposals, self.esp, True)
            for n, address in enumerate(self.addresses())
        ]
        self.charon.start("\n".join(connections), secret(PSK))

    def up(self):
        """How many have had both phases up, by strongSwan's own log. l2tpd ends who does not dial within a minute."""
        return len(set(re.findall(r"CHILD_SA (c\d+)\{\d+\} established", self.charon.process.output())))

    def wait_up(self, wanted, seconds):
        """Wait until so many are up or the time is over; return how many are."""
        end = time.monotonic() + seconds
        while self.up() < wanted and time.monotonic() < end:
            time.sleep(0.5)
        return self.up()

    def stop(self):
        self.charon.stop()
