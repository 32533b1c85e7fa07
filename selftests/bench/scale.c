// SPDX-License-Identifier: GPL-2.0
/*
 * What clients cost that do nothing: time of others' calls, and memory.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "held.h"

#define LIMIT_FILE "/sys/module/lsabuf/parameters/user_clients"
/* Files beside those of the clients */
#define OTHER_FILES 64
/* Client processes, each with memory of its own */
/* So many that what lies free in slabs before makes no difference. */
#define PROCESSES 1000

/* Connections that one user may have, as the module says */
static unsigned int user_clients(void)
{
	FILE *file = fopen(LIMIT_FILE, "re");
	unsigned int limit = 0;

	if (!file || fscanf(file, "%u", &limit) != 1)
		die("cannot read " LIMIT_FILE);
	fclose(file);
	return limit;
}

static void allow_files(unsigned int nr)
{
	struct rlimit limit = { nr, nr };

	expect(!setrlimit(RLIMIT_NOFILE, &limit), "RLIMIT_NOFILE");
}

/* Bytes of the kernel's own small objects, of all sizes */
static double slab_bytes(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	unsigned long kib = 0;
	char line[128];

	expect(file, "/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %lu", &kib) == 1)
			break;
	fclose(file);
	return kib * (double)KIB;
}

static void record_bytes(double bytes, const char *name)
{
	double runs[RUNS] = { bytes, bytes, bytes };

	record(runs, "%s", name);
}

/* Clients that have called once; they stay until the process ends. */
static void add_idle(unsigned int nr, const void *submit)
{
	struct client client;

	while (nr--) {
		client_connect(&client, submit);
		client_call(&client);
	}
}

static void bench_connections(void)
{
	static const unsigned int numbers[] = { 1, 100, 1000, 10000 };
	unsigned int idle = 0, limit = user_clients();
	void *submit = new_buffer(4 * KIB);
	double before = slab_bytes();
	struct client client;
	size_t i;

	allow_files(numbers[ARRAY_SIZE(numbers) - 1] + OTHER_FILES);
	client_connect(&client, submit);
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		/* One for the client that is measured */
		if (numbers[i] >= limit) {
			printf("# %u idle clients need user_clients=%u\n",
			       numbers[i], numbers[i] + 1);
			break;
		}
		add_idle(numbers[i] - idle, submit);
		idle = numbers[i];
		measure(client_call, &client,
			"CALL 64/status, %u idle client%s", idle,
			idle == 1 ? "" : "s");
	}
	record_bytes((slab_bytes() - before) / (idle + 1),
		     "bytes per idle connection");
}

/**
 * struct gate - to let processes go one after the other
 * @go: each reads a byte of it
 * @done: and writes one when it has come so far
 */
struct gate {
	int go[2];
	int done[2];
};

static void idle_process(void *context)
{
	void *submit = new_buffer(4 * KIB);
	struct gate *gate = context;
	struct client client;
	char byte;

	close(gate->go[1]);
	expect(write(gate->done[1], "", 1) == 1, "write");
	expect(read(gate->go[0], &byte, 1) == 1, "read");
	client_connect(&client, submit);
	client.call.code = CODE_PAYLOAD;
	client.call.kind = 64;
	client_call_and_free(&client);
	expect(write(gate->done[1], "", 1) == 1, "write");
	pause();
}

static void wait_for_process(struct gate *gate)
{
	char byte;

	expect(read(gate->done[0], &byte, 1) == 1, "read");
}

/*
 * Processes that have used a client buffer and given it back; not at the same
 * time, or what their authority took for that would count as theirs.
 */
static void bench_processes(void)
{
	pid_t pids[PROCESSES];
	struct gate gate;
	double before;
	unsigned int i;

	expect(!pipe(gate.go) && !pipe(gate.done), "pipe");
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = start_child(idle_process, &gate);
		wait_for_process(&gate);
	}
	before = slab_bytes();
	for (i = 0; i < PROCESSES; i++) {
		expect(write(gate.go[1], "", 1) == 1, "write");
		wait_for_process(&gate);
	}
	record_bytes((slab_bytes() - before) / PROCESSES,
		     "bytes per idle client process");
	for (i = 0; i < PROCESSES; i++)
		end_child(pids[i]);
	close(gate.go[0]);
	close(gate.go[1]);
	close(gate.done[0]);
	close(gate.done[1]);
}

/* Threads of an authority that have nothing to do */
static void bench_waiting(void)
{
	static const unsigned int numbers[] = { 1, 8, 64 };
	void *submit = new_buffer(4 * KIB);
	struct client client;
	size_t i;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		pid = start_authority(numbers[i]);
		client_connect(&client, submit);
		measure(client_call, &client,
			"CALL 64/status, %u waiting thread%s", numbers[i],
			numbers[i] == 1 ? "" : "s");
		close(client.fd);
		end_child(pid);
	}
}

/**
 * bench_scale() - measure how lsabuf carries many clients
 */
void bench_scale(void)
{
	pid_t pid = start_authority(1);

	if (user_clients() > PROCESSES)
		bench_processes();
	bench_connections();
	end_child(pid);
	bench_waiting();
}
