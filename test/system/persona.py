# SPDX-License-Identifier: ISC
"""A client that our own initiator plays: the persona player's SAs, and xl2tpd and pppd over them."""

import os
import re
import shutil
import subprocess

from lab import SERVER, Failure, wait_for
from reference import Client, refuse_clear

PLAYER = "/src/build/persona-player"
PROGRAM = "/run/persona-player"
PSK_FILE = "/run/persona-psk"


class Persona(Client):
    """A client of test/lib/personas.c in a host."""

    def __init__(self, host, name, local, port=1701, esp_life=0, **more):
        """local is the host's address; port, 0 for any, is that of its L2TP; esp_life in seconds, 0: its own."""
        super().__init__(host, port=port, **more)
        self.name, self.local, self.esp_life, self.player = name, local, esp_life, None

    def start_player(self):
        """Start the player, which connects at once."""
        refuse_clear(self.host)
        # starting a program from the shared folder takes three times as long
        if not os.path.exists(self.host.path(PROGRAM)):
            if not os.path.exists(PLAYER):
                raise Failure(f"{PLAYER} is missing: make {PLAYER[5:]}")
            shutil.copy(PLAYER, self.host.path(PROGRAM))
        self.host.write(PSK_FILE, self.psk + "\n", 0o600)
        # its L2TP has the address that the SAs are for
        self.host.run("ip", "route", "replace", *self.route())
        options = ["--client-port", str(self.port)] if self.port else []
        options += ["--esp-life", str(self.esp_life)] if self.esp_life else []
        self.player = self.host.start(
            f"player-{self.name}", PROGRAM, "--persona", self.name, "--local", self.local,
            "--peer", self.server, "--psk-file", PSK_FILE, *options, stdin=subprocess.PIPE,
        )  # fmt: skip

    def route(self):
        """The way to the server, with our address."""
        way = ["dev", "eth0"] if self.local.startswith("192.0.2.") else ["via", "10.0.0.1"]
        return [SERVER, *way, "src", self.local]

    def said(self, word):
        """What the player has said with that first word, a list of the rests."""
        return re.findall(rf"^{word} (.*)$", self.player.output(), flags=re.M)

    def wait_said(self, word, count=1, seconds=60):
        """Wait until it has said so count times; fail when it says that it failed."""

        def seen():
            if self.said("failed") or not self.player.running():
                raise Failure(
                    f"{self.name} in {self.host.name}: {self.player.output()[-600:]}"
                )
            return len(self.said(word)) >= count

        wait_for(f"{self.name} to say {word}", seen, seconds)
        return self.said(word)[count - 1]

    def ipsec(self, seconds=60):
        """Bring IPsec up, or fail with what the player says."""
        self.start_player()
        self.wait_said("child-up", 1, seconds)

    def rekey(self, what, word):
        """Order rekey-ike or rekey-child, and wait for the news that word announces."""
        before = len(self.said(word))
        self.player.say(what)
        return self.wait_said(word, before + 1)

    def stop(self):
        """Leave in order: pppd and xl2tpd, then as the persona does; nothing of it stays."""
        super().stop()
        if not self.player:
            return
        self.player.say("delete")
        wait_for(f"{self.name} to end its connection", lambda: self.said("down"), 30)
        self.player.say("quit")
        code = self.player.wait(30)
        left = self.host.run("ip", "xfrm", "state") + self.host.run("ip", "xfrm", "policy")
        if code or left.strip():
            raise Failure(f"{self.name} ended with {code} and left {left[:300]}")
        self.player = None
