/* SPDX-License-Identifier: ISC */
/*
 * show and disconnect against a made-up l2tpd: which requests they send,
 * and what they print of the answers.
 */
#include "ctl/cmd.h"

#include "common/alloc.h"
#include "common/ctl.h"
#include "common/rundir.h"
#include "test/lib/tmptree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct fixture {
	struct tmptree tree;
	uv_loop_t loop;
	uv_async_t stop;
	struct ctl_server *server, *other;
	pthread_t thread;
	const char *show;	/* the answer, JSON */
	const char *why;	/* ikev1d's; set: the socket is its */
	const char *disconnect; /* the same */
	const char *other_why;	/* l2tpd's, beside ikev1d */
	char asked[256];	/* all requests, each with a ';' */
	char *out, *err;	/* of the last run */
};

static void on_request(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words)
{
	struct fixture *f = ctx;
	bool is_show = strcmp(words[0], "show") == 0;
	size_t len = strlen(f->asked);

	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(f->asked + len, sizeof(f->asked) - len,
		    "%s%s", words[i], i + 1 < count ? " " : ";");
	ctl_reply_send(reply, json_loads(is_show  ? f->show
					 : f->why ? f->why
						  : f->disconnect,
				  0, NULL));
}

static void on_other_request(
    void *ctx, struct ctl_reply *reply, size_t count, char *const *words)
{
	struct fixture *f = ctx;

	(void)count;
	(void)words;
	ctl_reply_send(reply, json_loads(f->other_why, 0, NULL));
}

static void on_stop(uv_async_t *async)
{
	struct fixture *f = async->data;

	ctl_server_stop(f->server);
	ctl_server_stop(f->other);
	uv_close((uv_handle_t *)async, NULL);
}

static void *serve(void *arg)
{
	struct fixture *f = arg;

	uv_run(&f->loop, UV_RUN_DEFAULT);
	return NULL;
}

static int setup_of(void **state, const char *name, bool has_both)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	int fd;

	tmptree_make(&f->tree);
	setenv(RUNDIR_ENV, f->tree.dir, 1);
	fd = rundir_listen(name, SOCK_STREAM, 0600);
	assert_return_code(fd, -fd);
	uv_loop_init(&f->loop);
	uv_async_init(&f->loop, &f->stop, on_stop);
	f->stop.data = f;
	assert_int_equal(
	    ctl_server_start(&f->server, &f->loop, fd, on_request, f), 0);
	if (has_both) {
		fd = rundir_listen("l2tpd.sock", SOCK_STREAM, 0600);
		assert_int_equal(ctl_server_start(&f->other, &f->loop, fd,
				     on_other_request, f),
		    0);
	}
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_of(state, "l2tpd.sock", false);
}

static int setup_ikev1d(void **state)
{
	return setup_of(state, "ikev1d.sock", false);
}

static int setup_both(void **state)
{
	return setup_of(state, "ikev1d.sock", true);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	uv_async_send(&f->stop);
	pthread_join(f->thread, NULL);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	tmptree_remove(&f->tree);
	free(f->out);
	free(f->err);
	free(f);
	return 0;
}

/* Runs `sallyport word name more`; any may be NULL. */
static int run_words(struct fixture *f, char *word, char *name, char *more)
{
	char *argv[] = {"sallyport", word, name, more, NULL};
	struct cmd_env env = {.dir = f->tree.dir, .root = "", .in_fd = -1};
	size_t out_len, err_len;
	int code;

	free(f->out);
	free(f->err);
	f->asked[0] = '\0';
	env.out = open_memstream(&f->out, &out_len);
	env.err = open_memstream(&f->err, &err_len);
	code = cmd_main(&env, more ? 4 : name ? 3 : word ? 2 : 1, argv);
	fclose(env.out);
	fclose(env.err);
	return code;
}

static int run(struct fixture *f, char *word, char *name)
{
	return run_words(f, word, name, NULL);
}

static void shows_a_table_or_json(void **state)
{
	static const char doc[] =
	    "{\"version\":1,\"clients\":[{\"r\":17,\"user\":\"\\u00e4\","
	    "\"unknown\":{\"x\":[1,null]}}]}";
	struct fixture *f = *state;

	f->show = doc;
	assert_int_equal(run(f, NULL, NULL), 0);
	assert_string_equal(f->asked, "show;");
	assert_non_null(strstr(f->out, "\n17  \\xc3\\xa4  -"));
	assert_int_equal(run(f, "show", "-j"), 0);
	assert_string_equal(f->out,
	    "{\"version\":1,\"clients\":[{\"r\":17,\"user\":\"\\u00E4\","
	    "\"unknown\":{\"x\":[1,null]}}]}\n");
	assert_int_equal(run(f, "--json", NULL), 0);
	assert_non_null(strstr(f->out, "\"unknown\""));
}

