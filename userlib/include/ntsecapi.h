/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The client's side of the LSA: connect, look a package up, call it, free what
 * it returned. Every function may be used from any thread; behaviour and status
 * codes are described where the functions are defined.
 *
 * A call has three results: the status that the function returns (was the
 * package reached?), the protocol status (what did the package answer?) and the
 * return buffer, which lies in this process and belongs to the caller, who
 * gives it back with LsaFreeReturnBuffer().
 */
#ifndef _LSABUF_NTSECAPI_H
#define _LSABUF_NTSECAPI_H

#include "windows.h"

EXTERN_C_START

typedef UNICODE_STRING LSA_UNICODE_STRING, *PLSA_UNICODE_STRING;
typedef STRING LSA_STRING, *PLSA_STRING;

typedef ULONG LSA_OPERATIONAL_MODE, *PLSA_OPERATIONAL_MODE;

#define LSA_MODE_PASSWORD_PROTECTED 0x1
#define LSA_MODE_INDIVIDUAL_ACCOUNTS 0x2
#define LSA_MODE_MANDATORY_ACCESS 0x4
#define LSA_MODE_LOG_FULL 0x8

typedef enum _SECURITY_LOGON_TYPE {
	UndefinedLogonType = 0,
	Interactive = 2,
	Network = 3,
	Batch = 4,
	Service = 5,
	Proxy = 6,
	Unlock = 7,
	NetworkCleartext = 8,
	NewCredentials = 9,
	RemoteInteractive = 10,
	CachedInteractive = 11,
	CachedRemoteInteractive = 12,
	CachedUnlock = 13,
} SECURITY_LOGON_TYPE;
typedef SECURITY_LOGON_TYPE *PSECURITY_LOGON_TYPE;

/*
 * What is known of a logon session, in one block. Of the texts only the first
 * three are ever set, and Sid is NULL.
 */

typedef struct _LSA_LAST_INTER_LOGON_INFO {
	LARGE_INTEGER LastSuccessfulLogon;
	LARGE_INTEGER LastFailedLogon;
	ULONG FailedAttemptCountSinceLastSuccessfulLogon;
} LSA_LAST_INTER_LOGON_INFO, *PLSA_LAST_INTER_LOGON_INFO;

typedef struct _SECURITY_LOGON_SESSION_DATA {
	ULONG Size;
	LUID LogonId;
	LSA_UNICODE_STRING UserName;
	LSA_UNICODE_STRING LogonDomain;
	LSA_UNICODE_STRING AuthenticationPackage;
	ULONG LogonType;
	ULONG Session;
	PSID Sid;
	LARGE_INTEGER LogonTime;
	LSA_UNICODE_STRING LogonServer;
	LSA_UNICODE_STRING DnsDomainName;
	LSA_UNICODE_STRING Upn;
	ULONG UserFlags;
	LSA_LAST_INTER_LOGON_INFO LastLogonInfo;
	LSA_UNICODE_STRING LogonScript;
	LSA_UNICODE_STRING ProfilePath;
	LSA_UNICODE_STRING HomeDirectory;
	LSA_UNICODE_STRING HomeDirectoryDrive;
	LARGE_INTEGER LogoffTime;
	LARGE_INTEGER KickOffTime;
	LARGE_INTEGER PasswordLastSet;
	LARGE_INTEGER PasswordCanChange;
	LARGE_INTEGER PasswordMustChange;
} SECURITY_LOGON_SESSION_DATA, *PSECURITY_LOGON_SESSION_DATA;

/* Longer names of logon processes and packages are STATUS_NAME_TOO_LONG */
#define LSABUF_LSA_NAME_MAX 127

NTSTATUS NTAPI LsaConnectUntrusted(PHANDLE lsa_handle);
NTSTATUS NTAPI LsaRegisterLogonProcess(PLSA_STRING logon_process_name,
				       PHANDLE lsa_handle,
				       PLSA_OPERATIONAL_MODE security_mode);
NTSTATUS NTAPI LsaDeregisterLogonProcess(HANDLE lsa_handle);
NTSTATUS NTAPI LsaLookupAuthenticationPackage(HANDLE lsa_handle,
					      PLSA_STRING package_name,
					      PULONG package_id);
NTSTATUS NTAPI LsaCallAuthenticationPackage(HANDLE lsa_handle, ULONG package_id,
					    PVOID submit_buffer,
					    ULONG submit_length,
					    PVOID *return_buffer,
					    PULONG return_length,
					    PNTSTATUS protocol_status);
NTSTATUS NTAPI LsaLogonUser(HANDLE lsa_handle, PLSA_STRING origin_name,
			    SECURITY_LOGON_TYPE logon_type, ULONG package_id,
			    PVOID authentication_information,
			    ULONG authentication_information_length,
			    PTOKEN_GROUPS local_groups,
			    PTOKEN_SOURCE source_context, PVOID *profile_buffer,
			    PULONG profile_buffer_length, PLUID logon_id,
			    PHANDLE token, PQUOTA_LIMITS quotas,
			    PNTSTATUS sub_status);
