/// A value of SQLite's five kinds.
public enum CatalogValue: Equatable, Sendable {
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
    public init(integerLiteral value: Int64) { self = .integer(value) }

    /// A REAL.
    public init(floatLiteral value: Double) { self = .real(value) }

    /// A TEXT.
    public init(stringLiteral value: String) { self = .text(value) }

    /// NULL.
    public init(nilLiteral: ()) { self = .null }
}
