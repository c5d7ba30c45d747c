# SPDX-License-Identifier: ISC
"""Keys by ID and local address, weak keys, and why each refused client was refused; the SAs of a good one."""

import json

from concentrator import CONFIGURATION, Concentrator
from lab import SERVER, Failure, wait_for
from reference import PASSWORD, PSK, USER, Client
from traffic import esp_states

SECONDS = 100

ID, ID_KEY = "branch.example", "the branch office knows it"
LOCAL_KEY = "for who dials this address"
KEYS = f'any "{PSK}"\nany,id={ID} {ID_KEY}\nany,local={SERVER} {LOCAL_KEY}\n'
USERS = f"{USER}:$plain${PASSWORD.replace(' ', '%20')}\n"


class Caller(Client):
    """A client with an ID of its own, another mode or another version."""

    def __init__(self, host, identity=None, more="", version=1, **keys):
        super().__init__(host, **keys)
        self.identity, self.ike_options, self.version = identity, more, version

    def start_ike(self):
        start = self.charon.start

        def change(connection, secrets):
            connection = connection.replace("version = 1", f"version = {self.version}")
            if self.identity:
                connection = connection.replace(
                    "auth = psk", f"auth = psk\n            id = {self.identity}", 1
                )
            start(connection, secrets)

        self.charon.start = change
        try:
            super().start_ike()
        finally:
            self.charon.start = start


def refusals(server, address):
    return json.loads(server.sallyport("why", "-j", address))["refusals"]


def why(case, server, name, client, address, daemon, what, remedy, dials=False):
    """A client that must not get in; then why says what and remedy, as text and as JSON."""
    with case.step(f"{name}: why says so") as notes:
        if dials:
            client.ipsec()
            client.dial()
        else:
            client.start_ike()
            if client.initiate(12).returncode == 0:
                raise Failure("IPsec came up")

        def said():
            return [
                one
                for one in refusals(server, address)
                if one["daemon"] == daemon and what in one["what"]
            ]

        try:
            one = wait_for(f"why to say '{what}'", said, 30)[0]
        except Failure as failure:
            raise Failure(f"{failure}: {refusals(server, address)}") from None
        if remedy not in f"{one['what']} {one['remedy']}":
            raise Failure(f"no '{remedy}' in {one}")
        if not one["peer"].startswith(address + ":"):
            raise Failure(f"the peer of {one}")
        text = server.sallyport("why", address)
        for words in (daemon, what, one["remedy"] or what):
            if words not in text:
                raise Failure(f"no '{words}' in {text}")
        notes.append(one["what"])
        client.stop()


def good(case, server, name, client):
    with case.step(f"{name}: connects") as notes:
        notes.append(server.connect(client))


def pair_of(server):
    doc = json.loads(server.sallyport("show", "sas", "-j"))
    if len(doc["ike_sas"]) != 1 or len(doc["ipsec_pairs"]) != 1:
        raise Failure(f"not one of each: {doc}")
    return doc["ike_sas"][0], doc["ipsec_pairs"][0]


def check_sas(case, server, client):
    """Suites of both phases, the kernel's SPIs, counters that move."""
    with case.step("show sas: suites, the kernel's SPIs, counters that move") as notes:
        sa, pair = pair_of(server)
        if "aes128-sha1-modp2048" not in sa["suite"]:
            raise Failure(f"phase 1 is {sa['suite']}")
        if not pair["suite"].startswith(sa["suite"]) or "/aes128-sha1" not in pair["suite"]:
            raise Failure(f"the pair is {pair['suite']}")
        kernel = {int(state["spi"], 16) for state in esp_states(server.host)}
        ours = {int(pair["spi_in"], 16), int(pair["spi_out"], 16)}
        if kernel != ours:
            raise Failure(f"SPIs {ours}, the kernel's {kernel}")
        client.host.run("ping", "-c", "5", "-i", "0.2", "-s", "1000", "10.20.0.1")
        after = pair_of(server)[1]
        for field in ("bytes_in", "bytes_out"):
            if after[field] - pair[field] < 5000:
                raise Failure(f"{field} was {pair[field]}, is {after[field]}")
        for field in ("packets_in", "packets_out"):
            if after[field] - pair[field] < 5:
                raise Failure(f"{field} was {pair[field]}, is {after[field]}")
        if pair["spi_in"] not in server.sallyport("show", "sas"):
            raise Failure("the table lacks the SPI")
        notes.append(f"{pair['bytes_in']} bytes in, then {after['bytes_in']}")


