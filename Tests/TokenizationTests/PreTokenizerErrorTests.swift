import TestSupport
import Testing
import Tokenization

/// What of a `pre_tokenizer` is refused, where, and with which words.
struct PreTokenizerErrorTests {
    private struct Refusal: Sendable {
        var step: @Sendable () -> [String: Any]
        var place: String
        var isUnsupported: Bool
        var words: String

        init(
            _ place: String, unsupported: Bool, _ words: String,
            _ step: @autoclosure @escaping @Sendable () -> [String: Any]
        ) {
            self.step = step
            self.place = place
            isUnsupported = unsupported
            self.words = words
        }
    }

    private static func split(_ pattern: [String: Any], _ behavior: String = "Isolated") -> [String: Any] {
        ["type": "Split", "pattern": pattern, "behavior": behavior, "invert": false]
    }

    private static let refusals = [
        Refusal("", unsupported: true, "UnicodeScripts", ["type": "UnicodeScripts"]),
        Refusal("", unsupported: false, "\"type\" is missing", ["pattern": "a"]),
        Refusal(".behavior", unsupported: true, "MergedWithPrevious", split(["Regex": "a"], "Kept")),
        Refusal(".behavior", unsupported: true, "Contiguous", ["type": "Punctuation", "behavior": "isolated"]),
        Refusal(".pattern", unsupported: false, "\"String\" is missing", split(["Other": "a"])),
        Refusal(".pattern.Regex", unsupported: true, "a back-reference at character 4", split(["Regex": #"(a)\1"#])),
        Refusal(".pattern.Regex", unsupported: false, "never closed at character 2", split(["Regex": "a(b"])),
        Refusal("", unsupported: false, "\"replacement\" is missing", ["type": "Metaspace"]),
        Refusal(".replacement", unsupported: false, "single character", ["type": "Metaspace", "replacement": "ab"]),
        Refusal(
            ".prepend_scheme", unsupported: true, "always, first, never",
            ["type": "Metaspace", "replacement": "_", "prepend_scheme": "last"]),
        Refusal(
            "", unsupported: false, "prepend_scheme is always",
            ["type": "Metaspace", "replacement": "_", "add_prefix_space": false]),
        Refusal(".delimiter", unsupported: false, "single character", ["type": "CharDelimiterSplit", "delimiter": ""]),
        Refusal(".length", unsupported: false, "from 1 on", ["type": "FixedLength", "length": 0]),
    ]

    @Test("Every refusal names the place, what is there, and what is supported") func refusals() throws {
        for refusal in Self.refusals {
            let error = tokenizerError { _ = try loadPreTokenizer(refusal.step()) }
            let line = error.map(String.init(describing:)) ?? "no error"
            #expect(line.contains(refusal.words) && !line.contains("\n"), "\(line)")
            let place = "pre_tokenizer" + refusal.place
            switch error {
            case .malformed(_, place, _): #expect(!refusal.isUnsupported, "\(line)")
            case .unsupported(_, place, _, _):
                #expect(refusal.isUnsupported && line.contains("tools/export_activations.py"), "\(line)")
            default: Issue.record("expected a complaint about \(place): \(line)")
            }
        }
    }

    @Test("Metaspace behind ByteLevel is refused") func metaspaceBehindByteLevel() throws {
        let steps: [[String: Any]] = [["type": "ByteLevel"], ["type": "Metaspace", "replacement": "_"]]
        let error = tokenizerError { _ = try loadPreTokenizer(["type": "Sequence", "pretokenizers": steps]) }
        guard case .unsupported(_, "pre_tokenizer.pretokenizers[1]", "Metaspace behind ByteLevel", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
