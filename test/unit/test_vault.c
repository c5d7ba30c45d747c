/* SPDX-License-Identifier: ISC */
/* Records that outlive their engine, whenever it dies. */
#include "common/vault_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORM 7

struct fixture {
	struct vault_hold *hold;
	struct vault *v;
	enum vault_found found;
};

static void open_as(struct fixture *f, uint32_t form)
{
	assert_int_equal(
	    vault_open(vault_hold_fd(f->hold), form, &f->v, &f->found), 0);
}

static void reopen(struct fixture *f)
{
	vault_close(f->v);
	open_as(f, FORM);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(vault_hold_new(64 << 10, &f->hold), 0);
	open_as(f, FORM);
	assert_int_equal(f->found, VAULT_NEW);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	vault_close(f->v);
	vault_hold_free(f->hold);
	free(f);
	return 0;
}

static struct vault_key key(uint64_t kind, uint64_t id)
{
	return (struct vault_key){kind, id};
}

static void put(struct fixture *f, uint64_t kind, uint64_t id, const char *text)
{
	assert_int_equal(vault_put(f->v, key(kind, id), text, strlen(text)), 0);
}

/* All records of a kind as "id=text/strikes " in one line. */
struct listing {
	char text[4096];
	size_t len;
};

static void list_one(
    void *ctx, struct vault_key k, struct wire_span data, unsigned int strikes)
{
	struct listing *l = ctx;

	l->len += (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len,
	    "%u=%.*s/%u ", (unsigned int)k.id, (int)data.len,
	    (const char *)data.data, strikes);
}

static void expect(struct fixture *f, uint64_t kind, const char *text)
{
	struct listing l = {"", 0};

	vault_each(f->v, kind, list_one, &l);
	assert_string_equal(l.text, text);
}

/* Whether these bytes are anywhere in its memory. */
static bool is_in_memory(const struct fixture *f, const char *text)
{
	return memmem(f->v->head, f->v->size, text, strlen(text)) != NULL;
}

/* --- the simple life --------------------------------------------------- */

static void test_committed_records_come_back(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 20, "b");
	put(f, 1, 3, "a");
	put(f, 2, 3, "other");
	put(f, 1, 4, "");
	vault_commit(f->v);
	reopen(f);
	assert_int_equal(f->found, VAULT_RESUMED);
	assert_int_equal(vault_count(f->v), 4);
	expect(f, 1, "3=a/0 4=/0 20=b/0 ");
	expect(f, 2, "3=other/0 ");
	expect(f, 3, "");
}

static void test_uncommitted_changes_are_undone(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 1, "old");
	put(f, 1, 2, "stays");
	vault_commit(f->v);
	put(f, 1, 1, "new");
	put(f, 1, 1, "newer");
	vault_drop(f->v, key(1, 2));
	put(f, 1, 3, "never was");
	reopen(f);
	expect(f, 1, "1=old/0 2=stays/0 ");
	assert_false(is_in_memory(f, "newer"));
	assert_false(is_in_memory(f, "never was"));
	/* And they can be made again. */
	put(f, 1, 1, "newest");
	vault_drop(f->v, key(1, 2));
	vault_commit(f->v);
	reopen(f);
	expect(f, 1, "1=newest/0 ");
}

static void test_replaced_and_dropped_bytes_are_wiped(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 1, "first secret");
	put(f, 1, 2, "second secret");
	vault_commit(f->v);
	put(f, 1, 1, "third");
	vault_drop(f->v, key(1, 2));
	assert_true(is_in_memory(f, "first secret"));
	vault_commit(f->v);
	assert_false(is_in_memory(f, "first secret"));
	assert_false(is_in_memory(f, "second secret"));
	assert_true(is_in_memory(f, "third"));
}

static void test_a_record_within_one_commit(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 1, "one");
	vault_drop(f->v, key(1, 1));
	put(f, 1, 1, "two");
	put(f, 1, 1, "three");
	vault_commit(f->v);
	assert_false(is_in_memory(f, "one"));
	assert_false(is_in_memory(f, "two"));
	reopen(f);
	expect(f, 1, "1=three/0 ");
	vault_drop(f->v, key(1, 9));
	vault_commit(f->v);
	expect(f, 1, "1=three/0 ");
}

static void test_records_longer_than_a_block(void **state)
{
	static const size_t lens[] = {VAULT_DATA - 1, VAULT_DATA,
	    VAULT_DATA + 1, 2 * VAULT_DATA, 2 * VAULT_DATA + 1,
	    10 * VAULT_DATA + 7};
	struct fixture *f = *state;
	char text[10 * VAULT_DATA + 8];

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct listing want = {"", 0}, got = {"", 0};

		memset(text, 'x', lens[i]);
		text[0] = 'A';
		text[lens[i] - 1] = 'Z';
		assert_int_equal(vault_put(f->v, key(1, i), text, lens[i]), 0);
		vault_commit(f->v);
		reopen(f);
		if (lens[i] < 2000) {
			list_one(&want, key(1, i),
			    (struct wire_span){(uint8_t *)text, lens[i]}, 0);
			vault_each(f->v, 1, list_one, &got);
			assert_string_equal(got.text, want.text);
		}
		vault_drop(f->v, key(1, i));
		vault_commit(f->v);
	}
	/* Nothing was lost on the way: all blocks are free. */
	assert_int_equal(f->v->free_count, f->v->head->high);
}

