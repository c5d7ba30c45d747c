/* SPDX-License-Identifier: ISC */
/* Field tables of the messages between ikev1d's engine and monitor. */
#include "ikev1/im_msg.h"

#include <errno.h>
#include <string.h>

static const struct msg_field job_fields[] = {
    MSG_NUM(MSG_U32, struct im_job, job),
};

static const struct msg_field peer_fields[] = {
    MSG_NUM(MSG_U64, struct im_peer, r),
};

static const struct msg_field held_fields[] = {
    MSG_NUM(MSG_U64, struct im_held, r),
    MSG_NUM(MSG_U32, struct im_held, slot),
    MSG_BYTES_OF(struct im_held, live),
};

static const struct msg_field peer_new_done_fields[] = {
    MSG_NUM(MSG_U32, struct im_peer_new_done, job),
    MSG_NUM(MSG_I32, struct im_peer_new_done, error),
    MSG_NUM(MSG_U64, struct im_peer_new_done, r),
    MSG_NUM(MSG_U32, struct im_peer_new_done, slot),
};

static const struct msg_field psk_fields[] = {
    MSG_NUM(MSG_U32, struct im_psk, job),
    MSG_NUM(MSG_ADDR, struct im_psk, local),
    MSG_NUM(MSG_ADDR, struct im_psk, peer),
    MSG_NUM(MSG_U8, struct im_psk, use),
    MSG_NUM(MSG_U16, struct im_psk, entry),
    MSG_NUM(MSG_U16, struct im_psk, hash),
    MSG_BYTES_OF(struct im_psk, ni),
    MSG_BYTES_OF(struct im_psk, nr),
};

static const struct msg_field psk_done_fields[] = {
    MSG_NUM(MSG_U32, struct im_psk_done, job),
    MSG_NUM(MSG_I32, struct im_psk_done, error),
    MSG_NUM(MSG_U16, struct im_psk_done, count),
    MSG_BYTES_OF(struct im_psk_done, key),
};

static const struct msg_field trial_fields[] = {
    MSG_NUM(MSG_U32, struct im_trial, job),
    MSG_NUM(MSG_ADDR, struct im_trial, local),
    MSG_NUM(MSG_ADDR, struct im_trial, peer),
    MSG_NUM(MSG_U16, struct im_trial, cipher),
    MSG_NUM(MSG_U16, struct im_trial, key_bits),
    MSG_NUM(MSG_U16, struct im_trial, hash),
    MSG_BYTES_OF(struct im_trial, cky_i),
    MSG_BYTES_OF(struct im_trial, cky_r),
    MSG_BYTES_OF(struct im_trial, ni),
    MSG_BYTES_OF(struct im_trial, nr),
    MSG_BYTES_OF(struct im_trial, gxy),
    MSG_BYTES_OF(struct im_trial, gxi),
    MSG_BYTES_OF(struct im_trial, gxr),
    MSG_BYTES_OF(struct im_trial, sai),
    MSG_BYTES_OF(struct im_trial, five),
};

static const struct msg_field trial_done_fields[] = {
    MSG_NUM(MSG_U32, struct im_trial_done, job),
    MSG_NUM(MSG_I32, struct im_trial_done, error),
    MSG_BYTES_OF(struct im_trial_done, key),
    MSG_BYTES_OF(struct im_trial_done, lines),
};

static const struct msg_field sa_fields[] = {
    MSG_NUM(MSG_U32, struct im_sa, job),
    MSG_NUM(MSG_U64, struct im_sa, r),
    MSG_NUM(MSG_U32, struct im_sa, slot),
    MSG_NUM(MSG_U8, struct im_sa, dir),
    MSG_NUM(MSG_U32, struct im_sa, spi),
    MSG_NUM(MSG_ADDR, struct im_sa, src),
    MSG_NUM(MSG_ADDR, struct im_sa, dst),
    MSG_NUM(MSG_U8, struct im_sa, encap),
    MSG_NUM(MSG_U16, struct im_sa, cipher),
    MSG_NUM(MSG_U16, struct im_sa, auth),
    MSG_NUM(MSG_U16, struct im_sa, trunc_bits),
    MSG_BYTES_OF(struct im_sa, enc_key),
    MSG_BYTES_OF(struct im_sa, auth_key),
    MSG_NUM(MSG_U32, struct im_sa, soft_s),
    MSG_NUM(MSG_U32, struct im_sa, hard_s),
    MSG_NUM(MSG_U64, struct im_sa, soft_bytes),
    MSG_NUM(MSG_U64, struct im_sa, hard_bytes),
};

