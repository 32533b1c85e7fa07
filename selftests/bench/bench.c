// SPDX-License-Identifier: GPL-2.0
/*
 * bench: what lsabuf's operations cost beside their peers, in one run.
 *
 * Made for a machine in which the clock counts instructions (see ../vm/bench),
 * where figures repeat to 1 %; elsewhere it shows nanoseconds, which vary.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "bench.h"

const struct copy_size copy_sizes[] = {
	{ 1, "1 B" },		{ 64, "64 B" },	      { 4 * KIB, "4 KiB" },
	{ 64 * KIB, "64 KiB" }, { 1 * MIB, "1 MiB" }, { 16 * MIB, "16 MiB" },
};

const size_t nr_copy_sizes = ARRAY_SIZE(copy_sizes);

/**
 * struct peer - what an operation is compared with
 * @name: of the operation; with @sized, without the size at its end
 * @peer: of the peer, likewise
 * @sized: once for each of copy_sizes
 */
struct peer {
	const char *name;
	const char *peer;
	bool sized;
};

static const struct peer peers[] = {
	{ "INFO", "null ioctl" },
	{ "CALL 0/status", "eventfd ping-pong" },
	{ "CALL 64/status", "eventfd ping-pong" },
	{ "CALL 64/status", "eventfd ping-pong, SCHED_OTHER" },
	{ "CALL 64/status", "pipe 64/64" },
	{ "CALL 64/status", "AF_UNIX 64/64" },
	{ "CALL 64/status", "binder 64/64" },
	{ "CALL 64/64 payload, freed by call", "eventfd ping-pong" },
	{ "CALL 64/64 payload, freed by call", "AF_UNIX 64/64" },
	{ "CALL 64/64 payload, freed by call", "AF_UNIX+cred 64/64" },
	{ "CALL 64/64 payload, freed by call", "binder 64/64" },
	{ "CALL, ALLOC, COPY 4 KiB, FREE", "AF_UNIX 64/4096" },
	{ "CALL, ALLOC, COPY 4 KiB, FREE", "AF_UNIX+cred 64/4096" },
	{ "CALL, ALLOC, COPY 4 KiB, FREE", "binder 64/4096" },
	{ "CALL 64/4096 payload, freed by call", "AF_UNIX 64/4096" },
	{ "CALL 64/4096 payload, freed by call", "AF_UNIX+cred 64/4096" },
	{ "CALL 64/4096 payload, freed by call", "binder 64/4096" },
	{ "ALLOC+FREE 256 B", "null ioctl" },
	{ "ALLOC+FREE 256 B", "mmap+touch+munmap 4 KiB" },
	{ "ALLOC+FREE 4 KiB", "mmap+touch+munmap 4 KiB" },
	{ "ALLOC+RELEASE 256 B", "mmap+touch+munmap 4 KiB" },
	{ "ALLOC+RELEASE 4 KiB", "mmap+touch+munmap 4 KiB" },
	{ "COPY to block", "process_vm_writev", true },
	{ "COPY from block", "process_vm_readv", true },
	{ "COPY to resident", "process_vm_writev", true },
	{ "COPY from resident", "process_vm_readv", true },
	{ "COPY to block", "memcpy", true },
	{ "COPY 64 ranges of 28 B, one page",
	  "64 process_vm_readv of 28 B, one page" },
	{ "COPY 64 ranges of 28 B, one page",
	  "process_vm_readv 64 x 28 B, one page" },
	{ "COPY 64 ranges of 28 B, 64 pages",
	  "64 process_vm_readv of 28 B, 64 pages" },
	{ "COPY 64 ranges of 28 B, 64 pages",
	  "process_vm_readv 64 x 28 B, 64 pages" },
	{ "COPY 64 ranges of 28 B, one block",
	  "64 process_vm_readv of 28 B, one page" },
	{ "COPY to block 64 B, 100000 live", "COPY to block 64 B, 10 live" },
	{ "ALLOC+RELEASE 256 B, 100000 live", "ALLOC+RELEASE 256 B, 10 live" },
	{ "CALL 64/status, 10000 idle clients",
	  "CALL 64/status, 1 idle client" },
	{ "6 x shared alloc+free, 10 live", "6 x malloc+free" },
	{ "6 x shared alloc+free, wiped, 10 live", "6 x malloc+free" },
	{ "6 x shared alloc+free, 100000 live",
	  "6 x shared alloc+free, 10 live" },
	{ "section of 1 MiB, 64 KiB there", "memfd of 1 MiB, 64 KiB there" },
	{ "section of 4 GiB, 64 KiB there", "section of 1 MiB, 64 KiB there" },
	{ "account cache, hit", "AF_UNIX 64/64" },
	{ "account cache, hit", "CALL 64/64 payload, freed by call" },
	{ "LSA call, 4 KiB, through the tables", "AF_UNIX 64/4096" },
	{ "LSA call, 4 KiB, through the tables", "AF_UNIX+cred 64/4096" },
	{ "LSA call, 4 KiB, through the tables", "binder 64/4096" },
	{ "CALL 64/status, 64 waiting threads",
	  "CALL 64/status, 1 waiting thread" },
	{ "ALLOC+FREE 256 B", "malloc+free 256 B" },
	{ "ALLOC+FREE 4 KiB", "memfd+mmap+touch+munmap+close 4 KiB" },
	{ "COPY to block 1 MiB, per page beyond the copy",
	  "process_vm_writev 1 MiB, per page beyond" },
};

