// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Blocks of shared memory: the allocator of the kernel's arenas over a section.
 *
 * All that is known of the section's blocks is in the private memory of this
 * process: clients may scribble over every byte of the section, and decide
 * nothing. What a caller gives is checked against that and never followed.
 *
 * Sizes are rounded up to eight classes for each power of two, at most an
 * eighth more. A freed block stays at hand for the next one of its class: it
 * is still used in the eyes of the heap, so that the common pair of calls
 * neither searches nor merges. The heap gets it back when there are many, or
 * when the heap has nothing that fits.
 *
 * Trimming gives whole free pages back to the kernel, and a bit for each that
 * is missing tells the next block to have it filled: an allocation can fail of
 * that, an access to a block cannot.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ntstatus.h>

#include "../../kmod/heap.h"
#include "internal.h"
#include "shared.h"

/* Sections at a time */
#define NR_SHARED 1024
/* Blocks that are allocated together, a power of two */
#define CHUNK_SHIFT 9
#define CHUNK (1U << CHUNK_SHIFT)
/* Least growth, and least that may wait in the bins */
#define STEP (64 * 1024U)
#define NR_BINS LSABUF_HEAP_CLASSES

/**
 * struct block - one range of the section
 * @node: for the heap
 * @number: index + 1 in the chunks, constant
 * @next: number of the next one in the same bin
 * @bin: class of its size, constant while used
 * @live: in the hands of the package
 */
struct block {
	struct lsabuf_heap_node node;
	uint32_t number;
	uint32_t next;
	uint16_t bin;
	bool live;
};

/**
 * struct lsabuf_shared - a section with a heap; all guarded by @lock
 * @lock: 0 free, 1 taken, 2 taken and somebody waits
 * @in_use: there is a section
 * @keep: freed blocks are not wiped
 * @automatic: made through the table: mapped into clients by itself
 * @package: whom it belongs to; 0 for all
 * @fd: the section's file
 * @live: blocks in the hands of the package
 * @base: where it lies, here and in clients
 * @max: bytes of address space
 * @committed: bytes of memory
 * @waiting: bytes in bins
 * @nr_holes: pages that were given back, below @committed
 * @nr_blocks: numbers given out
 * @starts: number of the block at each granule where one begins
 * @holes: a bit for each page: it was given back
 * @chunks: blocks by number, CHUNK of them in each
 * @heap: the allocator
 * @bins: numbers of the first blocks that wait, by class
 */
struct lsabuf_shared {
	_Atomic uint32_t lock;
	bool in_use;
	bool keep;
	bool automatic;
	unsigned int package;
	int fd;
	uint32_t live;
	char *base;
	uint64_t max;
	uint64_t committed;
	uint64_t waiting;
	uint64_t nr_holes;
	uint32_t nr_blocks;
	uint32_t *starts;
	unsigned char *holes;
	struct block **chunks;
	struct lsabuf_heap *heap;
	uint32_t bins[NR_BINS];
};

static struct lsabuf_shared pool[NR_SHARED];
/* Entries that have ever been used */
static _Atomic unsigned int nr_pool;
_Atomic uint32_t shared_generation;

/*
 * Locks. Three states, so that nothing calls the kernel unless threads meet
 */

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
	int saved = errno;

	syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, NULL,
		NULL, 0);
	errno = saved;
}

static __attribute__((noinline)) void lock_slowly(_Atomic uint32_t *lock)
{
	while (atomic_exchange_explicit(lock, 2, memory_order_acquire))
		futex(lock, FUTEX_WAIT, 2);
}

static inline void lock_take(_Atomic uint32_t *lock)
{
	uint32_t none = 0;

	if (!atomic_compare_exchange_strong_explicit(
		    lock, &none, 1, memory_order_acquire, memory_order_relaxed))
		lock_slowly(lock);
}

static inline void lock_drop(_Atomic uint32_t *lock)
{
	if (atomic_exchange_explicit(lock, 0, memory_order_release) == 2)
		futex(lock, FUTEX_WAKE, 1);
}

/* What the caller gave as a section: anything. Locked if it is one */
static inline struct lsabuf_shared *take(const void *token)
{
	uintptr_t offset = (uintptr_t)token - (uintptr_t)pool;
	struct lsabuf_shared *shared;

	if (offset >= sizeof(pool) || offset % sizeof(pool[0]))
		return NULL;
	shared = (struct lsabuf_shared *)((char *)pool + offset);
	lock_take(&shared->lock);
	if (shared->in_use)
		return shared;
	lock_drop(&shared->lock);
	return NULL;
}

/*
 * Blocks
 */

