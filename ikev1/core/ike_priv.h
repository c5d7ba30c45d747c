/* SPDX-License-Identifier: ISC */
/*
 * What the files of the IKEv1 machine share: its objects and who may do
 * what to them.
 *
 * An object's state is written by one function only (sa_become(),
 * quick_become(), child_become(), peer_become()).  Nothing is freed in the
 * middle of a step: an object that ends becomes DEAD, loses its timers and
 * leaves the tables, and ike_reap() frees it when the step is over.  So a
 * message that deletes the SA it came under, twice, is harmless.
 */
#ifndef IKEV1_CORE_IKE_PRIV_H
#define IKEV1_CORE_IKE_PRIV_H

#include "ikev1/core/ike.h"
#include "common/crypto.h"
#include "ikev1/core/exchange.h"
#include "common/hash.h"
#include "ikev1/core/frag.h"
#include "ikev1/core/isakmp_msg.h"
#include "ikev1/core/keymat.h"
#include "ikev1/core/mm1.h"
#include "ikev1/core/path.h"
#include "ikev1/core/peer.h"
#include "ikev1/core/persona.h"
#include "ikev1/core/proposal.h"
#include "ikev1/core/store.h"
#include "ikev1/core/timers.h"
#include "ikev1/core/vendor.h"

#define COOKIE_LEN ISAKMP_COOKIE_LEN
#define NONCE_LEN 32
#define NEVER UINT64_MAX
#define IKE_RANDOM_TRIES 16    /* for a number that is not in use */
#define MESSAGE_IDS_MAX 16384  /* of one IKE SA: then it ends */
#define MESSAGE_IDS_SPARE 64   /* of them, for its end */
#define MESSAGE_IDS_RENEW 2048 /* so many left: it is renewed */
#define QUICKS_MAX 8	       /* Quick Modes at a time under one IKE SA */
#define PEER_FAMILY_MAX 4      /* R of one identity and place */
#define PEER_PAIRS_MAX 3       /* IPsec SA pairs of one R */
#define PEER_WAIT_MS 10000     /* for PEER_READY, PEER_GONE */

/* What an IKE_ACT_* answer belongs to. */
enum job_kind {
	JOB_DH,	       /* IKE SA in Main Mode */
	JOB_PSK,       /* IKE SA in Main Mode */
	JOB_QUICK_DH,  /* Quick Mode with PFS */
	JOB_PEER_OPEN, /* peer */
	JOB_SA_IN,     /* child */
	JOB_SA_OUT,    /* child */
	JOB_SA_USED,   /* child: its inbound SA */
	JOB_RETIRE,    /* child that another one has replaced */
	JOB_TRIAL,     /* IKE SA in Main Mode: its message 5 */
	JOB_LOOK,      /* as JOB_RETIRE: has it carried anything since? */
};

struct job {
	UT_hash_handle hh; /* by id */
	uint32_t id;
	enum job_kind kind;
	uint8_t own[COOKIE_LEN]; /* the IKE SA's */
	uint32_t key;		 /* message id, peer's tag or spi_in */
};

/* Whether what records say of an object is true (records.c). */
enum touched {
	TOUCHED_NOT,
	TOUCHED_LATER, /* it is, until a Quick Mode under way is answered */
	TOUCHED_NOW,   /* and only this has a mark: it is looked at in this turn
			*/
};

struct record_mark {
	uint64_t kind, id;
};

struct records {
	bool is_on;
	struct record_mark *marks; /* of what was touched */
	size_t count, room;
	struct store store; /* saving; its memory is used again */
	ike_watch_fn watch;
	void *watch_ctx;
};

/* UDP selectors of a Quick Mode; 0 is "any". */
struct selectors {
	uint8_t protocol;
	uint16_t client_port;
	uint16_t server_port;
};

enum child_state {
	CHILD_NEW,	  /* inbound SA on its way to the kernel */
	CHILD_HALF,	  /* inbound there, the client's QM3 is awaited */
	CHILD_ADDING_OUT, /* outbound SA on its way */
	CHILD_UP,	  /* both there */
	CHILD_DEAD,
};

/* Of an SA: seconds, bytes; 0: none. */
struct child_limits {
	uint32_t soft_s, hard_s;
	uint64_t soft_bytes, hard_bytes;
};

