// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loading packages and finding them again. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ntstatus.h>
#include <winternl.h>

#include "../src/protocol.h"
#include "lsahost.h"

#define MAX_PACKAGES 64

/* Filled before the pool starts, constant from then on */
static struct package packages[MAX_PACKAGES];
static ULONG nr_packages;

unsigned int package_count(void)
{
	return nr_packages;
}

const struct package *package_by_id(ULONG id)
{
	return id < nr_packages ? &packages[id] : NULL;
}

/* Upper and lower case are the same, as on Windows */
const struct package *package_by_name(const STRING *name)
{
	STRING own;
	ULONG i;

	for (i = 0; i < nr_packages; i++) {
		RtlInitString(&own, packages[i].name);
		if (RtlEqualString(name, &own, TRUE))
			return &packages[i];
	}
	return NULL;
}

static bool is_good_name(const STRING *name)
{
	return name && name->Buffer && name->Length &&
	       name->Length <= LSA_MAX_NAME &&
	       !memchr(name->Buffer, '\0', name->Length);
}

/*
 * The name is the LSA's to free. Some packages allocate the struct and the
 * text apart, some in one block, some return what never was on the heap: only
 * what the heap handed out just now, and nobody has freed, goes back to it.
 */
static void free_name(struct lsabuf_host_heap *heap, PLSA_STRING name)
{
	PVOID text;

	if (!name)
		return;
	text = name->Buffer;
	lsabuf_host_heap_free(heap, name);
	lsabuf_host_heap_free(heap, text);
}

static bool initialize(struct package *package, const char *path)
{
	struct lsabuf_host_heap heap = { 0 };
	PLSA_STRING name = NULL;
	NTSTATUS status;
	bool good;

	lsabuf_host_heap_watch(&heap);
	status = package->table.InitializePackage(
		package->id, (PLSA_DISPATCH_TABLE)lsabuf_host_table(), NULL,
		NULL, &name);
	lsabuf_host_heap_watch(NULL);
	if (!NT_SUCCESS(status)) {
		log_error("%s: LsaApInitializePackage failed: 0x%08x, %s", path,
			  (unsigned int)status, lsabuf_explain(status));
		return false;
	}
	good = is_good_name(name);
	if (good)
		memcpy(package->name, name->Buffer, name->Length);
	else
		log_error("%s: LsaApInitializePackage gave no valid name",
			  path);
	free_name(&heap, name);
	return good;
}

/* What packages are told of the machine: a lone one, whose name is its own */
static PSECPKG_PARAMETERS get_parameters(void)
{
	static SECPKG_PARAMETERS parameters = {
		.Version = 1,
		.MachineState = SECPKG_STATE_ENCRYPTION_PERMITTED |
				SECPKG_STATE_STRONG_ENCRYPTION_PERMITTED |
				SECPKG_STATE_STANDALONE,
	};
	char host[HOST_NAME_MAX + 1] = "", *domain;

	if (parameters.DomainName.Buffer)
		return &parameters;
	gethostname(host, sizeof(host) - 1);
	domain = strchr(host, '.');
	if (domain)
		*domain++ = '\0';
	if (!RtlCreateUnicodeStringFromAsciiz(&parameters.DomainName, host) ||
	    !RtlCreateUnicodeStringFromAsciiz(&parameters.DnsDomainName,
					      domain ? domain : ""))
		return NULL;
	return &parameters;
}

/* A text of a package, as UTF-8 and cut to what there is room for */
static void copy_text(char *to, size_t size, const WCHAR *from)
{
	ULONG used = 0;

	if (from)
		RtlUnicodeToUTF8N(to, size - 1, &used, from,
				  wcs16len(from) * sizeof(WCHAR));
	to[used] = '\0';
}

static bool start_provider(struct package *package, const char *path)
{
	const SECPKG_FUNCTION_TABLE *table = &package->table;
	PSECPKG_PARAMETERS parameters = get_parameters();
	NTSTATUS status;

	if (!parameters) {
		log_error("no memory");
		return false;
	}
	status = table->Initialize ? table->Initialize(package->id, parameters,
						       lsabuf_host_table()) :
				     STATUS_SUCCESS;
	if (NT_SUCCESS(status) && table->GetInfo)
		status = table->GetInfo(&package->info);
	if (!NT_SUCCESS(status)) {
		log_error("%s: package %u cannot be initialised: 0x%08x, %s",
			  path, package->index, (unsigned int)status,
			  lsabuf_explain(status));
		return false;
	}
	if (!package->name[0])
		copy_text(package->name, sizeof(package->name),
			  package->info.Name);
	copy_text(package->comment, sizeof(package->comment),
		  package->info.Comment);
	package->info.Name = NULL;
	package->info.Comment = NULL;
	return true;
}

/* Start the next package, whose table and object are known, and count it */
static bool start(const char *path)
{
	struct package *package = &packages[nr_packages];
	STRING name;
	bool good;

	lsabuf_host_package_set(package->id + 1);
	good = (!package->table.InitializePackage ||
		initialize(package, path)) &&
	       start_provider(package, path);
	lsabuf_host_package_set(0);
	if (!good)
		return false;
	RtlInitString(&name, package->name);
	if (!is_good_name(&name)) {
		log_error("%s: package %u gave no valid name", path,
			  package->index);
		return false;
	}
	if (package_by_name(&name)) {
		log_error("%s: there already is a package %s", path,
			  package->name);
		return false;
	}
	nr_packages++;
	log_info("package %s has id %u, loaded from %s", package->name,
		 package->id, path);
	return true;
}

