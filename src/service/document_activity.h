// What is going on with documents in this process: progress that is too quick to be stored, and
// who wants to hear of it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "jobs/broadcast.h"
#include "service/documents.h"

namespace heddle::service {

// Thread-safe.
class DocumentActivity {
public:
    void set_progress(const std::string& id, Progress progress) {
        {
            const std::lock_guard lock(mutex_);
            progress_[id] = progress;
        }
        changes_->publish(id);
    }
    [[nodiscard]] Progress progress_of(const std::string& id) const {
        const std::lock_guard lock(mutex_);
        const auto found = progress_.find(id);
        return found == progress_.end() ? Progress() : found->second;
    }
    // The document's row has changed; with `over` nothing more will be heard of its progress.
    void changed(const std::string& id, bool over) {
        if (over) {
            const std::lock_guard lock(mutex_);
            progress_.erase(id);
        }
        changes_->publish(id);
    }
    [[nodiscard]] std::unique_ptr<jobs::Broadcast::Subscription> subscribe(std::string id) {
        return changes_->subscribe(std::move(id));
    }

private:
    mutable std::mutex mutex_;
    std::unordered_map<std::string, Progress> progress_;  // guarded by mutex_
    const std::shared_ptr<jobs::Broadcast> changes_ = std::make_shared<jobs::Broadcast>();
};

}  // namespace heddle::service
