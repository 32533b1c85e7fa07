// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The function table that packages are handed: one for all, read-only, of full
 * size. Packages copy it by value with the size that their header knows, which
 * always is that of a prefix, and call entries without looking: none is NULL.
 *
 * What is not supported says so: STATUS_NOT_SUPPORTED, or nothing where the
 * function returns nothing. Its arguments are not looked at.
 */
#include <ntstatus.h>

#include "services.h"
#include "shared.h"

static __attribute__((used)) NTSTATUS refuse(void)
{
	return STATUS_NOT_SUPPORTED;
}

static __attribute__((used)) VOID do_nothing(void)
{
}

/*
 * One body under many types: the caller removes the arguments in every calling
 * convention of Linux, so a function may be given more than it takes. That is
 * what the compiler is asked to accept here.
 */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wattribute-alias"

#define UNSUPPORTED(type, name, answer) \
	static type name __attribute__((alias(#answer)))

UNSUPPORTED(LSA_UNLOAD_PACKAGE, unload_package, refuse);
UNSUPPORTED(LSA_DUPLICATE_HANDLE, duplicate_token_handle, refuse);
UNSUPPORTED(LSA_SAVE_SUPPLEMENTAL_CREDENTIALS, save_credentials, refuse);
UNSUPPORTED(LSA_CREATE_TOKEN, create_token, refuse);
UNSUPPORTED(LSA_AUDIT_LOGON, audit_logon, do_nothing);
UNSUPPORTED(LSA_OPEN_SAM_USER, open_sam_user, refuse);
UNSUPPORTED(LSA_GET_USER_CREDENTIALS, get_user_credentials, refuse);
UNSUPPORTED(LSA_GET_USER_AUTH_DATA, get_user_auth_data, refuse);
UNSUPPORTED(LSA_CLOSE_SAM_USER, close_sam_user, refuse);
UNSUPPORTED(LSA_CONVERT_AUTH_DATA_TO_TOKEN, convert_auth_data, refuse);
UNSUPPORTED(LSA_CLIENT_CALLBACK, client_callback, refuse);
UNSUPPORTED(LSA_UPDATE_PRIMARY_CREDENTIALS, update_credentials, refuse);
UNSUPPORTED(LSA_GET_AUTH_DATA_FOR_USER, get_auth_data_for_user, refuse);
UNSUPPORTED(LSA_CRACK_SINGLE_NAME, crack_single_name, refuse);
UNSUPPORTED(LSA_AUDIT_ACCOUNT_LOGON, audit_account_logon, refuse);
UNSUPPORTED(CredReadFn, credi_read, refuse);
UNSUPPORTED(CredReadDomainCredentialsFn, credi_read_domain, refuse);
UNSUPPORTED(CredFreeCredentialsFn, credi_free, do_nothing);
UNSUPPORTED(LSA_OPEN_TOKEN_BY_LOGON_ID, open_token_by_logon_id, refuse);
UNSUPPORTED(LSA_EXPAND_AUTH_DATA_FOR_DOMAIN, expand_auth_data, refuse);
UNSUPPORTED(LSA_CREATE_TOKEN_EX, create_token_ex, refuse);
UNSUPPORTED(CredWriteFn, credi_write, refuse);
UNSUPPORTED(CrediUnmarshalandDecodeStringFn, credi_decode, refuse);
UNSUPPORTED(LSA_PROTECT_MEMORY, dummy, do_nothing);
UNSUPPORTED(LSA_GET_SERVICE_ACCOUNT_PASSWORD, get_service_password, refuse);
UNSUPPORTED(LSA_AUDIT_LOGON_EX, audit_logon_ex, do_nothing);
UNSUPPORTED(LSA_CHECK_PROTECTED_USER_BY_TOKEN, check_protected_user, refuse);
UNSUPPORTED(LSA_GET_APP_MODE_INFO, get_app_mode_info, refuse);
UNSUPPORTED(LSA_SET_APP_MODE_INFO, set_app_mode_info, refuse);

#pragma GCC diagnostic pop

const LSA_SECPKG_FUNCTION_TABLE host_table = {
	.CreateLogonSession = service_create_logon_session,
	.DeleteLogonSession = service_delete_logon_session,
	.AddCredential = service_add_credential,
	.GetCredentials = service_get_credentials,
	.DeleteCredential = service_delete_credential,
	.AllocateLsaHeap = service_allocate_lsa_heap,
	.FreeLsaHeap = service_free_lsa_heap,
	.AllocateClientBuffer = service_allocate_client_buffer,
	.FreeClientBuffer = service_free_client_buffer,
	.CopyToClientBuffer = service_copy_to_client_buffer,
	.CopyFromClientBuffer = service_copy_from_client_buffer,
	.ImpersonateClient = service_impersonate_client,
	.UnloadPackage = unload_package,
	.DuplicateHandle = service_duplicate_handle,
	.SaveSupplementalCredentials = save_credentials,
	.CreateThread = service_create_thread,
	.GetClientInfo = service_get_client_info,
	.RegisterNotification = service_register_notification,
	.CancelNotification = service_cancel_notification,
	.MapBuffer = service_map_buffer,
	.CreateToken = create_token,
	.AuditLogon = audit_logon,
	.CallPackage = service_call_package,
	.FreeReturnBuffer = service_free_lsa_heap,
	.GetCallInfo = service_get_call_info,
	.CallPackageEx = service_call_package_ex,
	.CreateSharedMemory = service_create_shared_memory,
	.AllocateSharedMemory = service_allocate_shared_memory,
	.FreeSharedMemory = service_free_shared_memory,
	.DeleteSharedMemory = service_delete_shared_memory,
	.OpenSamUser = open_sam_user,
	.GetUserCredentials = get_user_credentials,
	.GetUserAuthData = get_user_auth_data,
	.CloseSamUser = close_sam_user,
	.ConvertAuthDataToToken = convert_auth_data,
	.ClientCallback = client_callback,
	.UpdateCredentials = update_credentials,
	.GetAuthDataForUser = get_auth_data_for_user,
	.CrackSingleName = crack_single_name,
	.AuditAccountLogon = audit_account_logon,
	.CallPackagePassthrough = service_call_package_passthrough,
	.CrediRead = credi_read,
	.CrediReadDomainCredentials = credi_read_domain,
	.CrediFreeCredentials = credi_free,
	.LsaProtectMemory = service_protect_memory,
	.LsaUnprotectMemory = service_protect_memory,
	.OpenTokenByLogonId = open_token_by_logon_id,
	.ExpandAuthDataForDomain = expand_auth_data,
	.AllocatePrivateHeap = service_allocate_private_heap,
	.FreePrivateHeap = service_free_private_heap,
	.CreateTokenEx = create_token_ex,
	.CrediWrite = credi_write,
	.CrediUnmarshalandDecodeString = credi_decode,
	.DummyFunction6 = dummy,
	.GetExtendedCallFlags = service_get_extended_call_flags,
	.DuplicateTokenHandle = duplicate_token_handle,
	.GetServiceAccountPassword = get_service_password,
	.DummyFunction7 = dummy,
	.AuditLogonEx = audit_logon_ex,
	.CheckProtectedUserByToken = check_protected_user,
	.QueryClientRequest = service_query_client_request,
	.GetAppModeInfo = get_app_mode_info,
	.SetAppModeInfo = set_app_mode_info,
	.GetClientInfoEx = service_get_client_info_ex,
};
