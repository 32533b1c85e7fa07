// SPDX-License-Identifier: GPL-2.0
/*
 * The clock and the record of results.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "bench.h"

/* Aim of one run, in units of the clock; bounds of its operations */
#define RUN_COST 1500000
#define MIN_BATCH 2
#define MAX_BATCH 1000
/* Operations to learn the cost from */
#define PROBE 4

struct results {
	unsigned int nr;
	struct result result[512];
};

/* Shared by all processes of the benchmark; one of them runs at a time. */
static struct results *results;

/* Operation to repeat for ever, NULL for none */
static const char *looped;

/**
 * results_init() - make room for results, before the first fork
 * @loop: name of an operation to repeat for ever when it is reached, so that it
 *	can be watched from outside; NULL for none
 */
void results_init(const char *loop)
{
	looped = loop;
	results = mmap(NULL, sizeof(*results), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	expect(results != MAP_FAILED, "mmap of the results");
	memset(results, 0, sizeof(*results));
}

/**
 * now() - the time, in nanoseconds
 *
 * Return: CLOCK_MONOTONIC, which counts instructions under icount.
 */
double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e9 + ts.tv_nsec;
}

static double run_batch(bench_op op, void *context, unsigned int batch)
{
	double start = now();
	unsigned int i;

	for (i = 0; i < batch; i++)
		op(context);
	return (now() - start) / batch;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/**
 * median() - the middle one of some figures
 * @values: the figures; sorted
 * @nr: number of them
 */
double median(double *values, size_t nr)
{
	qsort(values, nr, sizeof(values[0]), compare_doubles);
	return values[nr / 2];
}

/* Write the name of the result to come. */
static struct result *name_result(const char *format, va_list args)
{
	struct result *result = &results->result[results->nr];

	expect(results->nr < ARRAY_SIZE(results->result), "room for results");
	vsnprintf(result->name, sizeof(result->name), format, args);
	return result;
}

static void add_result(struct result *result, const double runs[RUNS])
{
	double sorted[RUNS];

	memcpy(sorted, runs, sizeof(sorted));
	result->median = median(sorted, RUNS);
	result->min = sorted[0];
	results->nr++;
}

/**
 * record() - add a result that was measured elsewhere
 * @runs: cost of one operation in each run
 * @format: its name
 */
void record(const double runs[RUNS], const char *format, ...)
{
	struct result *result;
	va_list args;

	va_start(args, format);
	result = name_result(format, args);
	va_end(args);
	add_result(result, runs);
}

/* Where an operation begins, for ../vm/profile, which counts how often */
__attribute__((noinline)) void loop_begin(void)
{
	__asm__ volatile("");
}

static void loop_for_ever(bench_op op, void *context, const char *name)
{
	run_batch(op, context, MAX_BATCH);
	printf("# looping: %s\n", name);
	fflush(stdout);
	for (;;) {
		loop_begin();
		op(context);
	}
}

/**
 * measure() - find the cost of an operation and record it
 * @op: does it once
 * @context: its argument
 * @format: its name
 *
 * Batches are warmed up, and large enough for the tick not to matter.
 */
void measure(bench_op op, void *context, const char *format, ...)
{
	unsigned int batch, run;
	double runs[RUNS], cost;
	struct result *result;
	va_list args;

	va_start(args, format);
	result = name_result(format, args);
	va_end(args);
	if (looped && !strcmp(looped, result->name))
		loop_for_ever(op, context, looped);

	run_batch(op, context, PROBE);
	cost = run_batch(op, context, PROBE);
	batch = cost < RUN_COST / MAX_BATCH ? MAX_BATCH : RUN_COST / cost;
	if (batch < MIN_BATCH)
		batch = MIN_BATCH;
	run_batch(op, context, batch);
	for (run = 0; run < RUNS; run++)
		runs[run] = run_batch(op, context, batch);
	result->counted = true;
	count_operations(op, context, result->counts);
	add_result(result, runs);
}

/**
 * result_find() - look up a result
 * @name: its name
 *
 * Return: the result, NULL where it was not measured.
 */
const struct result *result_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < results->nr; i++)
		if (!strcmp(results->result[i].name, name))
			return &results->result[i];
	return NULL;
}

/**
 * result_next() - walk through the results
 * @after: where to go on, NULL to begin
 *
 * Return: the next one, NULL at the end.
 */
const struct result *result_next(const struct result *after)
{
	const struct result *next = after ? after + 1 : results->result;

	return next < results->result + results->nr ? next : NULL;
}
