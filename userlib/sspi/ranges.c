// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What memory a call opens to the authority: the buffers that its caller names,
 * and no more. The connection grants nothing else.
 */
#include "client.h"

/**
 * ranges_add() - open memory for the next call
 * @ranges: of that call
 * @start: first byte; NULL adds nothing
 * @length: bytes; 0 adds nothing
 * @flags: LSABUF_RANGE_F_*
 *
 * Return: false when there are too many, or they pass the address space's end.
 */
bool ranges_add(struct ranges *ranges, const void *start, size_t length,
		uint32_t flags)
{
	if (!start || !length)
		return true;
	if (ranges->nr == LSABUF_MAX_RANGES ||
	    (uintptr_t)start + length < (uintptr_t)start)
		return false;
	ranges->range[ranges->nr++] = (struct lsabuf_range){
		.address = (uintptr_t)start,
		.length = length,
		.flags = flags,
	};
	return true;
}

static bool add_texts(struct ranges *ranges,
		      const SEC_WINNT_AUTH_IDENTITY_W *identity)
{
	const size_t unit = identity->Flags & SEC_WINNT_AUTH_IDENTITY_ANSI ?
				    1 :
				    sizeof(WCHAR);

	return ranges_add(ranges, identity->User, identity->UserLength * unit,
			  LSABUF_RANGE_F_READ) &&
	       ranges_add(ranges, identity->Domain,
			  identity->DomainLength * unit, LSABUF_RANGE_F_READ) &&
	       ranges_add(ranges, identity->Password,
			  identity->PasswordLength * unit, LSABUF_RANGE_F_READ);
}

static bool add_ex(struct ranges *ranges,
		   const SEC_WINNT_AUTH_IDENTITY_EXW *identity)
{
	const SEC_WINNT_AUTH_IDENTITY_W texts = {
		.User = identity->User,
		.UserLength = identity->UserLength,
		.Domain = identity->Domain,
		.DomainLength = identity->DomainLength,
		.Password = identity->Password,
		.PasswordLength = identity->PasswordLength,
		.Flags = identity->Flags,
	};
	const size_t unit = identity->Flags & SEC_WINNT_AUTH_IDENTITY_ANSI ?
				    1 :
				    sizeof(WCHAR);

	return ranges_add(ranges, identity, sizeof(*identity),
			  LSABUF_RANGE_F_READ) &&
	       add_texts(ranges, &texts) &&
	       ranges_add(ranges, identity->PackageList,
			  identity->PackageListLength * unit,
			  LSABUF_RANGE_F_READ);
}

/**
 * ranges_add_identity() - open explicit credentials
 * @ranges: of the call
 * @identity: one of the SEC_WINNT_AUTH_IDENTITY structs, or NULL
 *
 * They are told apart by their first word, as packages do. Other structs that
 * a package may define for itself cannot be known here: of these nothing but
 * as many bytes as the smallest of the above has is opened.
 *
 * Return: as ranges_add().
 */
bool ranges_add_identity(struct ranges *ranges, const void *identity)
{
	const SEC_WINNT_AUTH_IDENTITY_EX2 *packed = identity;

	if (!identity)
		return true;
	if (*(const ULONG *)identity == SEC_WINNT_AUTH_IDENTITY_VERSION)
		return add_ex(ranges, identity);
	if (*(const ULONG *)identity == SEC_WINNT_AUTH_IDENTITY_VERSION_2)
		return ranges_add(ranges, identity, packed->cbStructureLength,
				  LSABUF_RANGE_F_READ);
	return ranges_add(ranges, identity, sizeof(SEC_WINNT_AUTH_IDENTITY_W),
			  LSABUF_RANGE_F_READ) &&
	       add_texts(ranges, identity);
}
