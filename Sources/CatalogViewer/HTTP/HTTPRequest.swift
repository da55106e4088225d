/// A request as it was sent.
struct HTTPRequest: Sendable {
    /// The method, such as `GET`.
    let method: String
    /// The path, percent-encoded.
    let path: String
    /// The query without `?`, percent-encoded.
    let query: String
    /// The headers by their names in lower case.
    let headers: [String: String]
    /// Whether another request may follow on the connection.
    var keepsAlive: Bool
    /// The body; empty until it was read.
    var body: [UInt8] = []

    /// Headers that decide who may ask and where a request ends; each can be there once.
    private static let single: Set = ["host", "origin", "sec-fetch-site", "content-length", "transfer-encoding"]

    /// Parses the request line and the headers (RFC 9112), the empty line left off.
    ///
    /// - Throws: `ViewerProblem` 400, 414 or 505.
    init(head: ArraySlice<UInt8>) throws(ViewerProblem) {
        let lines = Self.lines(head)
        let words = lines[0].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 3, !words[0].isEmpty, words[0].allSatisfy(Self.isTokenByte),
            words[1].first == UInt8(ascii: "/"), words[1].allSatisfy({ (0x21...0x7E).contains($0) })
        else { throw ViewerProblem(400, "The request line is not of the form METHOD /PATH HTTP/1.1.") }
        let version = String(decoding: words[2], as: UTF8.self)
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            throw ViewerProblem(505, "This server speaks HTTP/1.1.")
        }
        guard words[1].count <= FormFields.longestQuery else { throw ViewerProblem(414, "The address is too long.") }
        let target = words[1].split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy(Self.isTokenByte),
                line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == UInt8(ascii: "\t") })
            else { throw ViewerProblem(400, "A header is not of the form NAME: VALUE.") }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            guard headers[name] == nil || !Self.single.contains(name) else {
                throw ViewerProblem(400, "The header \(name) is there twice.")
            }
            let value = line[(colon + 1)...].drop(while: Self.isSpace)
            let end = value.lastIndex { !Self.isSpace($0) }.map { $0 + 1 } ?? value.startIndex
            headers[name] = String(decoding: value[..<end], as: UTF8.self)
        }
        method = String(decoding: words[0], as: UTF8.self)
        path = String(decoding: target[0], as: UTF8.self)
        query = target.count > 1 ? String(decoding: target[1], as: UTF8.self) : ""
        keepsAlive = version == "HTTP/1.1" && headers["connection"]?.lowercased() != "close"
        self.headers = headers
    }

    /// Bytes of the body.
    ///
    /// - Throws: `ViewerProblem` 400, or 411 for a body whose length is not said.
    func bodyLength() throws(ViewerProblem) -> Int {
        guard headers["transfer-encoding"] == nil else {
            throw ViewerProblem(411, "The length of the form is missing.")
        }
        guard let text = headers["content-length"] else { return 0 }
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw ViewerProblem(400, "The length of the form is no number.")
        }
        return Int(text) ?? .max
    }

    private static func lines(_ head: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = head.startIndex
        for place in head.indices.dropLast() where head[place] == 13 && head[place + 1] == 10 {
            lines.append(head[start..<place])
            start = place + 2
        }
        lines.append(head[start...])
        return lines
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

    /// A character of a method or of a header's name (RFC 9110, `tchar`).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
