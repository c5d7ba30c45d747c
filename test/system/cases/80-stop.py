# SPDX-License-Identifier: ISC
"""SIGTERM tells the clients, and leaves no SA, policy, table, tunnel, unit or process; starts that must fail do."""

import os
import signal

from capture import Capture, check_outside
from concentrator import CONFIGURATION, LOCAL, Concentrator
from lab import Failure, wait_for
from modules import missing_module
from reference import Client
from traffic import Pinger, esp_states


def stop_tells(case, daemon, clients, heard):
    """Stop a daemon; each client must hear of it."""
    with case.step(f"SIGTERM of {daemon.name} tells the clients") as notes:
        code = daemon.stop()
        notes.append(code)
        if code:
            raise Failure(f"exit code {code}")
        for client in clients:
            wait_for(f"{client.host.name} to hear of it", lambda c=client: heard(c))


def lost_tunnel(client):
    """xl2tpd was told that its call and its tunnel end."""
    return client.xl2tpd.output().count("Connection closed") == 2


def lost_sas(client):
    """strongSwan has no SA any more: without a Delete it would keep them."""
    return not client.charon.swanctl("--list-sas").strip()


def starts_that_fail(case, server):
    """Each wrong start has its exit code and says why."""
    conf = "/etc/sallyport/sallyport.conf"
    bad = CONFIGURATION.replace("hello = 60", "hello = soon")
    server.host.write("/etc/sallyport/bad.conf", bad, 0o600)
    server.host.write("/etc/sallyport/empty/psk", 'any ""\n', 0o600)
    server.host.write("/etc/sallyport/empty/users", "", 0o600)
    server.host.write("/etc/sallyport/empty/sallyport.conf", CONFIGURATION, 0o600)
    for name, arguments, code, words in (
        ("l2tpd", ("-c", conf), 5, "already running"),
        ("ikev1d", ("-c", conf), 5, "already running"),
        ("l2tpd", ("-c", "/etc/sallyport/bad.conf"), 3, "bad.conf:"),
        ("ikev1d", ("-c", "/etc/sallyport/bad.conf"), 3, "bad.conf:"),
        ("ikev1d", ("-c", "/etc/sallyport/none.conf"), 3, "none.conf"),
        ("ikev1d", ("-c", "/etc/sallyport/empty/sallyport.conf"), 3, "psk:1"),
        ("l2tpd", ("--nonsense",), 2, ""),
        ("ikev1d", ("--nonsense",), 2, ""),
    ):
        done = server.host.run(server.program(name), *arguments, check=False, seconds=30)
        case.check(
            f"{name} {' '.join(arguments)} ends with {code}",
            done.returncode == code and words in done.stderr,
            f"{done.returncode}: {done.stderr}",
        )


def check_command(case, server):
    """`sallyport check` finds what this host lacks, forwarding and a masquerade, and nothing else."""
    done = server.sallyport("check", check=False)
    found = [line for line in done.stdout.splitlines() if "PROBLEM" in line]
    case.check(
        "sallyport check names what is missing, with remedies",
        done.returncode == 1
        and found
        and all("ip_forward" in line or "masquerade" in line for line in found),
        done.stdout,
    )


def missing_device(case, server):
    """Without /dev/ppp l2tpd says so and ends with 4."""
    script = (
        "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && "
        f"exec {server.program('l2tpd')} -c /etc/sallyport/sallyport.conf"
    )
    done = server.host.run("unshare", "-m", "sh", "-c", script, check=False, seconds=60)
    case.check(
        "without /dev/ppp l2tpd ends with 4",
        done.returncode == 4 and "/dev/ppp" in done.stderr,
        f"{done.returncode}: {done.stderr}",
    )


def ikev1d_first(case, server, client):
    """The other order, as procd may: l2tpd still tells the client, while the SAs live."""
    with case.step("ikev1d stopped before l2tpd: a client is connected"):
        server.start()
        server.connect(client)
    stop_tells(case, server.ikev1d, [client], lost_tunnel)
    with case.step("and hears of its SAs too"):
        wait_for("Delete", lambda: lost_sas(client))
        if server.l2tpd.stop():
            raise Failure("exit code of l2tpd")
        server.wait_clean()
        client.stop()


def ikev1d_hangs(case, server, client):
    """l2tpd ends while ikev1d cannot be asked: no SA outlives the sockets, nothing leaves in clear."""
    with case.step("ikev1d hangs: a client is connected"):
        server.start()
        server.connect(client)
        pinger = Pinger(client.host, LOCAL, 0.1)
    with case.step("ikev1d hangs: l2tpd deletes the SAs before its sockets") as notes:
        hung = [server.ikev1d.pid, server.engine(server.ikev1d)]
        for pid in hung:
            os.kill(pid, signal.SIGSTOP)
        code = server.l2tpd.stop()
        notes.append(code)
        if code or "deleted here" not in server.l2tpd.output():
            raise Failure(f"exit code {code}: {server.l2tpd.output()[-600:]}")
        if esp_states(server.host):
            raise Failure(f"SAs: {esp_states(server.host)}")
        pinger.stop()
        for pid in hung:
            os.kill(pid, signal.SIGCONT)
        if server.ikev1d.stop():
            raise Failure("exit code of ikev1d")
        server.wait_clean()
        client.stop()


def run(case):
    lab = case.lab
    server = Concentrator(lab.srv)
    clients = [Client(lab.c0), Client(lab.c1)]
    capture = Capture(lab)
    with case.step("two sessions of one user are up"):
        server.start()
        for client in clients:
            server.connect(client)
    check_command(case, server)
    starts_that_fail(case, server)
    stop_tells(case, server.l2tpd, clients, lost_tunnel)
    stop_tells(case, server.ikev1d, clients, lost_sas)
    with case.step("nothing is left"):
        server.wait_clean()
        for client in clients:
            client.stop()
    with case.step("only ARP, IKE and ESP were seen outside") as notes:
        notes.append(check_outside(capture.stop(), ("ESP", "UDP 4500")))
    capture = Capture(lab)
    ikev1d_first(case, server, Client(lab.hosts["c2"]))
    ikev1d_hangs(case, server, Client(lab.c0))
    with case.step("other orders: only ARP, IKE and ESP were seen outside") as notes:
        notes.append(check_outside(capture.stop(), ("ESP", "UDP 4500")))
    missing_device(case, server)
    missing_module(case, server, "l2tp_ppp", ("l2tpd",))
    for name, port in (("ikev1d", 500), ("l2tpd", 1701)):
        with case.step(f"a busy port ends {name} with 6") as notes:
            blocker = server.host.start("blocker", "python3", "-c", BLOCK, str(port))
            blocker.wait_output(f"bound {port}")
            done = server.host.run(
                server.program(name), "-c", "/etc/sallyport/sallyport.conf", check=False
            )
            notes.append(done.stderr.strip())
            if done.returncode != 6 or str(port) not in done.stderr:
                raise Failure(f"{done.returncode}: {done.stderr}")


BLOCK = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
port = int(sys.argv[1])
s.bind(("192.0.2.1", port))
print("bound", port, flush=True)
time.sleep(600)
"""
