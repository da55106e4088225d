/// An address on this server: a path, percent-encoded, and a query as a form of the page writes it, so that what a form
/// leads to and what a link leads to are one address.
struct Address: Sendable, Equatable {
    /// The path's parts, as they are.
    private let parts: [String]
    /// The query's fields in order, as they are.
    private(set) var fields: [(name: String, value: String)] = []
    /// Where on the page; empty for its beginning.
    private var fragment = ""

    /// Names a path.
    init(_ parts: [String], _ fields: [(name: String, value: String)] = []) {
        self.parts = parts
        self.fields = fields
    }

    /// The address as text.
    var text: String {
        var text = parts.isEmpty ? "/" : ""
        for part in parts { text += "/" + Self.encoded(part) }
        for (number, field) in fields.enumerated() {
            text += (number == 0 ? "?" : "&") + Self.formEncoded(field.name) + "=" + Self.formEncoded(field.value)
        }
        return fragment.isEmpty ? text : text + "#" + Self.encoded(fragment)
    }

    /// The same with another value of a field, or without it.
    func with(_ name: String, _ value: String?) -> Address {
        var address = self
        let place = address.fields.firstIndex { $0.name == name }
        address.fields.removeAll { $0.name == name }
        if let value { address.fields.insert((name, value), at: min(place ?? fields.count, address.fields.count)) }
        return address
    }

    /// The same with a place on the page.
    func at(_ fragment: String) -> Address {
        var address = self
        address.fragment = fragment
        return address
    }

    /// The same data as JSON.
    var json: Address {
        Address(parts.isEmpty ? ["catalog.json"] : parts.dropLast() + [parts[parts.count - 1] + ".json"], fields)
    }

    static func == (one: Address, other: Address) -> Bool { one.text == other.text }

    /// Everything but letters, digits and `-._~` (RFC 3986, unreserved) in percent and hexadecimal.
    private static func encoded(_ text: String) -> String { encoded(text, plain: "~", space: "%20") }

    /// As browsers encode forms (application/x-www-form-urlencoded): `+` for a space, `*` as it is, `~` encoded.
    private static func formEncoded(_ text: String) -> String { encoded(text, plain: "*", space: "+") }

    private static func encoded(_ text: String, plain: Unicode.Scalar, space: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: plain):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: " "): result += space
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += (digits.utf8.count == 1 ? "%0" : "%") + digits
            }
        }
        return result
    }
}

extension Address {
    /// The page of the catalog.
    static let catalog = Address([])

    /// A run's page.
    static func run(_ runID: Int64) -> Address { Address(["runs", "\(runID)"]) }
}
