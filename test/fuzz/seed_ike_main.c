/* SPDX-License-Identifier: ISC */
/* Seeds of fuzz_ike with a Main Mode, of either side; for seed_ike.c. */
#include "test/fuzz/seed_ike.h"

static const struct ike_suite ike_modp[] = {
    {IKE_CIPHER_AES, 256, IKE_HASH_SHA256, IKE_GROUP_MODP2048}};
static const struct ike_suite ike_ecp[] = {
    {IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_ECP256}};
static const struct ike_suite ike_windows[] = {
    {IKE_CIPHER_AES, 256, IKE_HASH_SHA1, IKE_GROUP_MODP2048}};
static const struct ike_suite ike_routeros[] = {
    {IKE_CIPHER_AES, 128, IKE_HASH_SHA1, IKE_GROUP_MODP2048}};
static const struct ike_suite ike_refused[] = {
    {IKE_CIPHER_3DES, 0, IKE_HASH_MD5, IKE_GROUP_MODP1024},
    {IKE_CIPHER_AES, 192, IKE_HASH_SHA512, IKE_GROUP_ECP521}};
static const struct ike_suite esp_windows[] = {
    {ESP_AES, 256, ESP_AUTH_SHA1, 0}};
static const struct ike_suite esp_pfs2[] = {
    {ESP_AES, 256, ESP_AUTH_SHA1, IKE_GROUP_MODP1024}};

static void sa1(struct chain *c, const struct ike_suite *suites, size_t count,
    uint32_t seconds)
{
	chain_sa(c, &(struct sa_offer_spec){.phase = SA_PHASE1,
			.suites = suites,
			.suite_count = count,
			.life_seconds = seconds});
}

/* --- Main Mode as responder ---------------------------------------------- */

/* Host 7: no NAT that the base's client is behind. */
#define HOST 14

static const enum vendor natt_vendors[] = {
    VENDOR_NATT_RFC3947, VENDOR_DPD, VENDOR_FRAGMENTATION};
static const enum vendor draft_vendors[] = {
    VENDOR_NATT_02_LF, VENDOR_MS_NT5, VENDOR_FRAGMENTATION_16};
static const enum vendor old_vendors[] = {
    VENDOR_NATT_00, VENDOR_NATT_DRAFT, VENDOR_UNITY};

