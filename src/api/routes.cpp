#include "api/routes.h"

#include "api/endpoints.h"

namespace heddle::api {

std::vector<Endpoint> routes(const ApiOptions& options) {
    std::vector<Endpoint> list = {
        generate_text_endpoint(),
        generate_text_ws_endpoint(),
        upload_endpoint(),
        documents_endpoint(),
        document_get_endpoint(),
        document_events_endpoint(),
        document_chunks_endpoint(),
        document_file_endpoint(),
        document_delete_endpoint(),
        document_page_endpoint(),
        document_put_endpoint(),
        documents_upload_endpoint(),
        documents_delete_endpoint(),
        chat_completions_endpoint(),
        completions_endpoint(),
        models_endpoint(),
        model_endpoint(),
        embeddings_endpoint(),
        tokenize_endpoint(),
        detokenize_endpoint(),
        rerank_endpoint(),
        login_endpoint(),
        logout_endpoint(),
        session_endpoint(),
        healthz_endpoint(),
        health_endpoint(),
        readyz_endpoint(),
        metrics_endpoint(),
        openapi_endpoint(),
        docs_page_endpoint(),
        collections_endpoint(),
        collection_put_endpoint(),
        collection_delete_endpoint(),
        collection_search_endpoint(),
        conversations_endpoint(),
        conversation_create_endpoint(),
        conversation_get_endpoint(),
        conversation_change_endpoint(),
        conversation_delete_endpoint(),
        conversation_branch_endpoint(),
        conversation_export_endpoint(),
        conversation_messages_endpoint(),
        conversation_ask_endpoint(),
        conversation_events_endpoint(),
        conversation_stop_endpoint(),
        admin_keys_endpoint(),
        admin_key_create_endpoint(),
        admin_key_revoke_endpoint(),
        admin_models_endpoint(),
        admin_model_load_endpoint(),
        admin_model_unload_endpoint(),
        admin_errors_endpoint(),
    };
    if (options.demo) {
        for (const auto make :
             {block_endpoint, slow_endpoint, fast_endpoint, sync_endpoint, async_endpoint}) {
            list.push_back(make());
        }
    }
    return list;
}

}  // namespace heddle::api