/* A pair of IPsec SAs. */
struct child {
	UT_hash_handle hh;  /* by spi_in */
	struct child *next; /* of the same peer, newest first */
	struct child *next_dead;
	struct peer *peer;
	enum child_state state;
	uint32_t spi_in, spi_out; /* ours, the client's; host order */
	uint8_t own[COOKIE_LEN];  /* the Quick Mode that makes it */
	uint32_t msgid;
	uint32_t sa_age; /* of the IKE SA that made it; 0: not known */
	uint64_t
	    retire_ms; /* it was replaced: when to look whether it can go */
	uint8_t retire_tries;
	uint64_t packets;	   /* its inbound SA's, at the last look */
	bool is_busy;		   /* there were more than at the look before */
	uint64_t soft_ms, hard_ms; /* if the kernel does not say so */
	uint64_t up_ms; /* since when both are there; 0: they are not */
	bool is_worn;	/* past its soft limit */
	bool is_ours;	/* we began its Quick Mode */
	bool encap;
	bool has_out;		    /* the outbound SA may be in the kernel */
	struct child_limits limits; /* of both */
	/* With keys; NULL before they are there and once it is ordered, out
	 * once it is there. */
	struct ike_kernel_sa *in, *out;
};

/* What a renewal of a pair of IPsec SAs offers: what the pair has. */
struct terms {
	struct ike_suite suite; /* cipher 0: none are known */
	uint16_t encap;
	uint8_t oa_type; /* of NAT-OA payloads; 0: none */
	bool oa_one;	 /* only the sender's own */
	uint64_t seconds, kilobytes;
	struct bytes ours, theirs; /* bodies of the IDs; may be empty */
};

/* One client, R. */
struct peer {
	struct peer *prev, *next; /* all of them */
	UT_hash_handle by_tag;
	UT_hash_handle by_r; /* only once it has one */
	struct path *path;   /* NULL: in none of these tables (yet) */
	struct peer *path_prev, *path_next;
	struct timer timer;
	struct peer *next_dead;
	enum peer_state state;
	uint32_t tag;
	uint64_t r;
	uint32_t slot;
	bool held;	 /* from the last engine: l2tpd is waited for */
	bool is_resumed; /* and the monitor has not told of it yet */
	bool is_recorded;
	enum touched touched;
	bool natt;
	struct addr local, peer;
	uint16_t psk_entry;
	struct bytes id;	/* IDii: type and data, without port */
	char *identity, *suite; /* text_set() */
	struct selectors sel;
	struct ike_sa *sa; /* the newest of this identity; may be NULL */
	uint8_t sa_own[COOKIE_LEN]; /* its cookie, while loading */
	struct child *children;
	struct terms terms;
	uint64_t rekey_ms; /* the next try to renew its pair; or NEVER */
	uint64_t moved_ms; /* the newest MAPPING; 0: none */
	uint32_t users;	   /* Quick Modes that are not finished */
	uint64_t due_ms;   /* linger, or the end of waiting for l2tpd */
};

enum quick_state {
	QUICK_START,
	QUICK_KEYING,  /* waits for Diffie-Hellman (PFS) */
	QUICK_PEER,    /* waits for R to be ready */
	QUICK_INBOUND, /* waits for the inbound SA */
	QUICK_SENT,    /* QM2 sent, waits for QM3 */
	QUICK_DONE,    /* outbound SA ordered */
	/* when we are the initiator; PEER and INBOUND as above */
	QUICK_GENERATING, /* our Diffie-Hellman value is made (PFS) */
	QUICK_OFFERED,	  /* QM1 sent, waits for QM2 */
	QUICK_DERIVING,	  /* QM2 taken, g^xy is on its way */
	QUICK_CONFIRMED,  /* QM3 sent; stays for a repeated QM2 */
	QUICK_DEAD,
};

struct quick {
	struct quick *next; /* of the same IKE SA */
	struct quick *next_dead;
	struct ike_sa *sa;
	enum quick_state state;
	uint32_t msgid;
	bool is_ours;		       /* we are the initiator */
	bool is_renewal;	       /* ours: of a pair of peer's */
	struct peer *peer;	       /* counted in its users; may be NULL */
	uint32_t spi_in;	       /* its child's; 0: none yet */
	struct proposal_choice choice; /* of the offer in sai */
	uint32_t spi_out;	       /* the client's */
	struct selectors sel;
	struct bytes first; /* QM1 (ours: QM2) as it came, for duplicates */
	struct bytes sai, ni, nr, idci, idcr;
	struct bytes ke, shared; /* PFS: our public value, g^xy; until that
				  * is there, our private value */
	struct bytes reply;	 /* QM2; ours: QM1, then QM3 */
	uint8_t oa_type; /* of the initiator's NAT-OA payloads; 0: none */
	bool oa_one;	 /* it sends only one */
	uint8_t iv[CRYPTO_BLOCK_MAX];
	uint8_t sent;	 /* times that QM2 left by timer */
	uint8_t repeats; /* and because of a repeated QM1 */
	bool is_proof;	 /* who has QM2 hears us where sa's peer is */
	uint64_t due_ms; /* the next retransmission, or giving up */
	uint64_t give_up_ms;
	char *why; /* it failed, in this step; text_set() */
};

