import Foundation
import StrictJSON

/// Reads what a language model answered. Only the form that was asked for is taken; everything else is an error with its
/// reason, never a guess.
public enum JudgeAnswer {
    /// What was wrong with an answer, in one line.
    public struct Garbage: Error, Equatable, Sendable, CustomStringConvertible {
        /// The line.
        public let description: String
    }

    /// A verdict by the rubric.
    public struct Rubric: Equatable, Sendable {
        /// `low-level`, `high-level` or `undiscernible`.
        public let category: String
        /// 1 … 5.
        public let score: Int
        /// Why.
        public let explanation: String
    }

    /// The categories of the rubric.
    public static let categories = ["low-level", "high-level", "undiscernible"]

    /// Unicode scalars of an explanation that are kept at most.
    public static let maximumExplanationLength = 2000

    /// Whether an answer is what its question asked for.
    public static func check(_ content: String, answers question: JudgeQuestion) throws(Garbage) {
        switch question.prompt {
        case .explanation: _ = try explanation(in: content)
        case .simulation: _ = try activations(in: content, count: question.answerCount)
        case .detection, .fuzzing: _ = try decisions(question.prompt, in: content, count: question.answerCount)
        case .rubric: _ = try rubric(in: content)
        }
    }

    /// The explanation in an answer: one line that is not empty.
    public static func explanation(in content: String) throws(Garbage) -> String {
        try sentence(form(["explanation"], in: content)[0])
    }

    /// Activations from 0 to 10, one for each token.
    public static func activations(in content: String, count: Int) throws(Garbage) -> [Int] {
        let value = try form(["activations"], in: content)[0]
        guard case .array(let elements) = value else { throw otherKind(value) }
        guard elements.count == count else {
            throw Garbage(description: "\(elements.count) activations for \(count) tokens")
        }
        var levels: [Int] = []
        for element in elements {
            let level = try whole(element)
            guard (0...10).contains(level) else {
                throw Garbage(description: "an activation is \(level); asked for: 0 … 10")
            }
            levels.append(level)
        }
        return levels
    }

    /// Decisions, one for each text.
    public static func decisions(_ prompt: JudgePrompt, in content: String, count: Int) throws(Garbage) -> [Bool] {
        let value = try form([prompt == .detection ? "active" : "correct"], in: content)[0]
        guard case .array(let elements) = value else { throw otherKind(value) }
        guard elements.count == count else {
            throw Garbage(description: "\(elements.count) decisions for \(count) texts")
        }
        var decisions: [Bool] = []
        for element in elements {
            guard case .boolean(let decision) = element else { throw otherKind(element) }
            decisions.append(decision)
        }
        return decisions
    }

    /// Category, score and explanation.
    public static func rubric(in content: String) throws(Garbage) -> Rubric {
        let members = try form(["category", "score", "explanation"], in: content)
        guard case .string(let category) = members[0] else { throw otherKind(members[0]) }
        guard categories.contains(category) else {
            throw Garbage(description: "the category is \"\(shortened(category))\"")
        }
        let score = try whole(members[1])
        guard (1...5).contains(score) else {
            throw Garbage(description: "the score is \(score); asked for: 1 … 5")
        }
        return Rubric(category: category, score: score, explanation: try sentence(members[2]))
    }

    /// The members of one JSON object with exactly these keys, in their order.
    private static func form(_ keys: [String], in content: String) throws(Garbage) -> [JSONValue] {
        let value: JSONValue
        do { value = try JSONParser.parse(Data(content.utf8)) } catch {
            throw Garbage(description: "the answer is not a JSON object, \(error.reason): \(shortened(content))")
        }
        guard case .object(let members) = value else {
            throw Garbage(description: "the answer is not a JSON object: \(shortened(content))")
        }
        guard Set(members.keys) == Set(keys) else {
            throw Garbage(
                description: "the answer has the keys \(shortened(members.keys.sorted().joined(separator: ", ")))")
        }
        return keys.compactMap { members[$0] }
    }

    private static func whole(_ value: JSONValue) throws(Garbage) -> Int {
        switch value {
        case .integer(let number): return number
        case .number(let number):
            // 1.0 is the same number as 1.
            guard let whole = Int(exactly: number) else { throw Garbage(description: "\(number) is no whole number") }
            return whole
        default: throw otherKind(value)
        }
    }

    private static func otherKind(_ value: JSONValue) -> Garbage {
        Garbage(description: "the answer has \(value.kind) where something else was asked for")
    }

    private static func sentence(_ value: JSONValue) throws(Garbage) -> String {
        guard case .string(let text) = value else { throw otherKind(value) }
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !line.isEmpty else { throw Garbage(description: "the explanation is empty") }
        // Not characters: one of them may be a million scalars.
        let length = line.unicodeScalars.count
        guard length <= maximumExplanationLength else {
            throw Garbage(description: "the explanation has \(length) Unicode scalars")
        }
        return line
    }

    private static func shortened(_ text: String) -> String {
        let beginning = String(text.unicodeScalars.prefix(81))
        let line = beginning.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return text.unicodeScalars.count <= 80 ? line : line + "…"
    }
}
