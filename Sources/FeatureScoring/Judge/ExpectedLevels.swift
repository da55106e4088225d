import Foundation

/// Expected activations from the log-probabilities of an answer's tokens: Σ v · p(v) over the numbers 0 … 10 possible
/// in each position (Bills et al. 2023, `openai/automated-interpretability`, `compute_expected_value`).
package enum ExpectedLevels {
    /// A token of the answer, with its alternatives.
    package struct Token: Equatable, Sendable {
        /// Its text.
        package let text: String
        /// The most likely tokens in this position, with natural logarithms of their probabilities.
        package let alternatives: [(text: String, logProbability: Double)]

        /// Describes a token.
        package init(text: String, alternatives: [(text: String, logProbability: Double)]) {
            self.text = text
            self.alternatives = alternatives
        }

        /// Compares texts and alternatives.
        package static func == (one: Token, other: Token) -> Bool {
            one.text == other.text && one.alternatives.elementsEqual(other.alternatives, by: ==)
        }
    }

    /// The expected level at every position of an array of levels.
    ///
    /// A level that is not a token by itself, or has no usable alternatives, is returned as answered.
    ///
    /// - Parameters:
    ///   - levels: the levels of the answer, as ``JudgeAnswer/activations(in:count:)`` reads them.
    ///   - content: the reply; the array is searched within the answer (``UnwrappedAnswer``).
    ///   - tokens: its tokens; ignored unless they spell `content` exactly.
    package static func of(_ levels: [Int], in content: String, tokens: [Token]) -> [Float] {
        let plain = levels.map(Float.init)
        guard tokens.map(\.text).joined() == content else { return plain }
        // The numbers of the array, in order: runs of digits behind the bracket.
        var numbers: [(start: Int, text: String)] = []
        let answer = UnwrappedAnswer(content)
        let bytes = Array(content.utf8.prefix(answer.offset + answer.text.utf8.count))
        guard var place = bytes[answer.offset...].firstIndex(of: UInt8(ascii: "[")) else { return plain }
        while place < bytes.count {
            let start = place
            while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) { place += 1 }
            if place > start {
                numbers.append((start, String(decoding: bytes[start..<place], as: UTF8.self)))
            } else {
                place += 1
            }
        }
        guard numbers.map(\.text) == levels.map(String.init) else { return plain }
        var tokenAt: [Int: Token] = [:]
        var offset = 0
        for token in tokens {
            // A number may include the space before it.
            let spaces = token.text.utf8.prefix { $0 == UInt8(ascii: " ") }.count
            tokenAt[offset + spaces] = token
            offset += token.text.utf8.count
        }
        return zip(plain, numbers).map { level, number in
            guard let token = tokenAt[number.start], token.text.trimmingCharacters(in: .whitespaces) == number.text
            else { return level }
            return expected(token.alternatives) ?? level
        }
    }

    private static func expected(_ alternatives: [(text: String, logProbability: Double)]) -> Float? {
        var (sum, total) = (0.0, 0.0)
        for (text, logProbability) in alternatives where logProbability <= 0 {
            guard let level = Int(text.trimmingCharacters(in: .whitespaces)), (0...10).contains(level) else { continue }
            sum += Double(level) * exp(logProbability)
            total += exp(logProbability)
        }
        return total > 0 ? Float(sum / total) : nil
    }
}
