/// A JSON value (RFC 8259) as somebody else wrote it, or as it is sent.
///
/// Foundation's parsers keep the last of two equal keys and write numbers as their version sees fit; identities of
/// exchanges rest on bytes, so both directions are spelt out here.
package enum JSONValue: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number without fraction or exponent that an `Int` holds.
    case integer(Int)
    /// Any other number; always finite.
    case number(Double)
    /// Text, without its escapes.
    case string(String)
    /// Values in order.
    case array([JSONValue])
    /// Members, no key twice.
    case object([String: JSONValue])

    /// The value of an object's key, nil where there is none or this is no object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// What kind of value this is, for messages.
    package var kind: String {
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
