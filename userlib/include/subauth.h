/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sources include this header for UNICODE_STRING and the like;
 * subauthentication packages themselves have no counterpart here.
 */
#ifndef _LSABUF_SUBAUTH_H
#define _LSABUF_SUBAUTH_H

#include "winnt.h"

#endif /* _LSABUF_SUBAUTH_H */
