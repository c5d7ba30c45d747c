/* SPDX-License-Identifier: ISC */
/*
 * Which selectors a client may ask for: L2TP over UDP with this server
 * (RFC 3193 section 4, RFC 2407 section 4.6.2), as lenient as real clients
 * need.
 */
#include "ikev1/core/quick_steps.h"

#include "ikev1/core/payload.h"

#include <errno.h>
#include <netinet/in.h>

#define L2TP_PORT 1701
/* R's note holds both IDs, beside phase 1's: it must fit (im_msg.h). */
#define NAME_MAX_LEN 64

/* One address, in whatever form: a net of one and a range of one too. */
static int one_address(const struct payload_id *id, struct addr *a)
{
	bool is_v6 =
	    id->type == IPSEC_ID_IPV6_SUBNET || id->type == IPSEC_ID_IPV6_RANGE;
	bool is_net = id->type == IPSEC_ID_IPV4_SUBNET ||
		      id->type == IPSEC_ID_IPV6_SUBNET;
	struct payload_id first = *id;
	size_t half = id->data.len / 2;

	if (!payload_id_addr(id, a))
		return 0;
	if (!is_net && !is_v6 && id->type != IPSEC_ID_IPV4_RANGE)
		return -EINVAL;
	for (size_t i = 0; i < half; i++) {
		uint8_t second = id->data.data[half + i];

		if (second != (is_net ? 0xff : id->data.data[i]))
			return -EINVAL;
	}
	first.type = is_v6 ? IPSEC_ID_IPV6 : IPSEC_ID_IPV4;
	first.data.len = half;
	return payload_id_addr(&first, a);
}

/* Windows up to 2003 sends its name when it is behind NAT. */
static bool is_name(const struct payload_id *id)
{
	return id->type == IPSEC_ID_FQDN || id->type == IPSEC_ID_USER_FQDN ||
	       id->type == IPSEC_ID_KEY_ID;
}

/* Behind a NAT the address in an ID is a private one: it says nothing. */
static int check_address(const struct payload_id *id, const struct addr *outer,
    bool is_behind_nat, const char *name, char reason[ISAKMP_REASON_MAX])
{
	char text[PAYLOAD_ID_TEXT_MAX];
	struct addr a;

	if (is_behind_nat && is_name(id))
		return id->data.len <= NAME_MAX_LEN
			   ? 0
			   : isakmp_refuse(reason, -EINVAL,
				 "%s is a name of %zu bytes: at most %d", name,
				 id->data.len, NAME_MAX_LEN);
	if (one_address(id, &a))
		return isakmp_refuse(reason, -EINVAL,
		    "%s %.100s is no single address", name,
		    payload_id_selector_text(id, text));
	if (!is_behind_nat && !addr_ip_equal(&a, outer))
		return isakmp_refuse(reason, -EINVAL,
		    "%s %.80s is not the address it comes from", name,
		    payload_id_selector_text(id, text));
	return 0;
}

/* Protocol 0 is any; what is not L2TP gets no further than our socket, as
 * when a client sends no IDs at all. */
static bool holds_udp(const struct payload_id *id)
{
	return id->protocol == IPPROTO_UDP || (!id->protocol && !id->port);
}

static int check_ports(const struct payload_id *ci, const struct payload_id *cr,
    char reason[ISAKMP_REASON_MAX])
{
	if (!holds_udp(ci) || !holds_udp(cr))
		return isakmp_refuse(reason, -EINVAL,
		    "selectors for protocols %u and %u: only UDP (17) is "
		    "served",
		    ci->protocol, cr->protocol);
	if (cr->port != L2TP_PORT && cr->port != 0)
		return isakmp_refuse(reason, -EINVAL,
		    "selector for our UDP port %u: only L2TP (1701) is "
		    "served",
		    cr->port);
	return 0;
}

/* What its persona asks for; both ends may begin at the same time. */
static bool is_planned(const struct persona *persona, const struct selectors *s)
{
	return s->protocol == IPPROTO_UDP &&
	       s->server_port == persona->server_port &&
	       !persona->is_ephemeral && s->client_port == persona->client_port;
}

/* A connection of ours: the server may begin what it has or wants, nothing
 * else. */
static int check_conn(const struct ike_sa *sa, const struct selectors *sel,
    char reason[ISAKMP_REASON_MAX])
{
	const struct peer *p = sa->path->peers;

	if (is_planned(sa->persona, sel))
		return 0;
	while (p && !(p->sa && p->sa->conn == sa->conn &&
			p->sel.protocol == sel->protocol &&
			p->sel.client_port == sel->client_port &&
			p->sel.server_port == sel->server_port))
		p = p->path_next;
	return p ? 0
		 : isakmp_refuse(reason, -EINVAL,
		       "the server asks for UDP port %u of ours and %u of its "
		       "own, which no connection has",
		       sel->client_port, sel->server_port);
}

int quick_take_ids(const struct ike_sa *sa, struct quick *q, struct message *m)
{
	const struct isakmp_payload *pi =
	    isakmp_payload_find_nth(&m->p, ISAKMP_PAYLOAD_ID, 0);
	const struct isakmp_payload *pr =
	    isakmp_payload_find_nth(&m->p, ISAKMP_PAYLOAD_ID, 1);
	struct payload_id ci, cr;

	if (!pi)
		return sa->conn ? check_conn(sa, &q->sel, m->reason) : 0;
	if (!pr)
		return isakmp_refuse(
		    m->reason, -EINVAL, "one ID payload without the other");
	if (payload_id_decode(pi->body, &ci, m->reason) ||
	    payload_id_decode(pr->body, &cr, m->reason))
		return -EINVAL;
	q->sel = (struct selectors){ci.protocol, ci.port, cr.port};
	/* It begins, and is the server all the same. */
	if (sa->conn)
		q->sel = (struct selectors){cr.protocol, cr.port, ci.port};
	if ((sa->conn ? check_conn(sa, &q->sel, m->reason)
		      : check_ports(&ci, &cr, m->reason)) ||
	    check_address(&ci, &sa->peer, sa->client_nat, "IDci", m->reason) ||
	    check_address(&cr, &sa->local, sa->server_nat, "IDcr", m->reason))
		return -EINVAL;
	bytes_set(&q->idci, pi->body.data, pi->body.len);
	bytes_set(&q->idcr, pr->body.data, pr->body.len);
	return 0;
}
