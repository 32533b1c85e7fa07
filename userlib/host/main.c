// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * lsahost: loads security packages and serves them to clients, as the Local
 * Security Authority does. Stays in the foreground.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lsahost.h"

#ifndef LSABUF_PACKAGE_DIR
#define LSABUF_PACKAGE_DIR "/usr/local/lib/lsabuf/packages"
#endif

#ifndef LSABUF_CONFIG_DIR
#define LSABUF_CONFIG_DIR "/etc/lsabuf/packages.d"
#endif

#define MIN_THREADS 2
#define MAX_THREADS 1024
/* How long packages may take to return when the host is to end */
#define STOP_SECONDS 5

struct options {
	const char *device;
	const char *endpoint;
	const char *directory;
	const char *config;
	unsigned int threads;
};

static const char usage[] =
	"usage: lsahost [options] [PACKAGE...]\n"
	"Load security packages and serve them to clients.\n"
	"\n"
	"PACKAGE is the path of a shared object, or the name of one in the\n"
	"package directory without its .so. Without any, those that the files\n"
	"*.conf of the configuration directory name are loaded.\n"
	"\n"
	"  -c, --config=DIR      configuration directory\n"
	"                        (default: " LSABUF_CONFIG_DIR ")\n"
	"  -d, --device=FILE     device (default: $LSABUF_DEVICE, or\n"
	"                        " LSABUF_DEVICE_DEFAULT ")\n"
	"  -e, --endpoint=NAME   endpoint to serve\n"
	"                        (default: " LSABUF_ENDPOINT_DEFAULT ")\n"
	"  -g, --group=GROUP     trust the members of this group as logon processes,\n"
	"                        not only processes with CAP_SYS_ADMIN\n"
	"  -P, --packages=DIR    package directory\n"
	"                        (default: " LSABUF_PACKAGE_DIR ")\n"
	"  -t, --threads=N       server threads (default: one per processor, at least 2)\n"
	"  -v, --verbose         log every call\n"
	"  -q, --quiet           log nothing but errors\n"
	"  -h, --help            show this\n"
	"  -V, --version         show the version\n";

static unsigned int default_threads(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < MIN_THREADS)
		return MIN_THREADS;
	return processors > MAX_THREADS ? MAX_THREADS : processors;
}

static void refuse(const char *reason, const char *value)
{
	fprintf(stderr, "lsahost: %s%s\nTry: lsahost --help\n", reason, value);
	exit(2);
}

static unsigned int parse_threads(const char *text)
{
	char *end;
	long number = strtol(text, &end, 10);

	if (end == text || *end || number < 1 || number > MAX_THREADS)
		refuse("threads must be 1 to 1024, not ", text);
	return number;
}

static void parse_option(int option, struct options *options)
{
	switch (option) {
	case 'c':
		options->config = optarg;
		break;
	case 'd':
		options->device = optarg;
		break;
	case 'e':
		options->endpoint = optarg;
		break;
	case 'g':
		if (!trust_set_group(optarg))
			refuse("there is no group ", optarg);
		break;
	case 'P':
		options->directory = optarg;
		break;
	case 't':
		options->threads = parse_threads(optarg);
		break;
	case 'v':
		log_level = LOG_LEVEL_CALLS;
		break;
	case 'q':
		log_level = LOG_LEVEL_ERROR;
		break;
	case 'h':
		fputs(usage, stdout);
		exit(0);
	case 'V':
		printf("lsahost %s\n", lsabuf_version());
		exit(0);
	default:
		fputs("Try: lsahost --help\n", stderr);
		exit(2);
	}
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "device", required_argument, NULL, 'd' },
		{ "endpoint", required_argument, NULL, 'e' },
		{ "group", required_argument, NULL, 'g' },
		{ "packages", required_argument, NULL, 'P' },
		{ "threads", required_argument, NULL, 't' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:d:e:g:P:t:vqhV", names,
				     NULL)) != -1)
		parse_option(option, options);
}

