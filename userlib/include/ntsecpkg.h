/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The contract between the LSA and a security package: the table of functions
 * that a package is handed, the entry points that it implements, and the
 * structures that pass between them.
 *
 * Every function exists as a function type (LSA_MAP_BUFFER) and as a pointer to
 * it (PLSA_MAP_BUFFER). Which functions of the table work, and what the others
 * answer, is in the README; none of them is NULL.
 *
 * A PLSA_CLIENT_REQUEST may be NULL where a function takes one: it then means
 * the request that the calling thread is working on.
 *
 * Members whose name differs from one Windows header to another have both names
 * here, in an anonymous union. Tables can be initialised by any of the names;
 * where they are initialised by position, -Wmissing-braces notices the unions.
 */
#ifndef _LSABUF_NTSECPKG_H
#define _LSABUF_NTSECPKG_H

#include "ntsecapi.h"
#include "sspi.h"

EXTERN_C_START

#define LSABUF_ALIAS(type, name, other) \
	__extension__ union {           \
		type name;              \
		type other;             \
	}

/* Points at a word that can be read, but means nothing to the package */
typedef PVOID *PLSA_CLIENT_REQUEST;

/* A package's own name for one of its credentials or contexts */
typedef ULONG_PTR LSA_SEC_HANDLE, *PLSA_SEC_HANDLE;

typedef LPTHREAD_START_ROUTINE SEC_THREAD_START;
typedef LPSECURITY_ATTRIBUTES SEC_ATTRS;

#define SecEqualLuid(a, b) \
	((a)->LowPart == (b)->LowPart && (a)->HighPart == (b)->HighPart)
#define SecIsZeroLuid(luid) (!((luid)->LowPart | (luid)->HighPart))

#define SECPKG_ALL_PACKAGES ((ULONG)-2)

/*
 * Attributes of a SecBuffer that only packages see. UNMAPPED: pvBuffer is an
 * address in the client still, MapBuffer makes it one in this process.
 */
#define SECBUFFER_UNMAPPED 0x40000000
#define SECBUFFER_KERNEL_MAP 0x20000000

/*
 * Who calls
 */

typedef struct _SECPKG_CLIENT_INFO {
	LUID LogonId;
	ULONG ProcessID;
	ULONG ThreadID;
	BOOLEAN HasTcbPrivilege;
	BOOLEAN Impersonating;
	BOOLEAN Restricted;
	UCHAR ClientFlags;
	SECURITY_IMPERSONATION_LEVEL ImpersonationLevel;
	HANDLE ClientToken;
} SECPKG_CLIENT_INFO, *PSECPKG_CLIENT_INFO;

typedef struct _SECPKG_CLIENT_INFO_EX {
	LUID LogonId;
	ULONG ProcessID;
	ULONG ThreadID;
	BOOLEAN HasTcbPrivilege;
	BOOLEAN Impersonating;
	BOOLEAN Restricted;
	UCHAR ClientFlags;
	SECURITY_IMPERSONATION_LEVEL ImpersonationLevel;
	HANDLE ClientToken;
	LUID IdentificationLogonId;
	HANDLE IdentificationToken;
} SECPKG_CLIENT_INFO_EX, *PSECPKG_CLIENT_INFO_EX;

#define SECPKG_CLIENT_PROCESS_TERMINATED 0x01
#define SECPKG_CLIENT_THREAD_TERMINATED 0x02

typedef struct _SECPKG_CALL_INFO {
	ULONG ProcessId;
	ULONG ThreadId;
	ULONG Attributes;
	ULONG CallCount;
	PVOID MechOid;
} SECPKG_CALL_INFO, *PSECPKG_CALL_INFO;

#define SECPKG_CALL_KERNEL_MODE 0x00000001
#define SECPKG_CALL_ANSI 0x00000002
#define SECPKG_CALL_URGENT 0x00000004
#define SECPKG_CALL_RECURSIVE 0x00000008
#define SECPKG_CALL_IN_PROC 0x00000010
#define SECPKG_CALL_CLEANUP 0x00000020
#define SECPKG_CALL_WOWCLIENT 0x00000040
#define SECPKG_CALL_WOWX86 SECPKG_CALL_WOWCLIENT
#define SECPKG_CALL_THREAD_TERM 0x00000080
#define SECPKG_CALL_PROCESS_TERM 0x00000100
#define SECPKG_CALL_IS_TCB 0x00000200
#define SECPKG_CALL_NETWORK_ONLY 0x00000400
#define SECPKG_CALL_WINLOGON 0x00000800
#define SECPKG_CALL_ASYNC_UPDATE 0x00001000
#define SECPKG_CALL_SYSTEM_PROC 0x00002000
#define SECPKG_CALL_NEGO 0x00004000
#define SECPKG_CALL_NEGO_EXTENDER 0x00008000
#define SECPKG_CALL_BUFFER_MARSHAL 0x00010000
#define SECPKG_CALL_UNLOCK 0x00020000
#define SECPKG_CALL_CLOUDAP_CONNECT 0x00040000
#define SECPKG_CALL_WOWA32 0x00040000

/* Query types of QueryClientRequest */
#define LSA_QUERY_CLIENT_PRELOGON_SESSION_ID 1

/*
 * Tokens and credentials
 */

typedef enum _LSA_TOKEN_INFORMATION_TYPE {
	LsaTokenInformationNull,
	LsaTokenInformationV1,
	LsaTokenInformationV2,
	LsaTokenInformationV3,
} LSA_TOKEN_INFORMATION_TYPE;
typedef LSA_TOKEN_INFORMATION_TYPE *PLSA_TOKEN_INFORMATION_TYPE;

typedef struct _LSA_TOKEN_INFORMATION_NULL {
	LARGE_INTEGER ExpirationTime;
	PTOKEN_GROUPS Groups;
} LSA_TOKEN_INFORMATION_NULL, *PLSA_TOKEN_INFORMATION_NULL;

typedef struct _LSA_TOKEN_INFORMATION_V1 {
	LARGE_INTEGER ExpirationTime;
	TOKEN_USER User;
	PTOKEN_GROUPS Groups;
	TOKEN_PRIMARY_GROUP PrimaryGroup;
	PTOKEN_PRIVILEGES Privileges;
	TOKEN_OWNER Owner;
	TOKEN_DEFAULT_DACL DefaultDacl;
} LSA_TOKEN_INFORMATION_V1, *PLSA_TOKEN_INFORMATION_V1;

/* Differs from V1 in being one block of memory */
typedef LSA_TOKEN_INFORMATION_V1 LSA_TOKEN_INFORMATION_V2;
typedef PLSA_TOKEN_INFORMATION_V1 PLSA_TOKEN_INFORMATION_V2;

typedef struct _LSA_TOKEN_INFORMATION_V3 {
	LARGE_INTEGER ExpirationTime;
	TOKEN_USER User;
	PTOKEN_GROUPS Groups;
	TOKEN_PRIMARY_GROUP PrimaryGroup;
	PTOKEN_PRIVILEGES Privileges;
	TOKEN_OWNER Owner;
	TOKEN_DEFAULT_DACL DefaultDacl;
	TOKEN_USER_CLAIMS UserClaims;
	TOKEN_DEVICE_CLAIMS DeviceClaims;
	PTOKEN_GROUPS DeviceGroups;
} LSA_TOKEN_INFORMATION_V3, *PLSA_TOKEN_INFORMATION_V3;

typedef struct _SECPKG_PRIMARY_CRED {
	LUID LogonId;
	UNICODE_STRING DownlevelName;
	UNICODE_STRING DomainName;
	UNICODE_STRING Password;
	UNICODE_STRING OldPassword;
	PSID UserSid;
	ULONG Flags;
	UNICODE_STRING DnsDomainName;
	UNICODE_STRING Upn;
	UNICODE_STRING LogonServer;
	UNICODE_STRING Spare1;
	UNICODE_STRING Spare2;
	UNICODE_STRING Spare3;
	UNICODE_STRING Spare4;
} SECPKG_PRIMARY_CRED, *PSECPKG_PRIMARY_CRED;

