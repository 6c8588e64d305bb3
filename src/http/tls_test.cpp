// TLS both ways with a certificate made on the spot: it is accepted for its name alone, and only
// by a client that was told its authority.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/check.h"
#include "http/client.h"
#include "http/http_testing.h"

namespace heddle::http {
namespace {

// A self-signed certificate for localhost and 127.0.0.1 in a folder of its own.
class TestCertificate {
public:
    TestCertificate() {
        char path[] = "/tmp/heddle_tls_XXXXXX";
        HEDDLE_CHECK(::mkdtemp(path) != nullptr, "a scratch folder can be made");
        folder_ = path;
        EVP_PKEY* const key = EVP_EC_gen("P-256");
        X509* const certificate = X509_new();
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_set_version(certificate, 2);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME* const name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
        X509_set_issuer_name(certificate, name);
        add_extension(certificate, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
        add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
        HEDDLE_CHECK(X509_sign(certificate, key, EVP_sha256()) > 0, "a certificate can be signed");
        std::FILE* out = std::fopen(certificate_file().c_str(), "w");
        PEM_write_X509(out, certificate);
        std::fclose(out);
        out = std::fopen(key_file().c_str(), "w");
        PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
        std::fclose(out);
        X509_free(certificate);
        EVP_PKEY_free(key);
    }
    ~TestCertificate() {
        ::unlink(certificate_file().c_str());
        ::unlink(key_file().c_str());
        ::rmdir(folder_.c_str());
    }
    TestCertificate(const TestCertificate&) = delete;
    TestCertificate& operator=(const TestCertificate&) = delete;

    [[nodiscard]] std::string certificate_file() const { return folder_ + "/certificate.pem"; }
    [[nodiscard]] std::string key_file() const { return folder_ + "/key.pem"; }

private:
    static void add_extension(X509* certificate, int kind, const char* value) {
        X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value);
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
    }
    std::string folder_;
};

async::Task<Response> echo(Request& request) {
    auto body = co_await request.body().read_all();
    co_return Response::text(200, "text/plain", std::move(*body));
}

async::Task<Result<std::string>> post(Client* client, ClientRequest request) {
    HEDDLE_CO_TRY(ClientResponse response, co_await client->send(std::move(request)));
    co_return co_await response.read_all(std::size_t{4} << 20);
}

class Tls : public testing::Test {
protected:
    ServerOptions options() const {
        ServerOptions secure;
        secure.tls =
            *TlsContext::for_server(certificate_.certificate_file(), certificate_.key_file());
        return secure;
    }
    ClientRequest request(const std::string& host) const {
        ClientRequest post;
        post.method = Method::kPost;
        post.url.origin = {true, host, server_.port()};
        post.connect_to = boost::asio::ip::make_address("127.0.0.1");
        post.body = std::string(300'000, 'x');
        post.deadline = async::Deadline::after(std::chrono::seconds(20));
        return post;
    }
    Result<std::string> send(const std::string& ca_file, const std::string& host) {
        ClientOptions trusting;
        trusting.ca_file = ca_file;
        Client client(trusting);
        HEDDLE_TRY(std::string first, runtime_.run(post(&client, request(host))));
        HEDDLE_TRY(const std::string second, runtime_.run(post(&client, request(host))));
        EXPECT_EQ(first, second);
        EXPECT_EQ(server_.server().connections(), 1u) << "the connection is kept";
        return first;
    }

    TestCertificate certificate_;
    TestServer server_{options(), echo};
    async::Runtime runtime_{{.io_threads = 1, .worker_threads = 1}};
};

TEST_F(Tls, CarriesRequestsForTheNamesInTheCertificate) {
    for (const auto* host : {"localhost", "127.0.0.1"}) {
        const auto answer = send(certificate_.certificate_file(), host);
        ASSERT_TRUE(answer) << host << ": " << answer.error().message();
        EXPECT_EQ(answer->size(), 300'000u);
        for (int i = 0; i < 200 && server_.server().connections() > 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        }
    }
}

TEST_F(Tls, RefusesAnotherNameAndAnUnknownAuthority) {
    const auto other_name = send(certificate_.certificate_file(), "example.test");
    ASSERT_FALSE(other_name);
    EXPECT_EQ(other_name.error().reason(), "tls_failed");
    const auto unknown = send("", "localhost");
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().reason(), "tls_failed");
}

TEST_F(Tls, ServesNoPlainText) {
    EXPECT_EQ(status_of(exchange(server_.port(), "GET / HTTP/1.1\r\nHost: x\r\n\r\n")), 0);
}

TEST(TlsContexts, SayWhatCannotBeLoaded) {
    EXPECT_FALSE(TlsContext::for_server("/nonexistent", "/nonexistent"));
    EXPECT_FALSE(TlsContext::for_client("/nonexistent"));
}

}  // namespace
}  // namespace heddle::http
