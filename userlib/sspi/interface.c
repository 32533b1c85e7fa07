// SPDX-License-Identifier: LGPL-2.1-or-later
/* The functions as tables. */
#include "client.h"

#define TABLE(suffix)                                                     \
	{                                                                 \
		.dwVersion = SECURITY_SUPPORT_PROVIDER_INTERFACE_VERSION, \
		.EnumerateSecurityPackages##suffix =                      \
			EnumerateSecurityPackages##suffix,                \
		.QueryCredentialsAttributes##suffix =                     \
			QueryCredentialsAttributes##suffix,               \
		.AcquireCredentialsHandle##suffix =                       \
			AcquireCredentialsHandle##suffix,                 \
		.FreeCredentialsHandle = FreeCredentialsHandle,           \
		.InitializeSecurityContext##suffix =                      \
			InitializeSecurityContext##suffix,                \
		.AcceptSecurityContext = AcceptSecurityContext,           \
		.CompleteAuthToken = CompleteAuthToken,                   \
		.DeleteSecurityContext = DeleteSecurityContext,           \
		.ApplyControlToken = ApplyControlToken,                   \
		.QueryContextAttributes##suffix =                         \
			QueryContextAttributes##suffix,                   \
		.ImpersonateSecurityContext = ImpersonateSecurityContext, \
		.RevertSecurityContext = RevertSecurityContext,           \
		.MakeSignature = MakeSignature,                           \
		.VerifySignature = VerifySignature,                       \
		.FreeContextBuffer = FreeContextBuffer,                   \
		.QuerySecurityPackageInfo##suffix =                       \
			QuerySecurityPackageInfo##suffix,                 \
		.Reserved3 = EncryptMessage, .Reserved4 = DecryptMessage, \
		.ExportSecurityContext = ExportSecurityContext,           \
		.ImportSecurityContext##suffix =                          \
			ImportSecurityContext##suffix,                    \
		.AddCredentials##suffix = AddCredentials##suffix,         \
		.QuerySecurityContextToken = QuerySecurityContextToken,   \
		.EncryptMessage = EncryptMessage,                         \
		.DecryptMessage = DecryptMessage,                         \
	}

SSPI_EXPORT PSecurityFunctionTableW SEC_ENTRY InitSecurityInterfaceW(VOID)
{
	static SecurityFunctionTableW table = TABLE(W);

	return &table;
}

SSPI_EXPORT PSecurityFunctionTableA SEC_ENTRY InitSecurityInterfaceA(VOID)
{
	static SecurityFunctionTableA table = TABLE(A);

	return &table;
}
