/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LSABUF_IOCTL_H
#define LSABUF_IOCTL_H

extern const struct file_operations lsabuf_fops;

#endif /* LSABUF_IOCTL_H */