static void says_what_the_daemon_refuses(void **state)
{
	struct fixture *f = *state;

	f->show = "{\"error\":\"not now\"}";
	assert_int_equal(run(f, "show", NULL), 1);
	assert_string_equal(f->err, "sallyport: l2tpd: not now\n");
	assert_string_equal(f->out, "");
	f->show = "{\"clients\":7}";
	assert_int_equal(run(f, "show", NULL), 1);
	assert_non_null(strstr(f->err, "no list of clients"));
}

static void disconnects_by_user(void **state)
{
	struct fixture *f = *state;

	f->show = "{\"clients\":[{\"r\":17,\"user\":\"18\"}]}";
	f->disconnect = "{\"disconnected\":2}";
	assert_int_equal(run(f, "disconnect", "anna b"), 0);
	assert_string_equal(f->asked, "disconnect user anna b;");
	assert_string_equal(f->out, "2 clients disconnected\n");
	/* A number that is no live R is a user's name. */
	assert_int_equal(run(f, "disconnect", "18"), 0);
	assert_string_equal(f->asked, "show;disconnect user 18;");
	assert_int_equal(run(f, "disconnect", "user=17"), 0);
	assert_string_equal(f->asked, "disconnect user 17;");
	assert_int_equal(run(f, "disconnect", "r=x"), 0);
	assert_string_equal(f->asked, "disconnect user r=x;");
	f->disconnect = "{\"disconnected\":0}";
	assert_int_equal(run(f, "disconnect", "bob"), 1);
	assert_string_equal(
	    f->err, "sallyport: no connected client is user bob\n");
}

static void disconnects_by_r(void **state)
{
	struct fixture *f = *state;

	f->show = "{\"clients\":[{\"r\":4},{\"r\":17}]}";
	f->disconnect = "{\"disconnected\":1}";
	assert_int_equal(run(f, "disconnect", "17"), 0);
	assert_string_equal(f->asked, "show;disconnect r 17;");
	assert_string_equal(f->out, "1 client disconnected\n");
	assert_int_equal(run(f, "disconnect", "r=5"), 0);
	assert_string_equal(f->asked, "disconnect r 5;");
	f->disconnect = "{\"disconnected\":0}";
	assert_int_equal(run(f, "disconnect", "r=5"), 1);
	assert_string_equal(f->err, "sallyport: no connected client is R 5\n");
	f->disconnect = "{\"error\":\"ending\"}";
	assert_int_equal(run(f, "disconnect", "4"), 1);
	assert_string_equal(f->err, "sallyport: l2tpd: ending\n");
	f->show = "{\"error\":\"ending\"}";
	assert_int_equal(run(f, "disconnect", "4"), 1);
	assert_string_equal(f->asked, "show;");
}

static void says_why(void **state)
{
	struct fixture *f = *state;

	setenv("TZ", "UTC", 1);
	f->why = "{\"version\":1,\"since\":0,\"refusals\":["
		 "{\"time\":86400,\"peer\":\"203.0.113.7:4500\","
		 "\"local\":\"198.51.100.1:4500\",\"count\":3,"
		 "\"what\":\"wrong\\u00e4\\u001b[2J\","
		 "\"remedy\":\"mend it\"},"
		 "{\"time\":60,\"peer\":\"203.0.113.7:500\","
		 "\"local\":null,\"count\":1,\"what\":\"other\","
		 "\"remedy\":null}]}";
	assert_int_equal(run(f, "why", "203.0.113.7"), 0);
	assert_string_equal(f->asked, "why 203.0.113.7;");
	assert_string_equal(f->out,
	    "1970-01-02 00:00:00  ikev1d  203.0.113.7:4500 -> "
	    "198.51.100.1:4500, "
	    "3 times\n"
	    "    wrong\\xc3\\xa4\\x1b[2J\n"
	    "    What to do: mend it\n"
	    "1970-01-01 00:01:00  ikev1d  203.0.113.7:500\n"
	    "    other\n");
	f->why = "{\"version\":1,\"since\":60,\"refusals\":[]}";
	assert_int_equal(run(f, "why", "2001:db8::7"), 0);
	assert_non_null(strstr(f->out,
	    "Nothing of 2001:db8::7 was refused since 1970-01-01 00:01:00"));
	assert_non_null(strstr(f->out, "tcpdump"));
	f->why = "{\"version\":1}";
	assert_int_equal(run(f, "why", "203.0.113.7"), 1);
	assert_non_null(strstr(f->err, "no list of refusals"));
	f->why = "{\"error\":\"not now\"}";
	assert_int_equal(run(f, "why", "203.0.113.7"), 1);
	assert_non_null(strstr(f->err, "sallyport: ikev1d: not now\n"));
	assert_int_equal(run(f, "why", "vpn.example"), 1);
	assert_string_equal(f->asked, "");
	assert_non_null(strstr(f->err, "vpn.example is no IP address"));
}

