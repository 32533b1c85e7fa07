/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parts of the benchmark. Each family of operations is a file with one entry
 * function below, which measures and records; bench.c then compares.
 */
#ifndef LSABUF_BENCH_H
#define LSABUF_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define KIB 1024UL
#define MIB (1024 * KIB)

/* Each operation is measured so many times, after one round to warm up. */
#define RUNS 3
/* Bytes of the largest copy, and of every buffer */
#define BUFFER_BYTES (16 * MIB)
/* Bytes that a request of the round trips carries, everywhere */
#define REQUEST_BYTES 64

/**
 * struct copy_size - one size of the copies
 * @bytes: the size
 * @name: how it is written in names of results
 */
struct copy_size {
	size_t bytes;
	const char *name;
};

extern const struct copy_size copy_sizes[];
extern const size_t nr_copy_sizes;

/* An operation to measure; dies where it fails */
typedef void (*bench_op)(void *context);

/* measure.c */
void results_init(const char *loop);
double now(void);
double median(double *values, size_t nr);
void loop_begin(void);
void measure(bench_op op, void *context, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void record(const double runs[RUNS], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is counted beside instructions, in both processes */
enum count {
	COUNT_SYSTEM_CALLS,
	COUNT_SWITCHES,
	COUNT_FAULTS,
	COUNT_MMAP_LOCK,
	COUNT_PTES,
	NR_COUNTS,
};

/**
 * struct result - an operation's cost, in the unit of the clock
 * @name: what was measured
 * @min: of the runs
 * @median: of the runs
 * @counted: @counts are known
 * @counts: per operation, below 0 where the kernel cannot tell
 */
struct result {
	char name[60];
	double min;
	double median;
	bool counted;
	double counts[NR_COUNTS];
};

/* counts.c */
extern const char *const count_names[NR_COUNTS];
void count_operations(bench_op op, void *context, double counts[NR_COUNTS]);

const struct result *result_find(const char *name);
const struct result *result_next(const struct result *after);

/* process.c */
void die(const char *format, ...)
	__attribute__((noreturn, format(printf, 1, 2)));
void expect(bool ok, const char *what);
void *new_buffer(size_t bytes);
void sleep_both(bool fix);
pid_t start_child(void (*run)(void *context), void *context);
void wait_child(pid_t pid);
void end_child(pid_t pid);

/* The families */
void bench_system(void);
void bench_round_trips(void);
void bench_binder(void);
void bench_lsabuf(void);
void bench_library(void);
void bench_scale(void);
void bench_sections(void);

#endif /* LSABUF_BENCH_H */