/**
 * struct budget - a ratio that must be kept
 * @name: the operation
 * @peer: what it is measured against, NULL for nothing: a plain figure
 * @required: the highest ratio allowed
 * @goal: what is aimed at
 */
struct budget {
	const char *name;
	const char *peer;
	double required;
	double goal;
};

static const struct budget budgets[] = {
	{ "CALL 64/status", "eventfd ping-pong", 1.35, 1.20 },
	{ "CALL 64/status", "AF_UNIX 64/64", 0.80, 0.72 },
	{ "CALL 64/status", "binder 64/64", 0.52, 0.46 },
	{ "CALL 64/64 payload, freed by call", "eventfd ping-pong", 1.35,
	  1.20 },
	{ "CALL 64/64 payload, freed by call", "AF_UNIX 64/64", 0.80, 0.72 },
	{ "CALL 64/64 payload, freed by call", "binder 64/64", 0.52, 0.46 },
	{ "LSA call, 4 KiB, through the tables", "AF_UNIX 64/4096", 0.90,
	  0.78 },
	{ "LSA call, 4 KiB, through the tables", "binder 64/4096", 0.75, 0.62 },
	{ "CALL 64/4096 payload, freed by call", "AF_UNIX 64/4096", 0.75,
	  0.62 },
	{ "COPY to block 64 B", "process_vm_writev 64 B", 0.45, 0.40 },
	{ "COPY to block 4 KiB", "process_vm_writev 4 KiB", 0.52, 0.48 },
	{ "COPY to block 64 KiB", "process_vm_writev 64 KiB", 0.55, 0.50 },
	{ "COPY to block 1 MiB, per page beyond the copy",
	  "process_vm_writev 1 MiB, per page beyond", 0.20, 0.20 },
	{ "COPY to block 64 B, 100000 live", "COPY to block 64 B, 10 live",
	  1.15, 1.15 },
	{ "COPY to resident 64 B", "process_vm_writev 64 B", 0.85, 0.75 },
	{ "COPY from resident 64 B", "process_vm_readv 64 B", 0.85, 0.75 },
	{ "COPY to resident 64 KiB", "process_vm_writev 64 KiB", 1.05, 1.05 },
	{ "COPY from resident 64 KiB", "process_vm_readv 64 KiB", 1.05, 1.05 },
	{ "COPY to resident 1 MiB", "process_vm_writev 1 MiB", 1.05, 1.05 },
	{ "COPY from resident 1 MiB", "process_vm_readv 1 MiB", 1.05, 1.05 },
	{ "COPY to resident 16 MiB", "process_vm_writev 16 MiB", 1.05, 1.05 },
	{ "COPY from resident 16 MiB", "process_vm_readv 16 MiB", 1.05, 1.05 },
	{ "COPY 64 ranges of 28 B, one page",
	  "64 process_vm_readv of 28 B, one page", 0.35, 0.12 },
	{ "COPY 64 ranges of 28 B, 64 pages",
	  "64 process_vm_readv of 28 B, 64 pages", 0.35, 0.35 },
	{ "ALLOC+FREE 256 B", "null ioctl", 4.2, 3.6 },
	{ "CALL 64/status, 10000 idle clients", "CALL 64/status, 1 idle client",
	  1.10, 1.10 },
	{ "bytes per idle client process", NULL, 4096, 4096 },
	{ "lsabuf_call(), beyond its ioctl", NULL, 80, 80 },
	{ "lsabuf_copy_to(), beyond its ioctl", NULL, 80, 80 },
	{ "LSA call: library, each of its 5 calls", NULL, 80, 80 },
	{ "6 x shared alloc+free, 10 live", "6 x malloc+free", 2.50, 1.30 },
	{ "6 x shared alloc+free, 100000 live",
	  "6 x shared alloc+free, 10 live", 1.15, 1.15 },
	{ "section of 1 MiB, 64 KiB there", "memfd of 1 MiB, 64 KiB there",
	  1.20, 1.20 },
	{ "section of 4 GiB, 64 KiB there", "section of 1 MiB, 64 KiB there",
	  1.05, 1.05 },
	{ "account cache, hit", "AF_UNIX 64/64", 0.025, 0.015 },
};