enum sa_state {
	SA_START,  /* MM3 is being looked at (before that: mm1.h) */
	SA_KEYING, /* MM3 taken; Diffie-Hellman and PSK are on their way */
	SA_SENT4,  /* MM4 sent, waits for MM5 */
	SA_TRYING, /* a message 5 is being tried with several keys */
	/* when we are the initiator */
	SA_SENT1,      /* MM1 sent, waits for MM2 */
	SA_GENERATING, /* MM2 taken; our Diffie-Hellman value is made */
	SA_SENT3,      /* MM3 sent, waits for MM4 */
	SA_DERIVING,   /* MM4 taken; g^xy and SKEYID are on their way */
	SA_SENT5,      /* MM5 sent, waits for MM6 */
	SA_UP,
	SA_DEAD,
};

/* A message 5 while the monitor tries its keys: as it came, from where. */
struct main_five {
	struct bytes data;
	struct addr local, peer;
};

struct ike_sa {
	UT_hash_handle hh; /* by own */
	struct path *path;
	struct ike_sa *path_prev, *path_next;
	bool is_counted; /* among its source's clients */
	struct timer timer;
	struct ike_sa *next_dead;
	enum sa_state state;
	enum touched touched;
	uint32_t age;	/* grows with each new IKE SA */
	bool initiator; /* we sent message 1 */
	/* How, when we began it, or the connection that it serves; or NULL. */
	const struct persona *persona;
	uint32_t msgid_count;	    /* PERSONA_MSGID_COUNT: the last one used */
	uint32_t conn;		    /* the connection that it serves; 0: none */
	uint32_t up_age;	    /* as age, when it came up */
	bool is_rekey, is_replaced; /* takes an older one's place; lost it */
	uint16_t hint;		    /* a clear Notification; not saved */
	uint8_t sent;		    /* times that last_out has left */
	uint32_t wait_ms;	    /* the newest wait for an answer */
	uint64_t resend_ms, rekey_ms;
	struct bytes priv; /* of our Diffie-Hellman value */
	uint8_t cky_i[COOKIE_LEN], cky_r[COOKIE_LEN];
	uint8_t own[COOKIE_LEN]; /* ours of the two */
	size_t half_open_at;	 /* index in ike->half_open, while half open */
	struct addr local, peer;

	struct ike_suite suite;
	uint64_t life_s;
	uint8_t nat_d_type; /* of NAT-D payloads; 0: no NAT traversal */
	bool on_500;	    /* drafts 00, 01: nothing moves to port 4500 */
	bool dpd;	    /* the client answers R-U-THERE */
	/* It has shown that it hears us at peer: before that it is nobody's
	 * heir there; contact: its INITIAL-CONTACT waits for that. */
	bool hears_us, contact;
	bool client_nat; /* the client is behind NAT */
	bool server_nat; /* we are */
	bool mismatch_said;
	bool frags;	  /* the peer takes fragments */
	bool forced;	  /* UDP encapsulation without NAT: policy */
	bool psk_late;	  /* message 5 shows which of several keys it is */
	struct bytes psk; /* candidate.h: from when it's known until up */
	struct main_five *five; /* while TRYING */
	uint16_t psk_entry;	/* its entry in the psk file */
	uint32_t psk_line;	/* and its line, for those who read logs */
	uint8_t wrong_fives;	/* messages 5 that did not fit; not saved */
	struct bytes sai, gxi, gxr, gxy, ni, nr;
	struct ike_keys keys;
	uint8_t iv[CRYPTO_BLOCK_MAX]; /* phase 1's chain */

	struct bytes id; /* IDii: type and data, without port */
	char *identity;	 /* text_set() */

	struct bytes last_in, last_out; /* the newest request, its reply */
	uint8_t replies;		/* times that last_out was repeated */

	uint32_t *ids; /* message ids seen */
	uint32_t ids_count, ids_room;
	struct quick *quicks;

