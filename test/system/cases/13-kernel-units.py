# SPDX-License-Identifier: ISC
"""The unit tests that want ESP, nftables or privilege: `make test` passes over them where the machine has none, here
each must run."""

import os

from lab import Failure

PROGRAMS = ("test_xfrm_kernel", "test_esp_sweep", "test_ike_io", "test_nft")


def run(case):
    for program in PROGRAMS:
        path = os.path.join("/src/build/test", program)
        with case.step(f"{program}: all run and pass") as notes:
            if not os.path.exists(path):
                raise Failure(f"{path} is missing: `make test` first")
            done = case.lab.srv.run(path, check=False)
            said = done.stdout + done.stderr
            notes.append(f"{said.count('[       OK ]')} tests")
            if done.returncode or "SKIPPED" in said or "[       OK ]" not in said:
                raise Failure(said[-1500:])