/* Below 0 where one of them was not measured. */
static double ratio(const char *name, const char *peer)
{
	const struct result *a = result_find(name);
	const struct result *b = peer ? result_find(peer) : NULL;

	if (a && !peer)
		return a->min;
	return a && b && b->min > 0 ? a->min / b->min : -1;
}

/* Return whether a loop of known length takes one unit per instruction. */
static bool clock_counts_instructions(void)
{
#if defined(__x86_64__)
	unsigned long rounds = 1000000;
	double start = now(), each;

	/* Two instructions a round. */
	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(rounds));
	each = (now() - start) / 2e6;
	return fabs(each - 1) < 0.02;
#else
	return false;
#endif
}

/* The first "key : value" of /proc/cpuinfo, or whether a flag is there. */
static bool cpuinfo(const char *key, const char *flag, char *value, size_t size)
{
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[8192], word[64];
	bool found = false;
	char *text;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		text = strchr(line, ':');
		if (!text || strncmp(line, key, strlen(key)))
			continue;
		text[strcspn(text, "\n")] = ' ';
		snprintf(word, sizeof(word), " %s ", flag ? flag : "");
		if (flag && !strstr(text, word))
			break;
		if (value)
			snprintf(value, size, "%s", text + 2);
		found = true;
	}
	fclose(file);
	return found;
}

/**
 * struct machine - what the figures hold for
 * @kernel: release and architecture
 * @cpu: model
 * @flags: of the features that change what a copy costs, those there are
 * @unit: of the clock
 */
struct machine {
	char kernel[160];
	char cpu[128];
	char flags[32];
	const char *unit;
};

static void describe_machine(struct machine *machine)
{
	static const char *const flags[] = { "erms", "fsrm", "cx16" };
	struct utsname name;
	size_t i;

	uname(&name);
	snprintf(machine->kernel, sizeof(machine->kernel), "%s %s",
		 name.release, name.machine);
	if (!cpuinfo("model name", NULL, machine->cpu, sizeof(machine->cpu)))
		strcpy(machine->cpu, "unknown");
	machine->cpu[strcspn(machine->cpu, "\"\\")] = 0;
	machine->flags[0] = 0;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!cpuinfo("flags", flags[i], NULL, 0))
			continue;
		strcat(machine->flags, " ");
		strcat(machine->flags, flags[i]);
	}
	machine->unit = clock_counts_instructions() ? "instructions" : "ns";
}

