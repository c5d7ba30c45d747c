/* SPDX-License-Identifier: ISC */
/* Paths: who shares one, in which order, and that empty ones go. */
#include "ikev1/core/ike_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct addr at(const char *text, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_parse(&a, text), 0);
	a.port = port;
	return a;
}

static void set(struct addr *local, struct addr *peer, const char *own,
    const char *other, uint16_t port)
{
	*local = at(own, 500);
	*peer = at(other, port);
}

static void test_shared(void **state)
{
	struct ike ike = {.paths = NULL};
	struct ike_sa sa = {.path = NULL};
	struct peer p = {.path = NULL};
	struct addr local, peer;

	(void)state;
	set(&sa.local, &sa.peer, "192.0.2.1", "203.0.113.7", 500);
	set(&p.local, &p.peer, "192.0.2.1", "203.0.113.7", 4500);
	assert_null(path_of(&ike, &sa.local, &sa.peer));
	path_add_sa(&ike, &sa);
	path_add_peer(&ike, &p);
	assert_non_null(sa.path);
	assert_ptr_equal(sa.path, p.path); /* ports do not count */
	assert_ptr_equal(path_of(&ike, &p.local, &p.peer), p.path);
	assert_ptr_equal(p.path->sas, &sa);
	assert_ptr_equal(p.path->peers, &p);
	/* Either address counts, and whose it is. */
	set(&local, &peer, "192.0.2.2", "203.0.113.7", 500);
	assert_null(path_of(&ike, &local, &peer));
	set(&local, &peer, "192.0.2.1", "203.0.113.8", 500);
	assert_null(path_of(&ike, &local, &peer));
	assert_null(path_of(&ike, &sa.peer, &sa.local));
	/* The path lives as long as one of them. */
	path_remove_sa(&ike, &sa);
	assert_null(sa.path);
	assert_ptr_equal(path_of(&ike, &p.local, &p.peer), p.path);
	assert_null(p.path->sas);
	path_remove_peer(&ike, &p);
	assert_null(path_of(&ike, &p.local, &p.peer));
	assert_null(ike.paths);
	/* Twice, or without ever having been in one: nothing happens. */
	path_remove_peer(&ike, &p);
	path_remove_sa(&ike, &sa);
}

static void test_family(void **state)
{
	struct ike ike = {.paths = NULL};
	struct ike_sa four = {.path = NULL}, six = {.path = NULL};

	(void)state;
	set(&four.local, &four.peer, "0.0.0.0", "32.1.13.184", 500);
	set(&six.local, &six.peer, "::", "2001:db8::", 500);
	assert_memory_equal(four.peer.ip, six.peer.ip, 4);
	path_add_sa(&ike, &four);
	path_add_sa(&ike, &six);
	assert_ptr_not_equal(four.path, six.path);
	path_free_all(&ike);
	assert_null(ike.paths);
}

#define COUNT 5

/* Newest first, whichever of them leaves. */
static void test_order(void **state)
{
	(void)state;
	for (int leaves = 0; leaves < COUNT; leaves++) {
		struct ike ike = {.paths = NULL};
		struct ike_sa sas[COUNT], *sa;
		struct peer peers[COUNT], *p;
		int i;

		memset(sas, 0, sizeof(sas));
		memset(peers, 0, sizeof(peers));
		for (i = 0; i < COUNT; i++) {
			set(&sas[i].local, &sas[i].peer, "192.0.2.1",
			    "203.0.113.7", (uint16_t)(500 + i));
			peers[i].local = sas[i].local;
			peers[i].peer = sas[i].peer;
			path_add_sa(&ike, &sas[i]);
			path_add_peer(&ike, &peers[i]);
		}
		path_remove_sa(&ike, &sas[leaves]);
		path_remove_peer(&ike, &peers[leaves]);
		sa = ike.paths->sas;
		p = ike.paths->peers;
		for (i = COUNT - 1; i >= 0; i--) {
			if (i == leaves)
				continue;
			assert_ptr_equal(sa, &sas[i]);
			assert_ptr_equal(p, &peers[i]);
			sa = sa->path_next;
			p = p->path_next;
		}
		assert_null(sa);
		assert_null(p);
		for (i = 0; i < COUNT; i++) {
			path_remove_sa(&ike, &sas[i]);
			path_remove_peer(&ike, &peers[i]);
		}
		assert_null(ike.paths);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_shared),
	    cmocka_unit_test(test_family),
	    cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
