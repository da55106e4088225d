internal import Foundation

/// A value of a JSON document, as far as a configuration needs to tell values apart.
enum ConfigurationValue: Sendable, Equatable, Decodable {
    case null
    case flag(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case list([ConfigurationValue])
    case object([String: ConfigurationValue])

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .flag(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([ConfigurationValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: ConfigurationValue].self))
        }
    }

    /// The value in a message: short, on one line, without control characters.
    var excerpt: String {
        switch self {
        case .null: "null"
        case .flag(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .text(let value):
            "\"" + String(value.prefix(40).filter { !$0.isNewline && $0 >= " " }) + (value.count > 40 ? "…\"" : "\"")
        case .list(let value): "a list of \(value.count)"
        case .object: "an object"
        }
    }
}
