import Foundation

/// Turns addresses of the server into links between files of a folder.
///
/// It reads markup that this program has written: there a quotation mark within a value is `&quot;`, so that `href="/`
/// begins a link of ours and nothing else.
struct StaticLinks {
    /// The dictionaries that have a list of features and their pages.
    let dictionaries: Set<Int64>
    /// The corpus of their figures, by dictionary.
    let corpora: [Int64: Int64]
    /// The dictionary that searching looks in from pages about none; nil where none is indexed.
    let searched: Int64?

    /// The file, with its query, of an address of the server; nil for pages that only the server makes.
    ///
    /// - Parameters:
    ///   - address: decoded from markup, such as `/dictionaries/1/features/7?corpus=2`.
    ///   - page: the file that has the link: a search looks in its dictionary, if it has one.
    func file(of address: String, in page: String = "") -> String? {
        let whole = address.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        guard whole.count == 1 else { return file(of: String(whole[0]), in: page).map { "\($0)#\(whole[1])" } }
        let sides = address.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let request = ViewerRequest(path: String(sides[0]), query: sides.count > 1 ? String(sides[1]) : "")
        guard !request.wantsJSON else { return nil }
        let path = request.path
        switch path.count {
        case 0: return "index.html"
        case 1 where Self.assets.contains(path[0]): return path[0]
        case 1 where path[0] == "search":
            return (dictionary(of: page) ?? searched).map { "dictionaries/\($0)/features.html" }
        case 2 where path[0] == "runs": return "runs/\(path[1]).html"
        case 2 where path[0] == "dictionaries": return Int64(path[1]).map { "dictionaries/\($0)/index.html" }
        case 3...4 where path[0] == "dictionaries" && (path[2] == "features" || request.isMap):
            guard let dictionaryID = Int64(path[1]), dictionaries.contains(dictionaryID) else { return nil }
            if let corpus = request.query["corpus"], corpora[dictionaryID].map({ "\($0)" }) != corpus { return nil }
            if request.isMap { return "dictionaries/\(dictionaryID)/map.html" }
            if path.count == 4 {
                guard request.query["contexts"] == nil else { return nil }
                return "dictionaries/\(dictionaryID)/feature.html?i=\(path[3])"
            }
            let fields = (sides.count > 1 ? String(sides[1]) : "").split(separator: "&")
                .filter { !$0.hasPrefix("corpus=") }
            return "dictionaries/\(dictionaryID)/features.html"
                + (fields.isEmpty ? "" : "?" + fields.joined(separator: "&"))
        default: return nil
        }
    }

    /// The dictionary that a file is about, if it has a list of features.
    private func dictionary(of page: String) -> Int64? {
        let parts = page.split(separator: "/")
        guard parts.count > 1, parts[0] == "dictionaries", let number = Int64(parts[1]) else { return nil }
        return dictionaries.contains(number) ? number : nil
    }

    private static let assets: Set = ["style.css", "script.js", "static.js", "map.js", "icon.svg"]

    /// The same markup with links relative to a file. A link without a file keeps its text and loses its address; what
    /// only led elsewhere (the data, passages, prompts, comparisons) is left out.
    ///
    /// - Parameter page: the file that the markup goes into, such as `runs/2.html`.
    func relinked(_ markup: String, in page: String) -> String {
        let up = String(repeating: "../", count: page.utf8.count { $0 == UInt8(ascii: "/") })
        let bytes = Array(markup.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var copied = 0
        while let link = Self.nextLink(in: bytes, from: copied) {
            let address = String(decoding: bytes[link.address], as: UTF8.self).replacing("&amp;", with: "&")
            if let target = file(of: address, in: page) {
                result += bytes[copied..<link.address.lowerBound]
                result += (up + target.replacing("&", with: "&amp;")).utf8
                copied = link.address.upperBound
            } else if link.isAnchor, Self.onlyLeads(address),
                let tag = bytes[copied..<link.attribute].lastIndex(of: UInt8(ascii: "<")),
                let end = Self.place(of: "</a>", in: bytes, from: link.address.upperBound)
            {
                result += bytes[copied..<tag]
                copied = end + 4
            } else {
                result += bytes[copied..<link.attribute]
                copied = link.address.upperBound + 1
            }
        }
        return String(decoding: result + bytes[copied...], as: UTF8.self)
    }

    /// Whether a link that has no file says nothing by itself.
    private static func onlyLeads(_ address: String) -> Bool {
        let path = address.prefix { $0 != "?" }
        return path.hasSuffix(".json") || path == "/prompt" || path == "/compare" || path.contains("/contexts/")
            || path == "/review" || address.contains("contexts=all")
    }

    private struct Link {
        /// Where the attribute begins.
        let attribute: Int
        /// Its value.
        let address: Range<Int>
        /// Whether it is an `href`.
        let isAnchor: Bool
    }

    /// The next attribute whose value begins with `/`.
    private static func nextLink(in bytes: [UInt8], from start: Int) -> Link? {
        var from = start
        while let place = place(of: "=\"/", in: bytes, from: from) {
            from = place + 3
            guard
                let name = ["href", "action", "src", "data-feature", "data-json"].first(where: {
                    bytes[..<place].suffix($0.utf8.count).elementsEqual($0.utf8)
                }),
                let quote = bytes[(place + 2)...].firstIndex(of: UInt8(ascii: "\""))
            else { continue }
            return Link(
                attribute: place - name.utf8.count, address: place + 2..<quote, isAnchor: name == "href")
        }
        return nil
    }

    /// Where a text begins in some bytes, from a place on; nil where it does not occur.
    static func place(of text: StaticString, in bytes: [UInt8], from start: Int) -> Int? {
        let (length, first) = (text.utf8CodeUnitCount, text.utf8Start[0])
        return bytes.withUnsafeBufferPointer { bytes in
            var place = start
            while place + length <= bytes.count {
                if bytes[place] == first, memcmp(bytes.baseAddress! + place, text.utf8Start, length) == 0 {
                    return place
                }
                place += 1
            }
            return nil
        }
    }
}
