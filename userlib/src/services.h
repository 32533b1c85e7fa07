/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The services that are behind the function table, by their public types. */
#ifndef _LSABUF_SRC_SERVICES_H
#define _LSABUF_SRC_SERVICES_H

#include "host.h"

/* services.c */
LSA_ALLOCATE_CLIENT_BUFFER service_allocate_client_buffer;
LSA_FREE_CLIENT_BUFFER service_free_client_buffer;
LSA_COPY_TO_CLIENT_BUFFER service_copy_to_client_buffer;
LSA_COPY_FROM_CLIENT_BUFFER service_copy_from_client_buffer;
LSA_ALLOCATE_LSA_HEAP service_allocate_lsa_heap;
LSA_FREE_LSA_HEAP service_free_lsa_heap;
LSA_ALLOCATE_PRIVATE_HEAP service_allocate_private_heap;
LSA_FREE_PRIVATE_HEAP service_free_private_heap;
LSA_GET_CLIENT_INFO service_get_client_info;
LSA_GET_CLIENT_INFO_EX service_get_client_info_ex;
LSA_GET_CALL_INFO service_get_call_info;
LSA_GET_EXTENDED_CALL_FLAGS service_get_extended_call_flags;
LSA_QUERY_CLIENT_REQUEST service_query_client_request;
LSA_DUPLICATE_HANDLE service_duplicate_handle;
LSA_CALL_PACKAGE service_call_package;
LSA_CALL_PACKAGEEX service_call_package_ex;
LSA_CALL_PACKAGE_PASSTHROUGH service_call_package_passthrough;

/* program.c */
LSA_CREATE_LOGON_SESSION service_create_logon_session;
LSA_DELETE_LOGON_SESSION service_delete_logon_session;
LSA_ADD_CREDENTIAL service_add_credential;
LSA_GET_CREDENTIALS service_get_credentials;
LSA_DELETE_CREDENTIAL service_delete_credential;
LSA_CREATE_THREAD service_create_thread;
LSA_REGISTER_NOTIFICATION service_register_notification;
LSA_CANCEL_NOTIFICATION service_cancel_notification;

/* impersonate.c */
LSA_IMPERSONATE_CLIENT service_impersonate_client;

/* snapshots.c */
LSA_MAP_BUFFER service_map_buffer;

/* protect.c */
LSA_PROTECT_MEMORY service_protect_memory;

#endif /* _LSABUF_SRC_SERVICES_H */
