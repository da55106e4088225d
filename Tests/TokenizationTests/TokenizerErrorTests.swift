import Foundation
import TestSupport
import Testing
import Tokenization

struct TokenizerErrorTests {
    private let directory: TemporaryDirectory
    private var path: String { directory.file("tokenizer.json") }

    init() throws { directory = try TemporaryDirectory() }

    private func error(_ bytes: [UInt8]) throws -> TokenizerError? {
        try Data(bytes).write(to: URL(filePath: path))
        return tokenizerError { _ = try Tokenizer(file: path) }
    }

    /// Errors of a file: the position, and whether it is malformed or only unsupported.
    private func expectRefusal(
        at element: String, unsupported: Bool, sourceLocation: SourceLocation = #_sourceLocation,
        _ change: (inout TokenizerFile) -> Void
    ) throws {
        var file = TokenizerFile()
        change(&file)
        let error = try error(file.json)
        let line = error.map(String.init(describing:)) ?? "no error"
        #expect(line.hasPrefix(path + ": ") && !line.contains("\n"), "\(line)", sourceLocation: sourceLocation)
        switch error {
        case .malformed(path, element, _): #expect(!unsupported, "\(line)", sourceLocation: sourceLocation)
        case .unsupported(path, element, _, _): #expect(unsupported, "\(line)", sourceLocation: sourceLocation)
        default: Issue.record("expected a complaint about \(element): \(line)", sourceLocation: sourceLocation)
        }
    }

    @Test func theUnchangedFileIsAccepted() throws {
        #expect(try error(TokenizerFile().json) == nil)
    }

