import Foundation
import TestSupport
import Testing
import Tokenization

/// Tokenizers whose files disagree about added tokens, against transformers on the same files
/// (tools/make_added_token_goldens.py).
struct AddedTokenFilesTests {
    private struct Goldens {
        let texts: [String]
        let cases: [[String: Any]]

        init(_ path: String) throws {
            let data = try Data(contentsOf: URL(filePath: path))
            let document = try JSONSerialization.jsonObject(with: data) as? [String: Any]
            texts = try #require(document?["texts"] as? [String])
            cases = try #require(document?["cases"] as? [[String: Any]])
        }
    }

    /// Writes a case's files to a directory of their own.
    private func write(_ example: [String: Any], to directory: TemporaryDirectory) throws {
        let base = try #require(example["base"] as? String)
        let layout = try Data(contentsOf: URL(filePath: fixture("tokenizers/\(base)/tokenizer.json")))
        let changes = example["changes"] as? [String: Any] ?? [:]
        if changes.isEmpty {
            try layout.write(to: URL(filePath: directory.file("tokenizer.json")))
        } else {
            var document = try #require(try JSONSerialization.jsonObject(with: layout) as? [String: Any])
            document.merge(changes) { $1 }
            try JSONSerialization.data(withJSONObject: document)
                .write(to: URL(filePath: directory.file("tokenizer.json")))
        }
        for (name, content) in example["files"] as? [String: Any] ?? [:] {
            try JSONSerialization.data(withJSONObject: content).write(to: URL(filePath: directory.file(name)))
        }
    }

    /// Set ROUTESAE_ADDED_TOKEN_GOLDENS to the path of a larger file to compare more.
    @Test func agreeWithTransformers() throws {
        let path = ProcessInfo.processInfo.environment["ROUTESAE_ADDED_TOKEN_GOLDENS"]
        let goldens = try Goldens(path ?? fixture("tokenizers/added-tokens.json"))
        #expect(goldens.cases.count >= 80)
        var refused = 0
        for example in goldens.cases {
            let name = example["name"] as? String ?? ""
            let directory = try TemporaryDirectory()
            try write(example, to: directory)
            if example["refused"] as? Bool == true {
                refused += 1
                let error = tokenizerError { _ = try Tokenizer(directory: directory.path) }
                guard case .malformed(_, _, let reason) = error, reason.contains("has id") else {
                    Issue.record("\(name): a token under another's id was not refused: \(String(describing: error))")
                    continue
                }
                continue
            }

            let tokenizer = try Tokenizer(directory: directory.path)
            for (number, text) in goldens.texts.enumerated() {
                let (ids, plain) = (example["ids"] as? [[Int]], example["ids_plain"] as? [[Int]])
                #expect(tokenizer.encode(text).map(Int.init) == ids?[number], "\(name): \(text)")
                #expect(
                    tokenizer.encode(text, addSpecialTokens: false).map(Int.init) == plain?[number], "\(name): \(text)")
            }
        }
        #expect(refused > 0)
    }

    @Test("A refusal names token and file") func aRefusalNamesTokenAndFile() throws {
        let directory = try TemporaryDirectory()
        try write(
            ["base": "llama3", "files": ["added_tokens.json": ["<x>": 700]] as [String: Any]], to: directory)
        let error = tokenizerError { _ = try Tokenizer(directory: directory.path) }
        #expect(
            error
                == .malformed(
                    path: directory.path + "/added_tokens.json", element: "<x>",
                    reason:
                        "token \"<x>\" has id 700; transformers gives new tokens the ids behind all that are there, "
                        + "and this one 606"))
    }
}
