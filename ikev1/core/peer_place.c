/* SPDX-License-Identifier: ISC */
/*
 * Who is where.  A place is our address with the client's outer address
 * and port; an identity is IDii with the PSK entry.  Peers and IKE SAs with
 * the same of both belong together; a place has one identity at a time.
 */
#include "ikev1/core/main_init.h"

#define MAPPING_MS 1000 /* at most one change of port in it */
#define SAS_MAX 4	/* IKE SAs of one client that are up */
/* R of one address that may lose their place at once, and how long it takes
 * until one more may. */
#define DISPLACE_BURST 4
#define DISPLACE_MS 30000

/* Place and identity of an IKE SA or a peer, apart from both. */
struct place {
	struct addr local, peer;
	struct wire_span id;
	uint16_t psk_entry;
};

static struct place place_of_sa(const struct ike_sa *sa)
{
	return (struct place){
	    sa->local, sa->peer, bytes_span(&sa->id), sa->psk_entry};
}

static struct place place_of_peer(const struct peer *p)
{
	return (struct place){
	    p->local, p->peer, bytes_span(&p->id), p->psk_entry};
}

static bool same_where(const struct place *a, const struct place *b)
{
	return addr_ip_equal(&a->local, &b->local) &&
	       addr_equal(&a->peer, &b->peer);
}

static bool same_who(const struct place *a, const struct place *b)
{
	return a->psk_entry == b->psk_entry && wire_span_equal(a->id, b->id);
}

static struct peer *peers_at(const struct ike *ike, const struct place *at)
{
	const struct path *path = path_of(ike, &at->local, &at->peer);

	return path ? path->peers : NULL;
}

static struct ike_sa *sas_at(const struct ike *ike, const struct place *at)
{
	const struct path *path = path_of(ike, &at->local, &at->peer);

	return path ? path->sas : NULL;
}

/* An R at this place, of this identity or of another one; NULL. */
static struct peer *find_peer(
    const struct ike *ike, const struct place *at, bool is_same)
{
	struct peer *p;

	for (p = peers_at(ike, at); p; p = p->path_next) {
		struct place its = place_of_peer(p);

		if (p->state != PEER_CLOSING && same_where(&its, at) &&
		    same_who(&its, at) == is_same)
			return p;
	}
	return NULL;
}

/* Whether somebody else loses IPsec SAs, or is about to get some, when this
 * place changes hands; an R that lingers has none to lose. */
static bool has_victim(const struct ike *ike, const struct place *at)
{
	struct peer *p;

	for (p = peers_at(ike, at); p; p = p->path_next) {
		struct place its = place_of_peer(p);

		if (p->state != PEER_CLOSING && (p->children || p->users) &&
		    same_where(&its, at) && !same_who(&its, at))
			return true;
	}
	return false;
}

/*
 * Whether this identity may have this place.  It says where it is, and ESP
 * and IKE from there prove that it has sent them, but not that it hears us
 * there: a client could claim the places of all its neighbours in turn.
 */
static bool may_displace(struct ike *ike, const struct place *new)
{
	struct source *source;

	if (!has_victim(ike, new))
		return true;
	source = path_of(ike, &new->local, &new->peer)->source;
	if (source->displace_ms > ike->now + (DISPLACE_BURST - 1) * DISPLACE_MS)
		return false;
	if (source->displace_ms < ike->now)
		source->displace_ms = ike->now;
	source->displace_ms += DISPLACE_MS;
	source->displace_said = false;
	return true;
}

bool peer_may_take_place(struct ike *ike, const struct ike_sa *sa)
{
	struct place here = place_of_sa(sa);

	return may_displace(ike, &here);
}

/* Everybody else who claims this place is gone from it. */
static void end_displaced(struct ike *ike, const struct place *new)
{
	struct peer *p, *next;

	for (p = peers_at(ike, new); p; p = next) {
		struct place old = place_of_peer(p);

		next = p->path_next;
		if (same_where(&old, new) && !same_who(&old, new))
			peer_end(ike, p,
			    "another client has its address and port now");
	}
}

/*
 * We asked the client at this place for a new IKE SA; somebody with another
 * ID answered.  That is no new client who has come: the old one stays.
 */
static bool is_answered_by_another(struct ike *ike, const struct ike_sa *sa)
{
	struct place here = place_of_sa(sa);

	return init_is_renewal(sa) && find_peer(ike, &here, false);
}

/* The newest IKE SA of a peer that is up; NULL. */
static struct ike_sa *newest_sa(const struct peer *p)
{
	struct ike_sa *sa, *best = NULL;