def weak_keys(case, server):
    with case.step("a weak key: exit code 3, with file and line") as notes:
        server.configure(psk=f'any "{PSK}"\n192.0.2.77 password\n')
        code = server.start_ikev1d().wait()
        if code != 3:
            raise Failure(f"exit code {code}: {server.ikev1d.output()[-400:]}")
        if "/etc/sallyport/psk:2:" not in server.ikev1d.output():
            raise Failure(server.ikev1d.output()[-400:])
        notes.append(server.ikev1d.output().strip().splitlines()[-1])
    with case.step("allow-weak-psk lets it start"):
        server.configure(
            sallyport__conf=CONFIGURATION.replace("ike {", "ike {\n    allow-weak-psk = true"),
        )
        server.start()
        if "allow-weak-psk accepts it" not in server.ikev1d.output():
            raise Failure(server.ikev1d.output()[-400:])
        if server.stop() != [0, 0]:
            raise Failure("exit codes")


def run(case):
    lab = case.lab
    server = Concentrator(lab.srv, users=USERS)
    weak_keys(case, server)
    server.configure(sallyport__conf=CONFIGURATION, psk=KEYS)
    with case.step("the concentrator starts"):
        server.start()
    address = lab.c0.address("eth0")
    c0 = lab.c0

    first = Caller(c0, identity=ID, psk=ID_KEY)
    good(case, server, "a key by id=", first)
    check_sas(case, server, first)
    first.stop()
    server.wait_clean(stopped=False, seconds=90)
    second = Caller(c0, psk=LOCAL_KEY)
    good(case, server, "a key by local=", second)
    second.stop()
    server.wait_clean(stopped=False, seconds=90)

    why(case, server, "a wrong ID under a right key",
        Caller(c0, identity="other.example", psk=ID_KEY), address, "ikev1d",
        "calls itself", "change id= there or the client's ID")  # fmt: skip
    why(case, server, "Aggressive Mode",
        Caller(c0, identity=ID, psk=ID_KEY, more="aggressive = yes"), address, "ikev1d",
        "Aggressive Mode", "Main Mode")  # fmt: skip
    why(case, server, "IKEv2",
        Caller(c0, version=2), address, "ikev1d",
        "speaks IKEv2", "L2TP/IPsec with a pre-shared key")  # fmt: skip
    why(case, server, "no common proposal",
        Caller(c0, proposals="3des-md5-modp1024"), address, "ikev1d",
        "no common IKE proposal", "rofile legacy")  # fmt: skip
    why(case, server, "a wrong key",
        Caller(c0, psk="not what is written"), address, "ikev1d",
        "likely pre-shared key mismatch", "psk file")  # fmt: skip
    why(case, server, "a wrong password",
        Caller(c0, password="guess"), address, "l2tpd",
        "wrong password", "user add", dials=True)  # fmt: skip
    why(case, server, "an unknown user",
        Caller(c0, user="mallory"), address, "l2tpd",
        "unknown user", "user add", dials=True)  # fmt: skip

    with case.step("one daemon down does not hide what the other says"):
        server.l2tpd.stop()
        done = server.sallyport("why", address, check=False)
        if done.returncode or "Aggressive Mode" not in done.stdout:
            raise Failure(f"{done.returncode}: {done.stdout}{done.stderr}")
        if "l2tpd" not in done.stderr:
            raise Failure(f"l2tpd is not named: {done.stderr}")
        server.ikev1d.stop()
        server.wait_clean()