/* Messages 1 to 4, with three Vendor IDs; the same group as suite's. */
static void main_to_4(struct input *in, uint8_t host,
    const struct ike_suite *suite, const enum vendor *vendors, uint32_t seconds)
{
	bool is_ecp = suite->group == IKE_GROUP_ECP256;
	size_t hash_len = suite->hash == IKE_HASH_SHA1 ? 20 : 32;
	uint8_t nat_d = vendors == draft_vendors ? ISAKMP_PAYLOAD_NAT_D_DRAFT
						 : ISAKMP_PAYLOAD_NAT_D;
	struct chain c;

	chain_begin(&c);
	sa1(&c, suite, 1, seconds);
	for (int i = 0; i < 3 && vendors; i++)
		chain_vendor(&c, vendors[i]);
	put_datagram(in, host, &c);
	put_datagram(in, host, &c);
	chain_begin(&c);
	chain_fill(&c, ISAKMP_PAYLOAD_KE, 5, is_ecp ? 64 : 256);
	chain_put(&c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
	if (vendors) {
		chain_fill(&c, nat_d, 1, hash_len);
		chain_fill(&c, nat_d, 2, hash_len);
	}
	put_main(in, 0, &c);
	put_op(in, FUZZ_IKE_SAVE, 0);
	put_answers(in, 0);
}

static void seed_main(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	main_to_4(&in, HOST, ike_modp, natt_vendors, 28800);
	chain_begin(&c);
	chain_address(&c, "10.0.0.3", 0, 0);
	chain_notify(&c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_INITIAL_CONTACT, "",
	    wire_span_of(NULL, 0));
	put_main(&in, MATE_SEALED | MATE_NO_HASH | MATE_FLOAT, &c);
	/* The same without the Notification: HASH_I comes last. */
	chain_begin(&c);
	chain_address(&c, "10.0.0.3", 0, 0);
	put_main(&in, MATE_SEALED | MATE_FLOAT, &c);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_op(&in, FUZZ_IKE_AGAIN, 0);
	put_main(&in, MATE_SEALED | MATE_FLOAT, &c);
	quick(&in, 1, IPSEC_ENCAP_UDP_TRANSPORT);
	/* Two parts make one. */
	put_op(&in, FUZZ_IKE_PART, 12);
	quick(&in, 2, IPSEC_ENCAP_UDP_TRANSPORT);
	input_end(&in, dir, "main");
}

/* Two keys, one of them bound to a name; drafts; no NAT. */
static void seed_main_keys(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	main_to_4(&in, HOST, ike_ecp, draft_vendors, 0);
	chain_begin(&c);
	chain_id(&c, IPSEC_ID_FQDN, 0, 0, "X", 1);
	chain_notify(&c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_INITIAL_CONTACT, "",
	    wire_span_of(NULL, 0));
	put_main(&in, MATE_SEALED | MATE_FLOAT, &c);
	main_to_4(&in, HOST, ike_ecp, NULL, 600);
	chain_begin(&c);
	chain_id(&c, IPSEC_ID_USER_FQDN, 17, 4500, "a@b", 3);
	put_main(&in, MATE_SEALED, &c);
	chain_begin(&c);
	chain_id(&c, IPSEC_ID_KEY_ID, 17, 500, "\0\1", 2);
	put_main(&in, MATE_SEALED, &c);
	quick(&in, 1, IPSEC_ENCAP_TRANSPORT);
	input_end(&in, dir, "main_keys");
}

/* What does not get to message 4. */
static void seed_main_refused(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	chain_begin(&c);
	sa1(&c, ike_refused, 2, 28800);
	put_datagram(&in, HOST, &c);
	chain_begin(&c); /* DOI and situation that nobody has */
	chain_put(&c, ISAKMP_PAYLOAD_SA, "\0\0\0\2\0\0\0\1\0\0\0\0", 12);
	put_datagram(&in, HOST, &c);
	chain_begin(&c);
	chain_put(&c, ISAKMP_PAYLOAD_SA, "\0\0\0\1\0\0\0\7\0\0\0\0", 12);
	put_datagram(&in, HOST, &c);
	for (uint8_t x = 0; x < 8; x++) { /* exchanges, version, cookies */
		chain_begin(&c);
		sa1(&c, ike_ecp, 1, 28800);
		c.buf[18] = x < 5 ? (uint8_t)(x + 3) : 2;
		c.buf[17] = x == 5 ? 0x20 : ISAKMP_VERSION;
		c.buf[8] = x == 6;
		c.buf[19] = x == 7 ? ISAKMP_FLAG_ENCRYPTED : 0;
		put_datagram(&in, HOST, &c);
	}
	/* Old NAT traversal, a bad KE, no key, a failing thread. */
	main_to_4(&in, HOST, ike_ecp, old_vendors, 28800);
	main_to_4(&in, HOST, ike_ecp, NULL, 100);
	put_op(&in, FUZZ_IKE_TICK, 90);
	input_end(&in, dir, "main_refused");
}

/* Its jobs fail; its message 5 is wrong; it never comes. */
static void seed_main_fails(const char *dir)
{
	struct chain c;
	struct input in;

	for (uint8_t way = 0; way < 3; way++) {
		static const char *const names[] = {
		    "main_job_fails", "main_no_key", "main_wrong_5"};

		input_begin(&in);
		chain_begin(&c);
		sa1(&c, ike_ecp, 1, 28800);
		put_datagram(&in, HOST, &c);
		chain_begin(&c);
		chain_fill(&c, ISAKMP_PAYLOAD_KE, 5, 64);
		chain_put(&c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
		put_main(&in, 0, &c);
		put_op(&in, FUZZ_IKE_ANSWER,
		    way ? 0 : FUZZ_IKE_ERROR | FUZZ_IKE_INVALID);
		put_op(&in, FUZZ_IKE_ANSWER,
		    way == 1 ? FUZZ_IKE_ERROR : FUZZ_IKE_MORE);
		chain_begin(&c);
		chain_address(&c, "10.0.0.3", 0, 0);
		for (uint8_t i = 0; i < 8; i++)
			put_main(&in, MATE_SEALED | MATE_NO_HASH, &c);
		chain_begin(&c);
		chain_address(&c, "10.0.0.3", 6, 25);
		put_main(&in, MATE_SEALED, &c);
		put_op(&in, FUZZ_IKE_TICK, 70);
		input_end(&in, dir, names[way]);
	}
}

/* --- Main Mode as initiator ---------------------------------------------- */

/* Messages 2, 4 and 6 of a Main Mode that the machine began. */
static void answer_main(
    struct input *in, uint8_t how, const struct ike_suite *suite)
{
	size_t hash_len = suite->hash == IKE_HASH_SHA1 ? 20 : 32;
	struct chain c;

	chain_begin(&c);
	sa1(&c, suite, 1, 28800);
	chain_vendor(&c, VENDOR_NATT_RFC3947);
	chain_vendor(&c, VENDOR_DPD);
	put_main(in, how, &c);
	put_op(in, FUZZ_IKE_SAVE, 0);
	put_answers(in, 0);
	chain_begin(&c);
	chain_fill(&c, ISAKMP_PAYLOAD_KE, 7, 256);
	chain_put(&c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
	chain_fill(&c, ISAKMP_PAYLOAD_NAT_D, 1, hash_len);
	chain_fill(&c, ISAKMP_PAYLOAD_NAT_D, 2, hash_len);
	put_main(in, how, &c);
	put_op(in, FUZZ_IKE_SAVE, 0);
	put_answers(in, 0);
	chain_begin(&c);
	chain_address(&c, "203.0.113.77", 0, 0);
	put_main(in, MATE_SEALED | MATE_FLOAT, &c);
	put_op(in, FUZZ_IKE_SAVE, 0);
}

static void seed_connect(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_CONNECT);
	answer_main(&in, 0, ike_modp);
	quick2(&c, esp_two, WORLD_SERVER, "203.0.113.77");
	put_quick2(&in, &c);
	put_answers(&in, 0);
	put_answers(&in, 0);
	put_answers(&in, 0);
	put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_REKEY_ESP);
	put_quick2(&in, &c);
	put_answers(&in, 0);
	put_op(&in, FUZZ_IKE_TICK, 6);
	put_answers(&in, FUZZ_IKE_MORE);
	put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_REKEY);
	answer_main(&in, MATE_FLOAT, ike_modp);
	put_op(&in, FUZZ_IKE_TICK, 70);
	put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_CLOSE);
	input_end(&in, dir, "connect");
}

