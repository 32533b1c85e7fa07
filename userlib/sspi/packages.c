// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which packages the authority has, and the part of a package that runs in this
 * process. The object is looked for in the package directory of this system,
 * under the plain file name that the authority tells: no authority can have a
 * client load anything else.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

#ifndef LSABUF_PACKAGE_DIR
#define LSABUF_PACKAGE_DIR "/usr/local/lib/lsabuf/packages"
#endif

#define MAX_PACKAGES 64

/* Loaded for good, under the lock; read without it afterwards */
struct user_part {
	bool tried;
	const SECPKG_USER_FUNCTION_TABLE *functions;
};

/* A package that is being loaded may ask for another one */
pthread_mutex_t packages_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct lsa_package_info *infos;
static size_t nr_infos;
static struct user_part user_parts[MAX_PACKAGES];

/* What is known, or from now on is */
static const struct lsa_package_info *publish(struct lsa_package_info *own,
					      size_t n, size_t *nr)
{
	const struct lsa_package_info *found;

	pthread_mutex_lock(&packages_lock);
	if (!infos && own) {
		infos = own;
		nr_infos = n;
		own = NULL;
	}
	found = infos;
	*nr = nr_infos;
	pthread_mutex_unlock(&packages_lock);
	/* Another thread was faster. */
	free(own);
	return found;
}

/* Not under the lock: fork() takes that, and must not wait for an authority. */
static const struct lsa_package_info *fetch(size_t *nr)
{
	struct request request = { .kind = LSA_MESSAGE_PACKAGES };
	struct lsa_package_info *own;
	size_t i, n;

	if (connection_call(&request) || !request.reply)
		return NULL;
	n = request.reply_length / sizeof(*own);
	own = calloc(n, sizeof(*own));
	if (own) {
		memcpy(own, request.reply, n * sizeof(*own));
		for (i = 0; i < n; i++) {
			own[i].name[sizeof(own[i].name) - 1] = '\0';
			own[i].comment[sizeof(own[i].comment) - 1] = '\0';
			own[i].object[sizeof(own[i].object) - 1] = '\0';
		}
	}
	connection_free(request.reply);
	return publish(own, n, nr);
}

/**
 * packages_get() - what packages there are
 * @nr: number of them
 *
 * They are asked for once: packages do not come and go with an authority.
 *
 * Return: the packages, constant; NULL where the authority cannot be asked.
 */
const struct lsa_package_info *packages_get(size_t *nr)
{
	const struct lsa_package_info *found = publish(NULL, 0, nr);

	return found ? found : fetch(nr);
}

static const struct lsa_package_info *find(ULONG id)
{
	const struct lsa_package_info *packages;
	size_t nr, i;

	packages = packages_get(&nr);
	for (i = 0; i < nr; i++)
		if (packages[i].id == id)
			return &packages[i];
	return NULL;
}

/*
 * The user's part
 */

static NTSTATUS NTAPI register_callback(ULONG number, PLSA_CALLBACK_FUNCTION fn)
{
	UNREFERENCED_PARAMETER(number);
	UNREFERENCED_PARAMETER(fn);
	return STATUS_NOT_SUPPORTED;
}

static PVOID NTAPI locate_package(ULONG id)
{
	return (PVOID)package_user_functions(id);
}

static const SECPKG_DLL_FUNCTIONS dll_functions = {
	.AllocateHeap = heap_allocate,
	.FreeHeap = heap_free,
	.RegisterCallback = register_callback,
	.LocatePackageById = locate_package,
};