	uint64_t up_ms;	   /* since when it is established; 0: it is not */
	uint64_t heard_ms; /* the newest authenticated message */
	uint32_t dpd_out;  /* our next sequence number */
	uint32_t dpd_in;   /* the client's newest */
	bool dpd_in_known;
	bool dpd_asked;	   /* dpd_out has been sent to where it is now */
	uint8_t dpd_tries; /* probes without an answer */
	uint64_t dpd_due_ms;
	uint64_t alive_ms; /* the next NAT keep-alive of ours; NEVER: none */
	uint64_t due_ms;   /* end of the half-open time or of the lifetime */
};

struct ike {
	struct ike_config cfg;
	ike_random_fn random;
	void *random_ctx;
	/* the step that is running */
	uint64_t now;
	struct ike_actions *out;

	struct ike_sa *sas;	/* by own */
	struct mm1 *mm1;	/* before they are IKE SAs */
	struct child *children; /* by spi_in */
	struct peer *peers;	/* list */
	struct peer *peers_by_tag, *peers_by_r;
	struct path *paths;
	struct source *sources;
	struct frag_table frags;
	struct job *jobs; /* by id */
	size_t dh_jobs;	  /* of jobs: JOB_DH, JOB_QUICK_DH */
	struct ike_sa **half_open;
	size_t half_open_count;
	uint32_t next_job, next_tag, next_age;
	bool closing;
	bool is_resuming; /* the monitor has not told all yet */
	struct timers timers;
	struct records records;
	struct log_limit limit;
	struct ike_sa *dead_sas;
	struct quick *dead_quicks;
	struct child *dead_children;
	struct peer *dead_peers;
};

/* actions.c */
struct ike_action *act(struct ike *ike, enum ike_action_type type);
void act_send(struct ike *ike, const struct addr *local,
    const struct addr *peer, const void *data, size_t len);