static void test_full_drops_what_is_no_longer_true(void **state)
{
	struct fixture *f = *state;
	static uint8_t big[VAULT_RECORD_MAX + 1];
	uint64_t n = 0;

	put(f, 1, 1, "old");
	vault_commit(f->v);
	assert_int_equal(
	    vault_put(f->v, key(1, 1), big, sizeof(big)), -EMSGSIZE);
	expect(f, 1, "");
	put(f, 1, 1, "old");
	vault_commit(f->v);
	while (!vault_put(f->v, key(2, n), "x", 1))
		n++;
	assert_int_equal(vault_put(f->v, key(1, 1), "new", 3), -ENOSPC);
	expect(f, 1, "");
	vault_commit(f->v);
	reopen(f);
	expect(f, 1, "");
	assert_int_equal(vault_count(f->v), n);
	/* The room comes back. */
	for (uint64_t i = 0; i < n; i++)
		vault_drop(f->v, key(2, i));
	vault_commit(f->v);
	assert_int_equal(f->v->free_count, f->v->head->high);
	put(f, 1, 1, "again");
}

static void drop_odd(
    void *ctx, struct vault_key k, struct wire_span data, unsigned int strikes)
{
	struct fixture *f = ctx;

	(void)strikes;
	assert_int_equal(data.len, 1);
	if (k.id % 2)
		vault_drop(f->v, k);
	if (k.id == 0)
		vault_drop(f->v, key(1, 2));
}

static void test_records_may_go_while_they_are_listed(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < 6; i++)
		put(f, 1, i, "r");
	vault_commit(f->v);
	vault_each(f->v, 1, drop_odd, f);
	vault_commit(f->v);
	expect(f, 1, "0=r/0 4=r/0 ");
}

/* --- form and damage --------------------------------------------------- */

static void test_another_form_is_wiped(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 1, "in form seven");
	vault_commit(f->v);
	vault_close(f->v);
	open_as(f, FORM + 1);
	assert_int_equal(f->found, VAULT_FOREIGN);
	assert_int_equal(vault_count(f->v), 0);
	assert_false(is_in_memory(f, "in form seven"));
	put(f, 1, 1, "in form eight");
	vault_commit(f->v);
	vault_close(f->v);
	open_as(f, FORM + 1);
	assert_int_equal(f->found, VAULT_RESUMED);
	expect(f, 1, "1=in form eight/0 ");
}

/* Each field of a record, and of the head, as a hostile engine leaves it. */
static void damage(struct fixture *f, int what)
{
	struct vault_block *first = f->v->blocks;

	switch (what) {
	case 0:
		first->next = 0xffffffff;
		return;
	case 1:
		first->next = 1;
		return;
	case 2:
		first->next = 0;
		return;
	case 3:
		first->len = VAULT_RECORD_MAX + 1;
		return;
	case 4:
		first->len = 1;
		return;
	case 5: /* a second record of the same name */
		first[3] = first[2];
		first[3].kind = 1;
		first[3].id = 1;
		f->v->head->high = 4;
		return;
	case 6: /* two records share a block */
		first[2].len = first->len;
		first[2].next = first->next;
		return;
	case 7:
		f->v->head->magic++;
		return;
	default:
		f->v->head->form++;
	}
}

static void test_damage_is_noticed(void **state)
{
	struct fixture *f = *state;
	char text[VAULT_DATA + 10];

	memset(text, 't', sizeof(text));
	for (int what = 0; what <= 8; what++) {
		assert_int_equal(
		    vault_put(f->v, key(1, 1), text, sizeof(text)), 0);
		put(f, 1, 2, "x");
		vault_commit(f->v);
		damage(f, what);
		reopen(f);
		assert_int_equal(f->found, VAULT_FOREIGN);
		assert_int_equal(vault_count(f->v), 0);
		assert_false(is_in_memory(f, "tttt"));
		put(f, 1, 1, "well");
		vault_commit(f->v);
		reopen(f);
		assert_int_equal(f->found, VAULT_RESUMED);
		expect(f, 1, "1=well/0 ");
		vault_drop(f->v, key(1, 1));
		vault_commit(f->v);
		f->v->head->high = 0;
		reopen(f);
	}
}

