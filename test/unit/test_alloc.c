/* SPDX-License-Identifier: ISC */
/* The allocators that do not fail: zero sizes, contents, overflow. */
#include "common/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void zero_sizes_give_memory(void **state)
{
	void *p[] = {xmalloc(0), xcalloc(0, 8), xcalloc(8, 0),
	    xreallocarray(NULL, 0, 4), xmemdup(NULL, 0)};

	(void)state;
	for (size_t i = 0; i < sizeof(p) / sizeof(p[0]); i++) {
		assert_non_null(p[i]);
		free(p[i]);
	}
}

static void contents_are_as_promised(void **state)
{
	const uint8_t in[] = {1, 2, 3};
	uint8_t *zero = xcalloc(4, 4), *copy = xmemdup(in, sizeof(in));
	char *text = xstrdup("abc"), *printed = xasprintf("%s-%d", "r", 17);

	(void)state;
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(zero[i], 0);
	assert_memory_equal(copy, in, sizeof(in));
	copy = xreallocarray(copy, 100, 2);
	assert_memory_equal(copy, in, sizeof(in));
	assert_string_equal(text, "abc");
	assert_string_equal(printed, "r-17");
	free(zero);
	free(copy);
	free(text);
	free(printed);
}

/* What this thread freed last is what it gets, wiped: glibc's own calloc()
 * (before 2.41) would not even look there. */
static void small_zeroed_memory_is_reused(void **state)
{
#if defined(__GLIBC__) && !defined(SALLYPORT_SANITIZE)
	uint8_t *p = xmalloc(200), *again;
	uintptr_t was = (uintptr_t)p;

	memset(p, 0xaa, 200);
	/* As if somebody looked: else all this is optimized away. */
	__asm__("" : "+r"(p) : : "memory");
	free(p);
	again = xcalloc(10, 20);
	assert_true((uintptr_t)again == was);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(again[i], 0);
	free(again);
#else
	skip();
#endif
	(void)state;
}

static void overflow_ends_the_process(void **state)
{
	int status = 0;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		close(STDERR_FILENO);
		signal(SIGABRT, SIG_DFL);
		xreallocarray(NULL, SIZE_MAX / 2, 4);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zero_sizes_give_memory),
	    cmocka_unit_test(contents_are_as_promised),
	    cmocka_unit_test(small_zeroed_memory_is_reused),
	    cmocka_unit_test(overflow_ends_the_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
