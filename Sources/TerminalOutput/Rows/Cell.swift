/// One value of a row, of the types that a database column holds.
package enum Cell: Hashable, Sendable {
    /// No value.
    case null
    /// A whole number.
    case integer(Int64)
    /// A number; `null` in JSON if it is not finite.
    case real(Double)
    /// Untrusted text: control characters are escaped on a terminal.
    case text(String)
    /// Bytes, of which only the count is printed.
    case blob(byteCount: Int)

    /// A whole number, or none.
    package init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }

    /// A whole number of a database, or none.
    package init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }

    /// A number, or none.
    package init(_ value: Double?) { self = value.map { .real($0) } ?? .null }

    /// Text, or none.
    package init(_ value: String?) { self = value.map { .text($0) } ?? .null }

    /// Bytes that the cell takes in memory.
    var byteCount: Int {
        if case .text(let text) = self { 24 + text.utf8.count } else { 24 }
    }

    /// Whether the cell is a number.
    var isNumber: Bool {
        switch self {
        case .integer, .real: true
        case .null, .text, .blob: false
        }
    }

    /// The value in full, without any escaping; empty for null.
    var plainText: String {
        switch self {
        case .null: ""
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): value
        case .blob(let byteCount): "<\(byteCount) bytes>"
        }
    }
}

extension Cell: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByNilLiteral
{
    /// Text.
    package init(stringLiteral value: String) { self = .text(value) }
    /// A whole number.
    package init(integerLiteral value: Int64) { self = .integer(value) }
    /// A number.
    package init(floatLiteral value: Double) { self = .real(value) }
    /// No value.
    package init(nilLiteral: ()) { self = .null }
}
