import ChatTemplate
import Foundation
import TestSupport
import Testing

/// Renderings by jinja2, as tools/make_chat_goldens.py recorded them.
enum ChatGoldens {
    /// The date of `strftime_now` there.
    static let date = CalendarDate("2024-07-26")

    static func document(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(filePath: fixture("chat/" + name)))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    /// A template of `Tests/Fixtures/chat/templates`.
    static func template(_ name: String) throws -> String {
        try String(contentsOfFile: fixture("chat/templates/" + name), encoding: .utf8)
    }

    static func render(_ source: String, _ variables: [String: Value] = [:]) throws -> String {
        try ChatTemplate(source).render(variables, date: try #require(date))
    }

    /// The error of a template; nil if it renders.
    static func complaint(_ source: String, _ variables: [String: Value] = [:]) throws -> ChatTemplateError? {
        do {
            _ = try render(source, variables)
            return nil
        } catch let error as ChatTemplateError {
            return error
        }
    }
}

extension Value {
    /// A value of a fixture: dictionaries are lists of pairs there, in their order.
    init(golden json: Any) throws {
        switch json {
        case let string as String: self = .text(Text(string))
        case let list as [Any]: self = .list(Items(try list.map { try Value(golden: $0) }))
        case let object as [String: Any]:
            var map = OrderedMap()
            for pair in try #require(object["pairs"] as? [[Any]]) {
                map.set(Text(try #require(pair[0] as? String)), to: try Value(golden: pair[1]))
            }
            self = .dictionary(map)
        case let number as NSNumber:
            switch number.objCType.pointee {
            case CChar(UInt8(ascii: "c")): self = .boolean(number.boolValue)
            case CChar(UInt8(ascii: "d")): self = .number(number.doubleValue)
            default: self = .integer(number.intValue)
            }
        default: self = .none
        }
    }
}
