/* SPDX-License-Identifier: ISC */
/*
 * Lifetimes of IPsec SAs: what was agreed, RESPONDER-LIFETIME (RFC 2407
 * section 4.6.3.1), and the kernel's limits that follow.
 *
 * Clients renew at 80 to 91 % of the lifetime; our soft limit comes after
 * that and before the client's own end of the SA.  The hard limit comes
 * after the client's: whoever still sends is still heard.
 */
#include "ikev1/core/quick_steps.h"

#include "ikev1/core/payload.h"

#define ESP_LIFE_MIN_S 60
#define ESP_LIFE_MAX_S (7 * 24 * 3600)
/* 100 MB.  Windows asks for 250: at a gigabit that is two seconds. */
#define ESP_LIFE_MIN_KB 102400
#define SOFT_BEFORE_MIN_S 10
#define ATTR_BASIC 0x8000 /* RFC 2408 section 3.3: the AF bit */

void quick_life_shorter(uint64_t *life, uint64_t other)
{
	if (other && (!*life || other < *life))
		*life = other;
}

/* One attribute: its value as a number; 0 for what is no lifetime. */
static uint64_t get_attr(struct wire_reader *r, uint16_t *type)
{
	uint64_t value = 0;
	struct wire_span body;
	uint16_t len;

	*type = wire_get_u16(r);
	len = *type & ATTR_BASIC ? 2 : wire_get_u16(r);
	*type &= (uint16_t)~ATTR_BASIC;
	body = wire_get_span(r, len);
	if (wire_error(r) || body.len > sizeof(value))
		return 0;
	for (size_t i = 0; i < body.len; i++)
		value = value << 8 | body.data[i];
	return value;
}

static void take_lifetimes(
    struct proposal_choice *choice, struct wire_span data)
{
	uint64_t life_type = 0;
	struct wire_reader r;

	wire_reader_init(&r, data.data, data.len);
	while (wire_left(&r) && !wire_error(&r)) {
		uint16_t type;
		uint64_t value = get_attr(&r, &type);

		if (wire_error(&r))
			return;
		if (type == IPSEC_ATTR_LIFE_TYPE)
			life_type = value;
		else if (type == IPSEC_ATTR_LIFE_DURATION &&
			 life_type == IKE_LIFE_SECONDS)
			quick_life_shorter(&choice->life_seconds, value);
		else if (type == IPSEC_ATTR_LIFE_DURATION &&
			 life_type == IKE_LIFE_KILOBYTES)
			quick_life_shorter(&choice->life_kilobytes, value);
	}
}

void quick_responder_lifetime(
    struct proposal_choice *choice, const struct isakmp_payloads *p)
{
	char reason[ISAKMP_REASON_MAX];
	struct payload_notify n;

	for (size_t i = 0; i < p->count; i++) {
		if (p->item[i].type == ISAKMP_PAYLOAD_NOTIFY &&
		    !payload_notify_decode(p->item[i].body, &n, reason) &&
		    n.type == ISAKMP_N_RESPONDER_LIFETIME &&
		    n.protocol == ISAKMP_PROTO_ESP)
			take_lifetimes(choice, n.data);
	}
}

bool quick_life_fit(struct proposal_choice *c)
{
	uint64_t s = c->life_seconds, kb = c->life_kilobytes;

	if (s < ESP_LIFE_MIN_S)
		c->life_seconds = ESP_LIFE_MIN_S;
	else if (s > ESP_LIFE_MAX_S)
		c->life_seconds = ESP_LIFE_MAX_S;
	if (kb && kb < ESP_LIFE_MIN_KB)
		c->life_kilobytes = ESP_LIFE_MIN_KB;
	return c->life_seconds != s || c->life_kilobytes != kb;
}

static void put_life(
    struct wire_writer *w, enum ike_life_type type, uint64_t value)
{
	if (!value)
		return;
	wire_put_u16(w, ATTR_BASIC | IPSEC_ATTR_LIFE_TYPE);
	wire_put_u16(w, (uint16_t)type);
	wire_put_u16(w, IPSEC_ATTR_LIFE_DURATION);
	wire_put_u16(w, sizeof(value));
	wire_put_u64(w, value);
}

void quick_put_lifetime(
    struct isakmp_builder *b, const struct proposal_choice *c, uint32_t spi_in)
{
	struct proposal_choice ours = *c;
	uint8_t spi[4], data[32];
	struct payload_notify n = {.doi = ISAKMP_DOI_IPSEC,
	    .protocol = ISAKMP_PROTO_ESP,
	    .type = ISAKMP_N_RESPONDER_LIFETIME,
	    .spi = {spi, sizeof(spi)}};
	struct wire_writer w;

	if (!quick_life_fit(&ours))
		return;
	wire_writer_init(&w, spi, sizeof(spi));
	wire_put_u32(&w, spi_in);
	wire_writer_init(&w, data, sizeof(data));
	put_life(&w, IKE_LIFE_SECONDS, ours.life_seconds);
	put_life(&w, IKE_LIFE_KILOBYTES, ours.life_kilobytes);
	n.data = (struct wire_span){data, w.pos};
	isakmp_build_open(b, ISAKMP_PAYLOAD_NOTIFY);
	payload_notify_encode(&b->w, &n);
	isakmp_build_close(b);
}

/* by: a number by chance that spreads the renewals of many clients. */
void quick_limits(
    struct ike_kernel_sa *sa, const struct proposal_choice *c, uint32_t by)
{
	struct proposal_choice ours = *c;
	uint64_t s, kb, before;

	quick_life_fit(&ours);
	s = ours.life_seconds;
	kb = ours.life_kilobytes;
	before = s / 32 + by % (s / 32 + 1);
	before = before < SOFT_BEFORE_MIN_S ? SOFT_BEFORE_MIN_S : before;
	/* One direction is enough for the time. */
	if (sa->dir == IKE_SA_IN)
		sa->soft_s = (uint32_t)(s - before);
	sa->hard_s = (uint32_t)(s + s / 10 + 60);
	if (!kb || kb >= UINT64_MAX / 2048)
		return;
	/* 90 to 95 % */
	sa->soft_bytes = kb * 922 + by % (kb * 51 + 1);
	sa->hard_bytes = kb * 1024 + kb * 256;
}

void quick_soft_at(
    struct ike_kernel_sa *sa, const struct proposal_choice *c, uint8_t percent)
{
	struct proposal_choice ours = *c;

	quick_life_fit(&ours);
	if (sa->soft_s)
		sa->soft_s = (uint32_t)(ours.life_seconds * percent / 100);
	if (sa->soft_bytes)
		sa->soft_bytes = ours.life_kilobytes * 1024 / 100 * percent;
}
