// SPDX-License-Identifier: LGPL-2.1-or-later
/* lsabufctl doctor: looks for what commonly is wrong. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <lsabuf.h>

#include "ctl.h"

#ifndef LSABUF_PACKAGE_DIR
#define LSABUF_PACKAGE_DIR "/usr/local/lib/lsabuf/packages"
#endif

enum verdict { GOOD, NOTE, BAD };

static bool sick;

__attribute__((format(printf, 2, 3))) static void say(enum verdict verdict,
						      const char *format, ...)
{
	static const char *const words[] = { "ok", "note", "WRONG" };
	static const char *const colours[] = { "32", "33", "31" };
	va_list arguments;

	if (ctl_colours())
		printf("\033[%sm%-5s\033[0m  ", colours[verdict],
		       words[verdict]);
	else
		printf("%-5s  ", words[verdict]);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	sick |= verdict == BAD;
}

static void check_kernel(void)
{
	unsigned int major, minor;
	struct utsname name;

	uname(&name);
	if (sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	    (major > 6 || (major == 6 && minor >= 1)))
		say(GOOD, "kernel %s", name.release);
	else
		say(BAD, "kernel %s: 6.1 or later is needed", name.release);
}

static bool check_module(void)
{
	char version[64], drain[8] = "";
	struct utsname name;

	if (!ctl_loaded()) {
		uname(&name);
		say(BAD,
		    "the module is not loaded: modprobe lsabuf (is it built for %s?)",
		    name.release);
		return false;
	}
	if (ctl_read_line(CTL_MODULE "/version", version, sizeof(version)))
		strcpy(version, "?");
	if (strcmp(version, lsabuf_version()))
		say(NOTE, "module %s, but library %s", version,
		    lsabuf_version());
	else
		say(GOOD, "module and library %s", version);
	ctl_read_line(CTL_MODULE "/parameters/drain", drain, sizeof(drain));
	if (*drain == 'Y')
		say(BAD,
		    "it is being drained: nobody can connect (lsabufctl drain --undo)");
	return true;
}

/* Older modules do all else; lsahost logs the same when it starts. */
static void check_features(const struct lsabuf_info *info)
{
	uint64_t missing = lsabuf_missing(info), bit;

	for (bit = 1; missing; bit <<= 1) {
		if (missing & bit)
			say(NOTE, "the module lacks: %s",
			    lsabuf_feature_name(bit));
		missing &= ~bit;
	}
}

static void check_device(void)
{
	const char *device = getenv("LSABUF_DEVICE") ?: LSABUF_DEVICE_DEFAULT;
	struct lsabuf_info info;
	struct stat st;
	int fd;

	fd = lsabuf_open(NULL);
	if (fd < 0) {
		say(BAD, "%s: %s%s", device, strerror(-fd),
		    fd == -EACCES ? ": this user may not be a client" : "");
		return;
	}
	if (lsabuf_info(fd, &info)) {
		say(BAD, "%s is no device of the module", device);
	} else if (info.out_abi_version != LSABUF_ABI_VERSION) {
		say(BAD,
		    "the module speaks version %u of the ABI, the library %u",
		    info.out_abi_version, LSABUF_ABI_VERSION);
	} else {
		fstat(fd, &st);
		say(st.st_mode & 0002 ? GOOD : NOTE,
		    "%s, mode %04o, owner %u%s", device, st.st_mode & 07777,
		    st.st_uid,
		    st.st_mode & 0002 ? "" : ": not everybody can be a client");
		check_features(&info);
	}
	lsabuf_close(fd);
}

static void check_endpoint(void)
{
	const char *endpoint = getenv("LSABUF_ENDPOINT") ?:
				       LSABUF_ENDPOINT_DEFAULT;
	struct lsabuf_connect details = { 0 };
	char path[64], comm[32] = "?";
	int fd, ret;

	fd = lsabuf_open(NULL);
	if (fd < 0)
		return;
	ret = lsabuf_connect(fd, endpoint, LSABUF_ACCESS_BUFFERS, &details);
	lsabuf_close(fd);
	if (ret == -ENOENT) {
		say(NOTE, "nobody serves the endpoint %s (is lsahost running?)",
		    endpoint);
	} else if (ret) {
		say(BAD, "cannot connect to %s: %s", endpoint, strerror(-ret));
	} else {
		snprintf(path, sizeof(path), "/proc/%u/comm",
			 details.out_authority_pid);
		ctl_read_line(path, comm, sizeof(comm));
		say(GOOD, "%s is served by process %u (%s) of user %u",
		    endpoint, details.out_authority_pid, comm,
		    details.out_authority_uid);
	}
}

static void check_limits(void)
{
	struct rlimit limit;

	getrlimit(RLIMIT_AS, &limit);
	if (limit.rlim_cur != RLIM_INFINITY)
		say(NOTE, "RLIMIT_AS is %llu bytes: arenas count",
		    (unsigned long long)limit.rlim_cur);
	getrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < 64)
		say(NOTE, "RLIMIT_NOFILE is %llu: each connection takes one",
		    (unsigned long long)limit.rlim_cur);
	else
		say(GOOD, "limits of this process");
}

static void check_packages(void)
{
	DIR *directory = opendir(LSABUF_PACKAGE_DIR);
	struct dirent *entry;
	unsigned int n = 0;

	if (!directory) {
		say(NOTE, "no packages in " LSABUF_PACKAGE_DIR ": %s",
		    strerror(errno));
		return;
	}
	while ((entry = readdir(directory)))
		n += !!strstr(entry->d_name, ".so");
	closedir(directory);
	say(n ? GOOD : NOTE, "%u packages in " LSABUF_PACKAGE_DIR, n);
}

static void check_tracing(void)
{
	if (geteuid())
		say(NOTE,
		    "not root: tracing and the summary are not looked at");
	else if (access("/sys/kernel/tracing/events/lsabuf", F_OK))
		say(NOTE, "no events in /sys/kernel/tracing: is it mounted?");
	else if (access(CTL_SUMMARY, R_OK))
		say(NOTE, "no " CTL_SUMMARY ": is debugfs mounted?");
	else
		say(GOOD, "events and summary are there");
}

int ctl_doctor(int argc, char **argv)
{
	if (argc > 1)
		return ctl_usage("doctor takes no words");
	check_kernel();
	if (!check_module())
		return CTL_ABSENT;
	check_device();
	check_endpoint();
	check_limits();
	check_packages();
	check_tracing();
	return sick ? CTL_FAILED : CTL_OK;
}
