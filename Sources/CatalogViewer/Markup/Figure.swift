import Foundation
import TerminalOutput

/// Numbers on a page.
enum Figure {
    /// A number to 4 digits; a dash where there is none.
    static func number(_ value: Double?) -> HTML {
        guard let value, value.isFinite else { return "<span class=\"none\">–</span>" }
        return "\(Quantities.significant(value).replacing("-", with: "−"))"
    }

    /// A count in groups of digits; a dash where there is none.
    static func count(_ value: Int?) -> HTML {
        guard let value else { return "<span class=\"none\">–</span>" }
        return "\(Quantities.count(value))"
    }

    /// A share in percent; a dash where there is none.
    static func share(_ value: Double?) -> HTML {
        guard let value, value.isFinite else { return "<span class=\"none\">–</span>" }
        return "\(percentage(value))"
    }

    /// A share in percent as text; rare features fire on a few tokens of a million.
    static func percentage(_ value: Double) -> String {
        value > 0 && value < 0.001 ? String(format: "%.2g", value * 100) + " %" : Quantities.percentage(value)
    }

    /// A number to 4 digits as text, with a minus sign.
    static func plain(_ value: Double) -> String { Quantities.significant(value).replacing("-", with: "−") }

    /// A number with its interval.
    static func interval(_ value: Double?, _ low: Double?, _ high: Double?) -> HTML {
        guard let low, let high else { return number(value) }
        return "\(number(value)) <small>\(number(low)) … \(number(high))</small>"
    }
}