static bool begin(const char *path, ULONG index)
{
	struct package *package = &packages[nr_packages];
	const char *file = strrchr(path, '/');

	if (nr_packages == MAX_PACKAGES) {
		log_error("%s: more than %d packages", path, MAX_PACKAGES);
		return false;
	}
	*package = (struct package){ .id = nr_packages, .index = index };
	snprintf(package->object, sizeof(package->object), "%s",
		 file ? file + 1 : path);
	return true;
}

/**
 * package_enter() - begin a request for a package
 * @package: who is to work on it
 * @fd: authority
 * @request: received and not yet answered
 * @handle: what the package gets as ClientRequest
 *
 * The client has the package's shared memory before anything of it can be
 * mentioned to it. Ends with package_leave().
 *
 * Return: STATUS_SUCCESS, or why there is none: as lsabuf_host_share(), or
 * STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS package_enter(const struct package *package, int fd,
		       const struct lsabuf_reply_receive *request,
		       PLSA_CLIENT_REQUEST *handle)
{
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

	lsabuf_host_package_set(package->id + 1);
	*handle = lsabuf_host_begin(fd, request);
	if (*handle)
		status = lsabuf_host_share(*handle);
	if (!NT_SUCCESS(status))
		package_leave(*handle);
	return status;
}

/**
 * package_leave() - end a request for a package
 * @handle: as package_enter() gave it
 */
void package_leave(PLSA_CLIENT_REQUEST handle)
{
	if (handle) {
		sessions_settle();
		lsabuf_host_end(handle);
	}
	lsabuf_host_package_set(0);
}

/* dlsym() returns an object pointer for what is a function */
static void find_entry(void *library, const char *name, void *entry)
{
	void *symbol = dlsym(library, name);

	memcpy(entry, &symbol, sizeof(symbol));
}

/* A package that exports its entry points by their names */
static bool load_exports(void *library, const char *path)
{
	SECPKG_FUNCTION_TABLE *table = &packages[nr_packages].table;

	if (!begin(path, 0))
		return false;
	find_entry(library, "LsaApInitializePackage",
		   &table->InitializePackage);
	find_entry(library, "LsaApCallPackage", &table->CallPackage);
	find_entry(library, "LsaApCallPackageUntrusted",
		   &table->CallPackageUntrusted);
	find_entry(library, "LsaApCallPackagePassthrough",
		   &table->CallPackagePassthrough);
	find_entry(library, "LsaApLogonUser", &table->LogonUser);
	find_entry(library, "LsaApLogonUserEx", &table->LogonUserEx);
	find_entry(library, "LsaApLogonUserEx2", &table->LogonUserEx2);
	find_entry(library, "LsaApLogonTerminated", &table->LogonTerminated);
	if (!table->InitializePackage) {
		log_error(
			"%s is no package: no LsaApInitializePackage and no SpLsaModeInitialize",
			path);
		return false;
	}
	if (!table->CallPackage && !table->CallPackageUntrusted) {
		log_error("%s has no LsaApCallPackage and no ...Untrusted",
			  path);
		return false;
	}
	return start(path);
}

/*
 * Entries that a table of that version is certain to have. Those that came
 * after the eighth version are never read: nothing here calls them.
 */
static size_t table_length(ULONG version)
{
	static const struct {
		ULONG version;
		size_t length;
	} lengths[] = {
		{ SECPKG_INTERFACE_VERSION_8, 38 },
		{ SECPKG_INTERFACE_VERSION_7, 36 },
		{ SECPKG_INTERFACE_VERSION_6, 35 },
		{ SECPKG_INTERFACE_VERSION_5, 34 },
		{ SECPKG_INTERFACE_VERSION_4, 30 },
		{ SECPKG_INTERFACE_VERSION_3, 29 },
		{ SECPKG_INTERFACE_VERSION_2, 28 },
	};
	size_t i;

	for (i = 0; i < ARRAYSIZE(lengths); i++)
		if (version >= lengths[i].version)
			return lengths[i].length;
	return 27;
}

/* One object, several packages, each with a table */
static bool load_tables(SpLsaModeInitializeFn entry, const char *path)
{
	PSECPKG_FUNCTION_TABLE tables = NULL;
	ULONG version = 0, count = 0, i;
	NTSTATUS status;

	status = entry(SECPKG_INTERFACE_VERSION, &version, &tables, &count);
	if (!NT_SUCCESS(status) || !tables || !count) {
		log_error("%s: SpLsaModeInitialize failed: 0x%08x, %u packages",
			  path, (unsigned int)status, count);
		return false;
	}
	for (i = 0; i < count; i++) {
		if (!begin(path, i))
			return false;
		memcpy(&packages[nr_packages].table, &tables[i],
		       table_length(version) * sizeof(PVOID));
		if (!start(path))
			return false;
	}
	return true;
}

/**
 * packages_shutdown() - tell the packages that it is over
 *
 * No thread may be at work any more. They stay loaded.
 */
void packages_shutdown(void)
{
	while (nr_packages--) {
		lsabuf_host_package_set(packages[nr_packages].id + 1);
		if (packages[nr_packages].table.Shutdown)
			packages[nr_packages].table.Shutdown();
	}
	lsabuf_host_package_set(0);
}

/**
 * package_load() - load the packages of a shared object
 * @directory: where packages are
 * @name: path of the shared object if it has a slash, or else the name of one
 *	in @directory, without its ending
 *
 * A package is never unloaded.
 *
 * Return: whether all were loaded; if not, the reason has been logged.
 */
bool package_load(const char *directory, const char *name)
{
	SpLsaModeInitializeFn entry;
	char path[PATH_MAX];
	void *library;

	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s.so", directory, name);

	/* On failure it stays mapped: its initialisation may have begun */
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		log_error("cannot load a package: %s", dlerror());
		return false;
	}
	find_entry(library, "SpLsaModeInitialize", &entry);
	return entry ? load_tables(entry, path) : load_exports(library, path);
}
