// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark that scripts/bench runs in the guest, static, no arguments from
 * users: mmbench WHAT [NUMBERS] [-- WHAT [NUMBERS]]...; each WHAT gets a process,
 * and so an address space, of its own.
 *
 *   faults F M MS     F threads fault pages in, M threads map and unmap, all in
 *                     one address space, for MS milliseconds
 *   query M MS        one thread asks move_pages(2) where 64 resident pages are,
 *                     M threads map and unmap
 *   continue M MS     one thread maps pages that shmem has with UFFDIO_CONTINUE,
 *                     one a call, M threads map and unmap
 *   instr             nanoseconds per page fault, mmap+munmap, query of 64 pages and
 *                     UFFDIO_CONTINUE, one thread; under -icount shift=0 that is
 *                     instructions
 *   slab N            bytes of slab per VMA, from N mappings
 *
 * Prints lines "figure NAME VALUE".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGES 512
#define QUERY_PAGES 64
#define MAX_THREADS 64

static long page_size;
static atomic_int go, stop;

struct worker {
	pthread_t thread;
	int index;
	uint64_t count;
	/* Counters of two threads never share a cache line. */
	char pad[128];
};

static void die(const char *what)
{
	fprintf(stderr, "mmbench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static void *map(size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

static void wait_go(void)
{
	while (!atomic_load(&go))
		sched_yield();
}

static void *faulter(void *arg)
{
	struct worker *w = arg;
	size_t size = PAGES * page_size;
	char *area = map(size, PROT_READ | PROT_WRITE);
	/* Guard pages keep the areas of two faulters from merging into one VMA. */
	char *guard = map(page_size, PROT_NONE);

	(void)guard;
	madvise(area, size, MADV_NOHUGEPAGE);
	wait_go();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		for (size_t i = 0; i < PAGES; i++) {
			area[i * page_size] = 1;
			w->count++;
			if (atomic_load_explicit(&stop, memory_order_relaxed))
				break;
		}
		if (madvise(area, size, MADV_DONTNEED))
			die("madvise");
	}
	return NULL;
}

static void *mapper(void *arg)
{
	struct worker *w = arg;
	size_t size = 16 * page_size;

	wait_go();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		/* Alternating protections: no merge with a neighbour. */
		char *p = map(size, w->count & 1 ? PROT_READ : PROT_READ | PROT_WRITE);

		if (munmap(p, size))
			die("munmap");
		w->count++;
	}
	return NULL;
}

static void *querier(void *arg)
{
	struct worker *w = arg;
	void *pages[QUERY_PAGES];
	int status[QUERY_PAGES];
	char *area = map(QUERY_PAGES * page_size, PROT_READ | PROT_WRITE);

	madvise(area, QUERY_PAGES * page_size, MADV_NOHUGEPAGE);
	for (int i = 0; i < QUERY_PAGES; i++) {
		pages[i] = area + i * page_size;
		area[i * page_size] = 1;
	}
	wait_go();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		if (syscall(SYS_move_pages, 0, QUERY_PAGES, pages, NULL, status, 0))
			die("move_pages");
		if (status[0] < 0)
			die("move_pages status");
		w->count++;
	}
	return NULL;
}

static void *continuer(void *arg)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM };
	struct worker *w = arg;
	size_t size = PAGES * page_size;
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MINOR };
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	int fd = memfd_create("mmbench", MFD_CLOEXEC);
	char *area, *alias;

	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api))
		die("userfaultfd");
	if (fd < 0 || ftruncate(fd, size))
		die("memfd_create");
	area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	alias = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED || alias == MAP_FAILED)
		die("mmap of shmem");
	memset(alias, 1, size);
	reg.range.start = (uintptr_t)area;
	reg.range.len = size;
	if (ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("UFFDIO_REGISTER");
	wait_go();
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		for (size_t i = 0; i < PAGES; i++) {
			struct uffdio_continue c = {
				.range = { (uintptr_t)area + i * page_size, page_size },
				.mode = UFFDIO_CONTINUE_MODE_DONTWAKE,
			};

			/* The lock cannot be had just now: this is no call that counts. */
			while (ioctl(uffd, UFFDIO_CONTINUE, &c))
				if (errno != EAGAIN)
					die("UFFDIO_CONTINUE");
			w->count++;
			if (atomic_load_explicit(&stop, memory_order_relaxed))
				break;
		}
		if (madvise(area, size, MADV_DONTNEED))
			die("madvise");
	}
	return NULL;
}