#define PRIMARY_CRED_CLEAR_PASSWORD 0x00000001
#define PRIMARY_CRED_OWF_PASSWORD 0x00000002
#define PRIMARY_CRED_UPDATE 0x00000004
#define PRIMARY_CRED_CACHED_LOGON 0x00000008
#define PRIMARY_CRED_LOGON_NO_TCB 0x00000010
#define PRIMARY_CRED_LOGON_LUA 0x00000020
#define PRIMARY_CRED_INTERACTIVE_SMARTCARD_LOGON 0x00000040
#define PRIMARY_CRED_REFRESH_NEEDED 0x00000080
#define PRIMARY_CRED_INTERNET_USER 0x00000100
#define PRIMARY_CRED_AUTH_ID 0x00000200
#define PRIMARY_CRED_DO_NOT_SPLIT 0x00000400
#define PRIMARY_CRED_PROTECTED_USER 0x00000800
#define PRIMARY_CRED_EX 0x00001000
#define PRIMARY_CRED_TRANSFER 0x00002000
#define PRIMARY_CRED_RESTRICTED_TS 0x00004000
#define PRIMARY_CRED_PACKED_CREDS 0x00008000
#define PRIMARY_CRED_LOGON_PACKAGE_SHIFT 24
#define PRIMARY_CRED_PACKAGE_MASK 0xff000000

typedef struct _SECPKG_SUPPLEMENTAL_CRED {
	UNICODE_STRING PackageName;
	ULONG CredentialSize;
	PUCHAR Credentials;
} SECPKG_SUPPLEMENTAL_CRED, *PSECPKG_SUPPLEMENTAL_CRED;

typedef struct _SECPKG_SUPPLEMENTAL_CRED_ARRAY {
	ULONG CredentialCount;
	SECPKG_SUPPLEMENTAL_CRED Credentials[1];
} SECPKG_SUPPLEMENTAL_CRED_ARRAY, *PSECPKG_SUPPLEMENTAL_CRED_ARRAY;

typedef struct _SECPKG_SURROGATE_LOGON_ENTRY {
	GUID Type;
	PVOID Data;
} SECPKG_SURROGATE_LOGON_ENTRY, *PSECPKG_SURROGATE_LOGON_ENTRY;

typedef struct _SECPKG_SURROGATE_LOGON {
	ULONG Version;
	LUID SurrogateLogonID;
	ULONG EntryCount;
	PSECPKG_SURROGATE_LOGON_ENTRY Entries;
} SECPKG_SURROGATE_LOGON, *PSECPKG_SURROGATE_LOGON;

#define SECPKG_SURROGATE_LOGON_VERSION_1 1

typedef enum _SECPKG_SESSIONINFO_TYPE {
	SecSessionPrimaryCred,
} SECPKG_SESSIONINFO_TYPE;

typedef enum _SECPKG_NAME_TYPE {
	SecNameSamCompatible,
	SecNameAlternateId,
	SecNameFlat,
	SecNameDN,
	SecNameSPN,
} SECPKG_NAME_TYPE;

typedef enum _CRED_FETCH {
	CredFetchDefault,
	CredFetchDPAPI,
	CredFetchForced,
} CRED_FETCH;
typedef CRED_FETCH *PCRED_FETCH;

typedef struct _SECURITY_USER_DATA {
	SECURITY_STRING UserName;
	SECURITY_STRING LogonDomainName;
	SECURITY_STRING LogonServer;
	PSID pSid;
} SECURITY_USER_DATA, SecurityUserData;
typedef SECURITY_USER_DATA *PSECURITY_USER_DATA, *PSecurityUserData;

#define UNDERSTANDS_LONG_NAMES 1
#define NO_LONG_NAMES 2

/* The credential manager's types are known by their addresses only */
typedef struct _ENCRYPTED_CREDENTIALW *PENCRYPTED_CREDENTIALW;
typedef struct _CREDENTIAL_TARGET_INFORMATIONW *PCREDENTIAL_TARGET_INFORMATIONW;

/*
 * What a package is told when it starts, and what it tells about itself
 */

typedef struct _SECPKG_PARAMETERS {
	ULONG Version;
	ULONG MachineState;
	ULONG SetupMode;
	PSID DomainSid;
	UNICODE_STRING DomainName;
	UNICODE_STRING DnsDomainName;
	GUID DomainGuid;
} SECPKG_PARAMETERS, *PSECPKG_PARAMETERS;

#define SECPKG_STATE_ENCRYPTION_PERMITTED 0x01
#define SECPKG_STATE_STRONG_ENCRYPTION_PERMITTED 0x02
#define SECPKG_STATE_DOMAIN_CONTROLLER 0x04
#define SECPKG_STATE_WORKSTATION 0x08
#define SECPKG_STATE_STANDALONE 0x10
#define SECPKG_STATE_CRED_ISOLATION_ENABLED 0x20

typedef enum _SECPKG_EXTENDED_INFORMATION_CLASS {
	SecpkgGssInfo = 1,
	SecpkgContextThunks = 2,
	SecpkgMutualAuthLevel = 3,
	SecpkgWowClientDll = 4,
	SecpkgExtraOids = 5,
	SecpkgMaxInfo = 6,
	SecpkgNego2Info = 7,
} SECPKG_EXTENDED_INFORMATION_CLASS;

typedef struct _SECPKG_GSS_INFO {
	ULONG EncodedIdLength;
	UCHAR EncodedId[4];
} SECPKG_GSS_INFO, *PSECPKG_GSS_INFO;

typedef struct _SECPKG_CONTEXT_THUNKS {
	ULONG InfoLevelCount;
	ULONG Levels[1];
} SECPKG_CONTEXT_THUNKS, *PSECPKG_CONTEXT_THUNKS;

typedef struct _SECPKG_MUTUAL_AUTH_LEVEL {
	ULONG MutualAuthLevel;
} SECPKG_MUTUAL_AUTH_LEVEL, *PSECPKG_MUTUAL_AUTH_LEVEL;

typedef struct _SECPKG_WOW_CLIENT_DLL {
	SECURITY_STRING WowClientDllPath;
} SECPKG_WOW_CLIENT_DLL, *PSECPKG_WOW_CLIENT_DLL;

#define SECPKG_MAX_OID_LENGTH 32

typedef struct _SECPKG_SERIALIZED_OID {
	ULONG OidLength;
	ULONG OidAttributes;
	UCHAR OidValue[SECPKG_MAX_OID_LENGTH];
} SECPKG_SERIALIZED_OID, *PSECPKG_SERIALIZED_OID;

typedef struct _SECPKG_EXTRA_OIDS {
	ULONG OidCount;
	SECPKG_SERIALIZED_OID Oids[1];
} SECPKG_EXTRA_OIDS, *PSECPKG_EXTRA_OIDS;

typedef struct _SECPKG_NEGO2_INFO {
	UCHAR AuthScheme[16];
	ULONG PackageFlags;
} SECPKG_NEGO2_INFO, *PSECPKG_NEGO2_INFO;

typedef struct _SECPKG_EXTENDED_INFORMATION {
	SECPKG_EXTENDED_INFORMATION_CLASS Class;
	union {
		SECPKG_GSS_INFO GssInfo;
		SECPKG_CONTEXT_THUNKS ContextThunks;
		SECPKG_MUTUAL_AUTH_LEVEL MutualAuthLevel;
		SECPKG_WOW_CLIENT_DLL WowClientDll;
		SECPKG_EXTRA_OIDS ExtraOids;
		SECPKG_NEGO2_INFO Nego2Info;
	} Info;
} SECPKG_EXTENDED_INFORMATION, *PSECPKG_EXTENDED_INFORMATION;

typedef struct _SECPKG_TARGETINFO {
	PSID DomainSid;
	PCWSTR ComputerName;
} SECPKG_TARGETINFO, *PSECPKG_TARGETINFO;

typedef struct _SECPKG_POST_LOGON_USER_INFO {
	ULONG Flags;
	LUID LogonId;
	LUID LinkedLogonId;
} SECPKG_POST_LOGON_USER_INFO, *PSECPKG_POST_LOGON_USER_INFO;

/* Messages that the LSA itself sends to packages through CallPackage */
typedef enum _SECPKG_CALL_PACKAGE_MESSAGE_TYPE {
	SecPkgCallPackageMinMessage = 1024,
	SecPkgCallPackagePinDcMessage = 1024,
	SecPkgCallPackageUnpinAllDcsMessage = 1025,
	SecPkgCallPackageTransferCredMessage = 1026,
	SecPkgCallPackageMaxMessage = 1026,
} SECPKG_CALL_PACKAGE_MESSAGE_TYPE;
typedef SECPKG_CALL_PACKAGE_MESSAGE_TYPE *PSECPKG_CALL_PACKAGE_MESSAGE_TYPE;

/* Notifications (RegisterNotification) */

#define NOTIFIER_FLAG_NEW_THREAD 0x00000001
#define NOTIFIER_FLAG_ONE_SHOT 0x00000002
#define NOTIFIER_FLAG_SECONDS 0x80000000

#define NOTIFIER_TYPE_INTERVAL 1
#define NOTIFIER_TYPE_HANDLE_WAIT 2
#define NOTIFIER_TYPE_STATE_CHANGE 3
#define NOTIFIER_TYPE_NOTIFY_EVENT 4
#define NOTIFIER_TYPE_IMMEDIATE 16

