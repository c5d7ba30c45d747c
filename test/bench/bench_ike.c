/* SPDX-License-Identifier: ISC */
/*
 * `make bench': handshakes a second over loopback with a kernel that does
 * nothing, and how much of the responder's CPU time the library's key
 * exchange alone would take; what an SA weighs; what many SAs cost.
 */
#include "test/bench/bench.h"

#include "ikev1/core/isakmp.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Many: what else runs on the machine changes from one to the next, and
 * the two measures are to see the same of it. */
#define SLICES 25

struct group_run {
	uint16_t group;
	unsigned int handshakes; /* a slice */
	int rounds; /* of the reference, on either side of a slice */
	/* Many, but where exponentiations wait for a thread no more than
	 * may wait (DH_POOL_MAX): beyond that message 3 is dropped. */
	uint32_t in_flight;
};

static const struct group_run runs[] = {
    {IKE_GROUP_MODP2048, 100, 15, 64},
    {IKE_GROUP_ECP256, 300, 100, 128},
    {IKE_GROUP_ECP384, 60, 10, 64},
};

static double clock_us(clockid_t id)
{
	struct timespec t;

	if (clock_gettime(id, &t))
		bench_die("a process ended");
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

double bench_cpu_us(void)
{
	return clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_cpu_us_of(pid_t pid)
{
	clockid_t id;

	if (clock_getcpuclockid(pid, &id))
		bench_die("a process ended");
	return clock_us(id);
}

void bench_pin(size_t nth)
{
	static cpu_set_t all; /* before the first pinning */
	cpu_set_t one;

	if (!CPU_COUNT(&all) && sched_getaffinity(0, sizeof(all), &all))
		return;
	CPU_ZERO(&one);
	for (size_t i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all) || nth--)
			continue;
		CPU_SET(i, &one);
		sched_setaffinity(0, sizeof(one), &one);
		return;
	}
}

void bench_die(const char *what)
{
	fprintf(stderr, "bench: failed: %s\n", what);
	exit(1);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sums over all slices, in microseconds; and each slice's own R. */
struct sums {
	double reference, responder, wall;
	double r[SLICES];
};

static void print_sums(const struct group_run *run, struct sums *s)
{
	double handshakes = (double)SLICES * run->handshakes;
	double reference = s->reference / SLICES;
	double responder = s->responder / handshakes;

	printf("group %u: %.0f handshakes/s, %.0f %%\n", run->group,
	    handshakes / (s->wall / 1e6), 100 * reference / responder);
	if (getenv("BENCH_DETAIL")) {
		qsort(s->r, SLICES, sizeof(s->r[0]), by_size);
		printf("  keygen and derive %.1f us, responder %.1f us\n",
		    reference, responder);
		printf("  slices from %.0f %% to %.0f %%, median %.1f %%\n",
		    s->r[0], s->r[SLICES - 1], s->r[SLICES / 2]);
	}
	fflush(stdout);
}

/*
 * The responder and the reference run on the same core, in turns; the
 * initiator on another one, if there is one.
 */
static void run_group(const struct crypto *crypto, const struct group_run *run)
{
	struct bench_responder r = {.engine = 0};
	struct sums s = {.wall = 0};
	struct bench_initiator *b;
	unsigned int total = 0;

	bench_pin(0);
	bench_responder_start(&r);
	b = bench_initiator_new(crypto, &r.at, run->group, run->in_flight);
	for (int i = 0; i <= SLICES; i++) {
		double reference, cpu, start;

		bench_pin(0);
		reference = bench_reference_us(run->group, run->rounds);
		bench_pin(1);
		cpu = bench_responder_us(&r);
		start = clock_us(CLOCK_MONOTONIC);
		bench_initiator_run(b, run->handshakes);
		total += run->handshakes;
		bench_responder_wait(&r, total);
		if (!i)
			continue; /* warm by now */
		s.wall += clock_us(CLOCK_MONOTONIC) - start;
		cpu = bench_responder_us(&r) - cpu;
		bench_pin(0);
		reference += bench_reference_us(run->group, run->rounds);
		reference /= 2;
		s.reference += reference;
		s.responder += cpu;
		s.r[i - 1] = 100 * reference * run->handshakes / cpu;
	}
	bench_initiator_free(b);
	bench_responder_stop(&r);
	print_sums(run, &s);
}

int main(int argc, char **argv)
{
	struct crypto crypto;

	if (crypto_init(&crypto))
		bench_die("OpenSSL lacks what IKE needs");
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		if (argc < 2 || atoi(argv[1]) == runs[i].group)
			run_group(&crypto, &runs[i]);
	if (argc < 2 || !strcmp(argv[1], "memory"))
		bench_core_memory(&crypto);
	if (argc < 2 || !strcmp(argv[1], "trial"))
		bench_trial(&crypto);
	if (argc < 2 || !strcmp(argv[1], "scaling"))
		bench_core_scaling(&crypto);
	crypto_done(&crypto);
	return 0;
}
