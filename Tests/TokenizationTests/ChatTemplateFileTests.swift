import Foundation
import TestSupport
import Testing
import Tokenization

/// The source of a chat template.
@Suite struct ChatTemplateFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: fixture("tokenizers/llama3/tokenizer.json"), toPath: directory.file("tokenizer.json"))
    }

    private func tokenizer() throws -> Tokenizer { try Tokenizer(directory: directory.path) }

    private func write(_ text: String, to name: String) throws {
        try text.write(toFile: directory.file(name), atomically: true, encoding: .utf8)
    }

    @Test("A separate template file takes precedence") func aFileOfItsOwnWins() throws {
        #expect(try tokenizer().chatTemplate == nil)
        try write("{\"chat_template\": \"in the configuration\"}", to: "tokenizer_config.json")
        #expect(try tokenizer().chatTemplate == "in the configuration")
        try write("in a file\n", to: "chat_template.jinja")
        #expect(try tokenizer().chatTemplate == "in a file\n")
        try FileManager.default.removeItem(atPath: directory.file("tokenizer_config.json"))
        #expect(try tokenizer().chatTemplate == "in a file\n")
        try Data([0xFF, 0x41]).write(to: URL(filePath: directory.file("chat_template.jinja")))
        #expect(throws: TokenizerError.self) { try tokenizer() }
    }

    /// Transformers hands them to templates by these names.
    @Test func namesOfSpecialTokens() throws {
        #expect(try tokenizer().specialTokenNames.isEmpty)
        try write(
            """
            {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "unk_token": null, "mask_token": "<m>",
             "image_token": "<i>"}
            """, to: "tokenizer_config.json")
        #expect(try tokenizer().specialTokenNames == ["bos_token": "<s>", "eos_token": "</s>", "mask_token": "<m>"])
    }
}
