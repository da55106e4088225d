import Foundation

/// Reads the value of a Retry-After header (RFC 9110, section 10.2.3).
enum RetryAfter {
    /// Seconds to wait from `now`, at least 0; nil where the value is neither a number nor a date.
    static func seconds(_ value: String, now: Date) -> Double? {
        if !value.isEmpty, value.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) {
            return Double(value)
        }
        return date(value).map { max(0, $0 - now.timeIntervalSince1970) }
    }

    /// Seconds since 1970 of a date such as `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may still be sent.
    private static func date(_ text: String) -> Double? {
        let parts = text.split(whereSeparator: { ", :".contains($0) })
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard parts.count == 8, parts[7] == "GMT", let month = months.firstIndex(of: String(parts[2])),
            let day = number(parts[1], 1...31), let year = number(parts[3], 1970...9999),
            let hour = number(parts[4], 0...23), let minute = number(parts[5], 0...59),
            let second = number(parts[6], 0...60)
        else { return nil }
        // Days since 1970 by the civil calendar, counting years from March so that the leap day comes last.
        let shifted = month < 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 10) % 12) + 2) / 5 + day - 1
        let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return Double(days * 86_400 + hour * 3_600 + minute * 60 + second)
    }

    private static func number(_ digits: Substring, _ range: ClosedRange<Int>) -> Int? {
        Int(digits).flatMap { range.contains($0) ? $0 : nil }
    }
}
