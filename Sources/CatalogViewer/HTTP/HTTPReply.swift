import Glibc

/// The bytes of an answer (RFC 9112).
enum HTTPReply {
    /// What keeps a page from doing anything but being shown.
    private static let safety = [
        "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
            + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options: nosniff", "Referrer-Policy: same-origin", "Cross-Origin-Opener-Policy: same-origin",
        "Cross-Origin-Resource-Policy: same-origin",
    ]

    /// Writes an answer out.
    ///
    /// - Parameters:
    ///   - isHead: whether the body is left out, its length not.
    ///   - keepsAlive: whether the connection stays open.
    ///   - times: milliseconds that the server took, and those of them in which it computed; nil for what was refused
    ///     at once.
    static func bytes(
        _ response: ViewerResponse, isHead: Bool, keepsAlive: Bool, times: (total: Double, processor: Double)? = nil
    ) -> [UInt8] {
        var lines = ["HTTP/1.1 \(response.status) \(phrase(response.status))", "Date: \(date())"]
        lines.append("Content-Type: \(response.type)")
        lines.append("Content-Length: \(response.body.count)")
        lines.append("Cache-Control: \(response.isFixed ? "max-age=31536000, immutable" : "no-store")")
        if let times { lines.append("Server-Timing: total;dur=\(times.total), processor;dur=\(times.processor)") }
        if !response.allowed.isEmpty { lines.append("Allow: \(response.allowed.joined(separator: ", "))") }
        if let location = response.location { lines.append("Location: \(location.text)") }
        if response.status == 503 { lines.append("Retry-After: 1") }
        lines.append("Connection: \(keepsAlive ? "keep-alive" : "close")")
        lines += safety
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (isHead ? [] : response.body)
    }

    private static func date() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        return String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func phrase(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 303: "See Other"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 411: "Length Required"
        case 413: "Payload Too Large"
        case 414: "URI Too Long"
        case 421: "Misdirected Request"
        case 431: "Request Header Fields Too Large"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Internal Server Error"
        }
    }
}
