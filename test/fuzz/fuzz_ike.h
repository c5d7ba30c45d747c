/* SPDX-License-Identifier: ISC */
/* The operations of fuzz_ike's records; its seed program writes them. */
#ifndef TEST_FUZZ_FUZZ_IKE_H
#define TEST_FUZZ_FUZZ_IKE_H

/* What the data of a message is: test/lib/ike_mate.h. */
enum fuzz_ike_op {
	FUZZ_IKE_SEALED,   /* arg: message id; under the IKE SA in use */
	FUZZ_IKE_DATAGRAM, /* arg: bit 0: port 4500; others: another host */
	FUZZ_IKE_ANSWER,   /* of the oldest question; enum fuzz_ike_answer */
	FUZZ_IKE_TICK,	   /* arg: half seconds later; from 128: 100 s more */
	FUZZ_IKE_KERNEL,   /* arg: MAPPING or EXPIRE, which SPI, hard */
	FUZZ_IKE_PEER,	   /* arg: which event of l2tpd */
	FUZZ_IKE_SAVE,	   /* arg: 0, or how the bytes are damaged */
	FUZZ_IKE_QUICK3,   /* HASH(3) of the newest Quick Mode */
	FUZZ_IKE_QUICK2,   /* answers the machine's own Quick Mode */
	FUZZ_IKE_MAIN,	   /* arg: enum mate_main_how, in either role */
	FUZZ_IKE_CONN,	   /* arg: enum fuzz_ike_conn, then which persona */
	FUZZ_IKE_HELD,	   /* after a crash; arg: how the note is damaged */
	FUZZ_IKE_PART,	   /* arg: our messages go in parts of 8 * arg bytes */
	FUZZ_IKE_MOVE,	   /* arg: our port moves by so much */
	FUZZ_IKE_AGAIN,	   /* our newest message */
	FUZZ_IKE_OPS,
};

/* In the data of a message these stand for what the seeds can't know: the
 * SPI that the peer gave the newest IPsec SA, the IKE SA's cookies. */
#define FUZZ_IKE_SPI "SPI?"
#define FUZZ_IKE_COOKIES "the SA's cookies"

enum fuzz_ike_answer {
	FUZZ_IKE_ERROR = 1,
	FUZZ_IKE_MORE =
	    2, /* two keys may fit, the one is bound; packets were carried */
	FUZZ_IKE_INVALID = 4, /* the error is -EINVAL */
	FUZZ_IKE_ALL = 0x80,  /* all questions */
};

enum fuzz_ike_conn {
	FUZZ_IKE_CONNECT, /* arg / 4: 0: the default persona */
	FUZZ_IKE_REKEY,
	FUZZ_IKE_REKEY_ESP,
	FUZZ_IKE_CLOSE,
};

#endif
