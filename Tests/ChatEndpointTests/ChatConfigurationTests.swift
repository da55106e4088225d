import CCurl
import ChatEndpoint
import Testing

struct ChatConfigurationTests {
    @Test(
        "Base addresses are completed",
        arguments: [
            ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/chat/completions"),
            ("http://127.0.0.1:8080/v1/", "http://127.0.0.1:8080/v1/chat/completions"),
            ("https://api.example.org", "https://api.example.org/chat/completions"),
            ("HTTPS://API.Example.org/v1//", "https://api.example.org/v1/chat/completions"),
            ("https://api.example.org/v1/chat/completions", "https://api.example.org/v1/chat/completions"),
            ("http://[::1]:1/v1", "http://[::1]:1/v1/chat/completions"),
        ])
    func addressesAreCompleted(_ endpoint: String, _ url: String) throws {
        #expect(try ChatClient(endpoint: endpoint).url == url)
    }

    @Test(arguments: [
        "", "api.example.org/v1", "ftp://example.org", "file:///etc/passwd", "http://", "http:///v1", "http://:80/v1",
        "http://user:password@example.org/v1", "http://example.org/v1?key=1", "http://example.org/v1#part",
        "http://example.org:0/v1", "http://example.org:65536", "http://example.org:x", "http://example.org:/v1",
        "http://exa mple.org/v1", "http://example.org/a b", "http://example.org\\@other.org", "http://example.org/\n",
        "http://127.0.0.1%2f@example.org", "http://%31.example.org", "http://[::1/v1", "http://[]/v1", "http://[g::]/",
        "http://é.example.org/v1", "http://a:b:80/v1",
    ])
    func unusableAddressesAreRefused(_ endpoint: String) {
        #expect { _ = try ChatClient(endpoint: endpoint) } throws: { error in
            guard case .invalidEndpoint? = error as? ChatConfigurationError else { return false }
            return !"\(error)".contains("password") || "\(error)".contains("a password")
        }
    }

    @Test(arguments: ["", "abc\n", "abc\r\nHost: other", "a b", "a\u{0}b", "ключ", "a\u{7F}"])
    func unusableKeysAreRefused(_ key: String) {
        #expect { _ = try ChatClient(endpoint: "https://example.org/v1", key: key) } throws: { error in
            guard case .invalidKey? = error as? ChatConfigurationError else { return false }
            return key.isEmpty || !"\(error)".contains(key)
        }
    }

    @Test(
        "Keys are sent only over TLS",
        arguments: [
            "http://example.org/v1", "http://10.0.0.1/v1", "http://127.example.org", "http://127.0.0.1.example.org",
            "http://0127.0.0.1/v1", "http://127.0.0.256/v1", "http://localhost.example.org", "http://[::2]/v1",
        ])
    func keysTravelEncryptedOrNotAtAll(_ endpoint: String) throws {
        #expect { _ = try ChatClient(endpoint: endpoint, key: "sk-secret") } throws: { error in
            guard case .keyWithoutEncryption? = error as? ChatConfigurationError else { return false }
            return !"\(error)".contains("sk-secret")
        }
        _ = try ChatClient(endpoint: endpoint)
    }

    @Test(
        "Keys may be sent unencrypted to this machine",
        arguments: ["http://127.0.0.1/v1", "http://127.1.2.3:80", "http://LOCALHOST:9", "http://[::1]/v1"])
    func keysMayGoToThisMachine(_ endpoint: String) throws {
        _ = try ChatClient(endpoint: endpoint, key: "sk-secret")
    }

    @Test("Printing a client does not show its key") func clientsDoNotShowTheirKey() throws {
        let client = try ChatClient(endpoint: "https://example.org/v1", key: "sk-secret")
        var dumped = ""
        dump(client, to: &dumped)
        #expect(dumped.contains("example.org"))
        for text in [dumped, "\(client)", String(reflecting: client), client.url] {
            #expect(!text.contains("sk-secret"))
        }
    }

    @Test func settingsAreChecked() {
        let endpoint = "http://127.0.0.1:1"
        #expect(throws: ChatConfigurationError.self) { try ChatClient(endpoint: endpoint, timeout: 0) }
        #expect(throws: ChatConfigurationError.self) { try ChatClient(endpoint: endpoint, timeout: .nan) }
        #expect(throws: ChatConfigurationError.self) { try ChatClient(endpoint: endpoint, maximumReplyBytes: 0) }
        for policy in [RetryPolicy(attempts: 0), RetryPolicy(baseDelay: -1), RetryPolicy(maximumRetryAfter: .nan)] {
            #expect(throws: ChatConfigurationError.self) { try ChatClient(endpoint: endpoint, policy: policy) }
        }
    }

    @Test func aMissingLibraryNamesItsPackage() {
        var message = [CChar](repeating: 0, count: 256)
        #expect(rsae_http_can_load("libcurl.so.4", &message, message.count))
        #expect(!rsae_http_can_load("libcurl-that-is-not-there.so.4", &message, message.count))
        let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        #expect(
            text == "libcurl-that-is-not-there.so.4 is not installed; on Debian: sudo apt-get install libcurl4")
        #expect(ChatFailure.libraryMissing(reason: text).description == text)
    }
}
