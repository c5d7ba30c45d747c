/* SPDX-License-Identifier: ISC */
/* A vault's memory: made and held by the monitor, opened by the engine. */
#include "common/vault_priv.h"

#include "common/alloc.h"
#include "common/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

#define PRESENT_PART 8	 /* of the whole, which has room for old IKE SAs */
#define SLACK (1u << 20) /* of RLIMIT_MEMLOCK, for others */

_Static_assert(sizeof(struct vault_block) == VAULT_BLOCK, "no padding");
_Static_assert(sizeof(struct vault_head) <= VAULT_HEAD, "the head fits");

struct vault_hold {
	int fd;
	uint8_t *mem;
	size_t size;
	size_t locked; /* bytes from the start */
};

/* --- monitor ----------------------------------------------------------- */

/* The limit counts the whole mapping, used or not, in both processes. */
static void allow_locking(size_t bytes)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= bytes + SLACK)
		return;
	limit.rlim_cur = bytes + SLACK;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	/* Where it fails, mlock() says so. */
	setrlimit(RLIMIT_MEMLOCK, &limit);
}

static int make(size_t size)
{
	int fd = memfd_create("vault", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err = 0;

	if (fd < 0)
		return -errno;
	/* No engine may cut it under the next one's feet. */
	if (ftruncate(fd, (off_t)size) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		err = -errno;
	if (err)
		close(fd);
	return err ? err : fd;
}

static int map(int fd, size_t size, void **out)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (mem == MAP_FAILED)
		return -errno;
	/* Secrets: not in a core file. */
	madvise(mem, size, MADV_DONTDUMP);
	*out = mem;
	return 0;
}

int vault_hold_new(size_t bytes, struct vault_hold **out)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t blocks = (bytes + VAULT_DATA - 1) / VAULT_DATA + 1;
	size_t size = VAULT_HEAD + blocks * VAULT_BLOCK;
	struct vault_hold *h;
	void *mem = NULL;
	int fd, err;

	size = (size + page - 1) / page * page;
	if (size / VAULT_BLOCK > UINT32_MAX)
		return -EFBIG;
	fd = make(size);
	if (fd < 0)
		return fd;
	err = map(fd, size, &mem);
	if (err) {
		close(fd);
		return err;
	}
	allow_locking(size);
	h = xcalloc(1, sizeof(*h));
	h->fd = fd;
	h->mem = mem;
	h->size = size;
	*out = h;
	return 0;
}

int vault_hold_fd(const struct vault_hold *h)
{
	return h->fd;
}

int vault_hold_lock(struct vault_hold *h)
{
	const struct vault_head *head = (const struct vault_head *)h->mem;
	uint64_t used =
	    VAULT_HEAD +
	    (uint64_t) * (const volatile uint32_t *)&head->high * VAULT_BLOCK;

	/* An engine's word. */
	if (used > h->size)
		used = h->size;
	if (used <= h->locked)
		return 0;
	if (mlock(h->mem, used))
		return -errno;
	h->locked = used;
	return 0;
}

void vault_hold_free(struct vault_hold *h)
{
	if (!h)
		return;
	/* The pages go with their last user, and zero is what they hold. */
	madvise(h->mem, h->size, MADV_REMOVE);
	munmap(h->mem, h->size);
	close(h->fd);
	free(h);
}

/* --- engine ------------------------------------------------------------ */

/*
 * What the first records of all clients will take is present at the start,
 * as heap_reserve() does and why: a store to a page that is not costs as much
 * as a record.  Nothing depends on it.
 */
static void make_present(struct vault *v)
{
	volatile uint8_t *mem = (uint8_t *)v->head;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t at = 0; at < v->size / PRESENT_PART; at += page)
		mem[at] = mem[at];
}

static void begin(struct vault *v, uint32_t form, uint32_t total)
{
	*v->head = (struct vault_head){
	    .magic = VAULT_MAGIC, .form = form, .total = total};
}

/* What of the head is used as a bound must hold. */
static enum vault_found look(struct vault *v, uint32_t form, uint32_t total)
{
	const struct vault_head *h = v->head;
	bool is_new = !h->magic;

	if (h->high > total)
		v->head->high = total;
	if (h->magic == VAULT_MAGIC && h->form == form) {
		v->head->total = total;
		if (vault_recover(v))
			return VAULT_RESUMED;
	}
	vault_forget_all(v);
	begin(v, form, total);
	return is_new ? VAULT_NEW : VAULT_FOREIGN;
}

int vault_open(
    int fd, uint32_t form, struct vault **out, enum vault_found *found)
{
	struct vault *v;
	struct stat st;
	uint32_t total;
	void *mem = NULL;
	int err;

	if (fstat(fd, &st))
		return -errno;
	if (st.st_size < VAULT_HEAD + VAULT_BLOCK)
		return -EINVAL;
	err = map(fd, (size_t)st.st_size, &mem);
	if (err)
		return err;
	v = xcalloc(1, sizeof(*v));
	v->size = (size_t)st.st_size;
	v->is_locked = !mlock2(mem, v->size, MLOCK_ONFAULT);
	v->head = mem;
	v->blocks = (struct vault_block *)((uint8_t *)mem + VAULT_HEAD);
	total = (uint32_t)((v->size - VAULT_HEAD) / VAULT_BLOCK);
	v->free = xcalloc(total, sizeof(*v->free));
	v->retired = xcalloc(total, sizeof(*v->retired));
	*found = look(v, form, total);
	vault_blame(v);
	make_present(v);
	*out = v;
	return 0;
}

bool vault_is_locked(const struct vault *v)
{
	return v->is_locked;
}

void vault_close(struct vault *v)
{
	struct vault_entry *e, *next;

	if (!v)
		return;
	HASH_ITER(hh, v->entries, e, next)
	{
		HASH_DELETE(hh, v->entries, e);
		free(e);
	}
	munmap(v->head, v->size);
	free(v->free);
	free(v->retired);
	free(v);
}
