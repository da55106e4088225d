/// A request, whatever brought it.
struct ViewerRequest: Sendable {
    /// What may be asked.
    enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
    }

    /// The method.
    var method = Method.get
    /// The path's parts, decoded, without the `.json` at its end.
    let path: [String]
    /// Whether the data is asked for instead of a page.
    let wantsJSON: Bool
    /// The query.
    let query: FormFields
    /// The form that was posted; empty for other methods.
    var form = FormFields("")

    /// Whether it asks for a map, which takes seconds the first time.
    var isMap: Bool { path.count == 3 && path[0] == "dictionaries" && path[2] == "map" }

    /// Reads a path and a query, percent-encoded.
    init(path: String, query: String) {
        var parts = path.utf8.split(separator: UInt8(ascii: "/")).map { FormFields.decoded($0, plusIsSpace: false) }
        let isJSON = parts.last?.hasSuffix(".json") ?? false
        if isJSON, let last = parts.popLast() {
            let name = String(last.dropLast(5))
            if !(parts.isEmpty && (name == "catalog" || name.isEmpty)) { parts.append(name) }
        }
        self.path = parts
        wantsJSON = isJSON
        self.query = FormFields(query)
    }
}
