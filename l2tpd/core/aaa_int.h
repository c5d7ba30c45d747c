/* SPDX-License-Identifier: ISC */
/* What the files of the AAA core share; nobody else includes this. */
#ifndef L2TPD_CORE_AAA_INT_H
#define L2TPD_CORE_AAA_INT_H

#include "l2tpd/core/aaa.h"
#include "l2tpd/core/pool.h"

#include <uthash.h>

enum aaa_state {
	AAA_ST_NEW,	      /* nobody is authenticated */
	AAA_ST_ASKING,	      /* the monitor checks a proof */
	AAA_ST_AUTHENTICATED, /* user is set */
	AAA_ST_ADDRESSED,     /* ip is leased */
	AAA_ST_UP,	      /* IPCP is open, accounting runs */
};

/* The pool's key of our own address. */
#define AAA_SERIAL_LOCAL UINT64_MAX

#define AAA_STATE_COUNT (AAA_ST_UP + 1)

/* Plain numbers without padding, as uthash needs it. */
struct aaa_hash_key {
	uint64_t r;
	uint64_t call;
};

struct aaa_session {
	struct aaa_key key;
	struct aaa_hash_key hash_key;
	uint64_t serial; /* its key in the pool */
	enum aaa_state state;
	bool is_found;	  /* after a resume: the monitor has it */
	bool is_dirty;	  /* in aaa->dirty */
	uint8_t failures; /* wrong proofs so far */
	uint32_t job;	  /* ASKING */
	uint32_t seq;	  /* of the plugin's last request */
	uint8_t *reply;	  /* to that; NULL: none yet */
	size_t reply_len;
	uint8_t ask_method;	  /* ASKING */
	char asked[AAA_USER_MAX]; /* ASKING: the name as sent */
	char user[AAA_USER_MAX];  /* as the users file has it, or "" */
	struct addr peer;	  /* outer */
	struct addr fixed;	  /* ip= of the user */
	struct addr ip;
	char ifname[AAA_IFNAME_MAX];
	uint64_t since_s; /* 0: accounting has not begun */
	struct aaa_stats stats;
	struct aaa_session *prev, *next; /* dirty ones */
	UT_hash_handle hh;
};

struct aaa {
	struct addr local, dns1, dns2;
	uint16_t mtu;
	struct pool *pool;
	uint64_t next_serial;
	uint32_t next_job;
	struct aaa_session *sessions;
	struct aaa_session *dirty; /* their records are not true any more */
	uint64_t *ended;	   /* serials whose records go */
	size_t ended_count, ended_size;
};

/* aaa_records.c: its record is not true any more; it is going to be freed. */
void aaa_session_touch(struct aaa *aaa, struct aaa_session *s);
void aaa_session_untouch(struct aaa *aaa, struct aaa_session *s);

/* Adds a session in state NEW; key is not known yet. */
struct aaa_session *aaa_session_add(struct aaa *aaa, struct aaa_key key);
/* NULL if there is none. */
struct aaa_session *aaa_session_find(const struct aaa *aaa, struct aaa_key key);
/* Frees it and its address. */
void aaa_session_drop(struct aaa *aaa, struct aaa_session *s);
/* The only writer of session->state. */
void aaa_session_set_state(struct aaa_session *s, enum aaa_state state);

/* The answer to the plugin's request seq: kept, should it ask again. */
void aaa_emit_reply(struct aaa_actions *out, struct aaa_session *s,
    enum aaa_msg type, uint32_t seq, const void *body);
/* Answers its last request again, if that was answered. */
void aaa_emit_again(struct aaa_actions *out, const struct aaa_session *s);
/* Encodes body and appends AAA_ACT_SEND. */
void aaa_emit_send(struct aaa_actions *out, const struct aaa_session *s,
    enum aaa_msg type, uint32_t seq, const void *body);
void aaa_emit_term(
    struct aaa_actions *out, const struct aaa_session *s, const char *reason);
void aaa_emit_auth(struct aaa_actions *out, const struct aaa_session *s,
    const struct aaa_auth *auth);
/* The line begins with "R n (peer): ". */
void aaa_emit_log(struct aaa_actions *out, const struct aaa_session *s,
    enum aaa_log_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A warning that `sallyport why` gives again; remedy is static, or NULL. */
void aaa_emit_refusal(struct aaa_actions *out, const struct aaa_session *s,
    const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What would help a user whom the monitor refused; NULL: nothing known. */
const char *aaa_remedy(enum aaa_verdict_code code);
/* Accounting records. */
void aaa_emit_start(struct aaa_actions *out, const struct aaa_session *s);
void aaa_emit_stop(struct aaa_actions *out, const struct aaa_session *s,
    uint64_t now_s, const char *reason);

/* A copy fit for a log line or JSON: no controls, UTF-8. Returns out. */
const char *aaa_printable(const char *text, char *out, size_t size);

/* All of a session; NULL, and an error in r, when it is damaged. */
#define AAA_SESSION_SAVE_MAX 2048 /* more than any takes */
void aaa_session_save(struct wire_writer *w, const struct aaa_session *s);
struct aaa_session *aaa_session_restore(struct wire_reader *r, struct aaa *aaa);

#endif