static const char *explain_serve(int error)
{
	switch (error) {
	case -EACCES:
		return "only root may, and whom root has allowed to";
	case -EBUSY:
		return "another process serves it";
	case -EINVAL:
		return "not a valid name (1 to 31 bytes)";
	default:
		return strerror(-error);
	}
}

/* Older modules serve as well; but who misses something should know why */
static void log_missing(int fd)
{
	struct lsabuf_info info;
	uint64_t missing, bit;

	if (lsabuf_info(fd, &info))
		return;
	missing = lsabuf_missing(&info);
	for (bit = 1; missing; bit <<= 1) {
		if (missing & bit)
			log_info(
				"the module is older than lsahost %s and lacks: %s",
				lsabuf_version(), lsabuf_feature_name(bit));
		missing &= ~bit;
	}
}

/* The device, or -1 when the reason has been logged */
static int open_device(const struct options *options)
{
	int fd = lsabuf_open(options->device);

	if (fd >= 0)
		return fd;
	log_error("cannot open the device: %s (%s)",
		  lsabuf_explain(lsabuf_status(fd, LSABUF_SUBJECT_DEVICE)),
		  strerror(-fd));
	return -1;
}

/* The authority's file, or -1 when the reason has been logged */
static int open_authority(const struct options *options)
{
	struct lsabuf_serve how = { .flags = LSABUF_SERVE_F_NOTIFY };
	int fd, ret;

	fd = open_device(options);
	if (fd < 0)
		return -1;
	log_missing(fd);
	ret = lsabuf_serve(fd, options->endpoint, &how);
	if (ret) {
		log_error("cannot serve endpoint \"%s\": %s", options->endpoint,
			  explain_serve(ret));
		lsabuf_close(fd);
		return -1;
	}
	return fd;
}

static bool load_packages(const struct options *options, char **names)
{
	static LSA_SECPKG_FUNCTION_TABLE services;

	lsabuf_host_set(&dispatch_functions);
	sessions_services(&services);
	workers_services(&services);
	lsabuf_host_services_set(&services);
	if (!*names && !config_load(options->config, options->directory))
		return false;
	for (; *names; names++) {
		if (!package_load(options->directory, *names))
			return false;
	}
	if (!package_count())
		log_error("no package is named, on the command line or in %s",
			  options->config);
	return package_count();
}

/* Serve until somebody wants us to end; the exit status */
static int serve(int fd, const struct options *options, const sigset_t *ends)
{
	int signal, status = 0;

	if (!pool_start(fd, options->threads)) {
		/* No orderly end for a pool that is half there */
		_exit(1);
	}
	log_info("serving endpoint \"%s\" with %u threads", options->endpoint,
		 options->threads);
	notify("READY=1");

	while (sigwait(ends, &signal))
		;
	notify("STOPPING=1");
	log_info("ending: %s",
		 pool_has_failed() ? "failure" : strsignal(signal));
	if (pool_has_failed())
		status = 1;
	/* Its threads may still use the file: leave the rest to the kernel */
	if (!pool_stop(STOP_SECONDS))
		_exit(1);
	workers_stop();
	sessions_rundown(0);
	packages_shutdown();
	return status;
}

int main(int argc, char **argv)
{
	struct options options = {
		.endpoint = LSABUF_ENDPOINT_DEFAULT,
		.directory = LSABUF_PACKAGE_DIR,
		.config = LSABUF_CONFIG_DIR,
		.threads = default_threads(),
	};
	sigset_t ends;
	int fd, status;

	parse_options(argc, argv, &options);
	/* For all threads to come, those of packages too; main waits for them */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);

	/* Packages make shared memory while they are initialised */
	fd = open_authority(&options);
	if (fd < 0)
		return 1;
	lsabuf_host_authority_set(fd);
	if (!load_packages(&options, argv + optind))
		return 1;
	status = serve(fd, &options, &ends);
	lsabuf_close(fd);
	return status;
}
