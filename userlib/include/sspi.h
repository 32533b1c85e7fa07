/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * SSPI: the client's functions, and the types and constants that it shares with
 * security packages: buffers, handles, package information, requirements and
 * attributes of contexts.
 *
 * Names that exist in two forms (SecPkgInfoA, SecPkgInfoW) mean the wide one
 * without a suffix, always: packages are handed the wide one. SECURITY_WIN32
 * and its kind need not be defined.
 */
#ifndef _LSABUF_SSPI_H
#define _LSABUF_SSPI_H

#include "ntdef.h"
#include "winerror.h"

EXTERN_C_START

typedef LONG SECURITY_STATUS;
typedef WCHAR SEC_WCHAR;
typedef CHAR SEC_CHAR;
typedef UNICODE_STRING SECURITY_STRING, *PSECURITY_STRING;
typedef LARGE_INTEGER SECURITY_INTEGER, *PSECURITY_INTEGER;
/* A time in 100 ns since 1601-01-01, in the machine's local time zone */
typedef SECURITY_INTEGER TimeStamp, *PTimeStamp;

#define SEC_TEXT(quote) TEXT(quote)
#define SEC_SUCCESS(status) ((SECURITY_STATUS)(status) >= 0)
#define SEC_FAR

/*
 * Buffers. The first 28 bits of a type say what the buffer holds, the others
 * are attributes (SECBUFFER_ATTRMASK).
 */

typedef struct _SecBuffer {
	ULONG cbBuffer;
	ULONG BufferType;
	PVOID pvBuffer;
} SecBuffer, *PSecBuffer;

typedef struct _SecBufferDesc {
	ULONG ulVersion;
	ULONG cBuffers;
	PSecBuffer pBuffers;
} SecBufferDesc, *PSecBufferDesc;

#define SECBUFFER_VERSION 0

#define SECBUFFER_EMPTY 0
#define SECBUFFER_DATA 1
#define SECBUFFER_TOKEN 2
#define SECBUFFER_PKG_PARAMS 3
#define SECBUFFER_MISSING 4
#define SECBUFFER_EXTRA 5
#define SECBUFFER_STREAM_TRAILER 6
#define SECBUFFER_STREAM_HEADER 7
#define SECBUFFER_NEGOTIATION_INFO 8
#define SECBUFFER_PADDING 9
#define SECBUFFER_STREAM 10
#define SECBUFFER_MECHLIST 11
#define SECBUFFER_MECHLIST_SIGNATURE 12
#define SECBUFFER_TARGET 13
#define SECBUFFER_CHANNEL_BINDINGS 14
#define SECBUFFER_CHANGE_PASS_RESPONSE 15
#define SECBUFFER_TARGET_HOST 16
#define SECBUFFER_ALERT 17
#define SECBUFFER_APPLICATION_PROTOCOLS 18
#define SECBUFFER_SRTP_PROTECTION_PROFILES 19
#define SECBUFFER_SRTP_MASTER_KEY_IDENTIFIER 20
#define SECBUFFER_TOKEN_BINDING 21
#define SECBUFFER_PRESHARED_KEY 22
#define SECBUFFER_PRESHARED_KEY_IDENTITY 23
#define SECBUFFER_DTLS_MTU 24
#define SECBUFFER_SEND_GENERIC_TLS_EXTENSION 25
#define SECBUFFER_SUBSCRIBE_GENERIC_TLS_EXTENSION 26
#define SECBUFFER_FLAGS 27
#define SECBUFFER_TRAFFIC_SECRETS 28
#define SECBUFFER_CERTIFICATE_REQUEST_CONTEXT 29

#define SECBUFFER_ATTRMASK 0xF0000000
#define SECBUFFER_READONLY 0x80000000
#define SECBUFFER_READONLY_WITH_CHECKSUM 0x10000000
/* ntsecpkg.h tells what packages find in these two bits */
#define SECBUFFER_RESERVED 0x60000000

typedef struct _SEC_NEGOTIATION_INFO {
	ULONG Size;
	ULONG NameLength;
	SEC_WCHAR *Name;
	PVOID Reserved;
} SEC_NEGOTIATION_INFO, *PSEC_NEGOTIATION_INFO;

/* The offsets count from the start of this structure */
typedef struct _SEC_CHANNEL_BINDINGS {
	ULONG dwInitiatorAddrType;
	ULONG cbInitiatorLength;
	ULONG dwInitiatorOffset;
	ULONG dwAcceptorAddrType;
	ULONG cbAcceptorLength;
	ULONG dwAcceptorOffset;
	ULONG cbApplicationDataLength;
	ULONG dwApplicationDataOffset;
} SEC_CHANNEL_BINDINGS, *PSEC_CHANNEL_BINDINGS;