/* Round the CPUs from @first on: whom the scheduler puts beside whom is no figure. */
static void start(struct worker *w, int n, int first, void *(*fn)(void *))
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int i = 0; i < n; i++) {
		cpu_set_t set;

		w[i].index = i;
		if (pthread_create(&w[i].thread, NULL, fn, &w[i]))
			die("pthread_create");
		CPU_ZERO(&set);
		CPU_SET((first + i) % cpus, &set);
		if (pthread_setaffinity_np(w[i].thread, sizeof(set), &set))
			die("pthread_setaffinity_np");
	}
}

static uint64_t finish(struct worker *w, int n)
{
	uint64_t sum = 0;

	for (int i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		sum += w[i].count;
	}
	return sum;
}

static void contend(const char *name, void *(*fn)(void *), int n, int mappers, int ms)
{
	static struct worker a[MAX_THREADS], b[MAX_THREADS];
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000l };
	uint64_t t0, t1, na, nb;

	start(a, n, 0, fn);
	start(b, mappers, n, mapper);
	usleep(50000);
	t0 = now_ns();
	atomic_store(&go, 1);
	nanosleep(&ts, NULL);
	atomic_store(&stop, 1);
	t1 = now_ns();
	na = finish(a, n);
	nb = finish(b, mappers);
	printf("figure %s %.1f\n", name, na * 1e9 / (t1 - t0));
	if (mappers)
		printf("figure maps-beside-%s %.1f\n", name, nb * 1e9 / (t1 - t0));
}

/* The same for what one thread does by itself: nanoseconds each. */
static void count(const char *name, void *(*fn)(void *))
{
	static struct worker w;
	struct timespec ts = { 1, 0 };
	uint64_t t0, t1, before, after;

	w.count = 0;
	atomic_store(&stop, 0);
	atomic_store(&go, 1);
	start(&w, 1, 0, fn);
	nanosleep(&ts, NULL);
	t0 = now_ns();
	before = w.count;
	nanosleep(&ts, NULL);
	t1 = now_ns();
	after = w.count;
	atomic_store(&stop, 1);
	finish(&w, 1);
	printf("figure %s %.1f\n", name, (double)(t1 - t0) / (after - before));
}

static void instructions(void)
{
	enum { ROUNDS = 40 };
	size_t size = PAGES * page_size;
	char *area = map(size, PROT_READ | PROT_WRITE);
	uint64_t t0, faults = 0, maps = 0, touch = 0;

	madvise(area, size, MADV_NOHUGEPAGE);
	for (int r = 0; r < ROUNDS + 5; r++) {
		uint64_t f, m, t;

		if (madvise(area, size, MADV_DONTNEED))
			die("madvise");
		t0 = now_ns();
		for (size_t i = 0; i < PAGES; i++)
			((volatile char *)area)[i * page_size] = 1;
		f = now_ns() - t0;
		t0 = now_ns();
		for (size_t i = 0; i < PAGES; i++)
			((volatile char *)area)[i * page_size] = 2;
		t = now_ns() - t0;
		t0 = now_ns();
		for (int i = 0; i < PAGES; i++) {
			char *p = map(16 * page_size, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE);

			if (munmap(p, 16 * page_size))
				die("munmap");
		}
		m = now_ns() - t0;
		/* The first rounds warm up. */
		if (r >= 5) {
			faults += f;
			touch += t;
			maps += m;
		}
	}
	printf("figure instructions-per-fault %.1f\n", (double)(faults - touch) / ROUNDS / PAGES);
	printf("figure instructions-per-map-unmap %.1f\n", (double)maps / ROUNDS / PAGES);
	count("instructions-per-query", querier);
	count("instructions-per-continue", continuer);
}