#define NOTIFY_CLASS_PACKAGE_CHANGE 1
#define NOTIFY_CLASS_ROLE_CHANGE 2
#define NOTIFY_CLASS_DOMAIN_CHANGE 3
#define NOTIFY_CLASS_REGISTRY_CHANGE 4

/*
 * Functions of the LSA: memory of the client.
 *
 * Note the order of the arguments of the two copies: the third is where the
 * bytes go, the fourth where they come from. The third parameter of
 * CopyFromClientBuffer, which Windows calls BufferToCopy, is a target.
 */

typedef NTSTATUS(NTAPI LSA_ALLOCATE_CLIENT_BUFFER)(PLSA_CLIENT_REQUEST request,
						   ULONG length,
						   PVOID *client_address);
typedef NTSTATUS(NTAPI LSA_FREE_CLIENT_BUFFER)(PLSA_CLIENT_REQUEST request,
					       PVOID client_address);
typedef NTSTATUS(NTAPI LSA_COPY_TO_CLIENT_BUFFER)(PLSA_CLIENT_REQUEST request,
						  ULONG length,
						  PVOID client_address,
						  PVOID source);
typedef NTSTATUS(NTAPI LSA_COPY_FROM_CLIENT_BUFFER)(PLSA_CLIENT_REQUEST request,
						    ULONG length, PVOID target,
						    PVOID client_address);
typedef NTSTATUS(NTAPI LSA_MAP_BUFFER)(PSecBuffer input, PSecBuffer output);

typedef LSA_ALLOCATE_CLIENT_BUFFER *PLSA_ALLOCATE_CLIENT_BUFFER;
typedef LSA_FREE_CLIENT_BUFFER *PLSA_FREE_CLIENT_BUFFER;
typedef LSA_COPY_TO_CLIENT_BUFFER *PLSA_COPY_TO_CLIENT_BUFFER;
typedef LSA_COPY_FROM_CLIENT_BUFFER *PLSA_COPY_FROM_CLIENT_BUFFER;
typedef LSA_MAP_BUFFER *PLSA_MAP_BUFFER;

/* Functions of the LSA: memory shared with clients */

typedef PVOID(NTAPI LSA_CREATE_SHARED_MEMORY)(ULONG max_size,
					      ULONG initial_size);
typedef PVOID(NTAPI LSA_ALLOCATE_SHARED_MEMORY)(PVOID shared_memory,
						ULONG size);
typedef VOID(NTAPI LSA_FREE_SHARED_MEMORY)(PVOID shared_memory, PVOID block);
typedef BOOLEAN(NTAPI LSA_DELETE_SHARED_MEMORY)(PVOID shared_memory);

typedef LSA_CREATE_SHARED_MEMORY *PLSA_CREATE_SHARED_MEMORY;
typedef LSA_ALLOCATE_SHARED_MEMORY *PLSA_ALLOCATE_SHARED_MEMORY;
typedef LSA_FREE_SHARED_MEMORY *PLSA_FREE_SHARED_MEMORY;
typedef LSA_DELETE_SHARED_MEMORY *PLSA_DELETE_SHARED_MEMORY;

/* Functions of the LSA: memory of its own */

typedef PVOID(NTAPI LSA_ALLOCATE_LSA_HEAP)(ULONG length);
typedef VOID(NTAPI LSA_FREE_LSA_HEAP)(PVOID base);
typedef PVOID(NTAPI LSA_ALLOCATE_PRIVATE_HEAP)(SIZE_T length);
typedef VOID(NTAPI LSA_FREE_PRIVATE_HEAP)(PVOID base);
typedef VOID(NTAPI LSA_PROTECT_MEMORY)(PVOID buffer, ULONG size);

typedef LSA_ALLOCATE_LSA_HEAP *PLSA_ALLOCATE_LSA_HEAP;
typedef LSA_FREE_LSA_HEAP *PLSA_FREE_LSA_HEAP;
typedef LSA_ALLOCATE_PRIVATE_HEAP *PLSA_ALLOCATE_PRIVATE_HEAP;
typedef LSA_FREE_PRIVATE_HEAP *PLSA_FREE_PRIVATE_HEAP;
typedef LSA_PROTECT_MEMORY *PLSA_PROTECT_MEMORY;

/* Functions of the LSA: the call and its caller */

typedef NTSTATUS(NTAPI LSA_GET_CLIENT_INFO)(PSECPKG_CLIENT_INFO info);
typedef NTSTATUS(NTAPI LSA_GET_CLIENT_INFO_EX)(PSECPKG_CLIENT_INFO_EX info,
					       ULONG size);
typedef BOOLEAN(NTAPI LSA_GET_CALL_INFO)(PSECPKG_CALL_INFO info);
typedef NTSTATUS(NTAPI LSA_GET_EXTENDED_CALL_FLAGS)(PULONG flags);
typedef NTSTATUS(NTAPI LSA_QUERY_CLIENT_REQUEST)(PLSA_CLIENT_REQUEST request,
						 ULONG query_type,
						 PVOID *reply_buffer);
typedef NTSTATUS(NTAPI LSA_IMPERSONATE_CLIENT)(VOID);
typedef NTSTATUS(NTAPI LSA_DUPLICATE_HANDLE)(HANDLE source, PHANDLE target);
typedef NTSTATUS(NTAPI LSA_CLIENT_CALLBACK)(PCHAR callback, ULONG_PTR arg1,
					    ULONG_PTR arg2, PSecBuffer input,
					    PSecBuffer output);

typedef LSA_GET_CLIENT_INFO *PLSA_GET_CLIENT_INFO;
typedef LSA_GET_CLIENT_INFO_EX *PLSA_GET_CLIENT_INFO_EX;
typedef LSA_GET_CALL_INFO *PLSA_GET_CALL_INFO;
typedef LSA_GET_EXTENDED_CALL_FLAGS *PLSA_GET_EXTENDED_CALL_FLAGS;
typedef LSA_QUERY_CLIENT_REQUEST *PLSA_QUERY_CLIENT_REQUEST;
typedef LSA_IMPERSONATE_CLIENT *PLSA_IMPERSONATE_CLIENT;
typedef LSA_DUPLICATE_HANDLE *PLSA_DUPLICATE_HANDLE;
typedef LSA_CLIENT_CALLBACK *PLSA_CLIENT_CALLBACK;

/* Functions of the LSA: other packages, threads, notifications */

typedef NTSTATUS(NTAPI LSA_CALL_PACKAGE)(
	PUNICODE_STRING package, PVOID submit_buffer, ULONG submit_length,
	PVOID *return_buffer, PULONG return_length, PNTSTATUS protocol_status);
typedef NTSTATUS(NTAPI LSA_CALL_PACKAGEEX)(
	PUNICODE_STRING package, PVOID client_base, PVOID submit_buffer,
	ULONG submit_length, PVOID *return_buffer, PULONG return_length,
	PNTSTATUS protocol_status);
typedef LSA_CALL_PACKAGEEX LSA_CALL_PACKAGE_PASSTHROUGH;
typedef NTSTATUS(NTAPI LSA_UNLOAD_PACKAGE)(VOID);
typedef HANDLE(NTAPI LSA_CREATE_THREAD)(SEC_ATTRS attributes, ULONG stack_size,
					SEC_THREAD_START start, PVOID parameter,
					ULONG creation_flags, PULONG thread_id);
typedef HANDLE(NTAPI LSA_REGISTER_NOTIFICATION)(SEC_THREAD_START start,
						PVOID parameter, ULONG type,
						ULONG notify_class, ULONG flags,
						ULONG interval_minutes,
						HANDLE wait_event);
typedef NTSTATUS(NTAPI LSA_CANCEL_NOTIFICATION)(HANDLE notification);
typedef NTSTATUS(NTAPI LSA_CALLBACK_FUNCTION)(ULONG_PTR arg1, ULONG_PTR arg2,
					      PSecBuffer input,
					      PSecBuffer output);
typedef LSA_CALLBACK_FUNCTION *PLSA_CALLBACK_FUNCTION;
typedef NTSTATUS(NTAPI LSA_REGISTER_CALLBACK)(ULONG callback_id,
					      PLSA_CALLBACK_FUNCTION callback);
typedef PVOID(NTAPI LSA_LOCATE_PKG_BY_ID)(ULONG package_id);

