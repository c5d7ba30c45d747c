/* SPDX-License-Identifier: ISC */
/* pppd's authentication hooks: every decision is l2tpd's. */
#include "compat.h"

#include "plugin.h"

#include "common/secret.h"

#include <string.h>

/* The values of pppd's counted strings: a length byte, then the bytes. */
struct counted {
	const unsigned char *data;
	size_t len;
};

static struct counted counted(const unsigned char *p)
{
	return (struct counted){p + 1, p[0]};
}

static int always(void)
{
	return 1;
}

/* Nobody without a name and a proof, whatever pap-secrets says. */
static int no_null_auth(struct wordlist **addrs, struct wordlist **opts)
{
	*addrs = NULL;
	*opts = NULL;
	return 0;
}

static bool fill(struct aaa_auth *ask, const char *name,
    struct counted challenge, struct counted response)
{
	if (strlen(name) >= sizeof(ask->user) ||
	    challenge.len > sizeof(ask->challenge.data) ||
	    response.len > sizeof(ask->response.data))
		return false;
	strlcpy(ask->user, name, sizeof(ask->user));
	ask->challenge.len = (uint16_t)challenge.len;
	memcpy(ask->challenge.data, challenge.data, challenge.len);
	ask->response.len = (uint16_t)response.len;
	memcpy(ask->response.data, response.data, response.len);
	return true;
}

/* True when l2tpd lets the peer in; text is for the peer. */
static bool decide(struct aaa_auth *ask, char text[AAA_TEXT_MAX])
{
	struct plugin *p = plugin_get();
	union aaa_any reply;

	p->is_authenticated = false;
	p->address.ok = 0;
	text[0] = '\0';
	if (!(p->methods & AAA_METHOD_BIT(ask->method)) ||
	    plugin_request(AAA_AUTH, ask, AAA_AUTH_REPLY, &reply))
		return false;
	strlcpy(text, reply.auth_reply.text, AAA_TEXT_MAX);
	if (!reply.auth_reply.ok)
		return false;
	p->is_authenticated = true;
	strlcpy(p->user, ask->user, sizeof(p->user));
	return true;
}

static int method_of(const struct chap_digest_type *digest)
{
	if (digest->code == CHAP_MICROSOFT_V2)
		return AAA_MSCHAPV2;
	return digest->code == CHAP_MD5 ? AAA_CHAP_MD5 : 0;
}

/* RFC 2759 section 6: a peer expects this form, whoever refuses. */
static void failure_text(struct counted challenge, char *message, int space)
{
	slprintf(message, space, "E=691 R=0 C=%0.*B V=3 M=Access denied",
	    (int)challenge.len, challenge.data);
}

/*
 * challenge and response begin with their length.  message goes to the
 * peer as it is.
 */
static int verify_chap(char *name, char *ourname, int id,
    struct chap_digest_type *digest, unsigned char *challenge,
    unsigned char *response, char *message, int space)
{
	struct aaa_auth ask = {
	    .method = (uint8_t)method_of(digest), .id = (uint8_t)id};
	char text[AAA_TEXT_MAX] = "";
	bool is_in;

	(void)ourname;
	is_in = ask.method &&
		fill(&ask, name, counted(challenge), counted(response)) &&
		decide(&ask, text);
	slprintf(message, space, "%s", text);
	if (!is_in && ask.method == AAA_MSCHAPV2 && strncmp(text, "E=", 2))
		failure_text(counted(challenge), message, space);
	secret_wipe(&ask, sizeof(ask));
	return is_in;
}

static int verify_pap(char *name, char *password, char **message,
    struct wordlist **addrs, struct wordlist **opts)
{
	struct counted none = {(const unsigned char *)"", 0};
	struct counted secret = {
	    (const unsigned char *)password, strlen(password)};
	struct aaa_auth ask = {.method = AAA_PAP};
	char text[AAA_TEXT_MAX];
	bool is_in;

	(void)addrs;
	(void)opts;
	is_in = fill(&ask, name, none, secret) && decide(&ask, text);
	secret_wipe(&ask, sizeof(ask));
	/* pppd keeps the pointer until its reply has left. */
	*message = is_in ? "Welcome" : "Refused";
	return is_in;
}

/* The only address the peer may have is the one it was given. */
static int is_allowed(u_int32_t addr)
{
	const struct plugin *p = plugin_get();

	return p->address.ok &&
	       !memcmp(&addr, p->address.remote.ip, sizeof(addr));
}

void auth_init(void)
{
	pap_check_hook = always;
	chap_check_hook = always;
	pap_auth_hook = verify_pap;
	chap_verify_hook = verify_chap;
	null_auth_hook = no_null_auth;
	allowed_address_hook = is_allowed;
}