static const struct msg_field sa_add_done_fields[] = {
    MSG_NUM(MSG_U32, struct im_sa_add_done, job),
    MSG_NUM(MSG_I32, struct im_sa_add_done, error),
    MSG_NUM(MSG_U64, struct im_sa_add_done, r),
    MSG_NUM(MSG_U32, struct im_sa_add_done, spi),
};

static const struct msg_field sa_ref_fields[] = {
    MSG_NUM(MSG_U64, struct im_sa_ref, r),
    MSG_NUM(MSG_U8, struct im_sa_ref, dir),
    MSG_NUM(MSG_U32, struct im_sa_ref, spi),
    MSG_NUM(MSG_ADDR, struct im_sa_ref, src),
    MSG_NUM(MSG_ADDR, struct im_sa_ref, dst),
};

static const struct msg_field sa_query_fields[] = {
    MSG_NUM(MSG_U32, struct im_sa_query, job),
    MSG_NUM(MSG_U64, struct im_sa_query, r),
    MSG_NUM(MSG_U8, struct im_sa_query, dir),
    MSG_NUM(MSG_U32, struct im_sa_query, spi),
};

static const struct msg_field sa_used_fields[] = {
    MSG_NUM(MSG_U32, struct im_sa_used, job),
    MSG_NUM(MSG_I32, struct im_sa_used, error),
    MSG_NUM(MSG_U64, struct im_sa_used, r),
    MSG_NUM(MSG_U32, struct im_sa_used, spi),
    MSG_NUM(MSG_U64, struct im_sa_used, packets),
};

static const struct msg_field sa_stats_fields[] = {
    MSG_NUM(MSG_U32, struct im_sa_stats, request),
    MSG_NUM(MSG_U32, struct im_sa_stats, row),
    MSG_NUM(MSG_U64, struct im_sa_stats, r),
    MSG_NUM(MSG_U32, struct im_sa_stats, spi_in),
    MSG_NUM(MSG_U32, struct im_sa_stats, spi_out),
};

static const struct msg_field sa_stats_done_fields[] = {
    MSG_NUM(MSG_U32, struct im_sa_stats_done, request),
    MSG_NUM(MSG_U32, struct im_sa_stats_done, row),
    MSG_NUM(MSG_I32, struct im_sa_stats_done, error),
    MSG_NUM(MSG_U64, struct im_sa_stats_done, packets_in),
    MSG_NUM(MSG_U64, struct im_sa_stats_done, bytes_in),
    MSG_NUM(MSG_U64, struct im_sa_stats_done, packets_out),
    MSG_NUM(MSG_U64, struct im_sa_stats_done, bytes_out),
};

static const struct msg_field sa_event_fields[] = {
    MSG_NUM(MSG_U64, struct im_sa_event, r),
    MSG_NUM(MSG_U32, struct im_sa_event, spi),
    MSG_NUM(MSG_U8, struct im_sa_event, hard),
    MSG_NUM(MSG_ADDR, struct im_sa_event, peer),
};

static const struct msg_desc descs[] = {
    MSG_DESC(IM_PEER_NEW, struct im_job, job_fields),
    MSG_DESC(IM_PSK, struct im_psk, psk_fields),
    MSG_DESC(IM_TRIAL, struct im_trial, trial_fields),
    MSG_DESC(IM_SA_ADD, struct im_sa, sa_fields),
    MSG_DESC(IM_SA_DEL, struct im_sa_ref, sa_ref_fields),
    MSG_DESC(IM_SA_ENCAP, struct im_sa_ref, sa_ref_fields),
    MSG_DESC(IM_SA_QUERY, struct im_sa_query, sa_query_fields),
    MSG_DESC(IM_PEER_END, struct im_peer, peer_fields),
    MSG_DESC(IM_SA_STATS, struct im_sa_stats, sa_stats_fields),
    MSG_DESC(IM_LINK_WANTED, struct im_job, job_fields),
    MSG_DESC(IM_PEER_NEW_DONE, struct im_peer_new_done, peer_new_done_fields),
    MSG_DESC(IM_PSK_DONE, struct im_psk_done, psk_done_fields),
    MSG_DESC(IM_TRIAL_DONE, struct im_trial_done, trial_done_fields),
    MSG_DESC(IM_SA_ADD_DONE, struct im_sa_add_done, sa_add_done_fields),
    MSG_DESC(IM_SA_USED, struct im_sa_used, sa_used_fields),
    MSG_DESC(IM_SA_STATS_DONE, struct im_sa_stats_done, sa_stats_done_fields),
    MSG_DESC(IM_HELD, struct im_held, held_fields),
    MSG_DESC(IM_HELD_END, struct im_job, job_fields),
    MSG_DESC(IM_EXPIRE, struct im_sa_event, sa_event_fields),
    MSG_DESC(IM_MAPPING, struct im_sa_event, sa_event_fields),
    MSG_DESC(IM_LINK, struct im_job, job_fields),
    MSG_DESC(IM_SHUTDOWN, struct im_job, job_fields),
};