/* Handles that clients of SSPI hold */

typedef struct _SecHandle {
	ULONG_PTR dwLower;
	ULONG_PTR dwUpper;
} SecHandle, CredHandle, CtxtHandle;
typedef SecHandle *PSecHandle, *PCredHandle, *PCtxtHandle;

#define SEC_DELETED_HANDLE ((ULONG_PTR)-2)
#define SecInvalidateHandle(handle) \
	((void)((handle)->dwLower = (handle)->dwUpper = (ULONG_PTR)-1))
#define SecIsValidHandle(handle)               \
	((handle)->dwLower != (ULONG_PTR)-1 && \
	 (handle)->dwUpper != (ULONG_PTR)-1)

/* What a package tells about itself */

typedef struct _SecPkgInfoW {
	ULONG fCapabilities;
	USHORT wVersion;
	USHORT wRPCID;
	ULONG cbMaxToken;
	SEC_WCHAR *Name;
	SEC_WCHAR *Comment;
} SecPkgInfoW, *PSecPkgInfoW;

typedef struct _SecPkgInfoA {
	ULONG fCapabilities;
	USHORT wVersion;
	USHORT wRPCID;
	ULONG cbMaxToken;
	SEC_CHAR *Name;
	SEC_CHAR *Comment;
} SecPkgInfoA, *PSecPkgInfoA;

typedef SecPkgInfoW SecPkgInfo, *PSecPkgInfo;

#define SECPKG_ID_NONE 0xFFFF

#define SECPKG_FLAG_INTEGRITY 0x00000001
#define SECPKG_FLAG_PRIVACY 0x00000002
#define SECPKG_FLAG_TOKEN_ONLY 0x00000004
#define SECPKG_FLAG_DATAGRAM 0x00000008
#define SECPKG_FLAG_CONNECTION 0x00000010
#define SECPKG_FLAG_MULTI_REQUIRED 0x00000020
#define SECPKG_FLAG_CLIENT_ONLY 0x00000040
#define SECPKG_FLAG_EXTENDED_ERROR 0x00000080
#define SECPKG_FLAG_IMPERSONATION 0x00000100
#define SECPKG_FLAG_ACCEPT_WIN32_NAME 0x00000200
#define SECPKG_FLAG_STREAM 0x00000400
#define SECPKG_FLAG_NEGOTIABLE 0x00000800
#define SECPKG_FLAG_GSS_COMPATIBLE 0x00001000
#define SECPKG_FLAG_LOGON 0x00002000
#define SECPKG_FLAG_ASCII_BUFFERS 0x00004000
#define SECPKG_FLAG_FRAGMENT 0x00008000
#define SECPKG_FLAG_MUTUAL_AUTH 0x00010000
#define SECPKG_FLAG_DELEGATION 0x00020000
#define SECPKG_FLAG_READONLY_WITH_CHECKSUM 0x00040000
#define SECPKG_FLAG_RESTRICTED_TOKENS 0x00080000
#define SECPKG_FLAG_NEGO_EXTENDER 0x00100000
#define SECPKG_FLAG_NEGOTIABLE2 0x00200000
#define SECPKG_FLAG_APPCONTAINER_PASSTHROUGH 0x00400000
#define SECPKG_FLAG_APPCONTAINER_CHECKS 0x00800000
#define SECPKG_FLAG_CREDENTIAL_ISOLATION_ENABLED 0x01000000
#define SECPKG_FLAG_APPLY_LOOPBACK 0x02000000

/* What GetExtendedCallFlags of the LSA's table answers */
#define SECPKG_CALLFLAGS_APPCONTAINER 0x00000001
#define SECPKG_CALLFLAGS_APPCONTAINER_AUTHCAPABLE 0x00000002
#define SECPKG_CALLFLAGS_FORCE_SUPPLIED 0x00000004
#define SECPKG_CALLFLAGS_APPCONTAINER_UPNCAPABLE 0x00000008

/* Credentials */

#define SECPKG_CRED_INBOUND 0x00000001
#define SECPKG_CRED_OUTBOUND 0x00000002
#define SECPKG_CRED_BOTH 0x00000003
#define SECPKG_CRED_DEFAULT 0x00000004
#define SECPKG_CRED_AUTOLOGON_RESTRICTED 0x00000010
#define SECPKG_CRED_PROCESS_POLICY_ONLY 0x00000020
#define SECPKG_CRED_RESERVED 0xF0000000

#define SECPKG_CRED_ATTR_NAMES 1
#define SECPKG_CRED_ATTR_SSI_PROVIDER 2
#define SECPKG_CRED_ATTR_KDC_PROXY_SETTINGS 3
#define SECPKG_CRED_ATTR_CERT 4