/* Bytes that the named slab caches take, by whole slabs. */
static int64_t slab_bytes(int64_t *object)
{
	char line[512], name[128];
	int64_t sum = 0;
	FILE *f = fopen("/proc/slabinfo", "r");

	if (!f)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), f)) {
		long active, num, size, per, pages, act_slabs, num_slabs;

		if (sscanf(line, "%127s %ld %ld %ld %ld %ld : tunables %*d %*d %*d : slabdata %ld %ld",
			   name, &active, &num, &size, &per, &pages, &act_slabs, &num_slabs) != 8)
			continue;
		if (strcmp(name, "vm_area_struct") && strcmp(name, "vma_lock"))
			continue;
		*object += size;
		sum += (int64_t)num_slabs * pages * page_size;
	}
	fclose(f);
	return sum;
}

static long sysfs_number(const char *cache, const char *what)
{
	char path[128];
	long n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", cache, what);
	f = fopen(path, "r");
	if (!f)
		return 0;
	if (fscanf(f, "%ld", &n) != 1)
		n = 0;
	fclose(f);
	return n;
}

static void slab(int n)
{
	int64_t object = 0, before, after;
	char *area = map((size_t)n * 2 * page_size, PROT_NONE);

	before = slab_bytes(&object);
	/* Every other page readable: 2 * n VMAs out of one. */
	for (int i = 0; i < n; i++)
		if (mprotect(area + (size_t)i * 2 * page_size, page_size, PROT_READ))
			die("mprotect");
	after = slab_bytes(&object);
	printf("figure slab-bytes-per-vma %.1f\n", (double)(after - before) / (2 * n));
	printf("figure sizeof-vm_area_struct %ld\n", sysfs_number("vm_area_struct", "object_size"));
	printf("figure sizeof-vma_lock %ld\n", sysfs_number("vma_lock", "object_size"));
}

static int number(int argc, char **argv, int i, int max)
{
	int n = i < argc ? atoi(argv[i]) : -1;

	if (n < 0 || n > max) {
		fprintf(stderr, "mmbench: bad number\n");
		exit(2);
	}
	return n;
}

static int one(int argc, char **argv)
{
	char name[64];
	int a, b;

	if (argc < 1)
		return 2;
	if (!strcmp(argv[0], "faults")) {
		a = number(argc, argv, 1, MAX_THREADS);
		b = number(argc, argv, 2, MAX_THREADS);
		snprintf(name, sizeof(name), "faults-%d-%d", a, b);
		contend(name, faulter, a, b, number(argc, argv, 3, 600000));
	} else if (!strcmp(argv[0], "query")) {
		b = number(argc, argv, 1, MAX_THREADS);
		snprintf(name, sizeof(name), "query-%d", b);
		contend(name, querier, 1, b, number(argc, argv, 2, 600000));
	} else if (!strcmp(argv[0], "continue")) {
		b = number(argc, argv, 1, MAX_THREADS);
		snprintf(name, sizeof(name), "continue-%d", b);
		contend(name, continuer, 1, b, number(argc, argv, 2, 600000));
	} else if (!strcmp(argv[0], "instr")) {
		instructions();
	} else if (!strcmp(argv[0], "slab")) {
		slab(number(argc, argv, 1, 30000));
	} else {
		return 2;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int from = 1, rc = argc < 2 ? 2 : 0;

	page_size = sysconf(_SC_PAGESIZE);
	for (int i = 1; i <= argc && !rc; i++) {
		int status;
		pid_t pid;

		if (i < argc && strcmp(argv[i], "--"))
			continue;
		fflush(stdout);
		pid = fork();
		if (pid < 0)
			die("fork");
		if (!pid)
			exit(one(i - from, argv + from));
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			rc = 1;
		else
			rc = WEXITSTATUS(status);
		from = i + 1;
	}
	return rc;
}
