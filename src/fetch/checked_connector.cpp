#include "fetch/checked_connector.h"

#include <utility>

namespace heddle::fetch {

namespace {

class CheckedConnector final : public http::Connector {
public:
    explicit CheckedConnector(std::shared_ptr<http::Connector> inner) : inner_(std::move(inner)) {}

    async::Task<Result<http::Tcp::socket>> connect(
        std::vector<http::Tcp::endpoint> endpoints) override {
        Result<http::Tcp::socket> last = fail(
            Error(ErrorCode::kUpstream, "no address to connect to").with_reason("connect_failed"));
        for (const http::Tcp::endpoint& endpoint : endpoints) {
            std::vector<http::Tcp::endpoint> one{endpoint};
            last = co_await inner_->connect(std::move(one));
            if (!last) continue;
            boost::system::error_code ec;
            const http::Tcp::endpoint peer = last->remote_endpoint(ec);
            if (!ec && peer == endpoint) break;
            last = fail(Error(ErrorCode::kPermissionDenied, "the socket leads to another address")
                            .with_reason("refused_address"));
        }
        co_return last;
    }

private:
    std::shared_ptr<http::Connector> inner_;
};

}  // namespace

std::shared_ptr<http::Connector> checked_connector(std::shared_ptr<http::Connector> inner) {
    return std::make_shared<CheckedConnector>(std::move(inner));
}

}  // namespace heddle::fetch