NTSTATUS NTAPI LsaEnumerateLogonSessions(PULONG count, PLUID *sessions);
NTSTATUS NTAPI LsaGetLogonSessionData(PLUID logon_id,
				      PSECURITY_LOGON_SESSION_DATA *data);
NTSTATUS NTAPI LsaFreeReturnBuffer(PVOID buffer);
ULONG NTAPI LsaNtStatusToWinError(NTSTATUS status);

/*
 * Messages of the package for local accounts, which other packages' messages
 * are modelled on.
 */

#define MSV1_0_PACKAGE_NAME "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0"
#define MSV1_0_PACKAGE_NAMEW TEXT("MICROSOFT_AUTHENTICATION_PACKAGE_V1_0")

typedef enum _MSV1_0_LOGON_SUBMIT_TYPE {
	MsV1_0InteractiveLogon = 2,
	MsV1_0Lm20Logon = 3,
	MsV1_0NetworkLogon = 4,
	MsV1_0SubAuthLogon = 5,
	MsV1_0WorkstationUnlockLogon = 7,
	MsV1_0S4ULogon = 12,
	MsV1_0VirtualLogon = 82,
	MsV1_0NoElevationLogon = 83,
	MsV1_0LuidLogon = 84,
} MSV1_0_LOGON_SUBMIT_TYPE;
typedef MSV1_0_LOGON_SUBMIT_TYPE *PMSV1_0_LOGON_SUBMIT_TYPE;

typedef enum _MSV1_0_PROFILE_BUFFER_TYPE {
	MsV1_0InteractiveProfile = 2,
	MsV1_0Lm20LogonProfile = 3,
	MsV1_0SmartCardProfile = 4,
} MSV1_0_PROFILE_BUFFER_TYPE;
typedef MSV1_0_PROFILE_BUFFER_TYPE *PMSV1_0_PROFILE_BUFFER_TYPE;

typedef enum _MSV1_0_PROTOCOL_MESSAGE_TYPE {
	MsV1_0Lm20ChallengeRequest = 0,
	MsV1_0Lm20GetChallengeResponse = 1,
	MsV1_0EnumerateUsers = 2,
	MsV1_0GetUserInfo = 3,
	MsV1_0ReLogonUsers = 4,
	MsV1_0ChangePassword = 5,
	MsV1_0ChangeCachedPassword = 6,
	MsV1_0GenericPassthrough = 7,
	MsV1_0CacheLogon = 8,
	MsV1_0SubAuth = 9,
	MsV1_0DeriveCredential = 10,
	MsV1_0CacheLookup = 11,
} MSV1_0_PROTOCOL_MESSAGE_TYPE;
typedef MSV1_0_PROTOCOL_MESSAGE_TYPE *PMSV1_0_PROTOCOL_MESSAGE_TYPE;

typedef struct _MSV1_0_INTERACTIVE_LOGON {
	MSV1_0_LOGON_SUBMIT_TYPE MessageType;
	UNICODE_STRING LogonDomainName;
	UNICODE_STRING UserName;
	UNICODE_STRING Password;
} MSV1_0_INTERACTIVE_LOGON, *PMSV1_0_INTERACTIVE_LOGON;

typedef struct _MSV1_0_INTERACTIVE_PROFILE {
	MSV1_0_PROFILE_BUFFER_TYPE MessageType;
	USHORT LogonCount;
	USHORT BadPasswordCount;
	LARGE_INTEGER LogonTime;
	LARGE_INTEGER LogoffTime;
	LARGE_INTEGER KickOffTime;
	LARGE_INTEGER PasswordLastSet;
	LARGE_INTEGER PasswordCanChange;
	LARGE_INTEGER PasswordMustChange;
	UNICODE_STRING LogonScript;
	UNICODE_STRING HomeDirectory;
	UNICODE_STRING FullName;
	UNICODE_STRING ProfilePath;
	UNICODE_STRING HomeDirectoryDrive;
	UNICODE_STRING LogonServer;
	ULONG UserFlags;
} MSV1_0_INTERACTIVE_PROFILE, *PMSV1_0_INTERACTIVE_PROFILE;

typedef struct _MSV1_0_CHANGEPASSWORD_REQUEST {
	MSV1_0_PROTOCOL_MESSAGE_TYPE MessageType;
	UNICODE_STRING DomainName;
	UNICODE_STRING AccountName;
	UNICODE_STRING OldPassword;
	UNICODE_STRING NewPassword;
	BOOLEAN Impersonating;
} MSV1_0_CHANGEPASSWORD_REQUEST, *PMSV1_0_CHANGEPASSWORD_REQUEST;

EXTERN_C_END

#endif /* _LSABUF_NTSECAPI_H */
