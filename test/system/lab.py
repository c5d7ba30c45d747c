# SPDX-License-Identifier: ISC
"""The test network: hosts of network and mount namespaces, their processes, and the
wires between them.

              wan (a bridge, 192.0.2.0/24; captures are taken here)
      ________|___________________________________
     |            |              |                |
    srv .1     c0 .10        nat1 .21         nat2 .22     (outside, eth0)
                             10.0.0.1         10.0.0.1     (inside, lan)
                             |      |         |
                          c1 .2   c2 .3     c3 .2

Starting a program costs about 20 ms under emulation, so what is asked often (is the
address there yet?) is asked from Python.
"""

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import time

SERVER = "192.0.2.1"
OUTSIDE = {
    "srv": SERVER,
    "c0": "192.0.2.10",
    "nat1": "192.0.2.21",
    "nat2": "192.0.2.22",
}
INSIDE = {
    "c1": ("nat1", "10.0.0.2"),
    "c2": ("nat1", "10.0.0.3"),
    "c3": ("nat2", "10.0.0.2"),
}

MODULES = (
    "veth bridge ppp_generic pppox l2tp_core l2tp_netlink l2tp_ppp esp4 xfrm_user "
    "nf_tables nft_masq nft_chain_nat nft_ct nft_fib_inet nft_xfrm tun authenc cbc "
    "echainiv seqiv"
).split()

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1
SIOCGIFADDR = 0x8915

libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """A test found something wrong; its text says what."""


