# SPDX-License-Identifier: ISC
# Shell functions that read this machine's apt configuration, for the
# scripts that build the test guest.
# shellcheck shell=bash

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

die() {
	echo "vm: $*" >&2
	exit 125
}

say() {
	echo "vm: $*" >&2
}

# need_commands COMMAND=PACKAGE...: install the packages of the commands
# that are missing.
need_commands() {
	local pair missing=()
	for pair; do
		command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
	done
	[ ${#missing[@]} -eq 0 ] && return
	[ "$(id -u)" = 0 ] || die "install these first, or be root: ${missing[*]}"
	say "installing ${missing[*]}"
	{
		apt-get update -q &&
			DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
				--no-install-recommends "${missing[@]}"
	} >&2 || die "cannot install ${missing[*]}"
}

# mirror LABEL: the address of the first mirror in apt's configuration
# with that label (Debian, Debian-Security).
mirror() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' \
		'Created-By: Packages' |
		awk -F'|' -v label="$1" '
			$1 == "Debian" && $2 == label && !seen++ { print $3 }'
}

# have_lists: fetch apt's package lists when there are none yet, since
# mirror() reads them.
have_lists() {
	[ -n "$(mirror Debian)" ] && return
	apt-get update -q >&2 || die "apt-get update failed"
	[ -n "$(mirror Debian)" ] || die "apt knows no Debian mirror"
}

# source_line LABEL SUITE: a line of a sources list, or nothing without
# such a mirror.
source_line() {
	local uri
	uri=$(mirror "$1")
	[ -z "$uri" ] || echo "deb [signed-by=$KEYRING] $uri $2 main"
}