/* Nobody answers, or with hints, or wrongly. */
static void seed_connect_fails(const char *dir)
{
	static const enum fuzz_ike_answer errors[] = {
	    FUZZ_IKE_ERROR, FUZZ_IKE_ERROR | FUZZ_IKE_INVALID};
	struct chain c;
	struct input in;

	input_begin(&in);
	for (uint8_t i = 0; i < 2; i++) {
		put_op(&in, FUZZ_IKE_CONN,
		    (uint8_t)(FUZZ_IKE_CONNECT | (i + 1) << 2));
		chain_begin(&c);
		sa1(&c, ike_ecp, 1, 0);
		put_main(&in, 0, &c);
		chain_begin(&c);
		chain_put(&c, ISAKMP_PAYLOAD_NONCE, "short", 5);
		put_main(&in, 0, &c);
	}
	for (uint8_t i = 0; i < 2; i++) {
		put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_CONNECT);
		chain_begin(&c);
		sa1(&c, ike_modp, 1, 60);
		put_main(&in, 0, &c);
		put_answers(&in, (uint8_t)errors[i]);
	}
	put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_CONNECT);
	chain_begin(&c);
	chain_notify(&c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_NO_PROPOSAL_CHOSEN, "",
	    wire_span_of(NULL, 0));
	put_main(&in, MATE_INFO, &c);
	for (int i = 0; i < 7; i++)
		put_op(&in, FUZZ_IKE_TICK, 40);
	input_end(&in, dir, "connect_fails");
}

/* As one of the personas (test/lib/personas.c): 0 is Windows. */
static void seed_connect_as(const char *dir, const char *name, uint8_t persona,
    const struct ike_suite *suite, const struct ike_suite *esp)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	put_op(&in, FUZZ_IKE_CONN,
	    (uint8_t)(FUZZ_IKE_CONNECT | (persona + 1) << 2));
	answer_main(&in, 0, suite);
	put_answers(&in, 0);
	quick2(&c, esp, WORLD_SERVER, "203.0.113.77");
	put_quick2(&in, &c);
	put_answers(&in, 0);
	put_answers(&in, 0);
	put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_REKEY_ESP);
	put_op(&in, FUZZ_IKE_TICK, 40);
	put_op(&in, FUZZ_IKE_CONN, FUZZ_IKE_CLOSE);
	input_end(&in, dir, name);
}

/* --- renewals of the IKE SA, moves, ends --------------------------------- */

/* A short life: the machine begins Main Mode with its client. */
static void seed_rekey_main(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	main_to_4(&in, HOST, ike_modp, NULL, 1200);
	chain_begin(&c);
	chain_address(&c, "203.0.113.77", 0, 0);
	put_main(&in, MATE_SEALED, &c);
	quick(&in, 1, IPSEC_ENCAP_TRANSPORT);
	put_op(&in, FUZZ_IKE_TICK, 138); /* 1131 s */
	put_op(&in, FUZZ_IKE_TICK, 20);	 /* 1141 s */
	answer_main(&in, 0, ike_modp);
	put_op(&in, FUZZ_IKE_TICK, 70);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_op(&in, FUZZ_IKE_TICK, 130);
	input_end(&in, dir, "rekey_main");
}

