// The endpoints' declarations, one for each file of the same name.
#pragma once

#include "api/endpoint.h"

namespace heddle::api {

Endpoint block_endpoint();
Endpoint slow_endpoint();
Endpoint fast_endpoint();
Endpoint sync_endpoint();
Endpoint async_endpoint();

Endpoint admin_errors_endpoint();
Endpoint admin_key_create_endpoint();
Endpoint admin_key_revoke_endpoint();
Endpoint admin_keys_endpoint();
Endpoint admin_model_load_endpoint();
Endpoint admin_model_unload_endpoint();
Endpoint admin_models_endpoint();
Endpoint chat_completions_endpoint();
Endpoint collection_delete_endpoint();
Endpoint collection_put_endpoint();
Endpoint collection_search_endpoint();
Endpoint collections_endpoint();
Endpoint completions_endpoint();
Endpoint conversation_ask_endpoint();
Endpoint conversation_branch_endpoint();
Endpoint conversation_change_endpoint();
Endpoint conversation_create_endpoint();
Endpoint conversation_delete_endpoint();
Endpoint conversation_events_endpoint();
Endpoint conversation_export_endpoint();
Endpoint conversation_get_endpoint();
Endpoint conversation_messages_endpoint();
Endpoint conversation_stop_endpoint();
Endpoint conversations_endpoint();
Endpoint docs_page_endpoint();
Endpoint detokenize_endpoint();
Endpoint document_chunks_endpoint();
Endpoint document_delete_endpoint();
Endpoint document_events_endpoint();
Endpoint document_file_endpoint();
Endpoint document_get_endpoint();
Endpoint document_page_endpoint();
Endpoint document_put_endpoint();
Endpoint documents_delete_endpoint();
Endpoint documents_endpoint();
Endpoint documents_upload_endpoint();
Endpoint embeddings_endpoint();
Endpoint generate_text_endpoint();
Endpoint generate_text_ws_endpoint();
Endpoint health_endpoint();
Endpoint healthz_endpoint();
Endpoint login_endpoint();
Endpoint logout_endpoint();
Endpoint metrics_endpoint();
Endpoint model_endpoint();
Endpoint models_endpoint();
Endpoint openapi_endpoint();
Endpoint readyz_endpoint();
Endpoint rerank_endpoint();
Endpoint session_endpoint();
Endpoint tokenize_endpoint();
Endpoint upload_endpoint();

}  // namespace heddle::api
