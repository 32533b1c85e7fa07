/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The module's trace events, in an instance of tracefs of the test's own.
 */
#ifndef LSABUF_TRACE_TEST_H
#define LSABUF_TRACE_TEST_H

#include "lsabuf_test.h"

#define TRACE_ROOT "/sys/kernel/tracing"

static char trace_dir[64];

static inline char *trace_path(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", trace_dir, name);
	return path;
}

/* Enable the events below events/@what. */
static inline int trace_start(const char *what)
{
	char name[64];
	int ret;

	if (access(TRACE_ROOT "/events", F_OK))
		mount("none", TRACE_ROOT, "tracefs", 0, NULL);
	snprintf(trace_dir, sizeof(trace_dir),
		 TRACE_ROOT "/instances/lsabuf-%d", getpid());
	rmdir(trace_dir);
	/*
	 * For the names of tasks the kernel would patch its scheduler, which
	 * an emulated machine under load does not always survive. An instance
	 * inherits that option.
	 */
	write_text(TRACE_ROOT "/options/record-cmd", "0");
	ret = mkdir(trace_dir, 0700) ? -errno : 0;
	write_text(TRACE_ROOT "/options/record-cmd", "1");
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "events/%s/enable", what);
	return write_text(trace_path(name), "1");
}

static inline void trace_stop(void)
{
	rmdir(trace_dir);
}

static inline void trace_clear(void)
{
	close(open(trace_path("trace"), O_WRONLY | O_TRUNC));
}

/* How often that text is in the trace since trace_clear(). */
static inline int traced(const char *word)
{
	char *text = read_text(trace_path("trace")), *at = text;
	int n = 0;

	while ((at = strstr(at, word))) {
		at++;
		n++;
	}
	free(text);
	return n;
}

/* What trace_look() has read, for trace_shows() */
static char *trace_text;

static inline void trace_look(void)
{
	free(trace_text);
	trace_text = read_text(trace_path("trace"));
}

/* How often that text is in what trace_look() has read. */
__attribute__((format(printf, 1, 2))) static inline int
trace_shows(const char *format, ...)
{
	char text[256];
	va_list arguments;
	char *at;
	int n = 0;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (at = trace_text; (at = strstr(at, text)); at++)
		n++;
	if (n != 1)
		fprintf(stderr, "# %d times in the trace: %s\n", n, text);
	return n;
}

/* Whether it has an address of the kernel: the upper half, in 16 digits. */
static inline bool trace_shows_kernel(void)
{
	const char *at = trace_text;

	while ((at = strstr(at, "0x"))) {
		at += 2;
		if (strchr("89abcdef", *at) &&
		    strspn(at, "0123456789abcdef") == 16)
			return true;
	}
	return false;
}

#define TRACED_ONCE(...) EXPECT_EQ(1, trace_shows(__VA_ARGS__))

#endif /* LSABUF_TRACE_TEST_H */