static void print_machine(const struct machine *machine)
{
	printf("# kernel %s\n# cpu %s (of erms, fsrm, cx16 it has:%s)\n",
	       machine->kernel, machine->cpu,
	       machine->flags[0] ? machine->flags : " none");
	printf("# unit: %s per operation; %d runs after a warm-up\n",
	       machine->unit, RUNS);
	printf("# SCHED_BATCH: both sides of a round trip sleep and are woken\n");
	printf("# null ioctl: an unknown command on /dev/lsabuf (ENOTTY)\n");
	printf("# ALLOC+FREE: all that both add to a call, in both processes\n");
	fflush(stdout);
}

/* An operation of its own makes few of them, what else happens even fewer. */
static void print_counts(const struct result *result)
{
	size_t i;

	for (i = 0; i < NR_COUNTS; i++) {
		if (result->counts[i] < 0)
			printf(" %9s", "-");
		else
			printf(" %9.1f", result->counts[i]);
	}
}

static void print_results(void)
{
	const struct result *result = NULL;
	size_t i;

	printf("\n%-44s %10s %10s", "operation", "min", "median");
	for (i = 0; i < NR_COUNTS; i++)
		printf(" %9s", count_names[i]);
	printf("\n");
	while ((result = result_next(result))) {
		printf("%-44s %10.0f %10.0f", result->name, result->min,
		       result->median);
		if (result->counted)
			print_counts(result);
		printf("\n");
	}
}

typedef void (*use_ratio)(FILE *file, const char *name, const char *peer,
			  double value);

static void print_ratio(FILE *file, const char *name, const char *peer,
			double value)
{
	fprintf(file, "%-46s %8.3f x %s\n", name, value, peer);
}

/* For the comparison with an earlier run: fields with tabs between */
static void write_ratio(FILE *file, const char *name, const char *peer,
			double value)
{
	fprintf(file, "%s\t%s\t%.6g\n", name, peer, value);
}

static void with_ratio(use_ratio use, FILE *file, const char *name,
		       const char *peer)
{
	double value = ratio(name, peer);

	if (value >= 0)
		use(file, name, peer, value);
}

static void with_peer(use_ratio use, FILE *file, const struct peer *peer)
{
	char name[60], other[60];
	size_t i;

	if (!peer->sized) {
		with_ratio(use, file, peer->name, peer->peer);
		return;
	}
	for (i = 0; i < nr_copy_sizes; i++) {
		snprintf(name, sizeof(name), "%s %s", peer->name,
			 copy_sizes[i].name);
		snprintf(other, sizeof(other), "%s %s", peer->peer,
			 copy_sizes[i].name);
		with_ratio(use, file, name, other);
	}
}

static void with_ratios(use_ratio use, FILE *file)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(peers); i++)
		with_peer(use, file, &peers[i]);
}

static void print_ratios(void)
{
	printf("\n%-46s %8s   %s\n", "operation", "ratio", "peer");
	with_ratios(print_ratio, stdout);
	printf("\n");
}

static void write_ratios(const char *path)
{
	FILE *file = fopen(path, "we");

	expect(file, path);
	with_ratios(write_ratio, file);
	expect(!fclose(file), path);
}

static bool budget_kept(const struct budget *budget)
{
	double value = ratio(budget->name, budget->peer);

	return value >= 0 && value <= budget->required;
}

