# SPDX-License-Identifier: ISC
"""Sallyport itself in a host of the test network."""

import os
import shutil

from lab import Failure

BUILD = "/src/build"
PROGRAMS = ("ikev1d", "l2tpd", "sallyport", "sallyport.so")


class Product:
    """Our two daemons in a host; /etc/sallyport is the host's own."""

    programs = "/run/programs"

    def __init__(self, host, environment=None):
        self.host, self.environment = host, environment
        self.ikev1d = self.l2tpd = None
        # starting a program from the shared folder takes three times as long
        os.makedirs(host.path(self.programs))
        for program in PROGRAMS:
            source = os.path.join(BUILD, program)
            if not os.path.exists(source):
                raise Failure(f"{source} is missing: build first")
            shutil.copy(source, host.path(self.programs))

    def program(self, name):
        return f"{self.programs}/{name}"

    def configure(self, **files):
        """Write files of /etc/sallyport for root only; '__' in a name means '.'."""
        for name, text in files.items():
            self.host.write("/etc/sallyport/" + name.replace("__", "."), text, 0o600)

    def start_ikev1d(self, configuration="/etc/sallyport/sallyport.conf", *arguments):
        self.ikev1d = self.host.start(
            "ikev1d",
            self.program("ikev1d"),
            "-c",
            configuration,
            *arguments,
            environment=self.environment,
        )
        return self.ikev1d

    def start_l2tpd(self, configuration="/etc/sallyport/sallyport.conf", *arguments):
        self.l2tpd = self.host.start(
            "l2tpd",
            self.program("l2tpd"),
            "-c",
            configuration,
            *arguments,
            environment=self.environment,
        )
        return self.l2tpd

    def sallyport(self, *arguments, check=True):
        """Run the operator's command; return its output (check=False: the result)."""
        return self.host.run(self.program("sallyport"), *arguments, check=check)

    def stop(self):
        """Ask both to end and return their exit codes."""
        return [daemon.stop() for daemon in (self.l2tpd, self.ikev1d) if daemon]
