/// The allowed values of a setting, with their description for messages.
package struct Allowed<Value: Sendable>: Sendable {
    private let words: String
    private let contains: @Sendable (Value) -> Bool

    /// - Parameter words: the description of allowed values.
    package init(_ words: String, _ contains: @escaping @Sendable (Value) -> Bool) {
        (self.words, self.contains) = (words, contains)
    }

    /// The description of allowed values, if a value is not allowed; else nil.
    package func objection(to value: Value) -> String? { contains(value) ? nil : words }

    /// - Throws: `SparseCodingError.setting` for a value that is not allowed.
    package func check(_ value: Value, _ name: String) throws(SparseCodingError) {
        if let words = objection(to: value) { throw .setting(name: name, found: "\(value)", allowed: words) }
    }

    /// Every value of the type.
    package static var anything: Allowed { Allowed("anything") { _ in true } }
}

extension Allowed where Value: Comparable {
    /// The values of a range.
    ///
    /// - Parameter unit: the unit, for the message.
    package static func within(_ range: ClosedRange<Value>, _ unit: String? = nil) -> Allowed {
        let end = unit.map { " " + $0 } ?? ""
        return Allowed("\(range.lowerBound) … \(range.upperBound)\(end)") { range.contains($0) }
    }

    /// The values from a minimum on.
    ///
    /// - Parameter unit: the unit, for the message.
    package static func from(_ least: Value, _ unit: String? = nil) -> Allowed {
        Allowed("from \(least)" + (unit.map { " " + $0 } ?? "")) { $0 >= least }
    }
}

extension Allowed where Value == Int {
    /// The integers from 1 to a maximum.
    package static func upTo(_ most: Int = 1 << 40) -> Allowed { within(1...most) }
}

extension Allowed where Value == Float {
    /// The finite numbers above 0.
    package static var aboveZero: Allowed { Allowed("a number above 0") { $0.isFinite && $0 > 0 } }
    /// The finite numbers from 0.
    package static var fromZero: Allowed { Allowed("a number from 0") { $0.isFinite && $0 >= 0 } }
}

extension Allowed where Value == Double {
    /// Fractions, 0 … 1.
    package static var share: Allowed { Allowed("0 … 1") { 0...1 ~= $0 } }
}
