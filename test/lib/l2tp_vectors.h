/* SPDX-License-Identifier: ISC */
/*
 * Messages as known clients send them, written byte by byte from their
 * documented values (no capture).  Tests and fuzzing seeds use them.
 */
#ifndef TEST_LIB_L2TP_VECTORS_H
#define TEST_LIB_L2TP_VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct l2tp_vector {
	const char *name;
	const uint8_t *data;
	size_t len;
};

extern const struct l2tp_vector l2tp_windows_sccrq;
extern const struct l2tp_vector l2tp_windows_icrq;
extern const struct l2tp_vector l2tp_apple_sccrq;
extern const struct l2tp_vector l2tp_apple_cdn;
extern const struct l2tp_vector l2tp_mtpd_sccrq;
extern const struct l2tp_vector l2tp_mtpd_iccn;
extern const struct l2tp_vector l2tp_xl2tpd_sccrq;
extern const struct l2tp_vector l2tp_hello;
extern const struct l2tp_vector l2tp_stopccn;
extern const struct l2tp_vector l2tp_zlb;

/* All of the above. */
extern const struct l2tp_vector *const l2tp_vectors[];
extern const size_t l2tp_vector_count;

#endif