def wait_for(what, condition, seconds=60):
    """Poll until condition() is true and return its value; the machine is slow."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure(f"waited {seconds} s in vain: {what}")
        time.sleep(0.05)


def call(function, *args):
    """Call a libc function; raise OSError when it fails."""
    if function(*args) < 0:
        raise OSError(
            ctypes.get_errno(),
            f"{function.__name__}{args}: {os.strerror(ctypes.get_errno())}",
        )


def mount(kind, target, options="", flags=0):
    call(
        libc.mount,
        kind.encode(),
        target.encode(),
        kind.encode(),
        flags,
        options.encode(),
    )


def load_modules():
    """Load the kernel modules that nothing loads by itself in time."""
    done = subprocess.run(
        ["modprobe", "-a", *MODULES], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(f"modprobe: {done.stderr.strip()}")


class Process:
    """A program that runs in a host; its output goes to a log of the case."""

    def __init__(self, host, name, command, environment, stdin):
        self.name = name
        self.log = os.path.join(host.lab.out, f"{host.name}-{name}.log")
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=log,
                stderr=log,
                preexec_fn=host.enter,
                env=environment,
                start_new_session=True,
            )
        self.pid = self.popen.pid

    def say(self, line):
        """Write a line to its standard input, which is a pipe."""
        with contextlib.suppress(BrokenPipeError):
            self.popen.stdin.write(line.encode() + b"\n")
            self.popen.stdin.flush()

    def running(self):
        return self.popen.poll() is None

    def wait(self, seconds=60):
        """Wait for the end; return the exit code (negative: the signal)."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} did not end within {seconds} s") from None

    def stop(self, seconds=30, sig=signal.SIGTERM):
        """Ask it to end, and return its exit code."""
        if self.running():
            self.popen.send_signal(sig)
        return self.wait(seconds)

    def kill(self):
        self.popen.kill()
        return self.popen.wait()

    def output(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait_output(self, text, seconds=60):
        """Wait until the log holds the text; fail when the program has ended."""

        def seen():
            alive = self.running()
            if text in self.output():
                return True
            if not alive:
                raise Failure(
                    f"{self.name} ended with {self.popen.returncode} before it said "
                    f"'{text}'"
                )
            return False

        return wait_for(f"{self.name} to say '{text}'", seen, seconds)


class Host:
    """A machine of the test network: a network namespace with its own /etc, /run and
    control group."""

    def __init__(self, lab, name):
        self.lab, self.name, self.processes = lab, name, []
        self.group = f"/sys/fs/cgroup/{name}"
        os.makedirs(self.group, exist_ok=True)
        self.pid = self._hold()
        self.root = f"/proc/{self.pid}/root"
        self.net = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.mnt = os.open(f"/proc/{self.pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self.socket = None

    def _hold(self):
        """Fork the owner of the namespaces; return its pid when it is ready."""
        ready, write = os.pipe()
        pid = os.fork()
        if pid:
            os.close(write)
            with open(ready, "rb") as pipe:
                problem = pipe.read().decode()
            if problem:
                raise Failure(f"cannot make host {self.name}: {problem}")
            return pid
        try:
            call(libc.prctl, PR_SET_PDEATHSIG, signal.SIGKILL)
            call(libc.unshare, CLONE_NEWNS | CLONE_NEWNET)
            mount("none", "/", flags=MS_REC | MS_PRIVATE)
            mount("tmpfs", "/run", "mode=755")
            for folder in ("xl2tpd", "lock", ".etc", ".etc/upper", ".etc/work"):
                os.mkdir(f"/run/{folder}")
            mount(
                "overlay",
                "/etc",
                "lowerdir=/etc,upperdir=/run/.etc/upper,workdir=/run/.etc/work",
            )
            mount("tmpfs", "/tmp", "mode=1777")
            os.close(write)
        except OSError as error:
            os.write(write, str(error).encode())
            os._exit(1)
        while True:
            signal.pause()

    def enter(self):
        """Move this process into the host; runs between fork and exec."""
        with open(f"{self.group}/cgroup.procs", "w", encoding="ascii") as procs:
            procs.write("0")
        call(libc.setns, self.mnt, CLONE_NEWNS)
        call(libc.setns, self.net, CLONE_NEWNET)

    @contextlib.contextmanager
    def network(self):
        """Be in the host's network namespace: sockets opened and /proc/sys/net written
        meanwhile are the host's."""
        call(libc.setns, self.net, CLONE_NEWNET)
        try:
            yield
        finally:
            call(libc.setns, self.lab.net, CLONE_NEWNET)

    def sysctl(self, **values):
        """Write settings below net; in a name '__' stands for '/'."""
        with self.network():
            for name, value in values.items():
                path = "/proc/sys/net/" + name.replace("__", "/")
                with open(path, "w", encoding="ascii") as file:
                    file.write(str(value))

    def path(self, name):
        """The path by which this process reaches the host's file."""
        return self.root + name

    def write(self, name, text, mode=0o644):
        """Write a file of the host, making its folder when missing."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)

    def run(self, *command, check=True, text=None, seconds=120):
        """Run a command to its end; return its output (check=False: the result)."""
        try:
            done = subprocess.run(
                command,
                input=text or "",
                capture_output=True,
                text=True,
                timeout=seconds,
                preexec_fn=self.enter,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Failure(
                f"{self.name}: '{' '.join(command)}' took longer than {seconds} s"
            ) from None
        if not check:
            return done
        if done.returncode:
            raise Failure(
                f"{self.name}: '{' '.join(command)}' ended with {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()}"
            )
        return done.stdout

    def start(self, name, *command, environment=None, stdin=subprocess.DEVNULL):
        """Start a program that goes on running; the case's end stops it."""
        process = Process(self, name, command, environment, stdin)
        self.processes.append(process)
        return process

    def pids(self):
        """The processes that live in the host, whoever started them."""
        with open(f"{self.group}/cgroup.procs", encoding="ascii") as procs:
            return [int(line) for line in procs]

    def find(self, name):
        """The processes of that name in the host."""
        found = []
        for pid in self.pids():
            with contextlib.suppress(OSError), open(
                f"/proc/{pid}/comm", encoding="utf-8"
            ) as comm:
                if comm.read().strip() == name:
                    found.append(pid)
        return found

    def names(self):
        """The names of all processes in the host."""
        found = []
        for pid in self.pids():
            with contextlib.suppress(OSError), open(
                f"/proc/{pid}/comm", encoding="utf-8"
            ) as comm:
                found.append(comm.read().strip())
        return found

    def address(self, interface):
        """The IPv4 address of an interface, or None."""
        if self.socket is None:
            with self.network():
                self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            answer = fcntl.ioctl(
                self.socket, SIOCGIFADDR, struct.pack("256s", interface.encode())
            )
        except OSError as error:
            if error.errno in (errno.ENODEV, errno.EADDRNOTAVAIL):
                return None
            raise
        return socket.inet_ntoa(answer[20:24])

    def remove(self):
        """End every process of the host, and with the last one its namespaces."""
        for process in self.processes:
            if process.running():
                process.popen.kill()

        def empty():
            for pid in self.pids():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            return not self.pids()

        wait_for(f"the processes of {self.name} to end", empty)
        for process in self.processes:
            process.popen.wait()
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        if self.socket:
            self.socket.close()
        os.close(self.net)
        os.close(self.mnt)
        os.rmdir(self.group)


class Lab:
    """The whole test network of one case; out is the folder of its logs."""

    def __init__(self, out):
        self.out = out
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        self.net = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        self.hosts, self.at_end = {}, []
        try:
            self._build()
        except BaseException:
            self.remove()
            raise

    def __getattr__(self, name):
        try:
            return self.__dict__["hosts"][name]
        except KeyError:
            raise AttributeError(name) from None

    def _build(self):
        for name in ("wan", *OUTSIDE, *INSIDE):
            host = self.hosts[name] = Host(self, name)
            host.sysctl(ipv6__conf__default__disable_ipv6=1)
        self._wire("wan", "br0", OUTSIDE)
        for nat in ("nat1", "nat2"):
            self._wire(
                nat, "lan", [name for name, (box, _) in INSIDE.items() if box == nat]
            )
            self.hosts[nat].run("ip", "addr", "add", "10.0.0.1/24", "dev", "lan")
            self.hosts[nat].sysctl(ipv4__ip_forward=1)
            self.masquerade(nat)
        for name, address in OUTSIDE.items():
            self.hosts[name].run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
        for name, (_, address) in INSIDE.items():
            self.hosts[name].run(
                "ip",
                "-batch",
                "-",
                text=f"addr add {address}/24 dev eth0\n"
                "route add default via 10.0.0.1\n",
            )
        for host in self.hosts.values():  # the wires are without IPv6, ppp may have it
            host.sysctl(ipv6__conf__default__disable_ipv6=0)

    def _wire(self, middle, bridge, names):
        """Connect each host's eth0 with a bridge in the middle."""
        lines = [
            "link set lo up",
            f"link add {bridge} type bridge",
            f"link set {bridge} up",
        ]
        for name in names:
            lines += [
                f"link add {name} type veth peer name eth0 "
                f"netns {self.hosts[name].pid}",
                f"link set {name} master {bridge} up",
            ]
        self.hosts[middle].run("ip", "-batch", "-", text="\n".join(lines) + "\n")
        for name in names:
            self.hosts[name].run(
                "ip", "-batch", "-", text="link set lo up\nlink set eth0 up\n"
            )

    def masquerade(self, nat, how=""):
        """Set up a NAT box, or again for new connections; how may be 'random' or
        'to :2000-3000'."""
        self.hosts[nat].run(
            "nft",
            "-f",
            "-",
            text=f"""
            table ip nat
            delete table ip nat
            table ip nat {{
                chain postrouting {{
                    type nat hook postrouting priority srcnat
                    oifname "eth0" meta l4proto {{ tcp, udp }} masquerade {how}
                    oifname "eth0" masquerade
                }}
            }}""",
        )

    def remove(self):
        """End everything that lives in the network, then what at_end lists."""
        for host in self.hosts.values():
            host.remove()
        for task in self.at_end:
            task()
        self.hosts = {}
        os.close(self.net)