	for (sa = p->path->sas; sa; sa = sa->path_next) {
		if (sa->state == SA_UP && sa->hears_us && peer_matches(p, sa) &&
		    (!best || sa->age > best->age))
			best = sa;
	}
	return best;
}

/* A client that begins again without a Delete must not fill the table; nor
 * push anybody out as long as it is not known to hear us. */
static void end_forgotten(struct ike *ike, const struct ike_sa *newest)
{
	struct place here = place_of_sa(newest);
	struct ike_sa *sa, *next;
	size_t up = 0;

	for (sa = sas_at(ike, &here); sa; sa = next) {
		struct place there = place_of_sa(sa);

		next = sa->path_next;
		if (sa->state != SA_UP || sa->hears_us != newest->hears_us ||
		    !same_where(&there, &here) || !same_who(&there, &here) ||
		    ++up <= SAS_MAX)
			continue;
		info_delete_sa(ike, sa);
		sa_become(ike, sa, SA_DEAD);
	}
}

static void initial_contact(struct ike *ike, struct ike_sa *sa);

/* What is at its place under its name is its own. */
static void adopt(struct ike *ike, struct ike_sa *sa)
{
	struct place here = place_of_sa(sa);
	struct peer *p;
	bool is_back;

	if (sa->contact)
		initial_contact(ike, sa);
	for (p = peers_at(ike, &here); p; p = p->path_next) {
		if (p->state == PEER_CLOSING || !peer_matches(p, sa) ||
		    (p->sa && p->sa->age >= sa->age))
			continue;
		is_back = p->held && !p->sa;
		peer_touch(ike, p);
		p->sa = sa;
		rekey_sa_up(ike, p);
		if (!is_back)
			continue;
		act_log(ike, IKE_LOG_INFO,
		    "R %llu: its client is back with a new IKE SA",
		    (unsigned long long)p->r);
		/* Until l2tpd is back as well. */
		p->held = p->state == PEER_RAISING;
		peer_touch(ike, p);
		peer_tell(ike, p, IKE_ACT_PEER_UPDATE);
	}
	end_forgotten(ike, sa);
}

void peer_sa_heard(struct ike *ike, struct ike_sa *sa)
{
	if (sa->hears_us || sa->state != SA_UP)
		return;
	sa_touch(ike, sa);
	sa->hears_us = true;
	adopt(ike, sa);
}

void peer_sa_up(struct ike *ike, struct ike_sa *sa)
{
	struct place here = place_of_sa(sa);
	struct refused who = refused_sa(sa, NULL);

	if (is_answered_by_another(ike, sa)) {
		act_refuse(ike, &who,
		    "our new IKE SA is given up: the client answers it with "
		    "another ID than it came with");
		info_delete_sa(ike, sa);
		sa_become(ike, sa, SA_DEAD);
		return;
	}
	end_displaced(ike, &here);
	if (sa->hears_us)
		adopt(ike, sa);
	else
		end_forgotten(ike, sa);
}

bool peer_would_inherit(struct ike *ike, const struct ike_sa *sa)
{
	struct place here = place_of_sa(sa);

	return !sa->hears_us && find_peer(ike, &here, true);
}

void peer_sa_gone(struct ike *ike, struct ike_sa *sa)
{
	struct place here = place_of_sa(sa);
	struct peer *p;

	for (p = peers_at(ike, &here); p; p = p->path_next) {
		if (p->sa != sa)
			continue;
		peer_touch(ike, p);
		p->sa = newest_sa(p);
	}
}

static void initial_contact(struct ike *ike, struct ike_sa *sa)
{
	struct place here = place_of_sa(sa);
	struct ike_sa *old, *next;
	struct child *c, *next_c;
	char text[SA_TEXT_MAX];
	struct peer *p;

	sa_touch(ike, sa);
	sa->contact = false;
	act_log_client(ike, &sa->peer, IKE_LOG_INFO,
	    "%s: initial contact: older SAs go", sa_text(sa, text));
	for (p = peers_at(ike, &here); p; p = p->path_next) {
		if (!peer_matches(p, sa))
			continue;
		for (c = p->children; c; c = next_c) {
			next_c = c->next;
			/* Its own, and a newer one's, are not older. */
			if (c->sa_age < sa->age)
				child_end(ike, c, false);
		}
	}
	for (old = sas_at(ike, &here); old; old = next) {
		struct place there = place_of_sa(old);

		next = old->path_next;
		if (old != sa && old->age < sa->age && old->state == SA_UP &&
		    same_where(&there, &here) && same_who(&there, &here))
			sa_become(ike, old, SA_DEAD);
	}
}

