/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of liblsabuf share and nobody else sees. Calls go downwards:
 *
 *	lsa.c, table.c, services.c	the LSA's two faces
 *	handles.c, host.c		what an LSA handle and a request handle are
 *	client.c, authority.c, map.c	the native interface
 *	device.c			file descriptors and the ioctl funnel
 *	checkers.c			what valgrind and MSan are told
 */
#ifndef _LSABUF_INTERNAL_H
#define _LSABUF_INTERNAL_H

#include <stdbool.h>

#include <lsabuf.h>

/* Everything is hidden but what carries this; liblsabuf.map has the names */
#define LSABUF_EXPORT __attribute__((visibility("default")))
/* Variables of another file: to be reached without a look into a table */
#define LSABUF_HIDDEN __attribute__((visibility("hidden")))

/* device.c */
int lsabuf_do_ioctl(int fd, unsigned int command, void *argument);
int lsabuf_endpoint_name(__u8 field[LSABUF_ENDPOINT_LEN], const char *endpoint);
bool lsabuf_fd_is_ours(int fd);
const char *lsabuf_environment(const char *name, const char *otherwise);

/* handles.c */
struct lsa_handle;

int lsa_handle_create(bool trusted, void **value, enum lsabuf_subject *subject);
struct lsa_handle *lsa_handle_get_any(void);
void lsa_handle_put(struct lsa_handle *handle);
bool lsa_handle_close(void *value);
int lsa_handle_fd(struct lsa_handle *handle);
int lsa_handle_call(void *value, struct lsabuf_call *call);

/* versions.c; by other names for the linker, as all there */
int info_0_1(int fd, struct lsabuf_info *info);

#endif /* _LSABUF_INTERNAL_H */