void act_log(struct ike *ike, enum ike_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* False when too many lines about unauthenticated packets were written. */
bool act_log_allowed(struct ike *ike);
/* The same for clients of that address, which have authenticated
 * themselves; more of them may cause more. */
bool act_log_client_allowed(struct ike *ike, const struct addr *peer);
/* What a client causes, as long as its address is allowed to. */
void act_log_client(struct ike *ike, const struct addr *peer,
    enum ike_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* The source is no more: what was hidden is said. */
void act_log_hidden(
    struct ike *ike, const struct addr *peer, struct log_limit *l);

/* refuse.c */
/* Whom a refusal is about, and what to do about it. */
struct refused {
	const struct addr *peer, *local;
	const char *identity; /* or NULL */
	const char *remedy;   /* static, what an operator can do; or NULL */
	bool is_proven;	      /* the peer has answered us */
	bool is_limited;      /* anyone can cause it: not too many lines */
};
/* Of a message that belongs to nothing yet. */
struct refused refused_datagram(const struct ike_event *ev, const char *remedy);
struct refused refused_sa(const struct ike_sa *sa, const char *remedy);
struct refused refused_peer(const struct peer *p, const char *remedy);
/* "PEER (IDENTITY): what; remedy", a warning; kept for `sallyport why`. */
void act_refuse(struct ike *ike, const struct refused *who, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* ike.c */
/*
 * Makes sure that sa_timer() or peer_timer() of this one runs at ms at the
 * latest; each asks again for the deadlines that are left.
 */
void sa_wake(struct ike *ike, struct ike_sa *sa, uint64_t ms);
void peer_wake(struct ike *ike, struct peer *p, uint64_t ms);
/* Remembers a new job; returns its number. */
uint32_t ike_job(
    struct ike *ike, enum job_kind kind, const uint8_t *own, uint32_t key);
void job_link(struct ike *ike, struct job *j);
/* True when fewer than most Diffie-Hellman jobs are under way. */
bool ike_dh_room(const struct ike *ike, size_t most);
/* False (logged) when the source of randomness fails. */
bool ike_random(struct ike *ike, void *out, size_t len);

/* profile.c */
/* The policy for a peer of that address: the longest prefix wins. */
const struct ike_policy *ike_policy_for(
    const struct ike *ike, const struct addr *peer);

/* natt.c */
/* Looks at the NAT-D payloads of message 3. */
void natt_detect(
    struct ike *ike, struct ike_sa *sa, const struct isakmp_payloads *p);
/* Puts ours into message 4. */
int natt_put(struct ike *ike, const struct ike_sa *sa, struct reply *r);
/* Of these vendor ids the ones that can be used at that address of ours:
 * drafts 00 and 01 need a kernel that takes ESP on UDP 500. */
uint32_t natt_usable(
    const struct ike *ike, const struct addr *local, uint32_t vendors);
/* The best that both sides have, or none: nat_d_type and on_500. */
void natt_choose(struct ike_sa *sa, uint32_t vendors);
/* ", client behind NAT" and the like. */
const char *natt_text(const struct ike_sa *sa);
/*
 * Keep-alives (RFC 3948 section 4): sa is up; something was sent under it;
 * its timer.  Only for a connection of ours with a NAT in front of us.
 */
void natt_alive_start(struct ike *ike, struct ike_sa *sa);
void natt_alive_sent(const struct ike *ike, struct ike_sa *sa);
void natt_alive_timer(struct ike *ike, struct ike_sa *sa);

/* sa.c */
/* As initiator, with a new cookie; NULL when randomness fails. */
struct ike_sa *sa_new(struct ike *ike);
/* As responder, with the cookies of message 3. */
struct ike_sa *sa_respond(const uint8_t *cky_i, const uint8_t *cky_r);
/* The only writer of an IKE SA's state. */
void sa_become(struct ike *ike, struct ike_sa *sa, enum sa_state state);
/* By our own cookie: CKY-I when we started it, else CKY-R. */
struct ike_sa *sa_find(struct ike *ike, const uint8_t *own);
/* The SA that both cookies of a message belong to; NULL. */
struct ike_sa *sa_of_cookies(
    struct ike *ike, const uint8_t *cky_i, const uint8_t *cky_r);
/*
 * Message ids, ours and the client's: none is forgotten, or an old message
 * could be played again.  An IKE SA that has used up as many as we remember
 * ends with the step; with none left every id counts as seen.
 */
bool sa_seen_id(const struct ike_sa *sa, uint32_t msgid);
void sa_remember_id(struct ike_sa *sa, uint32_t msgid);
bool sa_is_worn(const struct ike_sa *sa);
/* To be called after each message: renews or ends sa for want of ids. */
void sa_wear(struct ike *ike, struct ike_sa *sa);
/* Puts an SA into the tables; for sa_new() and restoring. */
void sa_link(struct ike *ike, struct ike_sa *sa);
void sa_timer(struct ike *ike, struct ike_sa *sa);
void sa_free(struct ike_sa *sa);
/* "203.0.113.7:4500 (10.0.0.2)" for log lines; valid until the next use. */
#define SA_TEXT_MAX (ADDR_TEXT_MAX + PEER_IDENTITY_MAX + 4)
const char *sa_text(const struct ike_sa *sa, char out[SA_TEXT_MAX]);

/* child.c */
/* A pair with a new inbound SPI; NULL when randomness fails. */
struct child *child_new(struct ike *ike, struct peer *peer);
/* A pair with a known SPI, for restoring. */
struct child *child_of(struct ike *ike, struct peer *peer, uint32_t spi_in);
/* The only writer of a pair's state. */
void child_become(struct ike *ike, struct child *c, enum child_state state);
struct child *child_find(struct ike *ike, uint32_t spi_in);
/* Orders one direction from the kernel with these keys. */
void child_install(struct ike *ike, struct child *c, enum ike_sa_dir dir);
/* Deletes the pair in the kernel; tells the client when tell is set. */
void child_end(struct ike *ike, struct child *c, bool tell);
/* Deletes an SA of p in the kernel that belongs to no pair. */
void child_delete_stray(
    struct ike *ike, const struct peer *p, enum ike_sa_dir dir, uint32_t spi);
/* The outer address of its peer changed. */
void child_moved(struct ike *ike, struct child *c);
void child_done(struct ike *ike, uint32_t spi_in, bool out, int error);
/* Asks the kernel whether c's inbound SA has carried something, on behalf
 * of the pair with spi_in. */
void child_query(
    struct ike *ike, struct child *c, enum job_kind kind, uint32_t spi_in);
void child_used(struct ike *ike, enum job_kind kind, uint32_t spi_in,
    const struct ike_event *ev);
/* An inbound SPI that is not in use; false when randomness fails. */
bool child_spi(struct ike *ike, uint32_t *spi);
void child_expire(struct ike *ike, const struct ike_event *ev);
/* Its limits in time, should the kernel's word have been lost. */
void child_timer(struct ike *ike, struct child *c);
/* Under sa the client deletes its inbound SPI, our outbound one: a pair that
 * sa has made, or, when sa hears us, any of p. */
bool child_deleted(
    struct ike *ike, struct peer *p, const struct ike_sa *sa, uint32_t spi_out);
void child_free(struct child *c);

/* save.c, save_sa.c, save_peer.c */
/* The object's description for both directions. */
void sa_store(struct store *s, struct ike *ike, struct ike_sa *sa);
void peer_store_all(struct store *s, struct ike *ike, struct peer *p);
/* After loading: each peer finds its newest IKE SA, timers are set. */
void ike_join_peers(struct ike *ike);
void ike_set_deadlines(struct ike *ike);

/* records.c */
/* The object changed: its record is written with this turn; or only when
 * it is touched again, as nobody has seen the change yet. */
void sa_touch(struct ike *ike, struct ike_sa *sa);
void sa_touch_later(struct ike *ike, struct ike_sa *sa);
void peer_touch(struct ike *ike, struct peer *p);
void peer_touch_later(struct ike *ike, struct peer *p);
/* It is about to be worked on. */
void sa_work(struct ike *ike, struct ike_sa *sa);
void peer_work(struct ike *ike, struct peer *p);
/* Whether a record has these; the others are done again by who began. */
bool quick_is_recorded(const struct quick *q);
bool child_is_recorded(const struct child *c);
void records_free(struct records *r);

/* resume.c */
/* IKE_EV_RESUME, IKE_EV_HELD, IKE_EV_HELD_END */
void resume_begin(struct ike *ike);
void resume_held(struct ike *ike, const struct ike_event *ev);
void resume_end(struct ike *ike);

/* main_mode.c */
void main_input(struct ike *ike, struct message *m);
void main_dh_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev);
void main_psk_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev);
void main_trial_done(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev);
void main_five_free(struct main_five *five);

/* quick_mode.c */
void quick_input(struct ike *ike, struct ike_sa *sa, struct message *m);
/*
 * Starts a Quick Mode as initiator, under an SA that is up.  peer: whose
 * pair of IPsec SAs is renewed; NULL (only when sa has a persona): a new
 * one, with the persona's selectors.
 */
void quick_start(struct ike *ike, struct ike_sa *sa, struct peer *peer);
void quick_dh_done(
    struct ike *ike, struct quick *q, const struct ike_event *ev);
/* The peer is ready, or can't be had: goes on with, or ends, its QMs. */
void quick_peer_ready(struct ike *ike, struct peer *p);
void quick_peer_failed(struct ike *ike, struct peer *p, const char *why);
/* The peer is ready: SPI, keys, the inbound SA. */
void quick_order_inbound(struct ike *ike, struct quick *q);
void quick_inbound_done(struct ike *ike, struct quick *q, struct child *c);
/* What the kernel says about the inbound SA of a Quick Mode without its
 * message 3. */
void quick_used(struct ike *ike, struct quick *q, struct child *c, bool used);
/* The only writer of a Quick Mode's state. */
void quick_become(struct ike *ike, struct quick *q, enum quick_state state);
/* The same, and DEAD; the shell is told why when it was to be the first of a
 * connection of ours. */
void quick_fail(struct ike *ike, struct quick *q, const char *why);
struct quick *quick_find(struct ike_sa *sa, uint32_t msgid);
void quick_timer(struct ike *ike, struct quick *q);
void quick_free(struct quick *q);

/* info.c */
void info_input(struct ike *ike, struct ike_sa *sa, struct message *m);
void info_delete_esp(struct ike *ike, struct ike_sa *sa, uint32_t spi_in);
void info_delete_sa(struct ike *ike, struct ike_sa *sa);
/* The client does not answer: the IKE SA and whatever R it serves go. */
void info_dead(struct ike *ike, struct ike_sa *sa, const char *reason);
/* A protected Notification of this type, without SPI or data. */
void info_notify(
    struct ike *ike, struct ike_sa *sa, uint8_t protocol, uint16_t type);
/* Anything authenticated proves that the client lives. */
void info_heard(struct ike *ike, struct ike_sa *sa);
/* The IKE SA is new: probe it when it stays silent. */
void info_dpd_start(struct ike *ike, struct ike_sa *sa);
/* sa moved: an answer to what was asked elsewhere proves nothing here. */
void info_dpd_skip(struct ike *ike, struct ike_sa *sa);
void info_dpd_timer(struct ike *ike, struct ike_sa *sa);

#endif
