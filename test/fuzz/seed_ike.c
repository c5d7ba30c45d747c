/* SPDX-License-Identifier: ISC */
/*
 * Writes the seeds of fuzz_ike to the directory that it is given: each is
 * the story of one client, or of one connection of ours.  Here what happens
 * under the IKE SA that is there already; seed_ike_main.c has the others.
 */
#include "test/fuzz/seed_ike.h"

static const struct ike_suite esp_pfs[] = {
    {ESP_AES, 256, ESP_AUTH_SHA1, IKE_GROUP_MODP2048}};
static const struct ike_suite esp_refused[] = {
    {ESP_3DES, 0, ESP_AUTH_MD5, IKE_GROUP_MODP1024}, {ESP_NULL, 0, 1, 0}};

/* --- Quick Mode that the client begins ----------------------------------- */

static void seed_quick(const char *dir, const char *name, uint16_t encap)
{
	struct input in;

	input_begin(&in);
	quick(&in, 1, encap);
	put_op(&in, FUZZ_IKE_TICK, 200);
	input_end(&in, dir, name);
}

/* PFS and both NAT-OA; message 3 is late, the first packet comes before. */
static void seed_quick_pfs(const char *dir)
{
	struct chain c;
	struct input in;

	chain_begin(&c);
	sa2(&c, esp_pfs, 1, "\x0a\x0b\x0c\x0d", IPSEC_ENCAP_UDP_TRANSPORT);
	chain_put(&c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
	chain_fill(&c, ISAKMP_PAYLOAD_KE, 5, 256);
	chain_address(&c, "10.0.0.2", 17, 0);
	chain_address(&c, WORLD_SERVER, 17, 1701);
	/* RFC 3947 section 5.2: type, three zeros, address */
	chain_put(&c, ISAKMP_PAYLOAD_NAT_OA, "\1\0\0\0\12\0\0\2", 8);
	chain_put(&c, ISAKMP_PAYLOAD_NAT_OA, "\1\0\0\0\xc6\x33\x64\1", 8);
	input_begin(&in);
	put_quick1(&in, 1, &c);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_answers(&in, 0);
	put_answers(&in, 0);
	put_quick1(&in, 1, &c); /* again: the cached answer */
	for (int i = 0; i < 4; i++) {
		put_op(&in, FUZZ_IKE_TICK, 1 << i);
		put_answers(&in, 0);
	}
	put_op(&in, FUZZ_IKE_QUICK3, 0);
	put_op(&in, FUZZ_IKE_TICK, 4);
	put_answers(&in, FUZZ_IKE_MORE);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	input_end(&in, dir, "quick_pfs");
}

/* Each for another reason. */
static void seed_quick_refused(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	chain_begin(&c);
	sa2(&c, esp_refused, 2, "\1\2\3\4", IPSEC_ENCAP_UDP_TRANSPORT);
	quick_tail(&c);
	put_quick1(&in, 1, &c);
	chain_begin(&c); /* a KE without group */
	sa2(&c, esp_two, 1, "\1\2\3\4", IPSEC_ENCAP_UDP_TRANSPORT);
	quick_tail(&c);
	chain_fill(&c, ISAKMP_PAYLOAD_KE, 5, 256);
	put_quick1(&in, 2, &c);
	chain_begin(&c); /* an SPI that is reserved */
	sa2(&c, esp_two, 1, "\0\0\0\1", IPSEC_ENCAP_UDP_TRANSPORT);
	quick_tail(&c);
	put_quick1(&in, 3, &c);
	chain_begin(&c); /* names, and another port */
	sa2(&c, esp_two, 1, "\1\2\3\4", IPSEC_ENCAP_UDP_TRANSPORT);
	chain_put(&c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
	chain_id(&c, IPSEC_ID_FQDN, 17, 1701, "a.name", 6);
	chain_address(&c, WORLD_SERVER, 6, 80);
	put_quick1(&in, 4, &c);
	chain_begin(&c); /* a short nonce */
	sa2(&c, esp_two, 1, "\1\2\3\4", IPSEC_ENCAP_UDP_TRANSPORT);
	chain_put(&c, ISAKMP_PAYLOAD_NONCE, "short", 5);
	put_quick1(&in, 5, &c);
	chain_begin(&c); /* no nonce */
	sa2(&c, esp_two, 1, "\1\2\3\4", IPSEC_ENCAP_UDP_TRANSPORT);
	put_quick1(&in, 6, &c);
	input_end(&in, dir, "quick_refused");
}

/* Four different selectors, then one more; the kernel and l2tpd fail. */
static void seed_quick_many(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	for (uint8_t i = 0; i < 5; i++) {
		chain_begin(&c);
		sa2(&c, esp_two, 2, "\1\2\3\4", IPSEC_ENCAP_UDP_TRANSPORT);
		chain_put(&c, ISAKMP_PAYLOAD_NONCE, "nonce of sixteen", 16);
		chain_address(&c, "10.0.0.2", 17, (uint16_t)(50000 + i));
		chain_address(&c, WORLD_SERVER, 17, 1701);
		put_quick1(&in, i, &c);
		put_op(&in, FUZZ_IKE_ANSWER, i == 1 ? FUZZ_IKE_ERROR : 0);
		put_op(&in, FUZZ_IKE_ANSWER, i == 2 ? FUZZ_IKE_ERROR : 0);
		put_op(&in, FUZZ_IKE_ANSWER, i == 3 ? FUZZ_IKE_ERROR : 0);
		put_op(&in, FUZZ_IKE_QUICK3, 0);
	}
	put_op(&in, FUZZ_IKE_TICK, 30);
	put_op(&in, FUZZ_IKE_TICK, 127);
	input_end(&in, dir, "quick_many");
}

/* --- Quick Mode that the machine begins ---------------------------------- */

/* The pair of the base is renewed, with a shorter life. */
static void seed_renewal(const char *dir)
{
	struct chain c;
	struct input in;

	quick2(&c, esp_two, WORLD_SERVER, "10.0.0.2");
	/* RFC 2407 section 4.6.3.1: 600 seconds, 4096 kilobytes */
	chain_notify(&c, ISAKMP_PROTO_ESP, ISAKMP_N_RESPONDER_LIFETIME,
	    "\x0a\x0b\x0c\x0e",
	    wire_span_of("\x80\1\0\1\0\2\0\4\0\0\2\x58"
			 "\x80\1\0\2\x80\2\x10\0",
		20));
	input_begin(&in);
	put_op(&in, FUZZ_IKE_KERNEL, 0); /* soft limit */
	put_op(&in, FUZZ_IKE_TICK, 2);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_quick2(&in, &c);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_SAVE, 0);
	put_quick2(&in, &c);
	put_op(&in, FUZZ_IKE_TICK, 1);
	put_op(&in, FUZZ_IKE_ANSWER, FUZZ_IKE_MORE);
	put_op(&in, FUZZ_IKE_ANSWER, 0);
	put_op(&in, FUZZ_IKE_TICK, 80);
	put_op(&in, FUZZ_IKE_ANSWER, FUZZ_IKE_MORE);
	put_op(&in, FUZZ_IKE_TICK, 80);
	put_op(&in, FUZZ_IKE_KERNEL, 4); /* hard limit */
	input_end(&in, dir, "renewal");
}

/* It says no, answers badly, does not answer; the client renews itself. */
static void seed_renewal_refused(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	put_op(&in, FUZZ_IKE_KERNEL, 0);
	chain_begin(&c);
	chain_notify(&c, ISAKMP_PROTO_ESP, ISAKMP_N_NO_PROPOSAL_CHOSEN, "",
	    wire_span_of(NULL, 0));
	put_info(&in, 1, &c);
	put_op(&in, FUZZ_IKE_TICK, 30);
	put_op(&in, FUZZ_IKE_TICK, 1);
	quick2(&c, esp_pfs, WORLD_SERVER, "10.0.0.2");
	put_quick2(&in, &c);
	put_op(&in, FUZZ_IKE_TICK, 32);
	quick2(&c, esp_two, "10.0.0.2", WORLD_SERVER);
	put_quick2(&in, &c);
	put_op(&in, FUZZ_IKE_TICK, 32);
	put_op(&in, FUZZ_IKE_TICK, 90);
	quick(&in, 2, IPSEC_ENCAP_UDP_TRANSPORT);
	input_end(&in, dir, "renewal_refused");
}

/* --- Informational ------------------------------------------------------- */

static void seed_info(const char *dir)
{
	const struct wire_span one = wire_span_of("\0\0\0\1", 4);
	struct chain c;
	struct input in;

	input_begin(&in);
	chain_begin(&c);
	chain_notify(
	    &c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_R_U_THERE, FUZZ_IKE_COOKIES, one);
	chain_notify(&c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_R_U_THERE_ACK,
	    FUZZ_IKE_COOKIES, one);
	chain_notify(&c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_R_U_THERE, "odd", one);
	put_info(&in, 1, &c);
	chain_begin(&c);
	chain_notify(&c, ISAKMP_PROTO_ESP, ISAKMP_N_CONNECTED, "\1\2\3\4",
	    wire_span_of(NULL, 0));
	put_info(&in, 2, &c);
	put_info(&in, 2, &c); /* replayed */
	chain_begin(&c);
	chain_notify(&c, ISAKMP_PROTO_ISAKMP, ISAKMP_N_INITIAL_CONTACT, "",
	    wire_span_of(NULL, 0));
	chain_delete(&c, ISAKMP_PROTO_ESP, 4, "\1\2\3\4" FUZZ_IKE_SPI);
	put_info(&in, 3, &c);
	for (int i = 0; i < 12; i++) /* dead peer detection gives up */
		put_op(&in, FUZZ_IKE_TICK, 61);
	input_end(&in, dir, "info");
}

static void seed_delete(const char *dir)
{
	struct chain c;
	struct input in;

	input_begin(&in);
	quick(&in, 1, IPSEC_ENCAP_UDP_TRANSPORT);
	chain_begin(&c);
	chain_delete(&c, ISAKMP_PROTO_ESP, 4, FUZZ_IKE_SPI);
	put_info(&in, 2, &c);
	put_op(&in, FUZZ_IKE_MOVE, 7);
	chain_begin(&c);
	chain_delete(&c, ISAKMP_PROTO_ESP, 4, FUZZ_IKE_SPI);
	chain_delete(&c, ISAKMP_PROTO_ISAKMP, 16, FUZZ_IKE_COOKIES);
	chain_delete(&c, ISAKMP_PROTO_ISAKMP, 16, FUZZ_IKE_COOKIES);
	put_info(&in, 3, &c);
	put_op(&in, FUZZ_IKE_TICK, 127);
	put_answers(&in, 0);
	input_end(&in, dir, "delete");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	seed_quick(argv[1], "quick_natt", IPSEC_ENCAP_UDP_TRANSPORT);
	seed_quick(argv[1], "quick_tunnel", IPSEC_ENCAP_TUNNEL);
	seed_quick_pfs(argv[1]);
	seed_quick_refused(argv[1]);
	seed_quick_many(argv[1]);
	seed_renewal(argv[1]);
	seed_renewal_refused(argv[1]);
	seed_info(argv[1]);
	seed_delete(argv[1]);
	seed_ike_main(argv[1]);
	return 0;
}
