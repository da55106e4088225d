import Foundation
import JSON

/// Parses a language model's answers. Only the requested form is accepted, with the wrapping that ``AnswerReading``
/// allows; anything else is an error with its reason, never a guess.
package enum JudgeAnswer {
    /// What is wrong with an answer, in one line.
    package struct Garbage: Error, Equatable, Sendable, CustomStringConvertible {
        /// The kind of error.
        package enum Kind: Equatable, Sendable {
            /// It is not a JSON object.
            case form
            /// It begins with a think block that does not end.
            case openThoughts
            /// It ends a think block that did not begin.
            case strayThoughts
            /// It has other keys than requested.
            case keys
            /// It has a wrong number of values.
            case count
            /// It has an invalid value.
            case value
        }

        /// The error, in one line.
        package let description: String
        /// Its kind.
        package let kind: Kind

        init(_ description: String, kind: Kind = .value) {
            self.description = description
            self.kind = kind
        }
    }

    /// A verdict by the rubric.
    package struct Rubric: Equatable, Sendable {
        /// `low-level`, `high-level` or `undiscernible`.
        package let category: String
        /// 1 … 5.
        package let score: Int
        /// The judge's reason.
        package let explanation: String
    }

    /// The categories of the rubric.
    package static let categories = ["low-level", "high-level", "undiscernible"]

    /// The most Unicode scalars kept of an explanation.
    package static let maximumExplanationLength = 2000

    /// Checks that an answer has the form its question asks for, read as strictly as `reading` says.
    package static func check(
        _ content: String, answers question: JudgeQuestion, reading: AnswerReading = .unwrapped
    ) throws(Garbage) {
        switch question.prompt {
        case .explanation: _ = try explanation(in: content, reading: reading)
        case .simulation: _ = try activations(in: content, count: question.answerCount, reading: reading)
        case .detection, .fuzzing:
            _ = try decisions(question.prompt, in: content, count: question.answerCount, reading: reading)
        case .rubric: _ = try rubric(in: content, reading: reading)
        }
    }

    /// The explanation in an answer: one line that is not empty.
    package static func explanation(
        in content: String, reading: AnswerReading = .unwrapped
    ) throws(Garbage) -> String {
        try sentence(form(["explanation"], in: content, reading)[0])
    }

    /// Activations from 0 to 10, one for each token.
    package static func activations(
        in content: String, count: Int, reading: AnswerReading = .unwrapped
    ) throws(Garbage) -> [Int] {
        let value = try form(["activations"], in: content, reading)[0]
        guard case .array(let elements) = value else { throw otherKind(value) }
        guard elements.count == count else {
            throw Garbage("\(elements.count) activations for \(count) tokens", kind: .count)
        }

        var levels: [Int] = []
        for element in elements {
            let level = try whole(element)
            guard (0...10).contains(level) else {
                throw Garbage("an activation is \(level); asked for: 0 … 10")
            }
            levels.append(level)
        }
        return levels
    }

    /// Decisions, one for each text.
    package static func decisions(
        _ prompt: JudgePrompt, in content: String, count: Int, reading: AnswerReading = .unwrapped
    ) throws(Garbage) -> [Bool] {
        let value = try form([prompt == .detection ? "active" : "correct"], in: content, reading)[0]
        guard case .array(let elements) = value else { throw otherKind(value) }
        guard elements.count == count else {
            throw Garbage("\(elements.count) decisions for \(count) texts", kind: .count)
        }

        var decisions: [Bool] = []
        for element in elements {
            guard case .boolean(let decision) = element else { throw otherKind(element) }
            decisions.append(decision)
        }
        return decisions
    }

    /// Category, score and explanation.
    package static func rubric(in content: String, reading: AnswerReading = .unwrapped) throws(Garbage) -> Rubric {
        let members = try form(["category", "score", "explanation"], in: content, reading)
        guard case .string(var category) = members[0] else { throw otherKind(members[0]) }
        if reading == .unwrapped { category = lowercased(category) }
        guard categories.contains(category) else {
            throw Garbage("the category is \"\(shortened(category))\"")
        }

        let score = try whole(members[1])
        guard (1...5).contains(score) else {
            throw Garbage("the score is \(score); asked for: 1 … 5")
        }
        return Rubric(category: category, score: score, explanation: try sentence(members[2]))
    }

    /// The members of one JSON object with exactly these keys, in their order.
    private static func form(
        _ keys: [String], in content: String, _ reading: AnswerReading
    ) throws(Garbage) -> [JSONValue] {
        let text = reading == .unwrapped ? UnwrappedAnswer(content).text : content
        if reading == .unwrapped, text.utf8.allSatisfy({ $0 <= 0x20 }) {
            throw Garbage("the answer is empty", kind: .form)
        }

        let value: JSONValue
        do {
            value = try JSONParser.parse(Data(text.utf8), rules: reading == .unwrapped ? unwrappedRules : .strict)
        } catch {
            let remark = reading == .unwrapped ? remark(on: text) : nil
            throw Garbage(
                "the answer is not a JSON object, \(remark ?? error.reason): "
                    + shortened(text), kind: kind(of: text))
        }
        guard case .object(let object) = value else {
            throw Garbage("the answer is not a JSON object: \(shortened(text))", kind: .form)
        }
        var members = Dictionary(object.members.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })

        let names = shortened(members.keys.sorted().joined(separator: ", "))
        if reading == .unwrapped {
            // Keys that differ only in letter case count as two, which is too many.
            let lowered = Dictionary(members.map { (lowercased($0), $1) }, uniquingKeysWith: { first, _ in first })
            if lowered.count == members.count { members = lowered }
        }
        guard Set(members.keys) == Set(keys) else { throw Garbage("the answer has the keys \(names)", kind: .keys) }
        return keys.compactMap { members[$0] }
    }

    private static let unwrappedRules = {
        var rules = JSONRules.strict
        rules.ignoresCaseOfWords = true
        return rules
    }()

    /// The visible reason why a text does not begin with JSON.
    private static func remark(on text: String) -> String? {
        switch kind(of: text) {
        case .openThoughts: "it begins with thoughts that do not end"
        case .strayThoughts: "it ends thoughts that did not begin"
        default: text.unicodeScalars.first == "\u{FEFF}" ? "it begins with a byte-order mark" : nil
        }
    }

    private static func kind(of text: String) -> Garbage.Kind {
        if text.utf8.drop(while: { $0 <= 0x20 }).starts(with: "<think>".utf8) { return .openThoughts }
        return text.contains("</think>") ? .strayThoughts : .form
    }

    /// With ASCII letters lower-cased, and no others: fixed words are ASCII.
    private static func lowercased(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func whole(_ value: JSONValue) throws(Garbage) -> Int {
        // 1.0 is the same number as 1.
        if let whole = value.wholeNumber { return whole }
        guard let number = value.double else { throw otherKind(value) }
        throw Garbage("\(number) is no whole number")
    }

    private static func otherKind(_ value: JSONValue) -> Garbage {
        Garbage("the answer has \(value.kind) where something else was asked for")
    }

    private static func sentence(_ value: JSONValue) throws(Garbage) -> String {
        guard case .string(let text) = value else { throw otherKind(value) }
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !line.isEmpty else { throw Garbage("the explanation is empty") }
        // Scalars, not characters: one character may have a million scalars.
        let length = line.unicodeScalars.count
        guard length <= maximumExplanationLength else {
            throw Garbage("the explanation has \(length) Unicode scalars")
        }
        return line
    }

    private static func shortened(_ text: String) -> String {
        let beginning = String(text.unicodeScalars.prefix(81))
        let line = beginning.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return text.unicodeScalars.count <= 80 ? line : line + "…"
    }
}
