/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What CALL carries between the client functions of ntsecapi.h and lsahost.
 * Private to these two; it changes with them.
 *
 * Nothing in a message is a right. A client that says "trusted" asks for the
 * treatment of a logon process; whether it gets it is decided by the host, for
 * each message, from the identity which the kernel recorded with it. So there
 * is no state to forge, and dropping privileges takes effect at once.
 */
#ifndef _LSABUF_PROTOCOL_H
#define _LSABUF_PROTOCOL_H

/**
 * enum lsa_message - kind of a call
 * @LSA_MESSAGE_LOOKUP_PACKAGE: submit: name in bytes. Reply: status, package id
 * @LSA_MESSAGE_REGISTER: submit: name in bytes. Reply: status, 0
 * @LSA_MESSAGE_CALL: code: package id; submit: as the client gave it.
 *	Reply: status, protocol status; address and length of the return buffer
 * @LSA_MESSAGE_CALL_TRUSTED: the same through a handle of
 *	LsaRegisterLogonProcess(); untrusted all the same where the identity
 *	does not bear it
 */
enum lsa_message {
	LSA_MESSAGE_LOOKUP_PACKAGE = 1,
	LSA_MESSAGE_REGISTER = 2,
	LSA_MESSAGE_CALL = 3,
	LSA_MESSAGE_CALL_TRUSTED = 4,
};

/* Longest name of a package or logon process in bytes */
#define LSA_MAX_NAME 127

#endif /* _LSABUF_PROTOCOL_H */
