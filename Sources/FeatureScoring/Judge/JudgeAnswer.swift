import Foundation

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

    /// Characters of an explanation that are kept at most.
    public static let maximumExplanationLength = 2000

    /// The explanation in an answer: one line that is not empty.
    public static func explanation(in content: String) throws(Garbage) -> String {
        struct Form: Decodable { let explanation: String }
        return try sentence(form(Form.self, keys: ["explanation"], in: content).explanation)
    }

    /// Activations from 0 to 10, one for each token.
    public static func activations(in content: String, count: Int) throws(Garbage) -> [Int] {
        struct Form: Decodable { let activations: [Int] }
        let levels = try form(Form.self, keys: ["activations"], in: content).activations
        guard levels.count == count else {
            throw Garbage(description: "\(levels.count) activations for \(count) tokens")
        }
        guard let wrong = levels.first(where: { !(0...10).contains($0) }) else { return levels }
        throw Garbage(description: "an activation is \(wrong); asked for: 0 … 10")
    }

    /// Decisions, one for each text.
    public static func decisions(_ prompt: JudgePrompt, in content: String, count: Int) throws(Garbage) -> [Bool] {
        struct Detection: Decodable { let active: [Bool] }
        struct Fuzzing: Decodable { let correct: [Bool] }
        let decisions =
            prompt == .detection
            ? try form(Detection.self, keys: ["active"], in: content).active
            : try form(Fuzzing.self, keys: ["correct"], in: content).correct
        guard decisions.count == count else {
            throw Garbage(description: "\(decisions.count) decisions for \(count) texts")
        }
        return decisions
    }

    /// Category, score and explanation.
    public static func rubric(in content: String) throws(Garbage) -> Rubric {
        struct Form: Decodable {
            let category: String
            let score: Int
            let explanation: String
        }
        let form = try form(Form.self, keys: ["category", "score", "explanation"], in: content)
        guard categories.contains(form.category) else {
            throw Garbage(description: "the category is \"\(shortened(form.category))\"")
        }
        guard (1...5).contains(form.score) else {
            throw Garbage(description: "the score is \(form.score); asked for: 1 … 5")
        }
        return Rubric(category: form.category, score: form.score, explanation: try sentence(form.explanation))
    }

    /// One JSON object with exactly these keys.
    private static func form<Form: Decodable>(
        _ type: Form.Type, keys: Set<String>, in content: String
    ) throws(Garbage) -> Form {
        let data = Data(content.utf8)
        let object = try? JSONSerialization.jsonObject(with: data)
        guard let object = object as? [String: Any] else {
            throw Garbage(description: "the answer is not a JSON object: \(shortened(content))")
        }
        guard Set(object.keys) == keys else {
            throw Garbage(
                description: "the answer has the keys \(shortened(object.keys.sorted().joined(separator: ", ")))")
        }
        do { return try JSONDecoder().decode(type, from: data) } catch {
            throw Garbage(description: "the answer has values of other kinds than asked for: \(shortened(content))")
        }
    }

    private static func sentence(_ text: String) throws(Garbage) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !line.isEmpty else { throw Garbage(description: "the explanation is empty") }
        guard line.count <= maximumExplanationLength else {
            throw Garbage(description: "the explanation has \(line.count) characters")
        }
        return line
    }

    private static func shortened(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return line.count <= 80 ? line : line.prefix(80) + "…"
    }
}
