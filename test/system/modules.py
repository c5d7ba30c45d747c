# SPDX-License-Identifier: ISC
"""What the programs say when the kernel lacks a module."""

import os
import subprocess

from lab import Failure, wait_for


def unload(module):
    """Remove a module; sockets and SAs of hosts that ended let go of it a little later."""
    done = subprocess.run(("rmmod", module), capture_output=True, check=False)
    return done.returncode == 0 or not os.path.exists(f"/sys/module/{module}")


def missing_module(case, server, module, programs):
    """Without the module each program names it and a package that has it, and ends with 4."""
    if not os.path.exists(f"/sys/module/{module}/initstate"):
        raise Failure(f"{module} is no module here: its absence can't be tested")
    block = "/etc/modprobe.d/sallyport-test.conf"
    with open(block, "w", encoding="ascii") as file:
        file.write(f"install {module} /bin/false\n")
    try:
        wait_for(f"{module} to be unloaded", lambda: unload(module))
        for name in programs:
            done = server.host.run(
                server.program(name), "-c", "/etc/sallyport/sallyport.conf", check=False
            )
            case.check(
                f"without {module} {name} ends with 4 and says what is missing",
                done.returncode == 4
                and module in done.stderr
                and "install" in done.stderr,
                f"{done.returncode}: {done.stderr}",
            )
        found = server.sallyport("check", check=False).stdout
        case.check(
            f"sallyport check finds that {module} is missing",
            any("PROBLEM" in line and module in line for line in found.splitlines()),
            found,
        )
    finally:
        os.unlink(block)
        subprocess.run(("modprobe", module), check=True)