typedef struct _SecPkgCredentials_NamesW {
	SEC_WCHAR *sUserName;
} SecPkgCredentials_NamesW, *PSecPkgCredentials_NamesW;
typedef SecPkgCredentials_NamesW SecPkgCredentials_Names;

typedef VOID(SEC_ENTRY *SEC_GET_KEY_FN)(PVOID arg, PVOID principal,
					ULONG key_version, PVOID *key,
					SECURITY_STATUS *status);

/* Explicit credentials; lengths are characters, without a NUL */
typedef struct _SEC_WINNT_AUTH_IDENTITY_W {
	WCHAR *User;
	ULONG UserLength;
	WCHAR *Domain;
	ULONG DomainLength;
	WCHAR *Password;
	ULONG PasswordLength;
	ULONG Flags;
} SEC_WINNT_AUTH_IDENTITY_W, *PSEC_WINNT_AUTH_IDENTITY_W;
typedef SEC_WINNT_AUTH_IDENTITY_W SEC_WINNT_AUTH_IDENTITY;
typedef PSEC_WINNT_AUTH_IDENTITY_W PSEC_WINNT_AUTH_IDENTITY;

typedef struct _SEC_WINNT_AUTH_IDENTITY_A {
	UCHAR *User;
	ULONG UserLength;
	UCHAR *Domain;
	ULONG DomainLength;
	UCHAR *Password;
	ULONG PasswordLength;
	ULONG Flags;
} SEC_WINNT_AUTH_IDENTITY_A, *PSEC_WINNT_AUTH_IDENTITY_A;

