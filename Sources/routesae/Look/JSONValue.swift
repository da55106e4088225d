import FeatureCatalog
import Foundation
import TerminalOutput

/// Any JSON value, for documents whose form a catalog decides, such as a run's configuration.
///
/// Whole numbers stay whole, so that a seed of 64 bits survives.
enum JSONValue: Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case unsigned(UInt64)
    case real(Double)
    case text(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Reads a document; text that is not JSON becomes a string.
    init(parsing json: String) {
        self = (try? JSONDecoder().decode(JSONValue.self, from: Data(json.utf8))) ?? .text(json)
    }

    /// A number, `null` where there is none or it is not finite.
    init(_ value: Double?) {
        self = value.flatMap { $0.isFinite ? .real($0) : nil } ?? .null
    }

    /// A number as the catalog stores it, in double precision.
    init(_ value: Float?) {
        self.init(value.map { Double($0) })
    }

    /// A whole number or `null`.
    init(_ value: Int?) {
        self = value.map { .integer(Int64($0)) } ?? .null
    }

    /// A string or `null`.
    init(_ value: String?) {
        self = value.map { .text($0) } ?? .null
    }

    /// A value of the catalog; of bytes only their number.
    init(_ value: CatalogValue) {
        switch value {
        case .null: self = .null
        case .integer(let number): self = .integer(number)
        case .real(let number): self.init(number)
        case .text(let text): self = .text(text)
        case .blob(let bytes): self = .object(["bytes": .integer(Int64(bytes.count))])
        }
    }
}

extension JSONValue: Codable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int64.self) {
            self = .integer(value)
        } else if let value = try? container.decode(UInt64.self) {
            self = .unsigned(value)
        } else if let value = try? container.decode(Double.self) {
            self = .real(value)
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .unsigned(let value): try container.encode(value)
        case .real(let value): try container.encode(value)
        case .text(let value): try container.encode(value)
        case .array(let values): try container.encode(values)
        case .object(let values): try container.encode(values)
        }
    }
}
