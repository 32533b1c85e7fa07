// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Two processes authenticate each other with NTLM, by a lsahost that has the
 * package "gss": one has a password, the other one does not learn it, but knows
 * then whose message it got.
 *
 *	gcc authenticate.c $(pkg-config --cflags --libs lsabuf) \
 *		-llsabuf-sspi -o authenticate
 *	./authenticate DOMAIN USER PASSWORD "a message"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <windows.h>
#include <sspi.h>

#define MAX_BYTES 4096

static char mechanism[] = "NTLM";
static char target[] = "host@server";

static int fail(const char *what, SECURITY_STATUS status)
{
	printf("%s: 0x%08x\n", what, (unsigned int)status);
	return 1;
}

static int put(int socket, const void *bytes, ULONG length)
{
	return write(socket, &length, sizeof(length)) == sizeof(length) &&
	       write(socket, bytes, length) == (ssize_t)length;
}

static int get(int socket, SecBuffer *buffer)
{
	ULONG length;

	if (read(socket, &length, sizeof(length)) != sizeof(length) ||
	    length > MAX_BYTES)
		return 0;
	buffer->cbBuffer = length;
	return read(socket, buffer->pvBuffer, length) == (ssize_t)length;
}

/* Tokens go to and fro until there is nothing more to say */
static SECURITY_STATUS talk(int socket, CredHandle *credential,
			    CtxtHandle *context, int accepts)
{
	SecBuffer in = { 0, SECBUFFER_TOKEN, malloc(MAX_BYTES) };
	SecBufferDesc input = { SECBUFFER_VERSION, 1, &in };
	SecBuffer out = { 0, SECBUFFER_TOKEN, NULL };
	SecBufferDesc output = { SECBUFFER_VERSION, 1, &out };
	PCtxtHandle known = NULL;
	SECURITY_STATUS status;
	ULONG attributes;

	do {
		/* The side that initiates has heard nothing at first */
		if ((accepts || known) && !get(socket, &in))
			return SEC_E_INCOMPLETE_MESSAGE;
		if (accepts)
			status = AcceptSecurityContext(
				credential, known, &input,
				ASC_REQ_ALLOCATE_MEMORY, SECURITY_NATIVE_DREP,
				context, &output, &attributes, NULL);
		else
			status = InitializeSecurityContextA(
				credential, known, target,
				ISC_REQ_INTEGRITY | ISC_REQ_ALLOCATE_MEMORY, 0,
				SECURITY_NATIVE_DREP, known ? &input : NULL, 0,
				context, &output, &attributes, NULL);
		if (status != SEC_E_OK && status != SEC_I_CONTINUE_NEEDED)
			break;
		if (out.cbBuffer && !put(socket, out.pvBuffer, out.cbBuffer))
			break;
		if (out.cbBuffer)
			printf("%s: token of %u bytes\n",
			       accepts ? "server" : "client", out.cbBuffer);
		FreeContextBuffer(out.pvBuffer);
		out = (SecBuffer){ 0, SECBUFFER_TOKEN, NULL };
		known = context;
	} while (status == SEC_I_CONTINUE_NEEDED);
	free(in.pvBuffer);
	return status;
}

static int serve(int socket)
{
	char text[MAX_BYTES], signature[MAX_BYTES];
	SecBuffer buffers[] = {
		{ 0, SECBUFFER_DATA, text },
		{ 0, SECBUFFER_TOKEN, signature },
	};
	SecBufferDesc message = { SECBUFFER_VERSION, 2, buffers };
	SecPkgContext_NamesA names;
	CredHandle credential;
	CtxtHandle context;
	SECURITY_STATUS status;

	status = AcquireCredentialsHandleA(NULL, mechanism, SECPKG_CRED_INBOUND,
					   NULL, NULL, NULL, NULL, &credential,
					   NULL);
	if (status)
		return fail("server: no credentials", status);
	status = talk(socket, &credential, &context, 1);
	if (status)
		return fail("server: not authenticated", status);
	if (!get(socket, &buffers[0]) || !get(socket, &buffers[1]))
		return fail("server: no message", 0);
	status = VerifySignature(&context, &message, 0, NULL);
	if (status)
		return fail("server: not signed", status);
	status = QueryContextAttributesA(&context, SECPKG_ATTR_NAMES, &names);
	if (status)
		return fail("server: nobody", status);
	printf("server: %s says \"%.*s\", signature of %u bytes verified\n",
	       names.sUserName, (int)buffers[0].cbBuffer, text,
	       buffers[1].cbBuffer);
	FreeContextBuffer(names.sUserName);
	DeleteSecurityContext(&context);
	FreeCredentialsHandle(&credential);
	return 0;
}

static int ask(int socket, char **words)
{
	SEC_WINNT_AUTH_IDENTITY_A identity = {
		.Domain = (PUCHAR)words[0],
		.DomainLength = strlen(words[0]),
		.User = (PUCHAR)words[1],
		.UserLength = strlen(words[1]),
		.Password = (PUCHAR)words[2],
		.PasswordLength = strlen(words[2]),
		.Flags = SEC_WINNT_AUTH_IDENTITY_ANSI,
	};
	char signature[64];
	SecBuffer buffers[] = {
		{ strlen(words[3]), SECBUFFER_DATA, words[3] },
		{ sizeof(signature), SECBUFFER_TOKEN, signature },
	};
	SecBufferDesc message = { SECBUFFER_VERSION, 2, buffers };
	CredHandle credential;
	CtxtHandle context;
	SECURITY_STATUS status;

	status = AcquireCredentialsHandleA(NULL, mechanism,
					   SECPKG_CRED_OUTBOUND, NULL,
					   &identity, NULL, NULL, &credential,
					   NULL);
	if (status)
		return fail("client: no credentials", status);
	status = talk(socket, &credential, &context, 0);
	if (status)
		return fail("client: no context", status);
	status = MakeSignature(&context, 0, &message, 0);
	if (status)
		return fail("client: cannot sign", status);
	put(socket, words[3], buffers[0].cbBuffer);
	put(socket, signature, buffers[1].cbBuffer);
	DeleteSecurityContext(&context);
	FreeCredentialsHandle(&credential);
	return 0;
}

int main(int argc, char **argv)
{
	int pair[2], status;
	pid_t client;

	if (argc != 5) {
		fprintf(stderr,
			"usage: authenticate DOMAIN USER PASSWORD MESSAGE\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return 2;
	client = fork();
	if (client < 0)
		return 2;
	if (!client) {
		close(pair[1]);
		return ask(pair[0], argv + 1);
	}
	close(pair[0]);
	status = serve(pair[1]);
	/* So that a client that still waits learns of the end */
	close(pair[1]);
	waitpid(client, NULL, 0);
	return status;
}
