/// Which values a setting may have, and how a message says it.
package struct Allowed<Value: Sendable>: Sendable {
    private let words: String
    private let contains: @Sendable (Value) -> Bool

    /// - Parameter words: what is allowed, as the message says it.
    package init(_ words: String, _ contains: @escaping @Sendable (Value) -> Bool) {
        (self.words, self.contains) = (words, contains)
    }

    /// What is allowed, as the message says it, if a value is not.
    package func objection(to value: Value) -> String? { contains(value) ? nil : words }

    /// - Throws: `SparseCodingError.setting` for a value that is not allowed.
    package func check(_ value: Value, _ name: String) throws(SparseCodingError) {
        if let words = objection(to: value) { throw .setting(name: "`\(name)`", found: "\(value)", allowed: words) }
    }

    /// Everything that the type can say.
    package static var anything: Allowed { Allowed("anything") { _ in true } }
}

extension Allowed where Value: Comparable {
    /// The values of a range.
    ///
    /// - Parameter unit: what they count, for the message.
    package static func within(_ range: ClosedRange<Value>, _ unit: String? = nil) -> Allowed {
        let end = unit.map { " " + $0 } ?? ""
        return Allowed("\(range.lowerBound) … \(range.upperBound)\(end)") { range.contains($0) }
    }

    /// The values from one on.
    ///
    /// - Parameter unit: what they count, for the message.
    package static func from(_ least: Value, _ unit: String? = nil) -> Allowed {
        Allowed("from \(least)" + (unit.map { " " + $0 } ?? "")) { $0 >= least }
    }
}

extension Allowed where Value == Int {
    /// The whole numbers from 1 to one.
    package static func upTo(_ most: Int = 1 << 40) -> Allowed { within(1...most) }
}

extension Allowed where Value == Float {
    /// The finite numbers above 0.
    package static var aboveZero: Allowed { Allowed("a number above 0") { $0.isFinite && $0 > 0 } }
    /// The finite numbers from 0.
    package static var fromZero: Allowed { Allowed("a number from 0") { $0.isFinite && $0 >= 0 } }
}

extension Allowed where Value == Double {
    /// The shares of a whole.
    package static var share: Allowed { Allowed("0 … 1") { 0...1 ~= $0 } }
}