/* The engine crashed: the pair lives, its IKE SA is gone. */
static void seed_held(const char *dir)
{
	struct input in;

	input_begin(&in);
	put_op(&in, FUZZ_IKE_HELD, 0);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_op(&in, FUZZ_IKE_PEER, 2); /* ready */
	put_op(&in, FUZZ_IKE_KERNEL, 0);
	answer_main(&in, 0, ike_modp);
	put_op(&in, FUZZ_IKE_TICK, 62);
	put_op(&in, FUZZ_IKE_HELD, 9);
	put_record(
	    &in, FUZZ_IKE_HELD, 0, wire_span_of("\0\1 a damaged note", 16));
	put_op(&in, FUZZ_IKE_TICK, 62);
	input_end(&in, dir, "held");
}

static void seed_ends(const char *dir)
{
	struct input in;

	input_begin(&in);
	for (uint8_t arg = 0; arg < 8; arg++)
		put_op(&in, FUZZ_IKE_KERNEL, arg);
	put_op(&in, FUZZ_IKE_KERNEL, 8 | 1); /* another port */
	for (uint8_t arg = 0; arg < 5; arg++)
		put_op(&in, FUZZ_IKE_PEER, arg);
	put_op(&in, FUZZ_IKE_SAVE, 1);
	put_op(&in, FUZZ_IKE_SAVE, 0x90);
	put_op(&in, FUZZ_IKE_TICK, 255);
	input_end(&in, dir, "ends");
}

/* More at a time than are kept; each from its own neighbourhood but two. */
static void seed_crowd(const char *dir)
{
	struct input in;

	input_begin(&in);
	for (uint8_t host = 10; host < 15; host++)
		main_to_4(&in, (uint8_t)(host << 1), ike_ecp, NULL, 600);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_op(&in, FUZZ_IKE_TICK, 20);
	put_op(&in, FUZZ_IKE_TICK, 60);
	input_end(&in, dir, "crowd");
}

/* Another client at the place of the base's. */
static void seed_displaced(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	main_to_4(&in, 1, ike_ecp, NULL, 600);
	chain_begin(&c);
	chain_id(&c, IPSEC_ID_FQDN, 0, 0, "another", 7);
	put_main(&in, MATE_SEALED, &c);
	quick(&in, 1, IPSEC_ENCAP_TRANSPORT);
	put_op(&in, FUZZ_IKE_PEER, 1);
	put_op(&in, FUZZ_IKE_TICK, 60);
	input_end(&in, dir, "displaced");
}

/* Neither the monitor nor l2tpd says a word. */
static void seed_deaf(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	for (uint8_t i = 0; i < 2; i++) {
		chain_begin(&c);
		sa2(&c, esp_two, 2, "\1\2\3\4", IPSEC_ENCAP_UDP_TRANSPORT);
		chain_put(&c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
		chain_address(&c, "10.0.0.2", 17, (uint16_t)(50000 + i));
		chain_address(&c, WORLD_SERVER, 17, 1701);
		put_quick1(&in, i, &c);
		if (i)
			put_op(&in, FUZZ_IKE_ANSWER, 0);
		put_op(&in, FUZZ_IKE_TICK, 24);
	}
	put_answers(&in, 0);
	put_op(&in, FUZZ_IKE_TICK, 24);
	input_end(&in, dir, "deaf");
}

static void seed_moves(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	put_op(&in, FUZZ_IKE_KERNEL, 8 | 1);
	put_op(&in, FUZZ_IKE_TICK, 4);
	put_op(&in, FUZZ_IKE_KERNEL, 16 | 1);
	put_op(&in, FUZZ_IKE_MOVE, 9);
	chain_begin(&c);
	chain_notify(&c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_R_U_THERE,
	    FUZZ_IKE_COOKIES, wire_span_of("\0\0\0\1", 4));
	put_info(&in, 1, &c);
	quick(&in, 2, IPSEC_ENCAP_UDP_TRANSPORT);
	put_op(&in, FUZZ_IKE_PEER, 0);
	put_op(&in, FUZZ_IKE_TICK, 30);
	put_op(&in, FUZZ_IKE_TICK, 160); /* 3300 s */
	input_end(&in, dir, "moves");
}

void seed_ike_main(const char *dir)
{
	seed_main(dir);
	seed_main_keys(dir);
	seed_main_refused(dir);
	seed_main_fails(dir);
	seed_connect(dir);
	seed_connect_fails(dir);
	seed_connect_as(dir, "connect_windows", 0, ike_windows, esp_windows);
	seed_connect_as(dir, "connect_ios", 1, ike_modp, esp_two);
	seed_connect_as(dir, "connect_routeros", 6, ike_routeros, esp_pfs2);
	seed_rekey_main(dir);
	seed_crowd(dir);
	seed_displaced(dir);
	seed_deaf(dir);
	seed_held(dir);
	seed_moves(dir);
	seed_ends(dir);
}
