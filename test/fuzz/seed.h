/* SPDX-License-Identifier: ISC */
/* What the seed programs share: they make a fuzzer's first inputs. */
#ifndef TEST_FUZZ_SEED_H
#define TEST_FUZZ_SEED_H

#include "common/wire.h"

#include <stdio.h>
#include <stdlib.h>

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

#endif