static void test_bounds_are_not_the_engines_word(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 1, "x");
	vault_commit(f->v);
	f->v->head->high = UINT32_MAX;
	f->v->head->total = UINT32_MAX;
	/* Neither the monitor nor the next engine reads behind the end. */
	vault_hold_lock(f->hold);
	reopen(f);
	expect(f, 1, "1=x/0 ");
	while (!vault_put(f->v, key(2, vault_count(f->v)), "y", 1))
		;
}

static void test_not_every_descriptor_is_a_vault(void **state)
{
	enum vault_found found;
	struct vault *v;
	int fd = memfd_create("small", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(vault_open(-1, FORM, &v, &found), -EBADF);
	assert_int_equal(vault_open(fd, FORM, &v, &found), -EINVAL);
	close(fd);
}

static void test_no_engine_can_cut_it(void **state)
{
	struct fixture *f = *state;

	assert_int_not_equal(ftruncate(vault_hold_fd(f->hold), 4096), 0);
	assert_int_equal(errno, EPERM);
}

/* --- blame ------------------------------------------------------------- */

static void test_blame(void **state)
{
	struct fixture *f = *state;

	put(f, 1, 1, "a");
	put(f, 1, 2, "b");
	vault_commit(f->v);
	assert_int_equal(vault_starts(f->v), 1);
	vault_at_work(f->v, key(1, 2));
	reopen(f);
	expect(f, 1, "1=a/0 2=b/1 ");
	assert_int_equal(vault_starts(f->v), 2);
	vault_at_work(f->v, key(1, 1));
	vault_at_work(f->v, key(1, 2));
	/* A record that changes keeps its past. */
	put(f, 1, 2, "c");
	vault_commit(f->v);
	reopen(f);
	expect(f, 1, "1=a/0 2=c/2 ");
	vault_at_work(f->v, key(1, 1));
	vault_idle(f->v);
	reopen(f);
	expect(f, 1, "1=a/0 2=c/2 ");
	vault_at_work(f->v, key(1, 7)); /* there is none */
	reopen(f);
	expect(f, 1, "1=a/0 2=c/2 ");
	assert_int_equal(vault_starts(f->v), 5);
	vault_served(f->v);
	expect(f, 1, "1=a/0 2=c/2 ");
	vault_steady(f->v);
	expect(f, 1, "1=a/0 2=c/0 ");
	reopen(f);
	assert_int_equal(vault_starts(f->v), 1);
}

/* --- death at every moment --------------------------------------------- */

static void traced_life(struct fixture *f)
{
	char text[VAULT_DATA * 2];

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	memset(text, 'n', sizeof(text));
	vault_put(f->v, key(1, 1), text, VAULT_DATA + 3);
	vault_drop(f->v, key(1, 2));
	vault_put(f->v, key(1, 3), "new", 3);
	vault_commit(f->v);
	_exit(0);
}

/* Opens a copy of the memory as it is now. */
static void check_death(const struct fixture *f, bool *is_done)
{
	struct vault_hold *hold;
	struct fixture copy = {NULL, NULL, VAULT_NEW};
	struct listing l = {"", 0};

	assert_int_equal(vault_hold_new(64 << 10, &hold), 0);
	copy.hold = hold;
	assert_int_equal(pwrite(vault_hold_fd(hold), f->v->head, f->v->size, 0),
	    (ssize_t)f->v->size);
	open_as(&copy, FORM);
	assert_int_equal(copy.found, VAULT_RESUMED);
	vault_each(copy.v, 1, list_one, &l);
	if (!strcmp(l.text, "1=old/0 2=gone/0 ")) {
		assert_false(*is_done);
	} else {
		assert_int_equal(l.len, VAULT_DATA + 3 + 5 + 8);
		assert_string_equal(l.text + VAULT_DATA + 3 + 5, "3=new/0 ");
		*is_done = true;
	}
	vault_close(copy.v);
	vault_hold_free(hold);
}

static void test_death_at_any_instruction(void **state)
{
	struct fixture *f = *state;
	bool is_done = false;
	unsigned int step = 0;
	int status;
	pid_t pid;

	put(f, 1, 1, "old");
	put(f, 1, 2, "gone");
	vault_commit(f->v);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		traced_life(f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	while (WIFSTOPPED(status)) {
		if (step++ % 5 == 0)
			check_death(f, &is_done);
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_true(WIFEXITED(status));
	assert_true(is_done);
	assert_true(step > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    T(test_committed_records_come_back),
	    T(test_uncommitted_changes_are_undone),
	    T(test_replaced_and_dropped_bytes_are_wiped),
	    T(test_a_record_within_one_commit),
	    T(test_records_longer_than_a_block),
	    T(test_full_drops_what_is_no_longer_true),
	    T(test_records_may_go_while_they_are_listed),
	    T(test_another_form_is_wiped),
	    T(test_damage_is_noticed),
	    T(test_bounds_are_not_the_engines_word),
	    T(test_not_every_descriptor_is_a_vault),
	    T(test_no_engine_can_cut_it),
	    T(test_blame),
	    T(test_death_at_any_instruction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
