import FeatureCatalog
import TerminalOutput

/// Asks a person for a verdict, line by line; questions go to standard error, so that answers may be piped.
enum ReviewDialogue {
    /// An answer to the question for a verdict.
    enum Answer {
        case given(Int)
        case skipped
    }

    /// - Returns: nil to end the review.
    static func verdict() -> Answer? {
        while true {
            guard let line = ask("verdict 5 clear … 1 none, s skips, q ends: ") else { return nil }
            switch line.lowercased() {
            case "q", "quit": return nil
            case "s", "skip": return .skipped
            default:
                if let number = Int(line), ReviewRecord.verdicts.contains(number) { return .given(number) }
                StandardStreams.remark("'\(line)' is none of 1 … 5, s and q")
            }
        }
    }

    /// - Returns: nil if left open.
    static func category() -> FeatureCategory? {
        while let line = ask("category l low-level, h high-level, u undiscernible, or nothing: "), !line.isEmpty {
            let answer = line.lowercased()
            if let category = FeatureCategory.allCases.first(where: { $0.rawValue.hasPrefix(answer) }) {
                return category
            }
            StandardStreams.remark("'\(line)' is none of l, h and u")
        }
        return nil
    }

    /// - Returns: nil for none.
    static func note() -> String? {
        ask("note, or nothing: ").flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func ask(_ question: String) -> String? {
        StandardStreams.question(question)
        return readLine().map { line in
            String(line.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
        }
    }
}