const struct msg_table im_table = {descs, sizeof(descs) / sizeof(descs[0])};

/* Copies a part to its blob; false when it does not fit. */
static bool take(struct wire_span from, uint16_t *len, uint8_t *to, size_t size)
{
	if (from.len > size)
		return false;
	*len = (uint16_t)from.len;
	if (from.len)
		memcpy(to, from.data, from.len);
	return true;
}

#define TAKE(from, blob)                                                       \
	take(from, &(blob).len, (blob).data, sizeof((blob).data))

int im_trial_from_core(
    struct im_trial *out, uint32_t job, const struct ike_trial *t)
{
	const struct wire_span cky_i = {t->cky_i, sizeof(t->cky_i)};
	const struct wire_span cky_r = {t->cky_r, sizeof(t->cky_r)};

	*out = (struct im_trial){.job = job,
	    .cipher = t->suite.cipher,
	    .key_bits = t->suite.key_bits,
	    .hash = t->suite.hash};
	return TAKE(cky_i, out->cky_i) && TAKE(cky_r, out->cky_r) &&
		       TAKE(t->ni, out->ni) && TAKE(t->nr, out->nr) &&
		       TAKE(t->gxy, out->gxy) && TAKE(t->gxi, out->gxi) &&
		       TAKE(t->gxr, out->gxr) && TAKE(t->sai, out->sai) &&
		       TAKE(t->five, out->five)
		   ? 0
		   : -EINVAL;
}

#define SPAN_OF(blob) ((struct wire_span){(blob).data, (blob).len})

int im_trial_to_core(struct ike_trial *out, const struct im_trial *in)
{
	*out = (struct ike_trial){
	    .suite = {.cipher = in->cipher,
		.key_bits = in->key_bits,
		.hash = in->hash},
	    .ni = SPAN_OF(in->ni),
	    .nr = SPAN_OF(in->nr),
	    .gxy = SPAN_OF(in->gxy),
	    .gxi = SPAN_OF(in->gxi),
	    .gxr = SPAN_OF(in->gxr),
	    .sai = SPAN_OF(in->sai),
	    .five = SPAN_OF(in->five),
	};
	if (in->cky_i.len != sizeof(out->cky_i) ||
	    in->cky_r.len != sizeof(out->cky_r) || !in->gxy.len ||
	    !in->gxi.len || !in->gxr.len || !in->sai.len || !in->five.len)
		return -EINVAL;
	memcpy(out->cky_i, in->cky_i.data, sizeof(out->cky_i));
	memcpy(out->cky_r, in->cky_r.data, sizeof(out->cky_r));
	return 0;
}

void im_sa_from_kernel(
    struct im_sa *out, uint32_t job, const struct ike_kernel_sa *sa)
{
	*out = (struct im_sa){.job = job,
	    .r = sa->r,
	    .slot = sa->slot,
	    .dir = sa->dir,
	    .spi = sa->spi,
	    .src = sa->src,
	    .dst = sa->dst,
	    .encap = sa->encap,
	    .cipher = sa->cipher,
	    .auth = sa->auth,
	    .trunc_bits = sa->trunc_bits,
	    .soft_s = sa->soft_s,
	    .hard_s = sa->hard_s,
	    .soft_bytes = sa->soft_bytes,
	    .hard_bytes = sa->hard_bytes};
	out->enc_key.len = sa->enc_len;
	memcpy(out->enc_key.data, sa->enc_key, sizeof(sa->enc_key));
	out->auth_key.len = sa->auth_len;
	memcpy(out->auth_key.data, sa->auth_key, sizeof(sa->auth_key));
}

void im_sa_to_kernel(struct ike_kernel_sa *out, const struct im_sa *sa)
{
	*out = (struct ike_kernel_sa){.r = sa->r,
	    .slot = sa->slot,
	    .dir = sa->dir,
	    .spi = sa->spi,
	    .src = sa->src,
	    .dst = sa->dst,
	    .encap = sa->encap != 0,
	    .cipher = sa->cipher,
	    .auth = sa->auth,
	    .trunc_bits = sa->trunc_bits,
	    .enc_len = sa->enc_key.len,
	    .auth_len = sa->auth_key.len,
	    .soft_s = sa->soft_s,
	    .hard_s = sa->hard_s,
	    .soft_bytes = sa->soft_bytes,
	    .hard_bytes = sa->hard_bytes};
	memcpy(out->enc_key, sa->enc_key.data, sizeof(out->enc_key));
	memcpy(out->auth_key, sa->auth_key.data, sizeof(out->auth_key));
}
