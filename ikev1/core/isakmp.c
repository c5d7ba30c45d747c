/* SPDX-License-Identifier: ISC */
/* Names of ISAKMP's numbers, made from the lists in the header. */
#include "ikev1/core/isakmp.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct name {
	unsigned int number;
	const char *text;
};

#define ROW(symbol, number, text) {number, text},

static const struct name payload_names[] = {ISAKMP_PAYLOADS(ROW)};
static const struct name exchange_names[] = {ISAKMP_EXCHANGES(ROW)};
static const struct name notify_names[] = {ISAKMP_NOTIFIES(ROW)};
static const struct name protocol_names[] = {ISAKMP_PROTOCOLS(ROW)};
static const struct name ike_attribute_names[] = {IKE_ATTRIBUTES(ROW)};
static const struct name ipsec_attribute_names[] = {IPSEC_ATTRIBUTES(ROW)};
static const struct name ike_cipher_names[] = {IKE_CIPHERS(ROW)};
static const struct name ike_hash_names[] = {IKE_HASHES(ROW)};
static const struct name auth_method_names[] = {IKE_AUTH_METHODS(ROW)};
static const struct name group_names[] = {IKE_GROUPS(ROW)};
static const struct name life_type_names[] = {IKE_LIFE_TYPES(ROW)};
static const struct name esp_cipher_names[] = {ESP_CIPHERS(ROW)};
static const struct name esp_auth_names[] = {ESP_AUTHS(ROW)};
static const struct name encap_names[] = {IPSEC_ENCAPS(ROW)};
static const struct name id_type_names[] = {IPSEC_IDS(ROW)};

/* What a number without a name is called, and the list of the others. */
struct registry {
	const char *noun;
	const struct name *names;
	size_t count;
};

#define LIST(noun, names)                                                      \
	{                                                                      \
		noun, names, sizeof(names) / sizeof(names[0])                  \
	}

static const struct registry registries[] = {
    [ISAKMP_REG_PAYLOAD] = LIST("payload", payload_names),
    [ISAKMP_REG_EXCHANGE] = LIST("exchange", exchange_names),
    [ISAKMP_REG_NOTIFY] = LIST("notify", notify_names),
    [ISAKMP_REG_PROTOCOL] = LIST("protocol", protocol_names),
    [ISAKMP_REG_IKE_ATTRIBUTE] = LIST("attribute", ike_attribute_names),
    [ISAKMP_REG_IPSEC_ATTRIBUTE] = LIST("attribute", ipsec_attribute_names),
    [ISAKMP_REG_IKE_CIPHER] = LIST("cipher", ike_cipher_names),
    [ISAKMP_REG_IKE_HASH] = LIST("hash", ike_hash_names),
    [ISAKMP_REG_AUTH_METHOD] = LIST("method", auth_method_names),
    [ISAKMP_REG_GROUP] = LIST("group", group_names),
    [ISAKMP_REG_LIFE_TYPE] = LIST("life type", life_type_names),
    [ISAKMP_REG_ESP_CIPHER] = LIST("ESP cipher", esp_cipher_names),
    [ISAKMP_REG_ESP_AUTH] = LIST("ESP auth", esp_auth_names),
    [ISAKMP_REG_ENCAP] = LIST("mode", encap_names),
    [ISAKMP_REG_ID_TYPE] = LIST("ID type", id_type_names),
};

const char *isakmp_name(enum isakmp_registry reg, unsigned int number)
{
	const struct registry *r = &registries[reg];

	for (size_t i = 0; i < r->count; i++)
		if (r->names[i].number == number)
			return r->names[i].text;
	return NULL;
}

const char *isakmp_name_text(
    enum isakmp_registry reg, unsigned int number, char out[ISAKMP_NAME_MAX])
{
	const char *name = isakmp_name(reg, number);
	size_t len = name ? strlen(name) : 0;

	/* Asked for with every payload: no format for those that have one. */
	if (len && len < ISAKMP_NAME_MAX)
		memcpy(out, name, len + 1);
	else
		snprintf(out, ISAKMP_NAME_MAX, "%s %u", registries[reg].noun,
		    number);
	return out;
}

int isakmp_refuse(char reason[ISAKMP_REASON_MAX], int err, const char *fmt, ...)
{
	va_list ap;

	if (!reason)
		return err;
	va_start(ap, fmt);
	vsnprintf(reason, ISAKMP_REASON_MAX, fmt, ap);
	va_end(ap);
	return err;
}
