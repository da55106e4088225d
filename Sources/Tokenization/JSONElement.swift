internal import Foundation
import JSON

/// A value of a JSON document together with its position there, so that errors can name it.
struct JSONElement {
    /// The document's path.
    let file: String
    /// The position in the document, such as `model.vocab`; empty for the document itself.
    let place: String
    private let value: JSONValue

    /// Reads and parses a whole document.
    ///
    /// - Throws: `.missing`, `.unreadable`, `.malformed`.
    init(file: String) throws(TokenizerError) {
        let contents: Data
        // A pipe or a device may never end. Links are followed.
        let target = URL(filePath: file).resolvingSymlinksInPath().path
        if let type = try? FileManager.default.attributesOfItem(atPath: target)[.type] as? FileAttributeType,
            type != .typeRegular, type != .typeDirectory
        {
            throw .unreadable(path: file, reason: "it is not a regular file")
        }
        do {
            contents = try Data(contentsOf: URL(filePath: file))
        } catch CocoaError.fileReadNoSuchFile {
            throw .missing(path: file)
        } catch {
            let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
            throw .unreadable(path: file, reason: (underlying ?? error).localizedDescription)
        }
        func malformed(_ problem: JSONProblem) -> TokenizerError {
            let reason = "\(problem.expected) expected at byte \(problem.offset)"
            return .malformed(path: file, element: "the document", reason: reason)
        }
        // First, since bytes that are not text have no JSON error position.
        guard String(validating: contents, as: UTF8.self) != nil else {
            throw malformed(JSONProblem(rule: .notUTF8, offset: 0))
        }
        do { value = try JSONParser.parse(contents, rules: Self.rules) } catch { throw malformed(error) }
        self.file = file
        place = ""
    }

    /// Deeper nesting than any tokenizer has.
    private static let rules = {
        var rules = JSONRules(maximumDepth: 100)
        rules.takesInfiniteNumbers = true
        return rules
    }()

    private init(file: String, place: String, value: JSONValue) {
        self.file = file
        self.place = place
        self.value = value
    }

    func malformed(_ reason: String) -> TokenizerError {
        .malformed(path: file, element: place.isEmpty ? "the document" : place, reason: reason)
    }

    func unsupported(_ found: String, supported: String) -> TokenizerError {
        .unsupported(path: file, element: place, found: found, supported: supported)
    }

    /// The member of an object; nil if the member is absent or null.
    ///
    /// - Throws: `.malformed` if this is no object.
    func member(_ name: String) throws(TokenizerError) -> JSONElement? {
        guard let member = try members().first(where: { $0.name == name }) else { return nil }
        if case .null = member.value { return nil }
        return JSONElement(file: file, place: place.isEmpty ? name : "\(place).\(name)", value: member.value)
    }

    /// As `member`, for members that must be there.
    func required(_ name: String) throws(TokenizerError) -> JSONElement {
        guard let member = try member(name) else { throw malformed("\"\(name)\" is missing") }
        return member
    }

    /// All members of an object.
    func members() throws(TokenizerError) -> [JSONObject.Member] {
        guard case .object(let object) = value else { throw malformed("it is not an object") }
        return object.members
    }

    /// All members of an object but those that are null, each with its position, in the order of the text.
    func memberElements() throws(TokenizerError) -> [(name: String, value: JSONElement)] {
        try members().compactMap { member in
            if case .null = member.value { return nil }
            let inner = place.isEmpty ? member.name : "\(place).\(member.name)"
            return (member.name, JSONElement(file: file, place: inner, value: member.value))
        }
    }

    /// The elements of an array, each with its position.
    func elements() throws(TokenizerError) -> [JSONElement] {
        try values().enumerated().map {
            JSONElement(file: file, place: "\(place)[\($0.offset)]", value: $0.element)
        }
    }

    /// The bare elements of an array too long to give each its position.
    func values() throws(TokenizerError) -> [JSONValue] {
        guard case .array(let values) = value else { throw malformed("it is not an array") }
        return values
    }

    func string() throws(TokenizerError) -> String {
        guard case .string(let string) = value else { throw malformed("it is not a string") }
        return string
    }

    /// The string, nil if this is a value of another kind.
    var stringIfAny: String? {
        if case .string(let string) = value { string } else { nil }
    }

    /// Whether this is the number zero, however it is written.
    var isZero: Bool { value.double == 0 }

    /// Whether this is an array.
    var isArray: Bool { if case .array = value { true } else { false } }

    /// Whether this is an object.
    var isObject: Bool { if case .object = value { true } else { false } }

    func tokenID() throws(TokenizerError) -> TokenID {
        guard let id = Self.tokenID(value) else {
            throw malformed("it is not a token id in 0..<\(TokenBytes.maximumCount)")
        }
        return id
    }

    /// A value as a token id; nil if it is not an integer in the range of ids.
    static func tokenID(_ value: JSONValue) -> TokenID? {
        guard case .integer(let id) = value, (0..<TokenBytes.maximumCount).contains(id) else { return nil }
        return TokenID(id)
    }

    /// A number, which may be infinite.
    func double() throws(TokenizerError) -> Double {
        guard let number = value.double else { throw malformed("it is not a number") }
        return number
    }

    /// A string of one scalar.
    func scalar() throws(TokenizerError) -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard scalars.count == 1, let scalar = scalars.first else { throw malformed("it is not a single character") }
        return scalar
    }

    /// A whole number from `least` on.
    func count(from least: Int = 0) throws(TokenizerError) -> Int {
        guard case .integer(let count) = value, count >= least else {
            throw malformed("it is not a whole number from \(least) on")
        }
        return count
    }

    /// A Boolean member, `absent` if it is not there or null.
    func flag(_ name: String, absent: Bool) throws(TokenizerError) -> Bool {
        guard let member = try member(name) else { return absent }
        guard case .boolean(let flag) = member.value else { throw member.malformed("it is not true or false") }
        return flag
    }
}