typedef LSA_CALL_PACKAGE *PLSA_CALL_PACKAGE;
typedef LSA_CALL_PACKAGEEX *PLSA_CALL_PACKAGEEX;
typedef LSA_CALL_PACKAGE_PASSTHROUGH *PLSA_CALL_PACKAGE_PASSTHROUGH;
typedef LSA_UNLOAD_PACKAGE *PLSA_UNLOAD_PACKAGE;
typedef LSA_CREATE_THREAD *PLSA_CREATE_THREAD;
typedef LSA_REGISTER_NOTIFICATION *PLSA_REGISTER_NOTIFICATION;
typedef LSA_CANCEL_NOTIFICATION *PLSA_CANCEL_NOTIFICATION;
typedef LSA_REGISTER_CALLBACK *PLSA_REGISTER_CALLBACK;
typedef LSA_LOCATE_PKG_BY_ID *PLSA_LOCATE_PKG_BY_ID;

/* Functions of the LSA: logon sessions and their credentials */

typedef NTSTATUS(NTAPI LSA_CREATE_LOGON_SESSION)(PLUID logon_id);
typedef NTSTATUS(NTAPI LSA_DELETE_LOGON_SESSION)(PLUID logon_id);
typedef NTSTATUS(NTAPI LSA_ADD_CREDENTIAL)(PLUID logon_id, ULONG package_id,
					   PLSA_STRING primary_key,
					   PLSA_STRING credentials);
typedef NTSTATUS(NTAPI LSA_GET_CREDENTIALS)(PLUID logon_id, ULONG package_id,
					    PULONG query_context,
					    BOOLEAN retrieve_all,
					    PLSA_STRING primary_key,
					    PULONG primary_key_length,
					    PLSA_STRING credentials);
typedef NTSTATUS(NTAPI LSA_DELETE_CREDENTIAL)(PLUID logon_id, ULONG package_id,
					      PLSA_STRING primary_key);
typedef NTSTATUS(NTAPI LSA_SAVE_SUPPLEMENTAL_CREDENTIALS)(PLUID logon_id,
							  ULONG size,
							  PVOID credentials,
							  BOOLEAN synchronous);
typedef NTSTATUS(NTAPI LSA_UPDATE_PRIMARY_CREDENTIALS)(
	PSECPKG_PRIMARY_CRED primary,
	PSECPKG_SUPPLEMENTAL_CRED_ARRAY credentials);

typedef LSA_CREATE_LOGON_SESSION *PLSA_CREATE_LOGON_SESSION;
typedef LSA_DELETE_LOGON_SESSION *PLSA_DELETE_LOGON_SESSION;
typedef LSA_ADD_CREDENTIAL *PLSA_ADD_CREDENTIAL;
typedef LSA_GET_CREDENTIALS *PLSA_GET_CREDENTIALS;
typedef LSA_DELETE_CREDENTIAL *PLSA_DELETE_CREDENTIAL;
typedef LSA_SAVE_SUPPLEMENTAL_CREDENTIALS *PLSA_SAVE_SUPPLEMENTAL_CREDENTIALS;
typedef LSA_UPDATE_PRIMARY_CREDENTIALS *PLSA_UPDATE_PRIMARY_CREDENTIALS;

/* Functions of the LSA: tokens and auditing */

typedef NTSTATUS(NTAPI LSA_CREATE_TOKEN)(
	PLUID logon_id, PTOKEN_SOURCE source, SECURITY_LOGON_TYPE logon_type,
	SECURITY_IMPERSONATION_LEVEL level,
	LSA_TOKEN_INFORMATION_TYPE information_type, PVOID information,
	PTOKEN_GROUPS groups, PUNICODE_STRING account_name,
	PUNICODE_STRING authority_name, PUNICODE_STRING workstation,
	PUNICODE_STRING profile_path, PHANDLE token, PNTSTATUS sub_status);
typedef NTSTATUS(NTAPI LSA_CREATE_TOKEN_EX)(
	PLUID logon_id, PTOKEN_SOURCE source, SECURITY_LOGON_TYPE logon_type,
	SECURITY_IMPERSONATION_LEVEL level,
	LSA_TOKEN_INFORMATION_TYPE information_type, PVOID information,
	PTOKEN_GROUPS groups, PUNICODE_STRING workstation,
	PUNICODE_STRING profile_path, PVOID session_information,
	SECPKG_SESSIONINFO_TYPE session_information_type, PHANDLE token,
	PNTSTATUS sub_status);
typedef NTSTATUS(NTAPI LSA_OPEN_TOKEN_BY_LOGON_ID)(PLUID logon_id,
						   PHANDLE token);
typedef NTSTATUS(NTAPI LSA_CHECK_PROTECTED_USER_BY_TOKEN)(
	HANDLE token, PBOOLEAN is_protected);
typedef VOID(NTAPI LSA_AUDIT_LOGON)(NTSTATUS status, NTSTATUS sub_status,
				    PUNICODE_STRING account_name,
				    PUNICODE_STRING authority,
				    PUNICODE_STRING workstation, PSID user,
				    SECURITY_LOGON_TYPE logon_type,
				    PTOKEN_SOURCE source, PLUID logon_id);
typedef VOID(NTAPI LSA_AUDIT_LOGON_EX)(NTSTATUS status, NTSTATUS sub_status,
				       PUNICODE_STRING account_name,
				       PUNICODE_STRING authority,
				       PUNICODE_STRING workstation, PSID user,
				       SECURITY_LOGON_TYPE logon_type,
				       SECURITY_IMPERSONATION_LEVEL level,
				       PTOKEN_SOURCE source, PLUID logon_id);
typedef NTSTATUS(NTAPI LSA_AUDIT_ACCOUNT_LOGON)(ULONG audit_id, BOOLEAN success,
						PUNICODE_STRING source,
						PUNICODE_STRING client_name,
						PUNICODE_STRING mapped_name,
						NTSTATUS status);

typedef LSA_CREATE_TOKEN *PLSA_CREATE_TOKEN;
typedef LSA_CREATE_TOKEN_EX *PLSA_CREATE_TOKEN_EX;
typedef LSA_OPEN_TOKEN_BY_LOGON_ID *PLSA_OPEN_TOKEN_BY_LOGON_ID;
typedef LSA_CHECK_PROTECTED_USER_BY_TOKEN *PLSA_CHECK_PROTECTED_USER_BY_TOKEN;
typedef LSA_AUDIT_LOGON *PLSA_AUDIT_LOGON;
typedef LSA_AUDIT_LOGON_EX *PLSA_AUDIT_LOGON_EX;
typedef LSA_AUDIT_ACCOUNT_LOGON *PLSA_AUDIT_ACCOUNT_LOGON;

/* Functions of the LSA: the account database */

typedef NTSTATUS(NTAPI LSA_OPEN_SAM_USER)(PSECURITY_STRING name,
					  SECPKG_NAME_TYPE name_type,
					  PSECURITY_STRING prefix,
					  BOOLEAN allow_guest, ULONG reserved,
					  PVOID *user);
typedef NTSTATUS(NTAPI LSA_CLOSE_SAM_USER)(PVOID user);
typedef NTSTATUS(NTAPI LSA_GET_USER_CREDENTIALS)(PVOID user, PVOID *primary,
						 PULONG primary_size,
						 PVOID *supplemental,
						 PULONG supplemental_size);
typedef NTSTATUS(NTAPI LSA_GET_USER_AUTH_DATA)(PVOID user, PUCHAR *auth_data,
					       PULONG auth_data_size);
typedef NTSTATUS(NTAPI LSA_GET_AUTH_DATA_FOR_USER)(PSECURITY_STRING name,
						   SECPKG_NAME_TYPE name_type,
						   PSECURITY_STRING prefix,
						   PUCHAR *auth_data,
						   PULONG auth_data_size,
						   PUNICODE_STRING flat_name);
typedef NTSTATUS(NTAPI LSA_CONVERT_AUTH_DATA_TO_TOKEN)(
	PVOID auth_data, ULONG auth_data_size,
	SECURITY_IMPERSONATION_LEVEL level, PTOKEN_SOURCE source,
	SECURITY_LOGON_TYPE logon_type, PUNICODE_STRING authority_name,
	PHANDLE token, PLUID logon_id, PUNICODE_STRING account_name,
	PNTSTATUS sub_status);
typedef NTSTATUS(NTAPI LSA_EXPAND_AUTH_DATA_FOR_DOMAIN)(PUCHAR auth_data,
							ULONG auth_data_size,
							PVOID reserved,
							PUCHAR *expanded,
							PULONG expanded_size);
typedef NTSTATUS(NTAPI LSA_CRACK_SINGLE_NAME)(
	ULONG format_offered, BOOLEAN perform_at_gc, PUNICODE_STRING name,
	PUNICODE_STRING prefix, ULONG format_wanted, PUNICODE_STRING cracked,
	PUNICODE_STRING dns_domain, PULONG sub_status);
typedef NTSTATUS(NTAPI LSA_GET_SERVICE_ACCOUNT_PASSWORD)(
	PUNICODE_STRING account_name, PUNICODE_STRING domain_name,
	CRED_FETCH fetch, FILETIME *expiry, PUNICODE_STRING current_password,
	PUNICODE_STRING previous_password, FILETIME *current_valid_from);

