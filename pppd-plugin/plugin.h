/* SPDX-License-Identifier: ISC */
/*
 * What the files of the pppd plugin share.  pppd's hooks carry no context
 * of ours, so the one session of this process is a static object, reached
 * by plugin_get() only.
 */
#ifndef PPPD_PLUGIN_PLUGIN_H
#define PPPD_PLUGIN_PLUGIN_H

#include "client.h"

struct plugin {
	struct client client;
	int fd;		      /* -1 until sallyport-fd */
	int pppox;	      /* -1 until sallyport-pppox */
	unsigned int methods; /* AAA_METHOD_BIT()s */
	bool is_authenticated;
	bool is_up;
	char user[AAA_USER_MAX];	  /* of the last good AUTH, as sent */
	struct aaa_address_reply address; /* ok: what IPCP must agree to */
	struct aaa_stats stats;
	int64_t up_s; /* monotonic clock */
	unsigned int ticks;
};

struct plugin *plugin_get(void);

/*
 * client_request() with the project's time limit.  Logs failures; when
 * the session is lost or over, ends it as soon as the hook has returned.
 */
int plugin_request(enum aaa_msg type, const void *body, enum aaa_msg reply_type,
    union aaa_any *reply);

/* Ends the link politely after the current hook; reason is static text. */
void plugin_close_later(const char *reason);

/* Each sets its hooks, options or notifiers. */
void channel_init(void);
void auth_init(void);
void address_init(void);
void stats_init(void);

/* Sends AAA_STATS if the counters have moved. */
void stats_tick(void);

#endif
