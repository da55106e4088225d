/// A day, at midnight.
package struct CalendarDate: Sendable, Equatable {
    let year: Int
    let month: Int
    let day: Int

    /// Reads `YYYY-MM-DD`; nil for anything that is no day of the Gregorian calendar.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.map(\.utf8.count) == [4, 2, 2],
            parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            year >= 1, (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        (self.year, self.month, self.day) = (year, month, day)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private var dayOfYear: Int { (1..<month).reduce(day) { $0 + Self.days(in: $1, of: year) } }

    /// From 0, Sunday.
    private var weekday: Int {
        let past = year - 1
        return (past * 365 + past / 4 - past / 100 + past / 400 + dayOfYear) % 7
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

    /// The date in a format of C's `strftime`, locale C; nil for an unsupported directive.
    func formatted(_ format: Text) -> Text? {
        var result: [Unicode.Scalar] = []
        var scalars = format.scalars[...]
        while let scalar = scalars.popFirst() {
            guard scalar == "%" else {
                result.append(scalar)
                continue
            }

            var directive = scalars.popFirst()
            // glibc: without the leading zero.
            let isBare = directive == "-"
            if isBare { directive = scalars.popFirst() }
            guard let directive, let text = value(of: directive, isBare: isBare) else { return nil }
            result += text.unicodeScalars
        }
        return Text(scalars: result)
    }

    private func value(of directive: Unicode.Scalar, isBare: Bool) -> String? {
        func padded(_ number: Int, _ width: Int, _ fill: Character = "0") -> String {
            let digits = String(number)
            return isBare ? digits : String(repeating: fill, count: max(0, width - digits.count)) + digits
        }
        switch directive {
        case "Y": return String(year)
        case "y": return padded(year % 100, 2)
        case "m": return padded(month, 2)
        case "d": return padded(day, 2)
        case "e": return padded(day, 2, " ")
        case "j": return padded(dayOfYear, 3)
        case "B": return Self.months[month - 1]
        case "b", "h": return String(Self.months[month - 1].prefix(3))
        case "A": return Self.weekdays[weekday]
        case "a": return String(Self.weekdays[weekday].prefix(3))
        case "w": return String(weekday)
        case "u": return String(weekday == 0 ? 7 : weekday)
        case "H", "M", "S": return padded(0, 2)
        case "I": return padded(12, 2)
        case "p": return "AM"
        case "F": return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        case "T": return "00:00:00"
        case "R": return "00:00"
        case "%": return "%"
        default: return nil
        }
    }
}
