/* SPDX-License-Identifier: ISC */
/* What the seed programs share: they make a fuzzer's first inputs. */
#ifndef TEST_FUZZ_SEED_H
#define TEST_FUZZ_SEED_H

#include "common/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Writes one input to dir/name; ends the program when it can't. */
static inline void seed_write(
    const char *dir, const char *name, struct wire_span data)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	if (!f || fwrite(data.data, 1, data.len, f) != data.len || fclose(f)) {
		perror(path);
		exit(1);
	}
}

struct seed_text {
	const char *name, *text;
};

/* What a program is whose seeds are texts; its exit code. */
static inline int seed_texts(
    int argc, char **argv, const struct seed_text *seeds, size_t count)
{
	if (argc != 2)
		return 2;
	for (size_t i = 0; i < count; i++)
		seed_write(argv[1], seeds[i].name,
		    (struct wire_span){
			(const uint8_t *)seeds[i].text, strlen(seeds[i].text)});
	return 0;
}

#endif