typedef struct _SEC_WINNT_AUTH_IDENTITY_EXW {
	ULONG Version;
	ULONG Length;
	WCHAR *User;
	ULONG UserLength;
	WCHAR *Domain;
	ULONG DomainLength;
	WCHAR *Password;
	ULONG PasswordLength;
	ULONG Flags;
	WCHAR *PackageList;
	ULONG PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EXW, *PSEC_WINNT_AUTH_IDENTITY_EXW;

typedef struct _SEC_WINNT_AUTH_IDENTITY_EX2 {
	ULONG Version;
	USHORT cbHeaderLength;
	ULONG cbStructureLength;
	ULONG UserOffset;
	USHORT UserLength;
	ULONG DomainOffset;
	USHORT DomainLength;
	ULONG PackedCredentialsOffset;
	USHORT PackedCredentialsLength;
	ULONG Flags;
	ULONG PackageListOffset;
	USHORT PackageListLength;
} SEC_WINNT_AUTH_IDENTITY_EX2, *PSEC_WINNT_AUTH_IDENTITY_EX2;

#define SEC_WINNT_AUTH_IDENTITY_ANSI 0x1
#define SEC_WINNT_AUTH_IDENTITY_UNICODE 0x2
#define SEC_WINNT_AUTH_IDENTITY_MARSHALLED 0x4
#define SEC_WINNT_AUTH_IDENTITY_ONLY 0x8
#define SEC_WINNT_AUTH_IDENTITY_VERSION 0x200
#define SEC_WINNT_AUTH_IDENTITY_VERSION_2 0x201

/* Contexts: byte order of the target, and requirements in client and server */

#define SECURITY_NATIVE_DREP 0x00000010
#define SECURITY_NETWORK_DREP 0x00000000

#define ISC_REQ_DELEGATE 0x00000001
#define ISC_REQ_MUTUAL_AUTH 0x00000002
#define ISC_REQ_REPLAY_DETECT 0x00000004
#define ISC_REQ_SEQUENCE_DETECT 0x00000008
#define ISC_REQ_CONFIDENTIALITY 0x00000010
#define ISC_REQ_USE_SESSION_KEY 0x00000020
#define ISC_REQ_PROMPT_FOR_CREDS 0x00000040
#define ISC_REQ_USE_SUPPLIED_CREDS 0x00000080
#define ISC_REQ_ALLOCATE_MEMORY 0x00000100
#define ISC_REQ_USE_DCE_STYLE 0x00000200
#define ISC_REQ_DATAGRAM 0x00000400
#define ISC_REQ_CONNECTION 0x00000800
#define ISC_REQ_CALL_LEVEL 0x00001000
#define ISC_REQ_FRAGMENT_SUPPLIED 0x00002000
#define ISC_REQ_EXTENDED_ERROR 0x00004000
#define ISC_REQ_STREAM 0x00008000
#define ISC_REQ_INTEGRITY 0x00010000
#define ISC_REQ_IDENTIFY 0x00020000
#define ISC_REQ_NULL_SESSION 0x00040000
#define ISC_REQ_MANUAL_CRED_VALIDATION 0x00080000
#define ISC_REQ_RESERVED1 0x00100000
#define ISC_REQ_FRAGMENT_TO_FIT 0x00200000
#define ISC_REQ_FORWARD_CREDENTIALS 0x00400000
#define ISC_REQ_NO_INTEGRITY 0x00800000
#define ISC_REQ_USE_HTTP_STYLE 0x01000000
#define ISC_REQ_UNVERIFIED_TARGET_NAME 0x20000000
#define ISC_REQ_CONFIDENTIALITY_ONLY 0x40000000

#define ISC_RET_DELEGATE 0x00000001
#define ISC_RET_MUTUAL_AUTH 0x00000002
#define ISC_RET_REPLAY_DETECT 0x00000004
#define ISC_RET_SEQUENCE_DETECT 0x00000008
#define ISC_RET_CONFIDENTIALITY 0x00000010
#define ISC_RET_USE_SESSION_KEY 0x00000020
#define ISC_RET_USED_COLLECTED_CREDS 0x00000040
#define ISC_RET_USED_SUPPLIED_CREDS 0x00000080
#define ISC_RET_ALLOCATED_MEMORY 0x00000100
#define ISC_RET_USED_DCE_STYLE 0x00000200
#define ISC_RET_DATAGRAM 0x00000400
#define ISC_RET_CONNECTION 0x00000800
#define ISC_RET_INTERMEDIATE_RETURN 0x00001000
#define ISC_RET_CALL_LEVEL 0x00002000
#define ISC_RET_EXTENDED_ERROR 0x00004000
#define ISC_RET_STREAM 0x00008000
#define ISC_RET_INTEGRITY 0x00010000
#define ISC_RET_IDENTIFY 0x00020000
#define ISC_RET_NULL_SESSION 0x00040000
#define ISC_RET_MANUAL_CRED_VALIDATION 0x00080000
#define ISC_RET_RESERVED1 0x00100000
#define ISC_RET_FRAGMENT_ONLY 0x00200000
#define ISC_RET_FORWARD_CREDENTIALS 0x00400000
#define ISC_RET_USED_HTTP_STYLE 0x01000000
#define ISC_RET_NO_ADDITIONAL_TOKEN 0x02000000
#define ISC_RET_REAUTHENTICATION 0x08000000
#define ISC_RET_CONFIDENTIALITY_ONLY 0x40000000

#define ASC_REQ_DELEGATE 0x00000001
#define ASC_REQ_MUTUAL_AUTH 0x00000002
#define ASC_REQ_REPLAY_DETECT 0x00000004
#define ASC_REQ_SEQUENCE_DETECT 0x00000008
#define ASC_REQ_CONFIDENTIALITY 0x00000010
#define ASC_REQ_USE_SESSION_KEY 0x00000020
#define ASC_REQ_SESSION_TICKET 0x00000040
#define ASC_REQ_ALLOCATE_MEMORY 0x00000100
#define ASC_REQ_USE_DCE_STYLE 0x00000200
#define ASC_REQ_DATAGRAM 0x00000400
#define ASC_REQ_CONNECTION 0x00000800
#define ASC_REQ_CALL_LEVEL 0x00001000
#define ASC_REQ_FRAGMENT_SUPPLIED 0x00002000
#define ASC_REQ_EXTENDED_ERROR 0x00008000
#define ASC_REQ_STREAM 0x00010000
#define ASC_REQ_INTEGRITY 0x00020000
#define ASC_REQ_LICENSING 0x00040000
#define ASC_REQ_IDENTIFY 0x00080000
#define ASC_REQ_ALLOW_NULL_SESSION 0x00100000
#define ASC_REQ_ALLOW_NON_USER_LOGONS 0x00200000
#define ASC_REQ_ALLOW_CONTEXT_REPLAY 0x00400000
#define ASC_REQ_FRAGMENT_TO_FIT 0x00800000
#define ASC_REQ_NO_TOKEN 0x01000000
#define ASC_REQ_PROXY_BINDINGS 0x04000000
#define ASC_REQ_ALLOW_MISSING_BINDINGS 0x10000000

#define ASC_RET_DELEGATE 0x00000001
#define ASC_RET_MUTUAL_AUTH 0x00000002
#define ASC_RET_REPLAY_DETECT 0x00000004
#define ASC_RET_SEQUENCE_DETECT 0x00000008
#define ASC_RET_CONFIDENTIALITY 0x00000010
#define ASC_RET_USE_SESSION_KEY 0x00000020
#define ASC_RET_SESSION_TICKET 0x00000040
#define ASC_RET_ALLOCATED_MEMORY 0x00000100
#define ASC_RET_USED_DCE_STYLE 0x00000200
#define ASC_RET_DATAGRAM 0x00000400
#define ASC_RET_CONNECTION 0x00000800
#define ASC_RET_CALL_LEVEL 0x00002000
#define ASC_RET_THIRD_LEG_FAILED 0x00004000
#define ASC_RET_EXTENDED_ERROR 0x00008000
#define ASC_RET_STREAM 0x00010000
#define ASC_RET_INTEGRITY 0x00020000
#define ASC_RET_LICENSING 0x00040000
#define ASC_RET_IDENTIFY 0x00080000
#define ASC_RET_NULL_SESSION 0x00100000
#define ASC_RET_ALLOW_NON_USER_LOGONS 0x00200000
#define ASC_RET_ALLOW_CONTEXT_REPLAY 0x00400000
#define ASC_RET_FRAGMENT_ONLY 0x00800000
#define ASC_RET_NO_TOKEN 0x01000000
#define ASC_RET_NO_ADDITIONAL_TOKEN 0x02000000

#define SECPKG_CONTEXT_EXPORT_RESET_NEW 0x00000001
#define SECPKG_CONTEXT_EXPORT_DELETE_OLD 0x00000002
#define SECPKG_CONTEXT_EXPORT_TO_KERNEL 0x00000004

/* Attributes of contexts, and the structures that carry them */

#define SECPKG_ATTR_SIZES 0
#define SECPKG_ATTR_NAMES 1
#define SECPKG_ATTR_LIFESPAN 2
#define SECPKG_ATTR_DCE_INFO 3
#define SECPKG_ATTR_STREAM_SIZES 4
#define SECPKG_ATTR_KEY_INFO 5
#define SECPKG_ATTR_AUTHORITY 6
#define SECPKG_ATTR_PROTO_INFO 7
#define SECPKG_ATTR_PASSWORD_EXPIRY 8
#define SECPKG_ATTR_SESSION_KEY 9
#define SECPKG_ATTR_PACKAGE_INFO 10
#define SECPKG_ATTR_USER_FLAGS 11
#define SECPKG_ATTR_NEGOTIATION_INFO 12
#define SECPKG_ATTR_NATIVE_NAMES 13
#define SECPKG_ATTR_FLAGS 14
#define SECPKG_ATTR_USE_VALIDATED 15
#define SECPKG_ATTR_CREDENTIAL_NAME 16
#define SECPKG_ATTR_TARGET_INFORMATION 17
#define SECPKG_ATTR_ACCESS_TOKEN 18
#define SECPKG_ATTR_TARGET 19
#define SECPKG_ATTR_AUTHENTICATION_ID 20
#define SECPKG_ATTR_LOGOFF_TIME 21
#define SECPKG_ATTR_NEGO_KEYS 22
#define SECPKG_ATTR_PROMPTING_NEEDED 24
#define SECPKG_ATTR_UNIQUE_BINDINGS 25
#define SECPKG_ATTR_ENDPOINT_BINDINGS 26
#define SECPKG_ATTR_CLIENT_SPECIFIED_TARGET 27
#define SECPKG_ATTR_LAST_CLIENT_TOKEN_STATUS 30
#define SECPKG_ATTR_NEGO_PKG_INFO 31
#define SECPKG_ATTR_NEGO_STATUS 32
#define SECPKG_ATTR_CONTEXT_DELETED 33
#define SECPKG_ATTR_SUBJECT_SECURITY_ATTRIBUTES 128

typedef struct _SecPkgContext_Sizes {
	ULONG cbMaxToken;
	ULONG cbMaxSignature;
	ULONG cbBlockSize;
	ULONG cbSecurityTrailer;
} SecPkgContext_Sizes, *PSecPkgContext_Sizes;

typedef struct _SecPkgContext_StreamSizes {
	ULONG cbHeader;
	ULONG cbTrailer;
	ULONG cbMaximumMessage;
	ULONG cBuffers;
	ULONG cbBlockSize;
} SecPkgContext_StreamSizes, *PSecPkgContext_StreamSizes;

typedef struct _SecPkgContext_NamesW {
	SEC_WCHAR *sUserName;
} SecPkgContext_NamesW, *PSecPkgContext_NamesW;
typedef SecPkgContext_NamesW SecPkgContext_Names, *PSecPkgContext_Names;

typedef struct _SecPkgContext_NamesA {
	SEC_CHAR *sUserName;
} SecPkgContext_NamesA, *PSecPkgContext_NamesA;

typedef struct _SecPkgContext_NativeNamesW {
	SEC_WCHAR *sClientName;
	SEC_WCHAR *sServerName;
} SecPkgContext_NativeNamesW, *PSecPkgContext_NativeNamesW;
typedef SecPkgContext_NativeNamesW SecPkgContext_NativeNames;

typedef struct _SecPkgContext_Lifespan {
	TimeStamp tsStart;
	TimeStamp tsExpiry;
} SecPkgContext_Lifespan, *PSecPkgContext_Lifespan;

typedef struct _SecPkgContext_PasswordExpiry {
	TimeStamp tsPasswordExpires;
} SecPkgContext_PasswordExpiry, *PSecPkgContext_PasswordExpiry;

typedef struct _SecPkgContext_LogoffTime {
	TimeStamp tsLogoffTime;
} SecPkgContext_LogoffTime, *PSecPkgContext_LogoffTime;

typedef struct _SecPkgContext_DceInfo {
	ULONG AuthzSvc;
	PVOID pPac;
} SecPkgContext_DceInfo, *PSecPkgContext_DceInfo;

typedef struct _SecPkgContext_KeyInfoW {
	SEC_WCHAR *sSignatureAlgorithmName;
	SEC_WCHAR *sEncryptAlgorithmName;
	ULONG KeySize;
	ULONG SignatureAlgorithm;
	ULONG EncryptAlgorithm;
} SecPkgContext_KeyInfoW, *PSecPkgContext_KeyInfoW;
typedef SecPkgContext_KeyInfoW SecPkgContext_KeyInfo;

typedef struct _SecPkgContext_SessionKey {
	ULONG SessionKeyLength;
	PUCHAR SessionKey;
} SecPkgContext_SessionKey, *PSecPkgContext_SessionKey;

typedef struct _SecPkgContext_PackageInfoW {
	PSecPkgInfoW PackageInfo;
} SecPkgContext_PackageInfoW, *PSecPkgContext_PackageInfoW;
typedef SecPkgContext_PackageInfoW SecPkgContext_PackageInfo;

typedef struct _SecPkgContext_UserFlags {
	ULONG UserFlags;
} SecPkgContext_UserFlags, *PSecPkgContext_UserFlags;

typedef struct _SecPkgContext_Flags {
	ULONG Flags;
} SecPkgContext_Flags, *PSecPkgContext_Flags;

typedef struct _SecPkgContext_NegotiationInfoW {
	PSecPkgInfoW PackageInfo;
	ULONG NegotiationState;
} SecPkgContext_NegotiationInfoW, *PSecPkgContext_NegotiationInfoW;
typedef SecPkgContext_NegotiationInfoW SecPkgContext_NegotiationInfo;

#define SECPKG_NEGOTIATION_COMPLETE 0
#define SECPKG_NEGOTIATION_OPTIMISTIC 1
#define SECPKG_NEGOTIATION_IN_PROGRESS 2
#define SECPKG_NEGOTIATION_DIRECT 3
#define SECPKG_NEGOTIATION_TRY_MULTICRED 4

typedef struct _SecPkgContext_TargetInformation {
	ULONG MarshalledTargetInfoLength;
	PUCHAR MarshalledTargetInfo;
} SecPkgContext_TargetInformation, *PSecPkgContext_TargetInformation;

typedef struct _SecPkgContext_AccessToken {
	PVOID AccessToken;
} SecPkgContext_AccessToken, *PSecPkgContext_AccessToken;

typedef struct _SecPkgContext_Bindings {
	ULONG BindingsLength;
	SEC_CHANNEL_BINDINGS *Bindings;
} SecPkgContext_Bindings, *PSecPkgContext_Bindings;

/*
 * The client's functions, in liblsabuf-sspi. All may be used from any thread;
 * a context by one thread at a time.
 */

#define SECQOP_WRAP_NO_ENCRYPT 0x80000001
#define SECQOP_WRAP_OOB_DATA 0x40000000

SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesW(PULONG count,
						     PSecPkgInfoW *packages);
SECURITY_STATUS SEC_ENTRY EnumerateSecurityPackagesA(PULONG count,
						     PSecPkgInfoA *packages);
SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoW(SEC_WCHAR *name,
						    PSecPkgInfoW *package);
SECURITY_STATUS SEC_ENTRY QuerySecurityPackageInfoA(SEC_CHAR *name,
						    PSecPkgInfoA *package);
SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleW(
	SEC_WCHAR *principal, SEC_WCHAR *package, ULONG use, PVOID logon_id,
	PVOID authorization_data, SEC_GET_KEY_FN get_key,
	PVOID get_key_argument, PCredHandle credential, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY AcquireCredentialsHandleA(
	SEC_CHAR *principal, SEC_CHAR *package, ULONG use, PVOID logon_id,
	PVOID authorization_data, SEC_GET_KEY_FN get_key,
	PVOID get_key_argument, PCredHandle credential, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY AddCredentialsW(
	PCredHandle credential, SEC_WCHAR *principal, SEC_WCHAR *package,
	ULONG use, PVOID authorization_data, SEC_GET_KEY_FN get_key,
	PVOID get_key_argument, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY
AddCredentialsA(PCredHandle credential, SEC_CHAR *principal, SEC_CHAR *package,
		ULONG use, PVOID authorization_data, SEC_GET_KEY_FN get_key,
		PVOID get_key_argument, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY FreeCredentialsHandle(PCredHandle credential);
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesW(PCredHandle credential,
						      ULONG attribute,
						      PVOID buffer);
SECURITY_STATUS SEC_ENTRY QueryCredentialsAttributesA(PCredHandle credential,
						      ULONG attribute,
						      PVOID buffer);
SECURITY_STATUS SEC_ENTRY InitializeSecurityContextW(
	PCredHandle credential, PCtxtHandle context, SEC_WCHAR *target,
	ULONG requirements, ULONG reserved1, ULONG target_data_rep,
	PSecBufferDesc input, ULONG reserved2, PCtxtHandle new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY InitializeSecurityContextA(
	PCredHandle credential, PCtxtHandle context, SEC_CHAR *target,
	ULONG requirements, ULONG reserved1, ULONG target_data_rep,
	PSecBufferDesc input, ULONG reserved2, PCtxtHandle new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY AcceptSecurityContext(
	PCredHandle credential, PCtxtHandle context, PSecBufferDesc input,
	ULONG requirements, ULONG target_data_rep, PCtxtHandle new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry);
SECURITY_STATUS SEC_ENTRY CompleteAuthToken(PCtxtHandle context,
					    PSecBufferDesc token);
SECURITY_STATUS SEC_ENTRY ApplyControlToken(PCtxtHandle context,
					    PSecBufferDesc input);
SECURITY_STATUS SEC_ENTRY DeleteSecurityContext(PCtxtHandle context);
SECURITY_STATUS SEC_ENTRY QueryContextAttributesW(PCtxtHandle context,
						  ULONG attribute,
						  PVOID buffer);
SECURITY_STATUS SEC_ENTRY QueryContextAttributesA(PCtxtHandle context,
						  ULONG attribute,
						  PVOID buffer);
SECURITY_STATUS SEC_ENTRY QuerySecurityContextToken(PCtxtHandle context,
						    PVOID *token);
SECURITY_STATUS SEC_ENTRY ImpersonateSecurityContext(PCtxtHandle context);
SECURITY_STATUS SEC_ENTRY RevertSecurityContext(PCtxtHandle context);
SECURITY_STATUS SEC_ENTRY MakeSignature(PCtxtHandle context, ULONG quality,
					PSecBufferDesc message,
					ULONG sequence_number);
SECURITY_STATUS SEC_ENTRY VerifySignature(PCtxtHandle context,
					  PSecBufferDesc message,
					  ULONG sequence_number,
					  PULONG quality);
SECURITY_STATUS SEC_ENTRY EncryptMessage(PCtxtHandle context, ULONG quality,
					 PSecBufferDesc message,
					 ULONG sequence_number);
SECURITY_STATUS SEC_ENTRY DecryptMessage(PCtxtHandle context,
					 PSecBufferDesc message,
					 ULONG sequence_number, PULONG quality);
SECURITY_STATUS SEC_ENTRY ExportSecurityContext(PCtxtHandle context,
						ULONG flags,
						PSecBuffer packed_context,
						PVOID *token);
SECURITY_STATUS SEC_ENTRY ImportSecurityContextW(SEC_WCHAR *package,
						 PSecBuffer packed_context,
						 PVOID token,
						 PCtxtHandle context);
SECURITY_STATUS SEC_ENTRY ImportSecurityContextA(SEC_CHAR *package,
						 PSecBuffer packed_context,
						 PVOID token,
						 PCtxtHandle context);
SECURITY_STATUS SEC_ENTRY FreeContextBuffer(PVOID buffer);

#define EnumerateSecurityPackages EnumerateSecurityPackagesW
#define QuerySecurityPackageInfo QuerySecurityPackageInfoW
#define AcquireCredentialsHandle AcquireCredentialsHandleW
#define QueryCredentialsAttributes QueryCredentialsAttributesW
#define InitializeSecurityContext InitializeSecurityContextW
#define QueryContextAttributes QueryContextAttributesW
#define ImportSecurityContext ImportSecurityContextW
#define InitSecurityInterface InitSecurityInterfaceW

/* As tables. EncryptMessage and DecryptMessage have their older places, too */

#define SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION 1

#define LSABUF_SSPI_TABLE(suffix, text)                                        \
	typedef struct _SECURITY_FUNCTION_TABLE_##suffix {                     \
		ULONG dwVersion;                                               \
		SECURITY_STATUS(SEC_ENTRY *EnumerateSecurityPackages##suffix)  \
		(PULONG, PSecPkgInfo##suffix *);                               \
		SECURITY_STATUS(SEC_ENTRY *QueryCredentialsAttributes##suffix) \
		(PCredHandle, ULONG, PVOID);                                   \
		SECURITY_STATUS(SEC_ENTRY *AcquireCredentialsHandle##suffix)   \
		(text *, text *, ULONG, PVOID, PVOID, SEC_GET_KEY_FN, PVOID,   \
		 PCredHandle, PTimeStamp);                                     \
		SECURITY_STATUS(SEC_ENTRY *FreeCredentialsHandle)              \
		(PCredHandle);                                                 \
		PVOID Reserved2;                                               \
		SECURITY_STATUS(SEC_ENTRY *InitializeSecurityContext##suffix)  \
		(PCredHandle, PCtxtHandle, text *, ULONG, ULONG, ULONG,        \
		 PSecBufferDesc, ULONG, PCtxtHandle, PSecBufferDesc, PULONG,   \
		 PTimeStamp);                                                  \
		SECURITY_STATUS(SEC_ENTRY *AcceptSecurityContext)              \
		(PCredHandle, PCtxtHandle, PSecBufferDesc, ULONG, ULONG,       \
		 PCtxtHandle, PSecBufferDesc, PULONG, PTimeStamp);             \
		SECURITY_STATUS(SEC_ENTRY *CompleteAuthToken)                  \
		(PCtxtHandle, PSecBufferDesc);                                 \
		SECURITY_STATUS(SEC_ENTRY *DeleteSecurityContext)              \
		(PCtxtHandle);                                                 \
		SECURITY_STATUS(SEC_ENTRY *ApplyControlToken)                  \
		(PCtxtHandle, PSecBufferDesc);                                 \
		SECURITY_STATUS(SEC_ENTRY *QueryContextAttributes##suffix)     \
		(PCtxtHandle, ULONG, PVOID);                                   \
		SECURITY_STATUS(SEC_ENTRY *ImpersonateSecurityContext)         \
		(PCtxtHandle);                                                 \
		SECURITY_STATUS(SEC_ENTRY *RevertSecurityContext)              \
		(PCtxtHandle);                                                 \
		SECURITY_STATUS(SEC_ENTRY *MakeSignature)                      \
		(PCtxtHandle, ULONG, PSecBufferDesc, ULONG);                   \
		SECURITY_STATUS(SEC_ENTRY *VerifySignature)                    \
		(PCtxtHandle, PSecBufferDesc, ULONG, PULONG);                  \
		SECURITY_STATUS(SEC_ENTRY *FreeContextBuffer)(PVOID);          \
		SECURITY_STATUS(SEC_ENTRY *QuerySecurityPackageInfo##suffix)   \
		(text *, PSecPkgInfo##suffix *);                               \
		PVOID Reserved3;                                               \
		PVOID Reserved4;                                               \
		SECURITY_STATUS(SEC_ENTRY *ExportSecurityContext)              \
		(PCtxtHandle, ULONG, PSecBuffer, PVOID *);                     \
		SECURITY_STATUS(SEC_ENTRY *ImportSecurityContext##suffix)      \
		(text *, PSecBuffer, PVOID, PCtxtHandle);                      \
		SECURITY_STATUS(SEC_ENTRY *AddCredentials##suffix)             \
		(PCredHandle, text *, text *, ULONG, PVOID, SEC_GET_KEY_FN,    \
		 PVOID, PTimeStamp);                                           \
		PVOID Reserved8;                                               \
		SECURITY_STATUS(SEC_ENTRY *QuerySecurityContextToken)          \
		(PCtxtHandle, PVOID *);                                        \
		SECURITY_STATUS(SEC_ENTRY *EncryptMessage)                     \
		(PCtxtHandle, ULONG, PSecBufferDesc, ULONG);                   \
		SECURITY_STATUS(SEC_ENTRY *DecryptMessage)                     \
		(PCtxtHandle, PSecBufferDesc, ULONG, PULONG);                  \
	} SecurityFunctionTable##suffix, *PSecurityFunctionTable##suffix

LSABUF_SSPI_TABLE(W, SEC_WCHAR);
LSABUF_SSPI_TABLE(A, SEC_CHAR);

typedef SecurityFunctionTableW SecurityFunctionTable;
typedef PSecurityFunctionTableW PSecurityFunctionTable;

PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceW(VOID);
PSecurityFunctionTableA SEC_ENTRY InitSecurityInterfaceA(VOID);

EXTERN_C_END

#endif /* _LSABUF_SSPI_H */
