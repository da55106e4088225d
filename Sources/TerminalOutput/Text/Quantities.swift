import Glibc

/// Formats numbers for people.
package enum Quantities {
    /// Between groups of digits: a narrow space that does not break.
    private static let thinSpace = "\u{202F}"

    /// A count in groups of three digits: `1 234 567`. Four digits stay together.
    package static func count(_ value: Int) -> String {
        let digits = "\(value.magnitude)"
        guard digits.count > 4 else { return "\(value)" }
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped += thinSpace }
            grouped.append(digit)
        }
        return value < 0 ? "-" + grouped : grouped
    }

    /// A number to 4 significant digits, without trailing zeros: `0.1235`, `12.3`, `123457`, `1.2e-07`.
    ///
    /// Digits before the point are never rounded away, up to a million; beyond that and below 0.0001 powers of ten.
    package static func significant(_ value: Double) -> String {
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        if value == 0 { return "0" }
        let magnitude = abs(value)
        if magnitude >= 999.95, magnitude < 999_999.5 { return text(value, "%.0f") }
        return text(value, "%.4g")
    }

    /// A length of time: `350 ms`, `1.2 s`, `12 s`, `1 min 20 s`, `2 h 5 min`, `3 d 4 h`.
    package static func duration(seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0 else { return "?" }
        if seconds < 0.9995 { return "\(Int((seconds * 1000).rounded())) ms" }
        if seconds < 9.95 { return text(seconds, "%.1f") + " s" }
        guard seconds < 1e12 else { return "?" }
        let whole = Int(seconds.rounded())
        func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
            small == 0 ? "\(large) \(largeUnit)" : "\(large) \(largeUnit) \(small) \(smallUnit)"
        }
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return pair(whole / 60, "min", whole % 60, "s")
        case ..<86_400: return pair(whole / 3600, "h", whole % 3600 / 60, "min")
        default: return pair(whole / 86_400, "d", whole % 86_400 / 3600, "h")
        }
    }

    /// A size in decimal units: `512 B`, `1.5 kB`, `24 MB`.
    package static func bytes(_ value: Int) -> String {
        var size = Double(value)
        var unit = 0
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        // 999.5 would be shown as 1000 of the smaller unit.
        while abs(size) >= (unit == 0 ? 1000 : 999.5), unit < units.count - 1 {
            size /= 1000
            unit += 1
        }

        let digits = unit > 0 && abs(size) < 9.95 ? "%.1f" : "%.0f"
        return text(size, digits) + " " + units[unit]
    }

    /// A fraction as a percentage with one decimal: `45.2 %`.
    package static func percentage(_ share: Double) -> String {
        share.isFinite ? text(share * 100, "%.1f") + " %" : "?"
    }

    /// A count per second: `1 234/s`, `0.35/s`.
    package static func rate(_ perSecond: Double) -> String {
        guard perSecond.isFinite, perSecond >= 0, perSecond < 1e15 else { return "?/s" }
        return (perSecond < 100 ? significant(perSecond) : count(Int(perSecond.rounded()))) + "/s"
    }

    /// A number as C prints it in one of its formats. Foundation would prepare its locales first.
    private static func text(_ value: Double, _ format: String) -> String {
        withVaList([value]) { arguments in
            // The longest number has 309 digits before the point.
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 512) { digits in
                vsnprintf(digits.baseAddress, digits.count, format, arguments)
                return String(cString: digits.baseAddress!)
            }
        }
    }
}