/* Returns whether all budgets are kept. */
static bool print_budgets(void)
{
	bool kept = true;
	size_t i;

	printf("%-46s %9s %9s %6s\n", "budget", "measured", "required", "goal");
	for (i = 0; i < ARRAY_SIZE(budgets); i++) {
		const struct budget *budget = &budgets[i];
		double value = ratio(budget->name, budget->peer);

		printf("%-46s %9.*f %9g %6g %-5s %s%s\n", budget->name,
		       budget->peer ? 3 : 0, value, budget->required,
		       budget->goal,
		       !budget_kept(budget)  ? "FAIL" :
		       value <= budget->goal ? "goal" :
					       "ok",
		       budget->peer ? "x " : "", budget->peer ?: "");
		kept = kept && budget_kept(budget);
	}
	printf("\n");
	return kept;
}

/* One a line: { "min": 1, "median": 1, "faults": 0 }, counts if there are */
static void write_result(FILE *file, const struct result *result)
{
	size_t i;

	fprintf(file, "%s\n\t\t\"%s\": { \"min\": %.1f, \"median\": %.1f",
		result == result_next(NULL) ? "" : ",", result->name,
		result->min, result->median);
	for (i = 0; result->counted && i < NR_COUNTS; i++)
		if (result->counts[i] >= 0)
			fprintf(file, ", \"%s\": %.2f", count_names[i],
				result->counts[i]);
	fprintf(file, " }");
}

/* No name holds a character that JSON would want escaped. */
static void write_json(const char *path, const struct machine *machine)
{
	const struct result *result = NULL;
	FILE *file = fopen(path, "we");
	size_t i;

	expect(file, path);
	fprintf(file, "{\n\t\"unit\": \"%s\",\n\t\"kernel\": \"%s\",\n",
		machine->unit, machine->kernel);
	fprintf(file, "\t\"cpu\": \"%s\",\n\t\"flags\": \"%s\",\n",
		machine->cpu, machine->flags);
	fprintf(file, "\t\"results\": {");
	while ((result = result_next(result)))
		write_result(file, result);
	fprintf(file, "\n\t},\n\t\"budgets\": [");
	for (i = 0; i < ARRAY_SIZE(budgets); i++)
		fprintf(file, "%s\n\t\t[\"%s\", \"%s\", %.6g, %g, %g]",
			i ? "," : "", budgets[i].name, budgets[i].peer ?: "",
			ratio(budgets[i].name, budgets[i].peer),
			budgets[i].required, budgets[i].goal);
	fprintf(file, "\n\t]\n}\n");
	expect(!fclose(file), path);
}

/* The families in the order of the table */
static const struct {
	const char *name;
	void (*run)(void);
} families[] = {
	{ "system", bench_system },	{ "roundtrip", bench_round_trips },
	{ "binder", bench_binder },	{ "lsabuf", bench_lsabuf },
	{ "library", bench_library },	{ "scale", bench_scale },
	{ "sections", bench_sections },
};

static void usage(void)
{
	fprintf(stderr,
		"usage: bench [--json FILE] [--ratios FILE] [--loop OPERATION] [FAMILY...]\n"
		"families: system roundtrip binder lsabuf library scale sections\n");
	exit(2);
}

static bool wanted(const char *family, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++)
		if (!strcmp(family, *names))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "ratios", required_argument, NULL, 'r' },
		{ "loop", required_argument, NULL, 'l' },
		{ 0 },
	};
	const char *json = NULL, *ratios = NULL, *loop = NULL;
	struct machine machine;
	int option;
	size_t i;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			json = optarg;
			break;
		case 'r':
			ratios = optarg;
			break;
		case 'l':
			loop = optarg;
			break;
		default:
			usage();
		}
	}
	results_init(loop);
	sleep_both(true);
	describe_machine(&machine);
	print_machine(&machine);
	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (wanted(families[i].name, argv + optind))
			families[i].run();
	print_results();
	print_ratios();
	if (json)
		write_json(json, &machine);
	if (ratios)
		write_ratios(ratios);
	if (argc > optind)
		return 0;
	return print_budgets() ? 0 : 1;
}
