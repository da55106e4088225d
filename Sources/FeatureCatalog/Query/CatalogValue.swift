/// A value of SQLite's five kinds.
package enum CatalogValue: Equatable, Sendable {
    /// NULL.
    case null
    /// INTEGER.
    case integer(Int64)
    /// REAL.
    case real(Double)
    /// TEXT.
    case text(String)
    /// BLOB.
    case blob([UInt8])
}

extension CatalogValue: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
    ExpressibleByNilLiteral
{
    /// An INTEGER.
    package init(integerLiteral value: Int64) { self = .integer(value) }

    /// A REAL.
    package init(floatLiteral value: Double) { self = .real(value) }

    /// A TEXT.
    package init(stringLiteral value: String) { self = .text(value) }

    /// NULL.
    package init(nilLiteral: ()) { self = .null }
}
