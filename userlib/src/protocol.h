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

#include <linux/types.h>

/* Packages may share memory with their clients: address space, no more */
#define LSA_CONSENT_VIEWS 256
#define LSA_CONSENT_BYTES (1ULL << 40)

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
	LSA_MESSAGE_PACKAGES = 5,
	LSA_MESSAGE_ACQUIRE_CREDENTIALS = 6,
	LSA_MESSAGE_FREE_CREDENTIALS = 7,
	LSA_MESSAGE_QUERY_CREDENTIALS = 8,
	LSA_MESSAGE_INIT_CONTEXT = 9,
	LSA_MESSAGE_ACCEPT_CONTEXT = 10,
	LSA_MESSAGE_DELETE_CONTEXT = 11,
	LSA_MESSAGE_QUERY_CONTEXT = 12,
	LSA_MESSAGE_APPLY_TOKEN = 13,
	LSA_MESSAGE_LOGON = 14,
	LSA_MESSAGE_LOGON_TRUSTED = 15,
	LSA_MESSAGE_SESSIONS = 16,
	LSA_MESSAGE_SESSION_DATA = 17,
};

/* The caller gave local groups, which only logon processes may */
#define LSA_LOGON_F_GROUPS 0x1

/**
 * struct lsa_logon_message - submit buffer of LSA_MESSAGE_LOGON; the call's
 * code is the package's id
 * @flags: LSA_LOGON_F_*
 * @type: SECURITY_LOGON_TYPE
 * @address: of the authentication information in the client: pointers in it
 *	are relative to that
 * @length: bytes of it, which follow
 * @__reserved: 0
 */
struct lsa_logon_message {
	__u32 flags;
	__u32 type;
	__aligned_u64 address;
	__u32 length;
	__u32 __reserved[3];
};

/**
 * struct lsa_logon_reply - of a logon that succeeded; the second status is the
 * sub-status in any case
 * @profile: address of the profile in the client, or 0
 * @logon_id: as the package set it
 * @profile_length: bytes
 * @__reserved: 0
 */
struct lsa_logon_reply {
	__aligned_u64 profile;
	__aligned_u64 logon_id;
	__u32 profile_length;
	__u32 __reserved;
};

/* Most room that a client may ask for in its block; see below */
#define LSA_MAX_SESSION_ROOM 1024

/**
 * struct lsa_session_reply - reply to LSA_MESSAGE_SESSION_DATA, whose submit
 * buffer is the LUID
 * @time: when it began, as Windows counts time
 * @type: SECURITY_LOGON_TYPE
 * @text_offset: of the texts in the block: at least the call's code, where the
 *	client will put the struct that it returns, pointers and all
 * @account_length: bytes of the first text, the user's name
 * @authority_length: bytes of the second, the domain
 * @package_length: bytes of the third, the package's name
 * @__reserved: 0
 */
struct lsa_session_reply {
	__aligned_u64 time;
	__u32 type;
	__u32 text_offset;
	__u32 account_length;
	__u32 authority_length;
	__u32 package_length;
	__u32 __reserved;
};

/*
 * Security packages. Every message about credentials and contexts is a struct
 * lsa_sspi_message, then the input and the output buffers, then two names. The
 * reply's first status tells whether the package was reached, the second what
 * it answered. Fields that a message has no use for are 0.
 */

/* @flags: of the two descriptors and the two texts, which there are */
#define LSA_SSPI_F_INPUT 0x1
#define LSA_SSPI_F_OUTPUT 0x2
#define LSA_SSPI_F_NAME 0x4
#define LSA_SSPI_F_LOGON_ID 0x8
#define LSA_SSPI_F_KNOWN 0xf

/**
 * struct lsa_sspi_buffer - a SecBuffer of the client
 * @length: cbBuffer
 * @type: BufferType
 * @address: pvBuffer, in the client
 */
struct lsa_sspi_buffer {
	__u32 length;
	__u32 type;
	__aligned_u64 address;
};

/**
 * struct lsa_sspi_message - what a client asks of a package
 * @flags: LSA_SSPI_F_*
 * @requirements: of a context; how credentials are to be used
 * @credential: handle, or 0
 * @context: handle, or 0
 * @address: of the authorization data or of an attribute's struct, in the
 *	client; not followed
 * @logon_id: of whose credentials are wanted
 * @data_rep: byte order of the target
 * @attribute: that is asked for
 * @nr_input: number of input buffers
 * @nr_output: number of output buffers
 * @name_length: bytes of the name of the principal or target
 * @package_length: bytes of the package's name
 */
struct lsa_sspi_message {
	__u32 flags;
	__u32 requirements;
	__aligned_u64 credential;
	__aligned_u64 context;
	__aligned_u64 address;
	__aligned_u64 logon_id;
	__u32 data_rep;
	__u32 attribute;
	__u32 nr_input;
	__u32 nr_output;
	__u32 name_length;
	__u32 package_length;
};

/**
 * struct lsa_sspi_reply - what a package answered
 * @handle: of the new credentials or context
 * @expiry: TimeStamp
 * @attributes: of the context
 * @package: id of the package
 * @nr_buffers: number of buffers behind this, first input, then output
 * @data_length: bytes of context data behind these
 * @mapped: the context is for use in the client, too
 * @__reserved: 0
 */
struct lsa_sspi_reply {
	__aligned_u64 handle;
	__aligned_u64 expiry;
	__u32 attributes;
	__u32 package;
	__u32 nr_buffers;
	__u32 data_length;
	__u32 mapped;
	__u32 __reserved;
};

/**
 * struct lsa_package_info - one package, in the reply to LSA_MESSAGE_PACKAGES
 * @id: its id
 * @capabilities: as SpGetInfo told them, as all to @max_token
 * @version: of the package
 * @rpc_id: of the package
 * @max_token: largest token in bytes
 * @index: place among the packages of its object
 * @name: of the package
 * @comment: what it says of itself
 * @object: file name of the shared object that it is in
 */
struct lsa_package_info {
	__u32 id;
	__u32 capabilities;
	__u32 version;
	__u32 rpc_id;
	__u32 max_token;
	__u32 index;
	char name[128];
	char comment[128];
	char object[128];
};

/* Longest name of a package or logon process in bytes */
#define LSA_MAX_NAME 127

#endif /* _LSABUF_PROTOCOL_H */
