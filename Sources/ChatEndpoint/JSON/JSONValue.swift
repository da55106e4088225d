/// A JSON value (RFC 8259) as an endpoint sent it, or as it is sent.
///
/// Foundation's parsers keep the last of two equal keys and write numbers as their version sees fit; identities of
/// exchanges rest on bytes, so both directions are spelt out here.
enum JSONValue: Equatable, Sendable {
    case null
    case boolean(Bool)
    /// A number without fraction or exponent that an `Int` holds.
    case integer(Int)
    /// Any other number; always finite.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The value of an object's key, nil where there is none or this is no object.
    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// What kind of value this is, for messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
