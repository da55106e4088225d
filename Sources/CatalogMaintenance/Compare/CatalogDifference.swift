package import FeatureCatalog

/// The differences between two catalogs.
package struct CatalogDifference: Sendable {
    /// The kind of thing a row is about.
    package enum Section: String, CaseIterable, Sendable {
        /// Runs.
        case run
        /// Language models.
        case model
        /// Texts.
        case corpus
        /// Dictionaries and their weights.
        case dictionary
        /// Settings that determined a dictionary.
        case setting
        /// Matching scores of two dictionaries' features; `a` is from the first to the second, `b` back.
        /// They follow from other differences and are not differences themselves.
        case match
        /// Which dictionary was indexed on which text.
        case index
        /// Figures of a dictionary, including equal ones.
        case metric
        /// The contents of tables, by digest.
        case table
        /// Single features.
        case feature
    }

    /// One comparison.
    package struct Row: Sendable, Equatable {
        /// The kind.
        package let section: Section
        /// The thing that was compared, by name.
        package let subject: String
        /// The property that was compared.
        package let name: String
        /// The value in the first catalog; null if it has none.
        package let a: CatalogValue
        /// The value in the second.
        package let b: CatalogValue
        /// `b` − `a` if both are numbers; for counts of differing things the count.
        package let difference: Double?
        /// Whether the catalogs differ in this.
        package let isDifference: Bool

        init(
            _ section: Section, _ subject: String, _ name: String, _ a: CatalogValue, _ b: CatalogValue,
            difference: Double?, isDifference: Bool?
        ) {
            self.section = section
            self.subject = subject
            self.name = name
            self.a = a
            self.b = b
            let change: Double? = if let one = a.asNumber, let other = b.asNumber { other - one } else { nil }
            self.difference = difference ?? change
            self.isDifference = isDifference ?? (a != b)
        }
    }

    /// Two dictionaries whose weights differ, and their features matched.
    package struct Matched: Sendable {
        /// The first catalog's.
        package let one: DictionaryRecord
        /// The second's.
        package let other: DictionaryRecord
        /// Their features.
        package let matching: FeatureMatching
    }

    /// All comparisons, by section.
    package internal(set) var rows: [Row] = []
    /// Dictionaries whose weights differ and whose features have the same width.
    package internal(set) var matched: [Matched] = []

    /// Whether the catalogs say the same.
    package var isEqual: Bool { !rows.contains(where: \.isDifference) }

    mutating func add(
        _ section: Section, _ subject: String, _ name: String, _ a: CatalogValue, _ b: CatalogValue,
        difference: Double? = nil, isDifference: Bool? = nil
    ) {
        rows.append(Row(section, subject, name, a, b, difference: difference, isDifference: isDifference))
    }

    /// Adds a row for something that only one of the catalogs has.
    mutating func add(
        _ section: Section, _ subject: String, onlyInFirst isFirst: Bool, _ what: String, isDifference: Bool = true
    ) {
        if isFirst {
            add(section, subject, "only in a", .text(what), .null, isDifference: isDifference)
        } else {
            add(section, subject, "only in b", .null, .text(what), isDifference: isDifference)
        }
    }
}

extension CatalogValue {
    init(number: Double?) { self = number.map { .real($0) } ?? .null }
    init(count: Int?) { self = count.map { .integer(Int64($0)) } ?? .null }
    init(name: String?) { self = name.map { .text($0) } ?? .null }

    /// The value, if it is a number.
    var asNumber: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .real(let number): number
        case .null, .text, .blob: nil
        }
    }
}
