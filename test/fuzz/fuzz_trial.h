/* SPDX-License-Identifier: ISC */
/* The first byte of what fuzz_trial reads. */
#ifndef TEST_FUZZ_FUZZ_TRIAL_H
#define TEST_FUZZ_FUZZ_TRIAL_H

enum {
	FUZZ_TRIAL_KEY = 3,	   /* bound to gw, any, elsewhere's, none */
	FUZZ_TRIAL_HASH = 4,	   /* HASH_I is filled in */
	FUZZ_TRIAL_3DES = 8,	   /* not AES */
	FUZZ_TRIAL_REQUEST = 0x80, /* an IM_TRIAL follows, as sent */
};

#endif