static inline struct block *block_of(const struct lsabuf_shared *shared,
				     uint32_t number)
{
	return &shared->chunks[(number - 1) >> CHUNK_SHIFT]
			      [(number - 1) & (CHUNK - 1)];
}

static inline struct block *to_block(struct lsabuf_heap_node *node)
{
	return (struct block *)((char *)node - offsetof(struct block, node));
}

static uint64_t block_offset(const struct block *block)
{
	return (uint64_t)block->node.start << LSABUF_HEAP_GRANULE_SHIFT;
}

static uint64_t block_bytes(const struct block *block)
{
	return (uint64_t)block->node.size << LSABUF_HEAP_GRANULE_SHIFT;
}

static bool add_blocks(struct lsabuf_shared *shared)
{
	struct block *chunk = calloc(CHUNK, sizeof(*chunk));
	uint32_t i;

	if (!chunk)
		return false;
	shared->chunks[shared->nr_blocks >> CHUNK_SHIFT] = chunk;
	for (i = 0; i < CHUNK; i++) {
		chunk[i].number = ++shared->nr_blocks;
		lsabuf_heap_give(shared->heap, &chunk[i].node);
	}
	return true;
}

/* The class of a size, which is rounded up to the largest one of the class */
static inline uint32_t class_of(uint32_t *granules)
{
	uint32_t shift = lsabuf_heap_high_bit(*granules | 8) - 3;
	uint32_t units = (*granules + (1U << shift) - 1) >> shift;

	*granules = units << shift;
	return shift * 8 + units;
}

static struct block *pop(struct lsabuf_shared *shared, uint32_t bin)
{
	struct block *block = block_of(shared, shared->bins[bin]);

	shared->bins[bin] = block->next;
	shared->waiting -= block_bytes(block);
	return block;
}

static void give_back(struct lsabuf_shared *shared, struct block *block)
{
	shared->starts[block->node.start] = 0;
	lsabuf_heap_free(shared->heap, &block->node);
}

static void empty_bins(struct lsabuf_shared *shared)
{
	uint32_t bin;

	for (bin = 0; bin < NR_BINS; bin++) {
		while (shared->bins[bin])
			give_back(shared, pop(shared, bin));
	}
}

/* Commit what a block needs, and some more so that this is rare */
static bool commit(struct lsabuf_shared *shared, uint64_t end)
{
	uint64_t more = shared->committed / 4;
	uint64_t wish = shared->committed + (more < STEP ? STEP : more);

	if (end <= shared->committed)
		return true;
	wish = wish < end ? end : wish;
	wish = wish > shared->max ? shared->max : wish;
	if (lsabuf_section_grow(shared->fd, wish)) {
		wish = end;
		if (lsabuf_section_grow(shared->fd, wish))
			return false;
	}
	/* The kernel rounds up to pages: what is beyond is asked for again */
	shared->committed = wish;
	return true;
}

/*
 * Holes
 */

static uint64_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

static uint64_t page_up(uint64_t offset)
{
	return (offset + page_size() - 1) / page_size() * page_size();
}

static bool is_hole(const struct lsabuf_shared *shared, uint64_t page)
{
	return shared->holes[page / 8] >> page % 8 & 1;
}

static void set_holes(struct lsabuf_shared *shared, uint64_t page, uint64_t end,
		      bool hole)
{
	for (; page < end; page++) {
		if (is_hole(shared, page) == hole)
			continue;
		shared->holes[page / 8] ^= 1 << page % 8;
		shared->nr_holes += hole ? 1 : -1;
	}
}

/* Have what a block lies in */
static bool fill(struct lsabuf_shared *shared, uint64_t offset, uint64_t bytes)
{
	uint64_t page, end;

	if (!shared->nr_holes)
		return true;
	page = offset / page_size();
	end = page_up(offset + bytes) / page_size();
	while (page < end && !is_hole(shared, page))
		page++;
	while (page < end && !is_hole(shared, end - 1))
		end--;
	if (page == end)
		return true;
	if (lsabuf_section_fill(shared->fd, page * page_size(),
				(end - page) * page_size()))
		return false;
	set_holes(shared, page, end, false);
	return true;
}

/* Give back the whole pages of a free range, but for those that are gone */
static int punch(struct lsabuf_shared *shared, uint64_t offset, uint64_t end)
{
	uint64_t page = page_up(offset) / page_size();
	int ret;

	end /= page_size();
	while (page < end && is_hole(shared, page))
		page++;
	if (page >= end)
		return 0;
	ret = lsabuf_section_punch(shared->fd, page * page_size(),
				   (end - page) * page_size());
	/* An older module gives back the end alone */
	if (ret)
		return ret == -ENOTTY ? 0 : ret;
	set_holes(shared, page, end, true);
	return 0;
}

