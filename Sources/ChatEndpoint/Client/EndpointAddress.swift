/// Where requests are posted, from a base address such as `http://127.0.0.1:8080/v1`.
///
/// The grammar accepted is minimal, without user, query or escapes in the
/// host, so that this check and libcurl cannot read one address in two ways.
struct EndpointAddress: Equatable, Sendable {
    /// The whole address, `…/chat/completions`.
    let url: String
    /// The same without that ending.
    let baseURL: String
    /// The host, without brackets.
    let host: String
    let isEncrypted: Bool

    /// Whether the host is this machine.
    var isLoopback: Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Checks a base address and appends `/chat/completions` unless it is there.
    init(_ text: String) throws(ChatConfigurationError) {
        let scheme: String
        if text.lowercased().hasPrefix("https://") {
            scheme = "https://"
        } else if text.lowercased().hasPrefix("http://") {
            scheme = "http://"
        } else {
            throw .invalidEndpoint(reason: "it does not begin with http:// or https://")
        }

        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" }
        // Nothing of the address is quoted: what stands before an @ may be a password.
        if rest.contains("@") { throw .invalidEndpoint(reason: "it holds a user or a password; give the key apart") }
        if rest.contains("?") || rest.contains("#") { throw .invalidEndpoint(reason: "it has a query or a fragment") }
        var path = rest.dropFirst(authority.count)
        guard path.utf8.allSatisfy({ Self.isPlain($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "%") }) else {
            throw .invalidEndpoint(reason: "its path holds characters that must be escaped")
        }

        let (host, port) = try Self.parts(of: authority)
        while path.hasSuffix("/") { path = path.dropLast() }
        let ending = "/chat/completions"
        let base = path.hasSuffix(ending) ? String(path.dropLast(ending.count)) : String(path)
        let name = host.contains(":") ? "[\(host)]" : host
        baseURL = scheme + name + (port.map { ":\($0)" } ?? "") + base
        url = baseURL + ending
        self.host = host
        isEncrypted = scheme == "https://"
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"), UInt8(ascii: ":"):
            true
        default: false
        }
    }

    /// Host in lower case, and port.
    private static func parts(of authority: Substring) throws(ChatConfigurationError) -> (String, UInt16?) {
        var host = authority
        var port: UInt16?
        let isNumeric = authority.hasPrefix("[")
        let afterBracket = authority.lastIndex(of: "]") ?? authority.startIndex
        if let colon = authority[afterBracket...].lastIndex(of: ":") {
            let digits = authority[colon...].dropFirst()
            guard digits.allSatisfy(\.isNumber), let number = UInt16(digits), number > 0 else {
                throw .invalidEndpoint(reason: "its port is not a number from 1 to 65535")
            }
            port = number
            host = authority[..<colon]
        }
        if isNumeric {
            guard host.hasSuffix("]") else { throw .invalidEndpoint(reason: "its host is malformed") }
            host = host.dropFirst().dropLast()
            guard !host.isEmpty, host.allSatisfy({ $0.isHexDigit && $0.isASCII || $0 == ":" || $0 == "." }) else {
                throw .invalidEndpoint(reason: "its host is no IPv6 address")
            }
        } else {
            if host.isEmpty { throw .invalidEndpoint(reason: "it names no host") }
            guard host.utf8.allSatisfy({ isPlain($0) && $0 != UInt8(ascii: ":") }) else {
                throw .invalidEndpoint(reason: "its host holds characters that no host has")
            }
        }
        return (host.lowercased(), port)
    }
}
