# SPDX-License-Identifier: ISC
"""Wrong PSK, wrong password, no common proposal, an exhausted pool, clear text: refused with a reason, nothing left."""

import socket

from capture import Capture, check_outside
from concentrator import CONFIGURATION, Concentrator
from lab import SERVER, Failure, wait_for
from reference import PASSWORD, PSK, USER, Client

SCCRQ = bytes.fromhex(
    "c802 0045 0000 0000 0000 0000 8008 0000 0000 0001 8008 0000 0002 0100"
    "800a 0000 0003 00000003 8009 0000 0007 6c6163 8008 0000 0009 0001"
    "8008 0000 000a 0004"
)
ONE_ADDRESS = CONFIGURATION.replace("10.20.0.10-10.20.0.20", "10.20.0.10-10.20.0.10")


def refused(case, server, name, client, words, dials=False):
    """The client must fail, the log must hold the words, nothing may be left."""
    with case.step(f"{name}: refused and logged with the reason") as notes:
        before = [len(daemon.output()) for daemon in (server.ikev1d, server.l2tpd)]
        if dials:
            client.ipsec()
            client.dial()
        else:
            client.start_ike()
            done = client.initiate(15)
            if done.returncode == 0:
                raise Failure("IPsec came up")
        def said():
            text = server.ikev1d.output()[before[0] :] + server.l2tpd.output()[before[1] :]
            return [line for line in text.splitlines() if words.lower() in line.lower()]

        notes.append(wait_for(f"the log to say '{words}'", said)[-1])
        if dials and client.address():
            raise Failure(f"the client has {client.address()}")
    with case.step(f"{name}: nothing is left behind"):
        client.stop()
        server.wait_clean(stopped=False, seconds=90)


def clear_text(case, server):
    """An SCCRQ in clear gets no answer, on 1701 and on the private range."""
    with case.step("L2TP in clear gets no answer"):
        with case.lab.c0.network():
            sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with sender:
            sender.settimeout(1)
            for port in (1701, 16385):
                for _ in range(3):
                    sender.sendto(SCCRQ, (SERVER, port))
            try:
                answer = sender.recv(2000)
            except socket.timeout:
                answer = b""
            except OSError as error:
                raise Failure(f"an ICMP error came back: {error}") from None
        if answer:
            raise Failure(f"answered {answer.hex()}")
    if server.clients():
        case.fail("L2TP in clear makes no client", server.clients())


def run(case):
    lab = case.lab
    users = f"{USER}:$plain${PASSWORD.replace(' ', '%20')}\nbob:$plain$secret\n"
    server = Concentrator(lab.srv, ONE_ADDRESS, users=users)
    with case.step("the concentrator starts"):
        server.start()
    clear_text(case, server)
    capture = Capture(lab)
    refused(
        case, server, "a wrong pre-shared key", Client(lab.c0, psk="another secret"),
        "pre-shared key",
    )  # fmt: skip
    refused(
        case, server, "no common proposal",
        Client(lab.c1, proposals="3des-md5-modp1536"), "modp1536",
    )  # fmt: skip
    refused(
        case, server, "a wrong password", Client(lab.c0, password="guess"),
        "password", dials=True,
    )  # fmt: skip
    refused(
        case, server, "an unknown user", Client(lab.c0, user="mallory"),
        "mallory", dials=True,
    )  # fmt: skip
    with case.step("the only address of the pool is given"):
        first = Client(lab.c0)
        server.connect(first)
    second = Client(lab.c1, user="bob", password="secret")
    with case.step("an exhausted pool: refused and logged") as notes:
        second.ipsec()
        second.dial()
        notes.append(
            wait_for(
                "the log to say why",
                lambda: [
                    line for line in server.logs().splitlines() if "exhausted" in line
                ],
            )[-1]
        )
    with case.step("and nothing of it is left"):
        second.stop()
        first.stop()
        server.wait_clean(stopped=False, seconds=90)
        for secret in ("guess", PASSWORD, PSK, "another secret"):
            if secret in server.logs():
                raise Failure(f"a secret is in the logs: {secret}")
        if server.stop() != [0, 0]:
            raise Failure("exit codes")
        server.wait_clean()
    with case.step("only ARP, IKE and ESP were seen outside") as notes:
        notes.append(check_outside(capture.stop(), ("ESP", "UDP 500")))
