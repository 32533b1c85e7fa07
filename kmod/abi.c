// SPDX-License-Identifier: GPL-2.0
/*
 * The layout of the ABI, pinned: what is here never changes, lines are added.
 */
#include <linux/build_bug.h>
#include <linux/lsabuf.h>
#include <linux/stddef.h>

#define OFFSET(name, field, offset) \
	static_assert(offsetof(struct lsabuf_##name, field) == (offset))
#define SIZE(name, size) static_assert(sizeof(struct lsabuf_##name) == (size))

/* struct lsabuf_info */
OFFSET(info, size, 0);
OFFSET(info, flags, 4);
OFFSET(info, out_abi_version, 8);
OFFSET(info, out_max_ranges, 12);
OFFSET(info, out_features, 16);
OFFSET(info, out_max_submit, 24);
OFFSET(info, out_client_quota, 32);
OFFSET(info, out_chore_budget_ns, 40);
OFFSET(info, out_client, 48);
OFFSET(info, out_authority_pid, 56);
OFFSET(info, out_authority_uid, 60);
OFFSET(info, out_authority_start, 64);
SIZE(info, 72);

/* struct lsabuf_serve */
OFFSET(serve, size, 0);
OFFSET(serve, flags, 4);
OFFSET(serve, endpoint, 8);
OFFSET(serve, arena_size, 40);
OFFSET(serve, max_requests, 48);
OFFSET(serve, __reserved, 52);
OFFSET(serve, out_arena_address, 56);
SIZE(serve, 64);

/* struct lsabuf_connect */
OFFSET(connect, size, 0);
OFFSET(connect, flags, 4);
OFFSET(connect, endpoint, 8);
OFFSET(connect, access, 40);
OFFSET(connect, consent_views, 44);
OFFSET(connect, consent_bytes, 48);
OFFSET(connect, out_client, 56);
OFFSET(connect, out_authority_pid, 64);
OFFSET(connect, out_authority_uid, 68);
OFFSET(connect, out_authority_start, 72);
SIZE(connect, 80);

/* struct lsabuf_disconnect */
OFFSET(disconnect, size, 0);
OFFSET(disconnect, flags, 4);
SIZE(disconnect, 8);

/* struct lsabuf_range */
OFFSET(range, address, 0);
OFFSET(range, length, 8);
OFFSET(range, flags, 16);
OFFSET(range, __reserved, 20);
SIZE(range, 24);

/* struct lsabuf_call */
OFFSET(call, size, 0);
OFFSET(call, flags, 4);
OFFSET(call, id, 8);
OFFSET(call, kind, 16);
OFFSET(call, code, 20);
OFFSET(call, submit_address, 24);
OFFSET(call, submit_length, 32);
OFFSET(call, timeout_ns, 40);
OFFSET(call, ranges_address, 48);
OFFSET(call, nr_ranges, 56);
OFFSET(call, connection, 60);
OFFSET(call, free_address, 64);
OFFSET(call, out_status, 72);
OFFSET(call, out_address, 80);
OFFSET(call, out_length, 88);
SIZE(call, 96);

/* struct lsabuf_free */
OFFSET(free, size, 0);
OFFSET(free, flags, 4);
OFFSET(free, address, 8);
SIZE(free, 16);

/* struct lsabuf_reply_receive */
OFFSET(reply_receive, size, 0);
OFFSET(reply_receive, flags, 4);
OFFSET(reply_receive, reply_id, 8);
OFFSET(reply_receive, reply_error, 16);
OFFSET(reply_receive, __reserved, 20);
OFFSET(reply_receive, status, 24);
OFFSET(reply_receive, return_address, 32);
OFFSET(reply_receive, return_length, 40);
OFFSET(reply_receive, payload_address, 48);
OFFSET(reply_receive, payload_length, 56);
OFFSET(reply_receive, out_id, 64);
OFFSET(reply_receive, out_client, 72);
OFFSET(reply_receive, out_kind, 80);
OFFSET(reply_receive, out_code, 84);
OFFSET(reply_receive, out_submit_address, 88);
OFFSET(reply_receive, out_submit_length, 96);
OFFSET(reply_receive, out_client_address, 104);
OFFSET(reply_receive, out_flags, 112);
OFFSET(reply_receive, out_access, 116);
OFFSET(reply_receive, out_pid, 120);
OFFSET(reply_receive, out_tid, 124);
OFFSET(reply_receive, out_uid, 128);
OFFSET(reply_receive, out_gid, 132);
OFFSET(reply_receive, out_start, 136);
SIZE(reply_receive, 144);

/* struct lsabuf_alloc */
OFFSET(alloc, size, 0);
OFFSET(alloc, flags, 4);
OFFSET(alloc, id, 8);
OFFSET(alloc, length, 16);
OFFSET(alloc, source_address, 24);
OFFSET(alloc, source_length, 32);
OFFSET(alloc, out_address, 40);
SIZE(alloc, 48);

/* struct lsabuf_release */
OFFSET(release, size, 0);
OFFSET(release, flags, 4);
OFFSET(release, id, 8);
OFFSET(release, address, 16);
SIZE(release, 24);

/* struct lsabuf_copy_range */
OFFSET(copy_range, client_address, 0);
OFFSET(copy_range, local_address, 8);
OFFSET(copy_range, length, 16);
SIZE(copy_range, 24);

/* struct lsabuf_copy */
OFFSET(copy, size, 0);
OFFSET(copy, flags, 4);
OFFSET(copy, id, 8);
OFFSET(copy, client_address, 16);
OFFSET(copy, local_address, 24);
OFFSET(copy, length, 32);
OFFSET(copy, vector_address, 40);
OFFSET(copy, nr_vector, 48);
OFFSET(copy, __reserved, 52);
OFFSET(copy, out_done, 56);
SIZE(copy, 64);

/* struct lsabuf_identity */
OFFSET(identity, size, 0);
OFFSET(identity, flags, 4);
OFFSET(identity, id, 8);
OFFSET(identity, groups_address, 16);
OFFSET(identity, nr_groups, 24);
OFFSET(identity, out_uid, 28);
OFFSET(identity, out_euid, 32);
OFFSET(identity, out_suid, 36);
OFFSET(identity, out_fsuid, 40);
OFFSET(identity, out_gid, 44);
OFFSET(identity, out_egid, 48);
OFFSET(identity, out_sgid, 52);
OFFSET(identity, out_fsgid, 56);
OFFSET(identity, __reserved, 60);
OFFSET(identity, out_capabilities, 64);
SIZE(identity, 72);

/* struct lsabuf_endpoint */
OFFSET(endpoint, size, 0);
OFFSET(endpoint, flags, 4);
OFFSET(endpoint, endpoint, 8);
OFFSET(endpoint, id, 40);
OFFSET(endpoint, __reserved, 44);
SIZE(endpoint, 48);

/* struct lsabuf_map_range */
OFFSET(map_range, client_address, 0);
OFFSET(map_range, length, 8);
OFFSET(map_range, out_address, 16);
SIZE(map_range, 24);

/* struct lsabuf_map */
OFFSET(map, size, 0);
OFFSET(map, flags, 4);
OFFSET(map, id, 8);
OFFSET(map, vector_address, 16);
OFFSET(map, nr_vector, 24);
OFFSET(map, __reserved, 28);
SIZE(map, 32);

/* struct lsabuf_give */
OFFSET(give, size, 0);
OFFSET(give, flags, 4);
OFFSET(give, id, 8);
OFFSET(give, fd, 16);
OFFSET(give, __reserved, 20);
OFFSET(give, out_fd, 24);
OFFSET(give, __reserved2, 28);
SIZE(give, 32);

/* struct lsabuf_section_create */
OFFSET(section_create, size, 0);
OFFSET(section_create, flags, 4);
OFFSET(section_create, authority, 8);
OFFSET(section_create, __reserved, 12);
OFFSET(section_create, max, 16);
OFFSET(section_create, committed, 24);
OFFSET(section_create, charge_id, 32);
OFFSET(section_create, out_section, 40);
OFFSET(section_create, out_address, 48);
SIZE(section_create, 56);

/* struct lsabuf_section_grow */
OFFSET(section_grow, size, 0);
OFFSET(section_grow, flags, 4);
OFFSET(section_grow, committed, 8);
SIZE(section_grow, 16);

/* struct lsabuf_section_stat */
OFFSET(section_stat, size, 0);
OFFSET(section_stat, flags, 4);
OFFSET(section_stat, out_section, 8);
OFFSET(section_stat, out_address, 16);
OFFSET(section_stat, out_max, 24);
OFFSET(section_stat, out_committed, 32);
OFFSET(section_stat, out_views, 40);
OFFSET(section_stat, out_flags, 44);
OFFSET(section_stat, out_memory, 48);
SIZE(section_stat, 56);

/* struct lsabuf_section_revoke */
OFFSET(section_revoke, size, 0);
OFFSET(section_revoke, flags, 4);
SIZE(section_revoke, 8);

/* struct lsabuf_section_share */
OFFSET(section_share, size, 0);
OFFSET(section_share, flags, 4);
OFFSET(section_share, id, 8);
OFFSET(section_share, out_address, 16);
SIZE(section_share, 24);

/* struct lsabuf_view */
OFFSET(view, section, 0);
OFFSET(view, address, 8);
OFFSET(view, max, 16);
OFFSET(view, committed, 24);
OFFSET(view, client, 32);
OFFSET(view, flags, 40);
OFFSET(view, __reserved, 44);
SIZE(view, 48);

/* struct lsabuf_section_list */
OFFSET(section_list, size, 0);
OFFSET(section_list, flags, 4);
OFFSET(section_list, views_address, 8);
OFFSET(section_list, nr_views, 16);
OFFSET(section_list, __reserved, 20);
SIZE(section_list, 24);

/* struct lsabuf_section_hole */
OFFSET(section_hole, size, 0);
OFFSET(section_hole, flags, 4);
OFFSET(section_hole, start, 8);
OFFSET(section_hole, length, 16);
SIZE(section_hole, 24);
