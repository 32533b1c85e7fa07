/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LSABUF_DEBUGFS_H
#define LSABUF_DEBUGFS_H

void lsabuf_debugfs_init(void);
void lsabuf_debugfs_exit(void);

#endif /* LSABUF_DEBUGFS_H */
