/* SPDX-License-Identifier: ISC */
/* Names of L2TP numbers for logs, from the lists in the header. */
#include "l2tpd/core/l2tp.h"

#include <stddef.h>

struct name {
	uint16_t number;
	const char *text;
};

#define X(id, number, text, section) {number, text},
static const struct name messages[] = {L2TP_MESSAGE_TYPES(X)};
static const struct name avps[] = {L2TP_AVPS(X)};
static const struct name stop_results[] = {L2TP_STOP_RESULTS(X)};
static const struct name cdn_results[] = {L2TP_CDN_RESULTS(X)};
static const struct name errors[] = {L2TP_ERRORS(X)};
#undef X

static const char *find(const struct name *names, size_t count, uint16_t number)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].number == number)
			return names[i].text;
	return "unknown";
}

#define FIND(list, number) find(list, sizeof(list) / sizeof(list[0]), number)

const char *l2tp_message_name(uint16_t type)
{
	return FIND(messages, type);
}

const char *l2tp_avp_name(uint16_t type)
{
	return FIND(avps, type);
}

const char *l2tp_stop_result_name(uint16_t result)
{
	return FIND(stop_results, result);
}

const char *l2tp_cdn_result_name(uint16_t result)
{
	return FIND(cdn_results, result);
}

const char *l2tp_error_name(uint16_t error)
{
	return FIND(errors, error);
}