static void expect_order(const char *text, const char *const *words)
{
	for (; *words; words++) {
		text = strstr(text, *words);
		assert_non_null(text);
		text += strlen(*words);
	}
}

/* Two daemons, one story; who does not answer is named. */
static void says_why_of_both(void **state)
{
	static const char *const table[] = {"00:00:50  l2tpd  p\n    five\n",
	    "00:00:40  l2tpd  p\n    four\n", "00:00:40  ikev1d  p\n    vier\n",
	    "00:00:10  ikev1d", NULL};
	static const char *const json[] = {"\"since\":7", "\"daemons\":[",
	    "\"l2tpd\",\"ikev1d\"]", "\"silent\":[]", NULL};
	struct fixture *f = *state;
	json_t *doc;

	setenv("TZ", "UTC", 1);
	f->why = "{\"since\":7,\"refusals\":[{\"time\":40,\"peer\":\"p\","
		 "\"what\":\"vier\"},{\"time\":10,\"peer\":\"p\","
		 "\"what\":\"one\"}]}";
	f->other_why = "{\"since\":5,\"refusals\":[{\"time\":50,\"peer\":\"p\","
		       "\"what\":\"five\"},{\"time\":40,\"peer\":\"p\","
		       "\"what\":\"four\"}]}";
	assert_int_equal(run(f, "why", "203.0.113.7"), 0);
	expect_order(f->out, table);
	assert_string_equal(f->err, "");
	assert_int_equal(run_words(f, "why", "-j", "203.0.113.7"), 0);
	expect_order(f->out, json);
	doc = json_loads(f->out, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(doc, "refusals")), 4);
	json_decref(doc);
	f->other_why = "{\"error\":\"starting\"}";
	assert_int_equal(run(f, "why", "203.0.113.7"), 0);
	expect_order(f->out, table + 2);
	assert_string_equal(f->err, "sallyport: l2tpd: starting\n");
	assert_int_equal(run_words(f, "why", "-j", "203.0.113.7"), 0);
	assert_non_null(strstr(f->out, "\"silent\":[\"l2tpd\"]"));
	f->why = "{\"error\":\"ending\"}";
	assert_int_equal(run(f, "why", "203.0.113.7"), 1);
	assert_string_equal(f->out, "");
}

static void shows_sas(void **state)
{
	struct fixture *f = *state;

	f->why = "{\"ike_sas\":[{\"peer\":\"203.0.113.7:4500\","
		 "\"identity\":\"a\\u001b\",\"client_nat\":true,"
		 "\"server_nat\":false,\"suite\":\"s1\","
		 "\"cookie_i\":\"01\",\"cookie_r\":\"02\","
		 "\"psk_line\":3,\"age\":3723,\"expires\":null,"
		 "\"heard\":0,\"dpd\":true,\"dpd_unanswered\":2,"
		 "\"state\":\"established\"}],"
		 "\"ipsec_pairs\":[{\"r\":17,\"peer\":\"p\","
		 "\"suite\":\"s1/s2\",\"spi_in\":\"0a\","
		 "\"spi_out\":\"0b\",\"age\":59,\"rekeys\":60,"
		 "\"bytes_in\":2048,\"bytes_out\":7,"
		 "\"expires\":36000,\"state\":\"established\"}]}";
	assert_int_equal(run(f, "show", "sas"), 0);
	assert_string_equal(f->asked, "sas;");
	assert_non_null(strstr(f->out,
	    "203.0.113.7:4500  a\\x1b     client  s1     01:02       3  "
	    "1:02:03        -  0:00:00  2 unanswered  established\n"));
	assert_non_null(strstr(f->out,
	    "17  p     s1/s2  0a      0b       0:00:59  0:01:00  10:00:00  "
	    "2.0K    7  established\n"));
	f->why = "{\"ike_sas\":[]}";
	assert_int_equal(run(f, "show", "sas"), 1);
	assert_non_null(strstr(f->err, "no lists of SAs"));
}

#define DAEMON_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    DAEMON_TEST(shows_a_table_or_json),
	    DAEMON_TEST(says_what_the_daemon_refuses),
	    DAEMON_TEST(disconnects_by_user),
	    DAEMON_TEST(disconnects_by_r),
	    cmocka_unit_test_setup_teardown(says_why, setup_ikev1d, teardown),
	    cmocka_unit_test_setup_teardown(
		says_why_of_both, setup_both, teardown),
	    cmocka_unit_test_setup_teardown(shows_sas, setup_ikev1d, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
