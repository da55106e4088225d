/// A JSON value (RFC 8259), read or to be written.
///
/// Foundation's readers keep one of two equal keys, merge canonically equivalent keys, and take seconds for a
/// vocabulary; its writer's spelling of numbers varies between versions. Identities of exchanges depend on bytes, so
/// reading and writing are implemented here.
package enum JSONValue: Equatable, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// A number without fraction or exponent that an `Int` holds.
    case integer(Int)
    /// Such a number that is too large for an `Int`, such as a seed of 64 bits.
    case unsigned(UInt64)
    /// Any other number.
    case number(Double)
    /// Text, without its escapes.
    case string(String)
    /// Values in order.
    case array([JSONValue])
    /// Members in order.
    case object(JSONObject)

    /// The value of an object's key; nil without the key or if this is not an object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    /// A number in double precision, nil for another kind of value.
    package var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .unsigned(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// An integer in any spelling, such as 1, 1.0 or 1e0; nil for other values or beyond `Int`.
    package var wholeNumber: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    /// The kind of value, for messages.
    package var kind: String {
        switch self {
        case .null: "null"
        case .boolean: "a boolean"
        case .integer, .unsigned, .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension JSONValue {
    /// A number, `null` where there is none or it is not finite.
    package init(_ value: Double?) { self = value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null }

    /// A number in double precision, `null` where there is none or it is not finite.
    package init(_ value: Float?) { self.init(value.map { Double($0) }) }

    /// A whole number or `null`.
    package init(_ value: Int?) { self = value.map { .integer($0) } ?? .null }

    /// A whole number or `null`.
    package init(_ value: Int64?) { self = value.map { .integer(Int($0)) } ?? .null }

    /// A whole number or `null`.
    package init(_ value: UInt64?) {
        self = value.map { $0 <= UInt64(Int.max) ? .integer(Int($0)) : .unsigned($0) } ?? .null
    }

    /// A string or `null`.
    package init(_ value: String?) { self = value.map { .string($0) } ?? .null }
}