typedef LSA_OPEN_SAM_USER *PLSA_OPEN_SAM_USER;
typedef LSA_CLOSE_SAM_USER *PLSA_CLOSE_SAM_USER;
typedef LSA_GET_USER_CREDENTIALS *PLSA_GET_USER_CREDENTIALS;
typedef LSA_GET_USER_AUTH_DATA *PLSA_GET_USER_AUTH_DATA;
typedef LSA_GET_AUTH_DATA_FOR_USER *PLSA_GET_AUTH_DATA_FOR_USER;
typedef LSA_CONVERT_AUTH_DATA_TO_TOKEN *PLSA_CONVERT_AUTH_DATA_TO_TOKEN;
typedef LSA_EXPAND_AUTH_DATA_FOR_DOMAIN *PLSA_EXPAND_AUTH_DATA_FOR_DOMAIN;
typedef LSA_CRACK_SINGLE_NAME *PLSA_CRACK_SINGLE_NAME;
typedef LSA_GET_SERVICE_ACCOUNT_PASSWORD *PLSA_GET_SERVICE_ACCOUNT_PASSWORD;

/* Functions of the LSA: the credential manager, and application mode */

typedef NTSTATUS(NTAPI CredReadFn)(PLUID logon_id, ULONG cred_flags,
				   LPWSTR target_name, ULONG type, ULONG flags,
				   PENCRYPTED_CREDENTIALW *credential);
typedef NTSTATUS(NTAPI CredReadDomainCredentialsFn)(
	PLUID logon_id, ULONG cred_flags,
	PCREDENTIAL_TARGET_INFORMATIONW target, ULONG flags, PULONG count,
	PENCRYPTED_CREDENTIALW **credentials);
typedef VOID(NTAPI CredFreeCredentialsFn)(ULONG count,
					  PENCRYPTED_CREDENTIALW *credentials);
typedef NTSTATUS(NTAPI CredWriteFn)(PLUID logon_id, ULONG cred_flags,
				    PENCRYPTED_CREDENTIALW credential,
				    ULONG flags);
typedef NTSTATUS(NTAPI CrediUnmarshalandDecodeStringFn)(LPWSTR text,
							LPBYTE *blob,
							ULONG *blob_size,
							BOOLEAN *fatal);
typedef NTSTATUS(NTAPI LSA_GET_APP_MODE_INFO)(PULONG user_function,
					      PULONG_PTR arg1, PULONG_PTR arg2,
					      PSecBuffer user_data,
					      PBOOLEAN return_to_lsa);
typedef NTSTATUS(NTAPI LSA_SET_APP_MODE_INFO)(ULONG user_function,
					      ULONG_PTR arg1, ULONG_PTR arg2,
					      PSecBuffer user_data,
					      BOOLEAN return_to_lsa);

typedef LSA_GET_APP_MODE_INFO *PLSA_GET_APP_MODE_INFO;
typedef LSA_SET_APP_MODE_INFO *PLSA_SET_APP_MODE_INFO;

/*
 * The tables of the LSA. What an LsaApInitializePackage is handed as a dispatch
 * table is the larger table, too, of which this is the beginning.
 */

typedef struct _LSA_DISPATCH_TABLE {
	PLSA_CREATE_LOGON_SESSION CreateLogonSession;
	PLSA_DELETE_LOGON_SESSION DeleteLogonSession;
	PLSA_ADD_CREDENTIAL AddCredential;
	PLSA_GET_CREDENTIALS GetCredentials;
	PLSA_DELETE_CREDENTIAL DeleteCredential;
	PLSA_ALLOCATE_LSA_HEAP AllocateLsaHeap;
	PLSA_FREE_LSA_HEAP FreeLsaHeap;
	PLSA_ALLOCATE_CLIENT_BUFFER AllocateClientBuffer;
	PLSA_FREE_CLIENT_BUFFER FreeClientBuffer;
	PLSA_COPY_TO_CLIENT_BUFFER CopyToClientBuffer;
	PLSA_COPY_FROM_CLIENT_BUFFER CopyFromClientBuffer;
} LSA_DISPATCH_TABLE, *PLSA_DISPATCH_TABLE;

typedef struct _LSA_SECPKG_FUNCTION_TABLE {
	/* 0: as in LSA_DISPATCH_TABLE */
	PLSA_CREATE_LOGON_SESSION CreateLogonSession;
	PLSA_DELETE_LOGON_SESSION DeleteLogonSession;
	PLSA_ADD_CREDENTIAL AddCredential;
	PLSA_GET_CREDENTIALS GetCredentials;
	PLSA_DELETE_CREDENTIAL DeleteCredential;
	PLSA_ALLOCATE_LSA_HEAP AllocateLsaHeap;
	PLSA_FREE_LSA_HEAP FreeLsaHeap;
	PLSA_ALLOCATE_CLIENT_BUFFER AllocateClientBuffer;
	PLSA_FREE_CLIENT_BUFFER FreeClientBuffer;
	PLSA_COPY_TO_CLIENT_BUFFER CopyToClientBuffer;
	PLSA_COPY_FROM_CLIENT_BUFFER CopyFromClientBuffer;
	/* 11 */
	PLSA_IMPERSONATE_CLIENT ImpersonateClient;
	PLSA_UNLOAD_PACKAGE UnloadPackage;
	PLSA_DUPLICATE_HANDLE DuplicateHandle;
	PLSA_SAVE_SUPPLEMENTAL_CREDENTIALS SaveSupplementalCredentials;
	PLSA_CREATE_THREAD CreateThread;
	PLSA_GET_CLIENT_INFO GetClientInfo;
	PLSA_REGISTER_NOTIFICATION RegisterNotification;
	PLSA_CANCEL_NOTIFICATION CancelNotification;
	PLSA_MAP_BUFFER MapBuffer;
	/* 20 */
	PLSA_CREATE_TOKEN CreateToken;
	PLSA_AUDIT_LOGON AuditLogon;
	PLSA_CALL_PACKAGE CallPackage;
	PLSA_FREE_LSA_HEAP FreeReturnBuffer;
	PLSA_GET_CALL_INFO GetCallInfo;
	PLSA_CALL_PACKAGEEX CallPackageEx;
	PLSA_CREATE_SHARED_MEMORY CreateSharedMemory;
	PLSA_ALLOCATE_SHARED_MEMORY AllocateSharedMemory;
	PLSA_FREE_SHARED_MEMORY FreeSharedMemory;
	PLSA_DELETE_SHARED_MEMORY DeleteSharedMemory;
	/* 30 */
	PLSA_OPEN_SAM_USER OpenSamUser;
	PLSA_GET_USER_CREDENTIALS GetUserCredentials;
	PLSA_GET_USER_AUTH_DATA GetUserAuthData;
	PLSA_CLOSE_SAM_USER CloseSamUser;
	PLSA_CONVERT_AUTH_DATA_TO_TOKEN ConvertAuthDataToToken;
	PLSA_CLIENT_CALLBACK ClientCallback;
	PLSA_UPDATE_PRIMARY_CREDENTIALS UpdateCredentials;
	PLSA_GET_AUTH_DATA_FOR_USER GetAuthDataForUser;
	PLSA_CRACK_SINGLE_NAME CrackSingleName;
	PLSA_AUDIT_ACCOUNT_LOGON AuditAccountLogon;
	/* 40: the oldest headers end after this one */
	PLSA_CALL_PACKAGE_PASSTHROUGH CallPackagePassthrough;
	__extension__ union {
		CredReadFn *CrediRead;
		PLSA_PROTECT_MEMORY DummyFunction1;
	};
	__extension__ union {
		CredReadDomainCredentialsFn *CrediReadDomainCredentials;
		PLSA_PROTECT_MEMORY DummyFunction2;
	};
	__extension__ union {
		CredFreeCredentialsFn *CrediFreeCredentials;
		PLSA_PROTECT_MEMORY DummyFunction3;
	};
	PLSA_PROTECT_MEMORY LsaProtectMemory;
	PLSA_PROTECT_MEMORY LsaUnprotectMemory;
	PLSA_OPEN_TOKEN_BY_LOGON_ID OpenTokenByLogonId;
	PLSA_EXPAND_AUTH_DATA_FOR_DOMAIN ExpandAuthDataForDomain;
	PLSA_ALLOCATE_PRIVATE_HEAP AllocatePrivateHeap;
	PLSA_FREE_PRIVATE_HEAP FreePrivateHeap;
	/* 50 */
	PLSA_CREATE_TOKEN_EX CreateTokenEx;
	__extension__ union {
		CredWriteFn *CrediWrite;
		PLSA_PROTECT_MEMORY DummyFunction4;
	};
	__extension__ union {
		CrediUnmarshalandDecodeStringFn *CrediUnmarshalandDecodeString;
		PLSA_PROTECT_MEMORY DummyFunction5;
	};
	PLSA_PROTECT_MEMORY DummyFunction6;
	PLSA_GET_EXTENDED_CALL_FLAGS GetExtendedCallFlags;
	PLSA_DUPLICATE_HANDLE DuplicateTokenHandle;
	PLSA_GET_SERVICE_ACCOUNT_PASSWORD GetServiceAccountPassword;
	PLSA_PROTECT_MEMORY DummyFunction7;
	PLSA_AUDIT_LOGON_EX AuditLogonEx;
	PLSA_CHECK_PROTECTED_USER_BY_TOKEN CheckProtectedUserByToken;
	/* 60 */
	PLSA_QUERY_CLIENT_REQUEST QueryClientRequest;
	PLSA_GET_APP_MODE_INFO GetAppModeInfo;
	PLSA_SET_APP_MODE_INFO SetAppModeInfo;
	PLSA_GET_CLIENT_INFO_EX GetClientInfoEx;
} LSA_SECPKG_FUNCTION_TABLE, *PLSA_SECPKG_FUNCTION_TABLE;

