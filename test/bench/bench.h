/* SPDX-License-Identifier: ISC */
/*
 * What the parts of `make bench' share.  The responder under measurement
 * are two processes that run the daemon's own code: the engine with its
 * sockets, threads and core, and the monitor with its operations over an
 * sa_ops that does nothing.  A third process plays l2tpd and answers at
 * once; it is not counted.  The initiator is the process that measures.
 */
#ifndef TEST_BENCH_BENCH_H
#define TEST_BENCH_BENCH_H

#include "common/addr.h"
#include "common/crypto.h"
#include "ikev1/core/ike.h"

#include <stdatomic.h>
#include <sys/types.h>

#define BENCH_PSK "a secret for the measurement"

/* This process's, or another's, CPU time in microseconds: all threads. */
double bench_cpu_us(void);
double bench_cpu_us_of(pid_t pid);
/* Keeps this process (and its children to come) on the nth CPU that it may
 * use; does nothing when there are fewer. */
void bench_pin(size_t nth);
/* Says what failed, ends the children and this process. */
void bench_die(const char *what) __attribute__((noreturn));

/* --- bench_reference.c --------------------------------------------------- */

/* The mean CPU time of one keygen and one derive through EVP. */
double bench_reference_us(uint16_t group, int rounds);

/* --- bench_responder.c --------------------------------------------------- */

struct bench_shared {
	atomic_uint outbound; /* outbound SAs that the monitor was told */
};

struct bench_responder {
	pid_t engine, monitor, l2tpd; /* 0: not running */
	struct addr at;
	struct bench_shared *shared;
	char dir[64];
};

void bench_responder_start(struct bench_responder *r);
double bench_responder_us(const struct bench_responder *r);
/* Until so many outbound SAs were ordered. */
void bench_responder_wait(const struct bench_responder *r, unsigned int count);
void bench_responder_stop(struct bench_responder *r);

/* --- bench_initiator.c --------------------------------------------------- */

struct bench_initiator;

/* At most in_flight handshakes at a time. */
struct bench_initiator *bench_initiator_new(const struct crypto *crypto,
    const struct addr *responder, uint16_t group, uint32_t in_flight);
void bench_initiator_free(struct bench_initiator *b);
/* So many handshakes of new clients, many at a time. */
void bench_initiator_run(struct bench_initiator *b, unsigned int count);

/* --- bench_core.c -------------------------------------------------------- */

/* Prints what an SA weighs, and what a step costs with few and many: the
 * core alone, without Diffie-Hellman. */
void bench_core_memory(const struct crypto *crypto);
void bench_core_scaling(const struct crypto *crypto);

/* --- bench_trial.c ------------------------------------------------------- */

/* Prints what a message 5 costs the monitor that may be of several keys. */
void bench_trial(const struct crypto *crypto);

#endif
