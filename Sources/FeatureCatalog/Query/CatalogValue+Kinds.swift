extension CatalogValue {
    /// The value as a number, if it is one.
    package var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .real(let number): number
        case .null, .text, .blob: nil
        }
    }

    /// The value of an INTEGER, nil for all else.
    package var wholeNumber: Int? {
        if case .integer(let number) = self { Int(number) } else { nil }
    }

    /// The value of a TEXT, nil for all else.
    package var string: String? {
        if case .text(let text) = self { text } else { nil }
    }
}
