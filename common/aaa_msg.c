/* SPDX-License-Identifier: ISC */
/* Field tables of AAA's messages, and the names of the methods. */
#include "common/aaa_msg.h"

#include <string.h>

static const struct msg_field auth_fields[] = {
    MSG_NUM(MSG_U8, struct aaa_auth, method),
    MSG_NUM(MSG_U8, struct aaa_auth, id),
    MSG_TEXT_OF(struct aaa_auth, user),
    MSG_BYTES_OF(struct aaa_auth, challenge),
    MSG_BYTES_OF(struct aaa_auth, response),
};

static const struct msg_field auth_reply_fields[] = {
    MSG_NUM(MSG_U8, struct aaa_auth_reply, ok),
    MSG_TEXT_OF(struct aaa_auth_reply, text),
};

static const struct msg_field address_fields[] = {
    MSG_TEXT_OF(struct aaa_address, user),
};

static const struct msg_field address_reply_fields[] = {
    MSG_NUM(MSG_U8, struct aaa_address_reply, ok),
    MSG_NUM(MSG_ADDR, struct aaa_address_reply, local),
    MSG_NUM(MSG_ADDR, struct aaa_address_reply, remote),
    MSG_NUM(MSG_ADDR, struct aaa_address_reply, dns1),
    MSG_NUM(MSG_ADDR, struct aaa_address_reply, dns2),
    MSG_NUM(MSG_U16, struct aaa_address_reply, mtu),
    MSG_TEXT_OF(struct aaa_address_reply, reason),
};

static const struct msg_field up_fields[] = {
    MSG_TEXT_OF(struct aaa_up, ifname),
    MSG_NUM(MSG_U32, struct aaa_up, unit),
    MSG_NUM(MSG_ADDR, struct aaa_up, local),
    MSG_NUM(MSG_ADDR, struct aaa_up, remote),
    MSG_TEXT_OF(struct aaa_up, user),
};

static const struct msg_field stats_fields[] = {
    MSG_NUM(MSG_U64, struct aaa_stats, bytes_in),
    MSG_NUM(MSG_U64, struct aaa_stats, bytes_out),
    MSG_NUM(MSG_U64, struct aaa_stats, packets_in),
    MSG_NUM(MSG_U64, struct aaa_stats, packets_out),
    MSG_NUM(MSG_U32, struct aaa_stats, seconds),
    MSG_TEXT_OF(struct aaa_stats, reason),
};

static const struct msg_field term_fields[] = {
    MSG_TEXT_OF(struct aaa_term, reason),
};

static const struct msg_field verdict_fields[] = {
    MSG_NUM(MSG_U8, struct aaa_verdict, code),
    MSG_TEXT_OF(struct aaa_verdict, text),
    MSG_TEXT_OF(struct aaa_verdict, reason),
    MSG_TEXT_OF(struct aaa_verdict, user),
    MSG_NUM(MSG_ADDR, struct aaa_verdict, ip),
};

static const struct msg_desc descs[] = {
    MSG_DESC(AAA_AUTH, struct aaa_auth, auth_fields),
    MSG_DESC(AAA_AUTH_REPLY, struct aaa_auth_reply, auth_reply_fields),
    MSG_DESC(AAA_ADDRESS, struct aaa_address, address_fields),
    MSG_DESC(AAA_ADDRESS_REPLY, struct aaa_address_reply, address_reply_fields),
    MSG_DESC(AAA_UP, struct aaa_up, up_fields),
    MSG_DESC(AAA_STATS, struct aaa_stats, stats_fields),
    MSG_DESC(AAA_DOWN, struct aaa_stats, stats_fields),
    MSG_DESC(AAA_TERM, struct aaa_term, term_fields),
    MSG_DESC(AAA_VERDICT, struct aaa_verdict, verdict_fields),
};

const struct msg_table aaa_msg_table = {
    descs, sizeof(descs) / sizeof(descs[0])};

static const struct {
	enum aaa_method method;
	const char *name;
} methods[] = {
    {AAA_MSCHAPV2, "mschap-v2"},
    {AAA_CHAP_MD5, "chap-md5"},
    {AAA_PAP, "pap"},
};

#define METHOD_COUNT (sizeof(methods) / sizeof(methods[0]))

unsigned int aaa_method_parse(const char *name)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (!strcmp(methods[i].name, name))
			return methods[i].method;
	return 0;
}

const char *aaa_method_name(unsigned int method)
{
	for (size_t i = 0; i < METHOD_COUNT; i++)
		if (methods[i].method == method)
			return methods[i].name;
	return "unknown";
}