static struct lsabuf_heap_node *search(struct lsabuf_shared *shared,
				       uint32_t granules)
{
	if (lsabuf_heap_hungry(shared->heap) && !add_blocks(shared))
		return NULL;
	return lsabuf_heap_alloc(shared->heap, granules);
}

static __attribute__((noinline)) struct block *
carve(struct lsabuf_shared *shared, uint32_t granules, uint32_t bin)
{
	struct lsabuf_heap_node *node = search(shared, granules);
	struct block *block;

	if (!node && shared->waiting) {
		empty_bins(shared);
		node = search(shared, granules);
	}
	if (!node)
		return NULL;
	block = to_block(node);
	if (!commit(shared, block_offset(block) + block_bytes(block)) ||
	    !fill(shared, block_offset(block), block_bytes(block))) {
		lsabuf_heap_free(shared->heap, node);
		return NULL;
	}
	block->bin = bin;
	shared->starts[node->start] = block->number;
	return block;
}

static void *allocate(struct lsabuf_shared *shared, size_t size)
{
	uint32_t granules = lsabuf_heap_granules(size);
	struct block *block;
	uint32_t bin;

	if (!size || size > shared->max)
		return NULL;
	bin = class_of(&granules);
	if (shared->bins[bin])
		block = pop(shared, bin);
	else
		block = carve(shared, granules, bin);
	if (!block)
		return NULL;
	block->live = true;
	shared->live++;
	return shared->base + block_offset(block);
}

LSABUF_EXPORT void *lsabuf_shared_alloc(struct lsabuf_shared *shared,
					size_t size)
{
	void *memory;

	shared = take(shared);
	if (!shared)
		return NULL;
	memory = allocate(shared, size);
	lock_drop(&shared->lock);
	return memory;
}

/* The live block that begins at @memory, whatever that is */
static inline struct block *find_block(const struct lsabuf_shared *shared,
				       const void *memory)
{
	uint64_t offset = (uintptr_t)memory - (uintptr_t)shared->base;
	struct block *block;
	uint32_t number;

	if (offset >= shared->max || offset % LSABUF_HEAP_GRANULE)
		return NULL;
	number = shared->starts[offset >> LSABUF_HEAP_GRANULE_SHIFT];
	if (!number)
		return NULL;
	block = block_of(shared, number);
	return block->live ? block : NULL;
}

static inline void keep_at_hand(struct lsabuf_shared *shared,
				struct block *block)
{
	uint64_t bytes = block_bytes(block);

	if (shared->waiting + bytes > shared->committed / 8 + STEP) {
		give_back(shared, block);
		return;
	}
	block->next = shared->bins[block->bin];
	shared->bins[block->bin] = block->number;
	shared->waiting += bytes;
}

LSABUF_EXPORT int lsabuf_shared_free(struct lsabuf_shared *shared, void *memory)
{
	struct block *block;

	shared = take(shared);
	if (!shared)
		return -EINVAL;
	block = find_block(shared, memory);
	if (!block) {
		lock_drop(&shared->lock);
		return -ENOENT;
	}
	block->live = false;
	shared->live--;
	if (!shared->keep)
		memset(memory, 0, block_bytes(block));
	keep_at_hand(shared, block);
	lock_drop(&shared->lock);
	return 0;
}

/*
 * Sections
 */

