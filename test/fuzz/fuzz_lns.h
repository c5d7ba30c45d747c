/* SPDX-License-Identifier: ISC */
/*
 * The byte program that drives the LNS fuzzer: an operation, then its
 * arguments, a byte each.
 */
#ifndef TEST_FUZZ_FUZZ_LNS_H
#define TEST_FUZZ_FUZZ_LNS_H

enum fuzz_lns_op {
	FUZZ_LNS_RUN,	     /* n: n * n * 4 ms pass */
	FUZZ_LNS_UP,	     /* slot: a new R */
	FUZZ_LNS_DIAL,	     /* peer, flags: a client that dials */
	FUZZ_LNS_END,	     /* client: it is gone without a word */
	FUZZ_LNS_SAY,	     /* client, type, session: a whole message */
	FUZZ_LNS_STOP,	     /* client: StopCCN */
	FUZZ_LNS_CDN,	     /* client: CDN */
	FUZZ_LNS_CALL,	     /* client, id: ICRQ */
	FUZZ_LNS_RAW,	     /* peer, port, len, bytes */
	FUZZ_LNS_BODY,	     /* client, len, bytes: AVPs in order */
	FUZZ_LNS_PPP_DOWN,   /* which session */
	FUZZ_LNS_PEER_DOWN,  /* peer */
	FUZZ_LNS_DISCONNECT, /* peer */
	FUZZ_LNS_LINK,	     /* loss, jitter */
	FUZZ_LNS_KERNEL,     /* flags: which opens fail */
	FUZZ_LNS_CRASH,	     /* a new core, all held */
	FUZZ_LNS_SAVE,	     /* toggles save and restore */
	FUZZ_LNS_SHUTDOWN,
	FUZZ_LNS_OPS,
};

#endif
