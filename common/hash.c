/* SPDX-License-Identifier: ISC */
/* Memory of hash tables: large ones are present from the start. */
#include "common/hash.h"

#include "common/alloc.h"

#include <stdlib.h>
#include <sys/mman.h>

void *hash_alloc(size_t size)
{
	void *p;

	if (size < HASH_PRESENT)
		return xmalloc(size);
	p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (p == MAP_FAILED)
		abort();
	return p;
}

void hash_free(void *buckets, size_t size)
{
	if (size < HASH_PRESENT)
		free(buckets);
	else
		munmap(buckets, size);
}