static void *reserve(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static uint32_t nr_granules(const struct lsabuf_shared *shared)
{
	return shared->max >> LSABUF_HEAP_GRANULE_SHIFT;
}

static size_t starts_bytes(const struct lsabuf_shared *shared)
{
	return (size_t)nr_granules(shared) * sizeof(*shared->starts);
}

/* As many blocks as granules: there are free ranges between used ones */
static size_t chunks_bytes(const struct lsabuf_shared *shared)
{
	return ((nr_granules(shared) >> CHUNK_SHIFT) + 2) *
	       sizeof(*shared->chunks);
}

static size_t holes_bytes(const struct lsabuf_shared *shared)
{
	return shared->max / page_size() / 8 + 1;
}

static void destroy_heap(struct lsabuf_shared *shared)
{
	uint32_t i;

	for (i = 0; shared->chunks && i < shared->nr_blocks; i += CHUNK)
		free(shared->chunks[i >> CHUNK_SHIFT]);
	if (shared->starts)
		munmap(shared->starts, starts_bytes(shared));
	if (shared->chunks)
		munmap(shared->chunks, chunks_bytes(shared));
	if (shared->holes)
		munmap(shared->holes, holes_bytes(shared));
	free(shared->heap);
}

static int create_heap(struct lsabuf_shared *shared)
{
	uint32_t granules = nr_granules(shared);

	shared->nr_blocks = 0;
	shared->nr_holes = 0;
	memset(shared->bins, 0, sizeof(shared->bins));
	shared->starts = reserve(starts_bytes(shared));
	shared->chunks = reserve(chunks_bytes(shared));
	shared->holes = reserve(holes_bytes(shared));
	shared->heap = malloc(lsabuf_heap_bytes(granules));
	if (!shared->starts || !shared->chunks || !shared->holes ||
	    !shared->heap)
		goto err_destroy;
	lsabuf_heap_init(shared->heap, granules);
	if (add_blocks(shared))
		return 0;
err_destroy:
	destroy_heap(shared);
	return -ENOMEM;
}

static int create_section(struct lsabuf_shared *shared, int authority,
			  uint64_t max, uint64_t initial)
{
	struct lsabuf_section_create details = { 0 };
	int ret;

	ret = lsabuf_section_create(authority, max, initial, &details);
	if (ret < 0)
		return ret;
	shared->fd = ret;
	shared->base = (char *)(uintptr_t)details.out_address;
	shared->max = details.max;
	shared->committed = details.committed;
	shared->waiting = 0;
	shared->live = 0;
	ret = create_heap(shared);
	if (ret) {
		munmap(shared->base, shared->max);
		lsabuf_close(shared->fd);
	}
	return ret;
}

static void note_use(unsigned int index)
{
	unsigned int nr = atomic_load(&nr_pool);

	while (nr <= index &&
	       !atomic_compare_exchange_weak(&nr_pool, &nr, index + 1))
		;
}

/* A free entry, locked, or NULL */
static struct lsabuf_shared *take_free(void)
{
	unsigned int i;

	for (i = 0; i < NR_SHARED; i++) {
		lock_take(&pool[i].lock);
		if (!pool[i].in_use) {
			note_use(i);
			return &pool[i];
		}
		lock_drop(&pool[i].lock);
	}
	return NULL;
}

/* The last granule of a larger one could not be numbered */
#define LARGEST (1ULL << 35)

static int create(int authority, uint64_t max, uint64_t initial, uint32_t flags,
		  bool automatic, struct lsabuf_shared **result)
{
	struct lsabuf_shared *shared;
	int ret;

	*result = NULL;
	if (!max || initial > max || max > LARGEST ||
	    flags & ~LSABUF_SHARED_F_NO_WIPE)
		return -EINVAL;
	shared = take_free();
	if (!shared)
		return -EMFILE;
	ret = create_section(shared, authority, max, initial);
	if (!ret) {
		shared->keep = flags & LSABUF_SHARED_F_NO_WIPE;
		shared->automatic = automatic;
		shared->package = host_package();
		shared->in_use = true;
		*result = shared;
	}
	lock_drop(&shared->lock);
	return ret;
}

LSABUF_EXPORT int lsabuf_shared_create(int authority, uint64_t max,
				       uint64_t initial, uint32_t flags,
				       struct lsabuf_shared **shared)
{
	return create(authority, max, initial, flags, false, shared);
}

LSABUF_EXPORT int lsabuf_shared_delete(struct lsabuf_shared *shared)
{
	uint32_t live;

	shared = take(shared);
	if (!shared)
		return -EINVAL;
	live = shared->live;
	shared->in_use = false;
	destroy_heap(shared);
	munmap(shared->base, shared->max);
	lsabuf_close(shared->fd);
	lock_drop(&shared->lock);
	return live > INT_MAX ? INT_MAX : live;
}

LSABUF_EXPORT int lsabuf_shared_fd(struct lsabuf_shared *shared)
{
	int fd;

	shared = take(shared);
	if (!shared)
		return -EINVAL;
	fd = shared->fd;
	lock_drop(&shared->lock);
	return fd;
}

/* Give back what lies after the last block */
static int trim_end(struct lsabuf_shared *shared, uint64_t end)
{
	int ret;

	end = page_up(end);
	if (end >= shared->committed)
		return 0;
	ret = lsabuf_section_shrink(shared->fd, end);
	if (ret)
		return ret;
	/* What is committed again is whole */
	set_holes(shared, end / page_size(),
		  page_up(shared->committed) / page_size(), false);
	shared->committed = end;
	return 0;
}

static int trim(struct lsabuf_shared *shared)
{
	const struct lsabuf_heap_node *node;
	uint64_t start, end = 0;
	int ret = 0;

	for (node = lsabuf_heap_first(shared->heap); node && !ret;
	     node = lsabuf_heap_next(node)) {
		start = (uint64_t)node->start << LSABUF_HEAP_GRANULE_SHIFT;
		ret = punch(shared, end, start);
		end = start +
		      ((uint64_t)node->size << LSABUF_HEAP_GRANULE_SHIFT);
	}
	return ret ? ret : trim_end(shared, end);
}

LSABUF_EXPORT int lsabuf_shared_trim(struct lsabuf_shared *shared)
{
	int ret;

	shared = take(shared);
	if (!shared)
		return -EINVAL;
	empty_bins(shared);
	ret = trim(shared);
	lock_drop(&shared->lock);
	return ret;
}

/*
 * The table's functions
 */

static void report(const char *what, const void *memory)
{
	const struct lsabuf_host *host = host_get();

	if (host->report)
		host->report(what, memory);
}

PVOID NTAPI service_create_shared_memory(ULONG MaxSize, ULONG InitialSize)
{
	struct host_request *request = host_request_current();
	struct lsabuf_shared *shared;

	if (create(host_authority(), MaxSize, InitialSize, 0, true, &shared))
		return NULL;
	/* Pairs with the load in shared_is_stale() */
	atomic_fetch_add_explicit(&shared_generation, 1, memory_order_release);
	/* The call under way may be what mentions it; a failure shows later */
	if (request && request->fd >= 0)
		shared_map(request);
	return shared;
}

PVOID NTAPI service_allocate_shared_memory(PVOID SharedMem, ULONG Size)
{
	return lsabuf_shared_alloc(SharedMem, Size);
}

VOID NTAPI service_free_shared_memory(PVOID SharedMem, PVOID Memory)
{
	int ret;

	if (!Memory)
		return;
	ret = lsabuf_shared_free(SharedMem, Memory);
	if (ret)
		report(ret == -EINVAL ?
			       "FreeSharedMemory: no such shared memory" :
			       "FreeSharedMemory: no block begins there",
		       Memory);
}

BOOLEAN NTAPI service_delete_shared_memory(PVOID SharedMem)
{
	int live = lsabuf_shared_delete(SharedMem);

	if (live < 0) {
		report("DeleteSharedMemory: no such shared memory", SharedMem);
		return FALSE;
	}
	if (live)
		report("DeleteSharedMemory: blocks were in use", SharedMem);
	return TRUE;
}

/*
 * Mapping into clients
 */

/*
 * Clients that have all there is for a package: id of the connection, never
 * used again, package and generation. Forgetting one costs a look, no more
 */
#define NR_KNOWN 4096
static _Atomic uint64_t known[NR_KNOWN];

static uint64_t known_word(const struct host_request *request, uint32_t now)
{
	return request->received.out_client << 32 |
	       (uint64_t)(request->package & 0xff) << 24 | (now & 0xffffff);
}

static _Atomic uint64_t *known_entry(const struct host_request *request)
{
	uint64_t hash = request->received.out_client * 31 + request->package;

	return &known[hash % NR_KNOWN];
}

static int map_one(struct lsabuf_shared *shared,
		   const struct host_request *request)
{
	uint64_t address;
	int fd = -1, ret;

	shared = take(shared);
	if (!shared)
		return 0;
	if (shared->automatic &&
	    (!shared->package || shared->package == request->package))
		fd = shared->fd;
	lock_drop(&shared->lock);
	if (fd < 0)
		return 0;
	/* It waits for the client: not under a lock that allocation takes */
	ret = lsabuf_section_share(fd, request->received.out_id,
				   LSABUF_SECTION_SHARE_F_SAME_ADDRESS,
				   &address);
	/* Deleted meanwhile: there is nothing left to mention */
	return ret == -EBADF || ret == -EPERM ? 0 : ret;
}

/**
 * shared_map() - see that a client has all shared memory of its package
 * @request: of the client; not from inside
 *
 * Return: 0 or -errno of lsabuf_section_share().
 */
int shared_map(struct host_request *request)
{
	uint32_t now =
		atomic_load_explicit(&shared_generation, memory_order_acquire);
	unsigned int i, nr = atomic_load(&nr_pool);
	uint64_t word = known_word(request, now);
	int ret = 0;

	if (!now || atomic_load(known_entry(request)) == word)
		goto out;
	for (i = 0; i < nr && !ret; i++)
		ret = map_one(&pool[i], request);
	if (ret)
		return ret;
	atomic_store(known_entry(request), word);
out:
	request->generation = now;
	return 0;
}
