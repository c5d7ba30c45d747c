/* SPDX-License-Identifier: ISC */
/* The operations of fuzz_frag's records; its seed program writes them. */
#ifndef TEST_FUZZ_FUZZ_FRAG_H
#define TEST_FUZZ_FUZZ_FRAG_H

/* An input is a row of: operation, argument (a byte each), length (two),
 * data. */
enum fuzz_frag_op {
	FUZZ_FRAG_RAW,	 /* a datagram as it came; arg: whose */
	FUZZ_FRAG_SPLIT, /* arg: order; size (u16), then a message */
	FUZZ_FRAG_TIME,	 /* arg: tenths of a second later */
	FUZZ_FRAG_SAVE,	 /* arg: 0, or how the bytes are damaged */
	FUZZ_FRAG_OPS,
};

#endif