static void *open_object(const struct lsa_package_info *info)
{
	const char *directory = secure_getenv("LSABUF_PACKAGES");
	char path[PATH_MAX];

	if (!info->object[0] || strchr(info->object, '/'))
		return NULL;
	snprintf(path, sizeof(path), "%s/%s",
		 directory ? directory : LSABUF_PACKAGE_DIR, info->object);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static const SECPKG_USER_FUNCTION_TABLE *
load(const struct lsa_package_info *info)
{
	PSECPKG_USER_FUNCTION_TABLE tables = NULL;
	SpUserModeInitializeFn entry = NULL;
	ULONG version = 0, count = 0;
	PVOID functions = NULL;
	void *library, *symbol;

	library = open_object(info);
	if (!library)
		return NULL;
	symbol = dlsym(library, "SpUserModeInitialize");
	memcpy(&entry, &symbol, sizeof(symbol));
	if (!entry ||
	    !NT_SUCCESS(entry(SECPKG_INTERFACE_VERSION, &version, &tables,
			      &count)) ||
	    !tables || info->index >= count)
		return NULL;
	tables += info->index;
	if (tables->InstanceInit &&
	    !NT_SUCCESS(tables->InstanceInit(
		    SECPKG_INTERFACE_VERSION,
		    (PSECPKG_DLL_FUNCTIONS)&dll_functions, &functions)))
		return NULL;
	return tables;
}

/**
 * package_user_functions() - the part of a package for this process
 * @id: of the package
 *
 * It is loaded when it is needed first, and stays.
 *
 * Return: its functions; NULL where it has none or they cannot be loaded.
 */
const SECPKG_USER_FUNCTION_TABLE *package_user_functions(ULONG id)
{
	const struct lsa_package_info *info = find(id);
	const SECPKG_USER_FUNCTION_TABLE *functions;
	struct user_part *part;

	if (!info || id >= MAX_PACKAGES)
		return NULL;
	part = &user_parts[id];
	pthread_mutex_lock(&packages_lock);
	if (!part->tried) {
		part->tried = true;
		part->functions = load(info);
	}
	functions = part->functions;
	pthread_mutex_unlock(&packages_lock);
	return functions;
}

/*
 * What programs ask
 */

/* As UTF-16 behind what has been put there; advances @to */
static SEC_WCHAR *put_wide(SEC_WCHAR **to, const char *text)
{
	SEC_WCHAR *start = *to;
	ULONG used = 0;

	RtlUTF8ToUnicodeN(start, 128 * sizeof(WCHAR), &used, text,
			  strlen(text));
	start[used / sizeof(WCHAR)] = 0;
	*to = start + used / sizeof(WCHAR) + 1;
	return start;
}

static SEC_CHAR *put_plain(SEC_CHAR **to, const char *text)
{
	SEC_CHAR *start = *to;

	strcpy(start, text);
	*to += strlen(text) + 1;
	return start;
}

#define FILL(info, from)                                                      \
	((info)->fCapabilities = (from)->capabilities,                        \
	 (info)->wVersion = (from)->version, (info)->wRPCID = (from)->rpc_id, \
	 (info)->cbMaxToken = (from)->max_token)

/* All in one block, texts behind the structs */
static PVOID make_wide(const struct lsa_package_info *from, size_t nr)
{
	PSecPkgInfoW info =
		heap_allocate(nr * (sizeof(*info) + 2 * 129 * sizeof(WCHAR)));
	SEC_WCHAR *texts = (SEC_WCHAR *)(info + nr);
	size_t i;

	for (i = 0; info && i < nr; i++) {
		FILL(&info[i], &from[i]);
		info[i].Name = put_wide(&texts, from[i].name);
		info[i].Comment = put_wide(&texts, from[i].comment);
	}
	return info;
}

static PVOID make_plain(const struct lsa_package_info *from, size_t nr)
{
	PSecPkgInfoA info = heap_allocate(nr * (sizeof(*info) + 2 * 129));
	SEC_CHAR *texts = (SEC_CHAR *)(info + nr);
	size_t i;

	for (i = 0; info && i < nr; i++) {
		FILL(&info[i], &from[i]);
		info[i].Name = put_plain(&texts, from[i].name);
		info[i].Comment = put_plain(&texts, from[i].comment);
	}
	return info;
}

/* All packages, in the form that @make gives them */
static SECURITY_STATUS enumerate(PULONG count, PVOID *packages,
				 PVOID (*make)(const struct lsa_package_info *,
					       size_t))
{
	const struct lsa_package_info *from;
	size_t nr;

	*packages = NULL;
	if (!count)
		return SEC_E_INVALID_PARAMETER;
	*count = 0;
	from = packages_get(&nr);
	if (!from)
		return SEC_E_INTERNAL_ERROR;
	*packages = make(from, nr);
	if (!*packages)
		return SEC_E_INSUFFICIENT_MEMORY;
	*count = nr;
	return SEC_E_OK;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
EnumerateSecurityPackagesW(PULONG count, PSecPkgInfoW *packages)
{
	SECURITY_STATUS status;
	PVOID all;

	if (!packages)
		return SEC_E_INVALID_PARAMETER;
	status = enumerate(count, &all, make_wide);
	*packages = all;
	return status;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
EnumerateSecurityPackagesA(PULONG count, PSecPkgInfoA *packages)
{
	SECURITY_STATUS status;
	PVOID all;

	if (!packages)
		return SEC_E_INVALID_PARAMETER;
	status = enumerate(count, &all, make_plain);
	*packages = all;
	return status;
}

static const struct lsa_package_info *find_name(const char *name)
{
	const struct lsa_package_info *packages;
	STRING wanted, own;
	size_t nr, i;

	RtlInitString(&wanted, name);
	packages = packages_get(&nr);
	for (i = 0; i < nr; i++) {
		RtlInitString(&own, packages[i].name);
		if (RtlEqualString(&wanted, &own, TRUE))
			return &packages[i];
	}
	return NULL;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
QuerySecurityPackageInfoA(SEC_CHAR *name, PSecPkgInfoA *package)
{
	const struct lsa_package_info *found;

	if (!name || !package)
		return SEC_E_INVALID_PARAMETER;
	*package = NULL;
	found = find_name(name);
	if (!found)
		return SEC_E_SECPKG_NOT_FOUND;
	*package = make_plain(found, 1);
	return *package ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}

SSPI_EXPORT SECURITY_STATUS SEC_ENTRY
QuerySecurityPackageInfoW(SEC_WCHAR *name, PSecPkgInfoW *package)
{
	const struct lsa_package_info *found;
	SEC_CHAR *plain;

	if (!name || !package)
		return SEC_E_INVALID_PARAMETER;
	*package = NULL;
	plain = to_plain(name);
	if (!plain)
		return SEC_E_INSUFFICIENT_MEMORY;
	found = find_name(plain);
	free(plain);
	if (!found)
		return SEC_E_SECPKG_NOT_FOUND;
	*package = make_wide(found, 1);
	return *package ? SEC_E_OK : SEC_E_INSUFFICIENT_MEMORY;
}