C_ASSERT(sizeof(LSA_DISPATCH_TABLE) == 11 * sizeof(PVOID));
C_ASSERT(sizeof(LSA_SECPKG_FUNCTION_TABLE) == 64 * sizeof(PVOID));

/* What the part of a package that runs in clients is handed */
typedef struct _SECPKG_DLL_FUNCTIONS {
	PLSA_ALLOCATE_LSA_HEAP AllocateHeap;
	PLSA_FREE_LSA_HEAP FreeHeap;
	PLSA_REGISTER_CALLBACK RegisterCallback;
	PLSA_LOCATE_PKG_BY_ID LocatePackageById;
} SECPKG_DLL_FUNCTIONS, *PSECPKG_DLL_FUNCTIONS;

/*
 * Entry points of authentication packages. The names of exports carry a second
 * NUL, as they always have.
 */

#define LSA_AP_NAME_INITIALIZE_PACKAGE "LsaApInitializePackage\0"
#define LSA_AP_NAME_LOGON_USER "LsaApLogonUser\0"
#define LSA_AP_NAME_LOGON_USER_EX "LsaApLogonUserEx\0"
#define LSA_AP_NAME_LOGON_USER_EX2 "LsaApLogonUserEx2\0"
#define LSA_AP_NAME_LOGON_TERMINATED "LsaApLogonTerminated\0"
#define LSA_AP_NAME_CALL_PACKAGE "LsaApCallPackage\0"
#define LSA_AP_NAME_CALL_PACKAGE_UNTRUSTED "LsaApCallPackageUntrusted\0"
#define LSA_AP_NAME_CALL_PACKAGE_PASSTHROUGH "LsaApCallPackagePassthrough\0"
#define SP_ACCEPT_CREDENTIALS_NAME "SpAcceptCredentials\0"

typedef NTSTATUS(NTAPI LSA_AP_INITIALIZE_PACKAGE)(ULONG package_id,
						  PLSA_DISPATCH_TABLE table,
						  PLSA_STRING database,
						  PLSA_STRING confidentiality,
						  PLSA_STRING *package_name);
typedef NTSTATUS(NTAPI LSA_AP_CALL_PACKAGE)(
	PLSA_CLIENT_REQUEST request, PVOID submit_buffer, PVOID client_base,
	ULONG submit_length, PVOID *return_buffer, PULONG return_length,
	PNTSTATUS protocol_status);
typedef LSA_AP_CALL_PACKAGE LSA_AP_CALL_PACKAGE_UNTRUSTED;
typedef LSA_AP_CALL_PACKAGE LSA_AP_CALL_PACKAGE_PASSTHROUGH;
typedef VOID(NTAPI LSA_AP_LOGON_TERMINATED)(PLUID logon_id);
typedef NTSTATUS(NTAPI LSA_AP_LOGON_USER)(
	PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE logon_type,
	PVOID submit_buffer, PVOID client_base, ULONG submit_length,
	PVOID *profile_buffer, PULONG profile_length, PLUID logon_id,
	PNTSTATUS sub_status, PLSA_TOKEN_INFORMATION_TYPE information_type,
	PVOID *information, PLSA_UNICODE_STRING *account_name,
	PLSA_UNICODE_STRING *authority);
typedef NTSTATUS(NTAPI LSA_AP_LOGON_USER_EX)(
	PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE logon_type,
	PVOID submit_buffer, PVOID client_base, ULONG submit_length,
	PVOID *profile_buffer, PULONG profile_length, PLUID logon_id,
	PNTSTATUS sub_status, PLSA_TOKEN_INFORMATION_TYPE information_type,
	PVOID *information, PUNICODE_STRING *account_name,
	PUNICODE_STRING *authority, PUNICODE_STRING *machine_name);
typedef NTSTATUS(NTAPI LSA_AP_LOGON_USER_EX2)(
	PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE logon_type,
	PVOID submit_buffer, PVOID client_base, ULONG submit_length,
	PVOID *profile_buffer, PULONG profile_length, PLUID logon_id,
	PNTSTATUS sub_status, PLSA_TOKEN_INFORMATION_TYPE information_type,
	PVOID *information, PUNICODE_STRING *account_name,
	PUNICODE_STRING *authority, PUNICODE_STRING *machine_name,
	PSECPKG_PRIMARY_CRED primary_credentials,
	PSECPKG_SUPPLEMENTAL_CRED_ARRAY *supplemental_credentials);
typedef NTSTATUS(NTAPI LSA_AP_LOGON_USER_EX3)(
	PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE logon_type,
	PVOID submit_buffer, PVOID client_base, ULONG submit_length,
	PSECPKG_SURROGATE_LOGON surrogate, PVOID *profile_buffer,
	PULONG profile_length, PLUID logon_id, PNTSTATUS sub_status,
	PLSA_TOKEN_INFORMATION_TYPE information_type, PVOID *information,
	PUNICODE_STRING *account_name, PUNICODE_STRING *authority,
	PUNICODE_STRING *machine_name, PSECPKG_PRIMARY_CRED primary_credentials,
	PSECPKG_SUPPLEMENTAL_CRED_ARRAY *supplemental_credentials);
typedef NTSTATUS(NTAPI LSA_AP_PRE_LOGON_USER_SURROGATE)(
	PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE logon_type,
	PVOID submit_buffer, PVOID client_base, ULONG submit_length,
	PSECPKG_SURROGATE_LOGON surrogate, PNTSTATUS sub_status);
typedef NTSTATUS(NTAPI LSA_AP_POST_LOGON_USER_SURROGATE)(
	PLSA_CLIENT_REQUEST request, SECURITY_LOGON_TYPE logon_type,
	PVOID submit_buffer, PVOID client_base, ULONG submit_length,
	PSECPKG_SURROGATE_LOGON surrogate, PVOID profile_buffer,
	ULONG profile_length, PLUID logon_id, NTSTATUS status,
	NTSTATUS sub_status, LSA_TOKEN_INFORMATION_TYPE information_type,
	PVOID information, PUNICODE_STRING account_name,
	PUNICODE_STRING authority, PUNICODE_STRING machine_name,
	PSECPKG_PRIMARY_CRED primary_credentials,
	PSECPKG_SUPPLEMENTAL_CRED_ARRAY supplemental_credentials);
typedef NTSTATUS(NTAPI LSA_AP_POST_LOGON_USER)(
	PSECPKG_POST_LOGON_USER_INFO info);

typedef LSA_AP_INITIALIZE_PACKAGE *PLSA_AP_INITIALIZE_PACKAGE;
typedef LSA_AP_CALL_PACKAGE *PLSA_AP_CALL_PACKAGE;
typedef LSA_AP_CALL_PACKAGE_UNTRUSTED *PLSA_AP_CALL_PACKAGE_UNTRUSTED;
typedef LSA_AP_CALL_PACKAGE_PASSTHROUGH *PLSA_AP_CALL_PACKAGE_PASSTHROUGH;
typedef LSA_AP_LOGON_TERMINATED *PLSA_AP_LOGON_TERMINATED;
typedef LSA_AP_LOGON_USER *PLSA_AP_LOGON_USER;
typedef LSA_AP_LOGON_USER_EX *PLSA_AP_LOGON_USER_EX;
typedef LSA_AP_LOGON_USER_EX2 *PLSA_AP_LOGON_USER_EX2;
typedef LSA_AP_LOGON_USER_EX3 *PLSA_AP_LOGON_USER_EX3;
typedef LSA_AP_PRE_LOGON_USER_SURROGATE *PLSA_AP_PRE_LOGON_USER_SURROGATE;
typedef LSA_AP_POST_LOGON_USER_SURROGATE *PLSA_AP_POST_LOGON_USER_SURROGATE;