    @Test func tellsMissingFromUnreadable() throws {
        #expect(throws: TokenizerError.missing(path: path)) { try Tokenizer(file: path) }
        #expect(throws: TokenizerError.missing(path: directory.path + "/tokenizer.json")) {
            try Tokenizer(directory: directory.path)
        }
        guard case .unreadable(directory.path, _) = tokenizerError({ _ = try Tokenizer(file: directory.path) }) else {
            Issue.record("a directory was not refused as unreadable")
            return
        }
    }

    @Test func refusesOtherKindsOfModel() throws {
        try expectRefusal(at: "model.type", unsupported: true) { $0.model["type"] = "Unigram" }
        try expectRefusal(at: "model.type", unsupported: true) { $0.model["type"] = "Morphemes" }
        try expectRefusal(at: "model.byte_fallback", unsupported: true) {
            $0.model["byte_fallback"] = true
            $0.vocabulary["\u{100}"] = nil
        }
        try expectRefusal(at: "model.dropout", unsupported: true) { $0.model["dropout"] = 0.1 }
        for zero: Any in [0, 0.0] {
            var file = TokenizerFile()
            file.model["dropout"] = zero
            #expect(try error(file.json) == nil)
        }
        try expectRefusal(at: "model.end_of_word_suffix", unsupported: true) { $0.model["end_of_word_suffix"] = "</w>" }
        try expectRefusal(at: "model.continuing_subword_prefix", unsupported: true) {
            $0.model["continuing_subword_prefix"] = "##"
        }

        var file = TokenizerFile()
        file.model = ["type": NSNull(), "dropout": NSNull(), "end_of_word_suffix": "", "byte_fallback": false]
        #expect(try error(file.json) == nil)
    }

    @Test func refusesOtherComponents() throws {
        func document(_ name: String, _ value: Any) -> (inout TokenizerFile) -> Void { { $0.document[name] = value } }
        try expectRefusal(at: "normalizer", unsupported: true, document("normalizer", ["type": "NFX"]))
        try expectRefusal(
            at: "normalizer.normalizers[1]", unsupported: true,
            document(
                "normalizer",
                ["type": "Sequence", "normalizers": [["type": "NFC"], ["type": "Uppercase"]]] as [String: Any])
        )
        try expectRefusal(at: "decoder", unsupported: true, document("decoder", ["type": "Reverse"]))
        try expectRefusal(
            at: "post_processor", unsupported: true, document("post_processor", ["type": "OtherProcessing"]))
    }

    @Test func refusesVocabulariesThatAreNone() throws {
        for id: Any in [-1, 1 << 24, 1 << 40, 1.5, "7", NSNull(), 1e300] {
            try expectRefusal(at: "model.vocab", unsupported: false) { $0.vocabulary["zz"] = id }
        }
        try expectRefusal(at: "model.vocab", unsupported: false) { $0.vocabulary["zz"] = 97 }
        try expectRefusal(at: "model.vocab", unsupported: false) { $0.vocabulary["\u{4E2D}"] = 300 }
        try expectRefusal(at: "model.vocab", unsupported: false) { $0.vocabulary["a b"] = 300 }
        try expectRefusal(at: "model.vocab[0]", unsupported: false) { $0.model["vocab"] = [1, 2] }
        try expectRefusal(at: "model.vocab", unsupported: false) { $0.model["vocab"] = [["a", 1]] }
        try expectRefusal(at: "model", unsupported: false) { $0.model["vocab"] = NSNull() }
        try expectRefusal(at: "the document", unsupported: false) { $0.document["model"] = NSNull() }
        // What is an added token as well need not be made of bytes.
        var file = TokenizerFile()
        file.vocabulary["<\u{4E2D}>"] = 256
        file.addedTokens = [["id": 256, "content": "<\u{4E2D}>", "special": true]]
        #expect(try error(file.json) == nil)
    }

    @Test func refusesMergesThatAreNone() throws {
        for merge: Any in ["ab", "a b c", "a", "", 7, ["a"], ["a", "b", "c"], ["a", 1], "a  b"] {
            try expectRefusal(at: "model.merges[1]", unsupported: false) {
                $0.addToVocabulary("ab")
                $0.merges = ["a b", merge]
            }
        }
        for merge in ["a c", "a zz", "zz a", "\u{4E2D} a"] {
            try expectRefusal(at: "model.merges[0]", unsupported: false) { $0.merges = [merge] }
        }
        try expectRefusal(at: "model.merges", unsupported: false) { $0.model["merges"] = "a b" }
        try expectRefusal(at: "model", unsupported: false) { $0.model["merges"] = NSNull() }
        var file = TokenizerFile()
        file.merges = ["#version: 0.2"]
        #expect(try error(file.json) == nil)
    }

    @Test func refusesAddedTokensThatAreNone() throws {
        for id: Any in [-1, 1 << 24, "1", 1.5] {
            try expectRefusal(at: "added_tokens[0].id", unsupported: false) { $0.add("<x>", ["id": id]) }
        }
        try expectRefusal(at: "added_tokens[0]", unsupported: false) { $0.addedTokens = [["id": 256]] }
        try expectRefusal(at: "added_tokens[0].special", unsupported: false) { $0.add("<x>", ["special": "yes"]) }
        try expectRefusal(at: "added_tokens[1]", unsupported: false) {
            $0.add("<x>"); $0.add("<x>")
        }
        try expectRefusal(at: "added_tokens[1]", unsupported: false) {
            $0.add("<x>", ["id": 256])
            $0.add("<y>", ["id": 256])
        }
        // Its name is the byte 0x61, which has another id; its id is that of another token.
        try expectRefusal(at: "added_tokens[0]", unsupported: false) { $0.add("a", ["id": 300]) }
        try expectRefusal(at: "added_tokens[0]", unsupported: false) { $0.add("<x>", ["id": 97]) }
        try expectRefusal(at: "added_tokens", unsupported: false) { $0.document["added_tokens"] = ["a": 1] }
    }

    @Test func refusesTemplatesThatAreNone() throws {
        func template(_ single: [[String: Any]], _ ids: [Int]) -> (inout TokenizerFile) -> Void {
            {
                $0.document["post_processor"] =
                    ["type": "TemplateProcessing", "single": single, "special_tokens": ["<s>": ["ids": ids]]]
                    as [String: Any]
            }
        }

        let text: [String: Any] = ["Sequence": ["id": "A"]]
        let single = "post_processor.single"
        try expectRefusal(at: single, unsupported: false, template([], []))
        try expectRefusal(at: single + "[1]", unsupported: true, template([text, text], []))
        try expectRefusal(at: single + "[0]", unsupported: true, template([["Sequence": ["id": "B"]]], []))
        try expectRefusal(
            at: single + "[0].SpecialToken.id", unsupported: false, template([["SpecialToken": ["id": "<t>"]]], []))
        try expectRefusal(at: single + "[0]", unsupported: false, template([["Other": 1]], []))
        try expectRefusal(
            at: "post_processor.special_tokens.<s>.ids[0]", unsupported: false,
            template([["SpecialToken": ["id": "<s>"]], text], [900])
        )
        try expectRefusal(
            at: "post_processor.special_tokens.<s>.ids[0]", unsupported: false,
            template([["SpecialToken": ["id": "<s>"]], text], [-1])
        )
    }

    @Test(
        "Malformed JSON is refused",
        arguments: [
            "", "{", "{}x", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "[1,]", "{\"a\" 1}", "{a:1}", "nul", "\"\\ud800\"",
            "\"\\udc00\\ud800\"",
            "\"\\x\"", "\"\n\"", "\"", "01", "-", "1.", "1e", "+1", ".5", "\u{FEFF}{}", "{\"a\":1}}", "\"\\u12\"",
            String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
        ])
    func refusesWhatIsNoJSON(_ text: String) throws {
        guard case .malformed(path, "the document", let reason) = try error(Array(text.utf8)) else {
            Issue.record("\(text.prefix(40)) was not refused")
            return
        }
        #expect(reason.contains("expected at byte"), "\(reason)")
    }

    @Test func refusesWhatIsNotUTF8() throws {
        let error = try error([0x7B, 0xFF, 0x7D])
        #expect(error == .malformed(path: path, element: "the document", reason: "UTF-8 expected at byte 0"))
    }

    /// Every value that JSON has, in an unused position.
    @Test("Unused parts may be any JSON") func acceptsAllJSON() throws {
        let values =
            #"[0, -0, 1.5, -2.5E-3, 1e+9, 99999999999999999999, true, false, null, "\"\\\/\b\f\n\r\t\u0041\ud83d\ude42", {}, []]"#
        let json =
            "{\"unread\": \(values),\r\n\t " + String(decoding: try TokenizerFile().json.dropFirst(), as: UTF8.self)
        #expect(try error(Array(json.utf8)) == nil)
    }

    @Test func escapesInNamesAreResolved() throws {
        var file = TokenizerFile()
        file.add("<\u{1F642}\">", special: true)
        let json = String(decoding: try file.json, as: UTF8.self)
            .replacing("<\u{1F642}\\\">", with: #"\u003c\ud83d\uDE42\u0022\u003E"#)
        #expect(json.contains(#"\uDE42"#))
        try Data(json.utf8).write(to: URL(filePath: path))
        #expect(try Tokenizer(file: path).text(of: 256) == "<\u{1F642}\">")
    }

    /// No cut and no flipped bit may crash; what still loads must work.
    @Test("Damage is refused or harmless") func damageIsRefusedOrHarmless() throws {
        var file = TokenizerFile()
        let bytes = Set("a b\u{E9}<x>".utf8)
        file.vocabulary = file.vocabulary.filter { entry in
            bytes.contains { TokenizerFile.alphabet[Int($0)] == entry.key }
        }
        for (id, key) in file.vocabulary.keys.sorted().enumerated() { file.vocabulary[key] = id }
        file.addToVocabulary("ab")
        file.merges = ["a b"]
        let id = file.add("<x>", special: true, ["lstrip": true])
        file.document["normalizer"] = ["type": "NFC"]
        file.document["post_processor"] =
            [
                "type": "TemplateProcessing",
                "single": [["SpecialToken": ["id": "<x>"]], ["Sequence": ["id": "A"]]],
                "special_tokens": ["<x>": ["ids": [id]]],
            ] as [String: Any]
        let json = try file.json
        #expect(try error(json) == nil)
        for count in json.indices { #expect(try error(Array(json[..<count])) != nil) }
        var loaded = 0
        for position in json.indices {
            for mask: UInt8 in [0x01, 0x20, 0x80] {
                var damaged = json
                damaged[position] ^= mask
                try Data(damaged).write(to: URL(filePath: path))
                guard let tokenizer = try? Tokenizer(file: path) else { continue }
                loaded += 1
                let ids = tokenizer.encode("ab <x>\u{E9} ba")
                #expect(ids.allSatisfy { $0 >= 0 && Int($0) < tokenizer.vocabularySize })
                _ = tokenizer.decode(ids)
            }
        }
        #expect(loaded > 0 && loaded < json.count * 3)
    }
}
