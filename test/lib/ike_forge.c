/* SPDX-License-Identifier: ISC */
/* Forging messages for tests; see the header. */
#include "test/lib/ike_forge.h"

#include "ikev1/core/payload_sa.h"
#include "ikev1/core/vendor.h"

#include <stdlib.h>
#include <string.h>

/* Of the log limit in saved state: it counts refusals, nothing else. */
#define LIMIT_POS 19
#define LIMIT_LEN 17

bool forge_copy(struct ikew *w, bool to_server, uint8_t *data, size_t *len)
{
	struct forge_copy *c = w->filter_ctx;

	if (to_server == c->from_server || c->len ||
	    (c->exchange && data[18] != c->exchange) || c->skip-- > 0)
		return true;
	memcpy(c->data, data, c->len = *len);
	return !c->stop;
}

size_t forge_message(uint8_t out[CLIENT_PACKET_MAX], uint8_t exchange,
    const uint8_t *cky_i, const uint8_t *cky_r, const struct forge_item *items,
    size_t count)
{
	struct isakmp_header h = {
	    .version = ISAKMP_VERSION,
	    .exchange = exchange,
	};
	struct isakmp_builder b;
	int len;

	if (cky_i)
		memcpy(h.cky_i, cky_i, sizeof(h.cky_i));
	if (cky_r)
		memcpy(h.cky_r, cky_r, sizeof(h.cky_r));
	isakmp_build_begin(&b, out, CLIENT_PACKET_MAX, &h);
	for (size_t i = 0; i < count; i++)
		isakmp_build_payload(&b, items[i].type,
		    (struct wire_span){items[i].body, items[i].len});
	len = isakmp_build_finish(&b, 0);
	if (len < 0)
		abort();
	return (size_t)len;
}

size_t forge_sa(uint8_t out[256], const char *suite)
{
	struct ike_suite one = ikew_suite(true, suite);
	struct sa_offer_spec spec = {
	    .phase = SA_PHASE1,
	    .suites = &one,
	    .suite_count = 1,
	    .life_seconds = 28800,
	};
	struct wire_writer w;

	wire_writer_init(&w, out, 256);
	sa_encode_offer(&w, &spec);
	return w.pos;
}

size_t forge_first(uint8_t out[CLIENT_PACKET_MAX], uint64_t cky_i)
{
	struct wire_span natt = vendor_value(VENDOR_NATT_RFC3947);
	struct wire_span dpd = vendor_value(VENDOR_DPD);
	uint8_t sa[256], cookie[8];
	struct forge_item items[] = {
	    {ISAKMP_PAYLOAD_SA, sa, forge_sa(sa, "aes256-sha1-ecp256")},
	    {ISAKMP_PAYLOAD_VID, natt.data, natt.len},
	    {ISAKMP_PAYLOAD_VID, dpd.data, dpd.len},
	};

	for (int i = 0; i < 8; i++)
		cookie[i] = (uint8_t)(cky_i >> 8 * i);
	return forge_message(out, ISAKMP_EXCHANGE_MAIN, cookie, NULL, items, 3);
}

void forge_length(uint8_t *message, size_t len)
{
	for (int i = 0; i < 4; i++)
		message[24 + i] = (uint8_t)(len >> 8 * (3 - i));
}

static uint8_t *saved(const struct ikew *w, size_t *len)
{
	uint8_t *data = ike_save(w->ike, w->now, len);

	memset(data + LIMIT_POS, 0, LIMIT_LEN);
	return data;
}

void forge_remember(const struct ikew *w, struct forge_state *s)
{
	s->data = saved(w, &s->len);
}

bool forge_unchanged(const struct ikew *w, struct forge_state *s)
{
	size_t len;
	uint8_t *now = saved(w, &len);
	bool is_same = len == s->len && !memcmp(now, s->data, len);

	free(now);
	free(s->data);
	return is_same;
}
