/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The usual way for sources to get at the types of SSPI */
#ifndef _LSABUF_SECURITY_H
#define _LSABUF_SECURITY_H

#include "sspi.h"

#endif /* _LSABUF_SECURITY_H */
