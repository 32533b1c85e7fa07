/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One call from its begin to its end: CALL, RECEIVE, REPLY, and what an
 * authority does for a request meanwhile.
 */
#ifndef LSABUF_REQUEST_H
#define LSABUF_REQUEST_H

#include "authority.h"

struct lsabuf_alloc;
struct lsabuf_call;
struct lsabuf_copy;
struct lsabuf_give;
struct lsabuf_identity;
struct lsabuf_map;
struct lsabuf_release;
struct lsabuf_reply_receive;
struct lsabuf_section;
struct lsabuf_section_create;
struct lsabuf_section_share;

int lsabuf_request_call(struct lsabuf_client *client, struct lsabuf_call *call,
			struct lsabuf_call __user *user);
int lsabuf_request_answer(struct lsabuf_authority *authority,
			  struct lsabuf_reply_receive *arg,
			  struct lsabuf_reply_receive __user *user);
int lsabuf_request_alloc(struct lsabuf_authority *authority,
			 struct lsabuf_alloc *alloc,
			 struct lsabuf_alloc __user *user);
int lsabuf_request_release(struct lsabuf_authority *authority,
			   struct lsabuf_release *release);
int lsabuf_request_copy(struct lsabuf_authority *authority,
			struct lsabuf_copy *copy,
			struct lsabuf_copy __user *user);
int lsabuf_request_map(struct lsabuf_authority *authority,
		       const struct lsabuf_map *map);
int lsabuf_request_identity(struct lsabuf_authority *authority,
			    struct lsabuf_identity *identity,
			    struct lsabuf_identity __user *user);
int lsabuf_request_give(struct lsabuf_authority *authority,
			struct lsabuf_give *give,
			struct lsabuf_give __user *user);
struct lsabuf_section *
lsabuf_request_create_section(struct lsabuf_authority *authority,
			      struct lsabuf_section_create *create);
int lsabuf_request_share(struct lsabuf_section *section,
			 struct lsabuf_section_share *share,
			 struct lsabuf_section_share __user *user);

#endif /* LSABUF_REQUEST_H */