void peer_initial_contact(struct ike *ike, struct ike_sa *sa)
{
	sa_touch(ike, sa);
	sa->contact = true;
	if (sa->hears_us)
		initial_contact(ike, sa);
}

static void move_peer(struct ike *ike, struct peer *p, const struct addr *to)
{
	struct child *c;

	p->peer = *to;
	peer_touch(ike, p);
	if (p->state != PEER_RAISING && p->state != PEER_LIVE)
		return;
	for (c = p->children; c; c = c->next)
		child_moved(ike, c);
	peer_tell(ike, p, IKE_ACT_PEER_UPDATE);
}

/* Once, until one more may. */
static void say_stays(
    struct ike *ike, const struct place *from, const struct place *there)
{
	struct source *source =
	    path_of(ike, &there->local, &there->peer)->source;
	char to[ADDR_TEXT_MAX];
	struct refused who = {.peer = &from->peer,
	    .local = &from->local,
	    .is_proven = true,
	    .remedy = "if clients lose their connections there: does the NAT "
		      "forget its mappings too early?"};

	if (source->displace_said)
		return;
	source->displace_said = true;
	act_refuse(ike, &who,
	    "it claims %s, the place of another client of this address: it "
	    "stays where it was",
	    addr_text(&there->peer, to));
}

/* What it heard of us it heard elsewhere. */
static void move_sa(struct ike *ike, struct ike_sa *sa, const struct addr *to)
{
	struct quick *q;

	sa_touch(ike, sa);
	sa->peer = *to;
	sa->hears_us = false;
	info_dpd_skip(ike, sa);
	for (q = sa->quicks; q; q = q->next)
		q->is_proof = false;
}

/* A NAT gave the client another port: all that is its own follows. */
static void move(struct ike *ike, const struct place *from, uint16_t local_port,
    const struct addr *to)
{
	struct place there = *from;
	char a[ADDR_TEXT_MAX], b[ADDR_TEXT_MAX];
	struct ike_sa *sa;
	struct peer *p;

	there.peer = *to;
	/* An R of the same identity is another client's all the same. */
	if (find_peer(ike, &there, true) || !may_displace(ike, &there)) {
		say_stays(ike, from, &there);
		return;
	}
	end_displaced(ike, &there);
	act_log_client(ike, &from->peer, IKE_LOG_INFO,
	    "%s is %s now (the NAT's mapping changed)",
	    addr_text(&from->peer, a), addr_text(to, b));
	for (p = peers_at(ike, from); p; p = p->path_next) {
		struct place here = place_of_peer(p);

		if (same_where(&here, from) && same_who(&here, from)) {
			p->local.port = local_port;
			move_peer(ike, p, to);
		}
	}
	for (sa = sas_at(ike, from); sa; sa = sa->path_next) {
		struct place here = place_of_sa(sa);

		if (sa->state == SA_UP && same_where(&here, from) &&
		    same_who(&here, from)) {
			move_sa(ike, sa, to);
			sa->local.port = local_port;
		}
	}
}

void peer_sa_moved(
    struct ike *ike, struct ike_sa *sa, const struct ike_event *ev)
{
	struct place from = place_of_sa(sa);

	if (addr_equal(&sa->peer, &ev->peer) || !sa->nat_d_type ||
	    !addr_ip_equal(&sa->peer, &ev->peer))
		return;
	/* Nothing can be sent to port 0. */
	if (!ev->peer.port)
		return;
	/* RFC 3947 section 4: once on 4500, packets on 500 are old. */
	if (ev->local.port != sa->local.port &&
	    (sa->on_500 || ev->local.port != ISAKMP_PORT_NATT))
		return;
	move(ike, &from, ev->local.port, &ev->peer);
}

/*
 * The kernel says so with each packet until its SA follows: what is passed
 * over here comes again.
 */
void peer_mapping(struct ike *ike, const struct ike_event *ev)
{
	struct child *c = child_find(ike, ev->spi);
	struct peer *p = c ? c->peer : NULL;
	struct place from;

	if (!p || p->r != ev->r || !ev->peer.port ||
	    addr_equal(&p->peer, &ev->peer) ||
	    (p->moved_ms && ike->now < p->moved_ms + MAPPING_MS))
		return;
	if (!addr_ip_equal(&p->peer, &ev->peer)) {
		peer_end(ike, p, "its outer address changed");
		return;
	}
	peer_work(ike, p);
	peer_touch(ike, p);
	p->moved_ms = ike->now;
	from = place_of_peer(p);
	move(ike, &from, p->local.port, &ev->peer);
}
