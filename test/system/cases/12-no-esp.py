# SPDX-License-Identifier: ISC
"""A kernel without ESP: both daemons name what is missing and end with 4. Early, before a case had an SA."""

from concentrator import Concentrator
from modules import missing_module


def run(case):
    missing_module(case, Concentrator(case.lab.srv), "esp4", ("ikev1d", "l2tpd"))
