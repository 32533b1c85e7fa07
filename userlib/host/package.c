// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loading packages and finding them again. */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <ntstatus.h>

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

static bool initialize(PLSA_AP_INITIALIZE_PACKAGE entry,
		       struct package *package, const char *path)
{
	struct lsabuf_host_heap heap = { 0 };
	PLSA_STRING name = NULL;
	NTSTATUS status;
	bool good;

	lsabuf_host_heap_watch(&heap);
	lsabuf_host_package_set(package->id + 1);
	status = entry(package->id, (PLSA_DISPATCH_TABLE)lsabuf_host_table(),
		       NULL, NULL, &name);
	lsabuf_host_package_set(0);
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

/* dlsym() returns an object pointer for what is a function */
static void find_entry(void *library, const char *name, void *entry)
{
	void *symbol = dlsym(library, name);

	memcpy(entry, &symbol, sizeof(symbol));
}

static bool load_entries(void *library, struct package *package,
			 const char *path)
{
	PLSA_AP_INITIALIZE_PACKAGE entry;
	STRING name;

	find_entry(library, "LsaApInitializePackage", &entry);
	find_entry(library, "LsaApCallPackage", &package->call);
	find_entry(library, "LsaApCallPackageUntrusted",
		   &package->call_untrusted);
	if (!entry) {
		log_error("%s is no package: no LsaApInitializePackage", path);
		return false;
	}
	if (!package->call && !package->call_untrusted) {
		log_error("%s has no LsaApCallPackage and no ...Untrusted",
			  path);
		return false;
	}
	if (!initialize(entry, package, path))
		return false;
	RtlInitString(&name, package->name);
	if (package_by_name(&name)) {
		log_error("%s: there already is a package %s", path,
			  package->name);
		return false;
	}
	return true;
}

/**
 * package_load() - load a package
 * @directory: where packages are
 * @name: path of the shared object if it has a slash, or else the name of one
 *	in @directory, without its ending
 *
 * A package is never unloaded.
 *
 * Return: whether it was loaded; if not, the reason has been logged.
 */
bool package_load(const char *directory, const char *name)
{
	struct package *package = &packages[nr_packages];
	char path[PATH_MAX];
	void *library;

	if (nr_packages == MAX_PACKAGES) {
		log_error("%s: more than %d packages", name, MAX_PACKAGES);
		return false;
	}
	if (strchr(name, '/'))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s.so", directory, name);

	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library) {
		log_error("cannot load a package: %s", dlerror());
		return false;
	}
	*package = (struct package){ .id = nr_packages };
	/* On failure it stays mapped: its initialisation may have begun */
	if (!load_entries(library, package, path))
		return false;
	nr_packages++;
	log_info("package %s has id %u, loaded from %s", package->name,
		 package->id, path);
	return true;
}