/* Entry points of security support providers: the package as a whole */

typedef NTSTATUS(NTAPI SpInitializeFn)(ULONG_PTR package_id,
				       PSECPKG_PARAMETERS parameters,
				       PLSA_SECPKG_FUNCTION_TABLE table);
typedef NTSTATUS(NTAPI SpShutdownFn)(VOID);
typedef NTSTATUS(NTAPI SpGetInfoFn)(PSecPkgInfo info);
typedef NTSTATUS(NTAPI SpGetExtendedInformationFn)(
	SECPKG_EXTENDED_INFORMATION_CLASS info_class,
	PSECPKG_EXTENDED_INFORMATION *info);
typedef NTSTATUS(NTAPI SpSetExtendedInformationFn)(
	SECPKG_EXTENDED_INFORMATION_CLASS info_class,
	PSECPKG_EXTENDED_INFORMATION info);

/* Entry points of security support providers: credentials */

typedef NTSTATUS(NTAPI SpAcceptCredentialsFn)(
	SECURITY_LOGON_TYPE logon_type, PUNICODE_STRING account_name,
	PSECPKG_PRIMARY_CRED primary, PSECPKG_SUPPLEMENTAL_CRED supplemental);
typedef NTSTATUS(NTAPI SpAcquireCredentialsHandleFn)(
	PUNICODE_STRING principal, ULONG use_flags, PLUID logon_id,
	PVOID authorization_data, PVOID get_key_function,
	PVOID get_key_argument, PLSA_SEC_HANDLE credential, PTimeStamp expiry);
typedef NTSTATUS(NTAPI SpFreeCredentialsHandleFn)(LSA_SEC_HANDLE credential);
typedef NTSTATUS(NTAPI SpQueryCredentialsAttributesFn)(
	LSA_SEC_HANDLE credential, ULONG attribute, PVOID buffer);
typedef NTSTATUS(NTAPI SpSetCredentialsAttributesFn)(LSA_SEC_HANDLE credential,
						     ULONG attribute,
						     PVOID buffer, ULONG size);
typedef NTSTATUS(NTAPI SpAddCredentialsFn)(
	LSA_SEC_HANDLE credential, PUNICODE_STRING principal,
	PUNICODE_STRING package, ULONG use_flags, PVOID authorization_data,
	PVOID get_key_function, PVOID get_key_argument, PTimeStamp expiry);
typedef NTSTATUS(NTAPI SpSaveCredentialsFn)(LSA_SEC_HANDLE credential,
					    PSecBuffer credentials);
typedef NTSTATUS(NTAPI SpGetCredentialsFn)(LSA_SEC_HANDLE credential,
					   PSecBuffer credentials);
typedef NTSTATUS(NTAPI SpDeleteCredentialsFn)(LSA_SEC_HANDLE credential,
					      PSecBuffer key);
typedef NTSTATUS(NTAPI SpGetUserInfoFn)(PLUID logon_id, ULONG flags,
					PSecurityUserData *user_data);
typedef NTSTATUS(NTAPI SpChangeAccountPasswordFn)(PUNICODE_STRING domain_name,
						  PUNICODE_STRING account_name,
						  PUNICODE_STRING old_password,
						  PUNICODE_STRING new_password,
						  BOOLEAN impersonating,
						  PSecBufferDesc output);

/* Entry points of security support providers: contexts */

typedef NTSTATUS(NTAPI SpInitLsaModeContextFn)(
	LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context,
	PUNICODE_STRING target_name, ULONG requirements, ULONG target_data_rep,
	PSecBufferDesc input, PLSA_SEC_HANDLE new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry,
	PBOOLEAN mapped_context, PSecBuffer context_data);
typedef NTSTATUS(NTAPI SpAcceptLsaModeContextFn)(
	LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PSecBufferDesc input,
	ULONG requirements, ULONG target_data_rep, PLSA_SEC_HANDLE new_context,
	PSecBufferDesc output, PULONG attributes, PTimeStamp expiry,
	PBOOLEAN mapped_context, PSecBuffer context_data);
typedef NTSTATUS(NTAPI SpDeleteContextFn)(LSA_SEC_HANDLE context);
typedef NTSTATUS(NTAPI SpApplyControlTokenFn)(LSA_SEC_HANDLE context,
					      PSecBufferDesc control_token);
typedef NTSTATUS(NTAPI SpQueryContextAttributesFn)(LSA_SEC_HANDLE context,
						   ULONG attribute,
						   PVOID buffer);
typedef NTSTATUS(NTAPI SpSetContextAttributesFn)(LSA_SEC_HANDLE context,
						 ULONG attribute, PVOID buffer,
						 ULONG size);
typedef NTSTATUS(NTAPI SpQueryMetaDataFn)(LSA_SEC_HANDLE credential,
					  PUNICODE_STRING target_name,
					  ULONG requirements, PULONG length,
					  PUCHAR *data,
					  PLSA_SEC_HANDLE context);
typedef NTSTATUS(NTAPI SpExchangeMetaDataFn)(LSA_SEC_HANDLE credential,
					     PUNICODE_STRING target_name,
					     ULONG requirements, ULONG length,
					     PUCHAR data,
					     PLSA_SEC_HANDLE context);
typedef NTSTATUS(NTAPI SpGetCredUIContextFn)(LSA_SEC_HANDLE context,
					     GUID *cred_type, PULONG length,
					     PUCHAR *flat_context);
typedef NTSTATUS(NTAPI SpUpdateCredentialsFn)(LSA_SEC_HANDLE context,
					      GUID *cred_type, ULONG length,
					      PUCHAR flat_context);
typedef NTSTATUS(NTAPI SpValidateTargetInfoFn)(PLSA_CLIENT_REQUEST request,
					       PVOID submit_buffer,
					       PVOID client_base,
					       ULONG submit_length,
					       PSECPKG_TARGETINFO target);
typedef NTSTATUS(NTAPI SpExtractTargetInfoFn)(
	PLSA_CLIENT_REQUEST request, PVOID submit_buffer, PVOID client_base,
	ULONG submit_length, PVOID *target, ULONG *target_length);

/* Entry points of security support providers: redirected logons */

typedef NTSTATUS(NTAPI LSA_REDIRECTED_LOGON_CALLBACK)(HANDLE logon,
						      PVOID buffer,
						      ULONG length,
						      PVOID *return_buffer,
						      ULONG *return_length);
typedef VOID(NTAPI LSA_REDIRECTED_LOGON_CLEANUP_CALLBACK)(HANDLE logon);
typedef LSA_REDIRECTED_LOGON_CALLBACK *PLSA_REDIRECTED_LOGON_CALLBACK;
typedef LSA_REDIRECTED_LOGON_CLEANUP_CALLBACK
	*PLSA_REDIRECTED_LOGON_CLEANUP_CALLBACK;

typedef NTSTATUS(NTAPI SpGetRemoteCredGuardLogonBufferFn)(
	LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context,
	const UNICODE_STRING *target_name, PHANDLE logon,
	PLSA_REDIRECTED_LOGON_CALLBACK *callback,
	PLSA_REDIRECTED_LOGON_CLEANUP_CALLBACK *cleanup, PULONG size,
	PVOID *buffer);
typedef NTSTATUS(NTAPI SpGetRemoteCredGuardSupplementalCredsFn)(
	LSA_SEC_HANDLE credential, const UNICODE_STRING *target_name,
	PHANDLE logon, PLSA_REDIRECTED_LOGON_CALLBACK *callback,
	PLSA_REDIRECTED_LOGON_CLEANUP_CALLBACK *cleanup, PULONG size,
	PVOID *credentials);
typedef NTSTATUS(NTAPI SpGetTbalSupplementalCredsFn)(LUID logon_id, PULONG size,
						     PVOID *credentials);

/*
 * The table of a package's entry points, by which SpLsaModeInitialize()
 * registers it. How much of it may be read follows from the version that the
 * package returned; any entry may be NULL.
 */

