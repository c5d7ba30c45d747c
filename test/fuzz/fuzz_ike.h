/* SPDX-License-Identifier: ISC */
/* The operations of fuzz_ike's records; its seed program writes them. */
#ifndef TEST_FUZZ_FUZZ_IKE_H
#define TEST_FUZZ_FUZZ_IKE_H

enum fuzz_ike_op {
	FUZZ_IKE_SEALED,    /* arg: message id; exchange, type, payloads */
	FUZZ_IKE_DATAGRAM,  /* arg: bit 0: port 4500; others: another host */
	FUZZ_IKE_ANSWER,    /* of the oldest question; arg odd: an error */
	FUZZ_IKE_TICK,	    /* arg: half seconds later */
	FUZZ_IKE_KERNEL,    /* arg: MAPPING or EXPIRE, which SPI, hard */
	FUZZ_IKE_PEER,	    /* arg: which event of l2tpd */
	FUZZ_IKE_SAVE,	    /* arg: 0, or how the bytes are damaged */
	FUZZ_IKE_QUICK3,    /* HASH(3) of the newest Quick Mode */
	FUZZ_IKE_QUICK2,    /* answers the machine's own: type, payloads */
	FUZZ_IKE_MAIN_NEXT, /* arg as DATAGRAM; the cookie is filled in */
	FUZZ_IKE_OPS,
};

#endif