typedef struct _SECPKG_FUNCTION_TABLE {
	/* 0 */
	PLSA_AP_INITIALIZE_PACKAGE InitializePackage;
	LSABUF_ALIAS(PLSA_AP_LOGON_USER, LogonUser, LsaLogonUser);
	PLSA_AP_CALL_PACKAGE CallPackage;
	PLSA_AP_LOGON_TERMINATED LogonTerminated;
	PLSA_AP_CALL_PACKAGE_UNTRUSTED CallPackageUntrusted;
	PLSA_AP_CALL_PACKAGE_PASSTHROUGH CallPackagePassthrough;
	PLSA_AP_LOGON_USER_EX LogonUserEx;
	PLSA_AP_LOGON_USER_EX2 LogonUserEx2;
	SpInitializeFn *Initialize;
	SpShutdownFn *Shutdown;
	/* 10 */
	SpGetInfoFn *GetInfo;
	SpAcceptCredentialsFn *AcceptCredentials;
	LSABUF_ALIAS(SpAcquireCredentialsHandleFn *, AcquireCredentialsHandle,
		     SpAcquireCredentialsHandle);
	LSABUF_ALIAS(SpQueryCredentialsAttributesFn *,
		     QueryCredentialsAttributes, SpQueryCredentialsAttributes);
	SpFreeCredentialsHandleFn *FreeCredentialsHandle;
	SpSaveCredentialsFn *SaveCredentials;
	SpGetCredentialsFn *GetCredentials;
	SpDeleteCredentialsFn *DeleteCredentials;
	SpInitLsaModeContextFn *InitLsaModeContext;
	SpAcceptLsaModeContextFn *AcceptLsaModeContext;
	/* 20 */
	SpDeleteContextFn *DeleteContext;
	SpApplyControlTokenFn *ApplyControlToken;
	SpGetUserInfoFn *GetUserInfo;
	SpGetExtendedInformationFn *GetExtendedInformation;
	LSABUF_ALIAS(SpQueryContextAttributesFn *, QueryContextAttributes,
		     SpQueryContextAttributes);
	__extension__ union {
		SpAddCredentialsFn *AddCredentials;
		SpAddCredentialsFn *AddCredentialsW;
		SpAddCredentialsFn *SpAddCredentials;
	};
	SpSetExtendedInformationFn *SetExtendedInformation;
	/* 27: _VERSION_2 and later */
	SpSetContextAttributesFn *SetContextAttributes;
	/* 28: _VERSION_3 */
	SpSetCredentialsAttributesFn *SetCredentialsAttributes;
	/* 29: _VERSION_4 */
	SpChangeAccountPasswordFn *ChangeAccountPassword;
	/* 30: _VERSION_5 */
	SpQueryMetaDataFn *QueryMetaData;
	SpExchangeMetaDataFn *ExchangeMetaData;
	SpGetCredUIContextFn *GetCredUIContext;
	SpUpdateCredentialsFn *UpdateCredentials;
	/* 34: _VERSION_6 */
	SpValidateTargetInfoFn *ValidateTargetInfo;
	/* 35: _VERSION_7 */
	LSA_AP_POST_LOGON_USER *PostLogonUser;
	/* 36: _VERSION_8 */
	SpGetRemoteCredGuardLogonBufferFn *GetRemoteCredGuardLogonBuffer;
	SpGetRemoteCredGuardSupplementalCredsFn
		*GetRemoteCredGuardSupplementalCreds;
	/* 38: later versions */
	SpGetTbalSupplementalCredsFn *GetTbalSupplementalCreds;
	PLSA_AP_LOGON_USER_EX3 LogonUserEx3;
	/* 40 */
	PLSA_AP_PRE_LOGON_USER_SURROGATE PreLogonUserSurrogate;
	PLSA_AP_POST_LOGON_USER_SURROGATE PostLogonUserSurrogate;
	SpExtractTargetInfoFn *ExtractTargetInfo;
} SECPKG_FUNCTION_TABLE, *PSECPKG_FUNCTION_TABLE;

C_ASSERT(sizeof(SECPKG_FUNCTION_TABLE) == 43 * sizeof(PVOID));

typedef NTSTATUS(SEC_ENTRY *SpLsaModeInitializeFn)(
	ULONG lsa_version, PULONG package_version,
	PSECPKG_FUNCTION_TABLE *tables, PULONG table_count);

#define SECPKG_LSAMODEINIT_NAME "SpLsaModeInitialize"
#define SECPKG_USERMODEINIT_NAME "SpUserModeInitialize"

#define SECPKG_INTERFACE_VERSION 0x00010000
#define SECPKG_INTERFACE_VERSION_2 0x00020000
#define SECPKG_INTERFACE_VERSION_3 0x00040000
#define SECPKG_INTERFACE_VERSION_4 0x00080000
#define SECPKG_INTERFACE_VERSION_5 0x00100000
#define SECPKG_INTERFACE_VERSION_6 0x00200000
#define SECPKG_INTERFACE_VERSION_7 0x00400000
#define SECPKG_INTERFACE_VERSION_8 0x00800000
#define SECPKG_INTERFACE_VERSION_9 0x01000000
#define SECPKG_INTERFACE_VERSION_10 0x02000000
#define SECPKG_INTERFACE_VERSION_11 0x04000000

/* The part of a package that runs in clients */

typedef NTSTATUS(NTAPI SpInstanceInitFn)(ULONG version,
					 PSECPKG_DLL_FUNCTIONS functions,
					 PVOID *user_functions);
typedef NTSTATUS(NTAPI SpInitUserModeContextFn)(LSA_SEC_HANDLE context,
						PSecBuffer packed_context);
typedef NTSTATUS(NTAPI SpMakeSignatureFn)(LSA_SEC_HANDLE context, ULONG quality,
					  PSecBufferDesc message,
					  ULONG sequence_number);
typedef NTSTATUS(NTAPI SpVerifySignatureFn)(LSA_SEC_HANDLE context,
					    PSecBufferDesc message,
					    ULONG sequence_number,
					    PULONG quality);
typedef NTSTATUS(NTAPI SpSealMessageFn)(LSA_SEC_HANDLE context, ULONG quality,
					PSecBufferDesc message,
					ULONG sequence_number);
typedef NTSTATUS(NTAPI SpUnsealMessageFn)(LSA_SEC_HANDLE context,
					  PSecBufferDesc message,
					  ULONG sequence_number,
					  PULONG quality);
typedef NTSTATUS(NTAPI SpGetContextTokenFn)(LSA_SEC_HANDLE context,
					    PHANDLE token);
typedef NTSTATUS(NTAPI SpCompleteAuthTokenFn)(LSA_SEC_HANDLE context,
					      PSecBufferDesc input);
typedef NTSTATUS(NTAPI SpFormatCredentialsFn)(PSecBuffer credentials,
					      PSecBuffer formatted);
typedef NTSTATUS(NTAPI SpMarshallSupplementalCredsFn)(ULONG size,
						      PUCHAR credentials,
						      PULONG marshalled_size,
						      PVOID *marshalled);
typedef NTSTATUS(NTAPI SpExportSecurityContextFn)(LSA_SEC_HANDLE context,
						  ULONG flags,
						  PSecBuffer packed_context,
						  PHANDLE token);
typedef NTSTATUS(NTAPI SpImportSecurityContextFn)(PSecBuffer packed_context,
						  HANDLE token,
						  PLSA_SEC_HANDLE context);
typedef NTSTATUS(NTAPI SpMarshalAttributeDataFn)(DWORD attribute_info,
						 ULONG attribute, ULONG size,
						 PBYTE data,
						 PULONG marshalled_size,
						 PBYTE *marshalled);

typedef struct _SECPKG_USER_FUNCTION_TABLE {
	SpInstanceInitFn *InstanceInit;
	SpInitUserModeContextFn *InitUserModeContext;
	SpMakeSignatureFn *MakeSignature;
	SpVerifySignatureFn *VerifySignature;
	SpSealMessageFn *SealMessage;
	SpUnsealMessageFn *UnsealMessage;
	SpGetContextTokenFn *GetContextToken;
	LSABUF_ALIAS(SpQueryContextAttributesFn *, QueryContextAttributes,
		     SpQueryContextAttributes);
	SpCompleteAuthTokenFn *CompleteAuthToken;
	SpDeleteContextFn *DeleteUserModeContext;
	SpFormatCredentialsFn *FormatCredentials;
	SpMarshallSupplementalCredsFn *MarshallSupplementalCreds;
	SpExportSecurityContextFn *ExportContext;
	SpImportSecurityContextFn *ImportContext;
	SpMarshalAttributeDataFn *MarshalAttributeData;
} SECPKG_USER_FUNCTION_TABLE, *PSECPKG_USER_FUNCTION_TABLE;

C_ASSERT(sizeof(SECPKG_USER_FUNCTION_TABLE) == 15 * sizeof(PVOID));

typedef NTSTATUS(SEC_ENTRY *SpUserModeInitializeFn)(
	ULONG lsa_version, PULONG package_version,
	PSECPKG_USER_FUNCTION_TABLE *tables, PULONG table_count);

EXTERN_C_END

#endif /* _LSABUF_NTSECPKG_H */
