import Foundation
import TestSupport
import Testing

/// Model folders as found in practice, through the program.
@Suite struct ModelFolderCommandTests {
    private let directory: TemporaryDirectory
    private var model: String { directory.file("model") }

    init() throws {
        directory = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: fixture("cases/tiny"), toPath: directory.file("model"))
        try "the king".write(toFile: directory.file("a.txt"), atomically: true, encoding: .utf8)
    }

    /// The tokens fed to the model, from the output of `activations`; the message if it fails.
    private func tokens(_ text: String = "the king", model name: String = "model") throws -> (
        status: Int32, tokens: [Int], line: String
    ) {
        try text.write(toFile: directory.file("a.txt"), atomically: true, encoding: .utf8)
        let outcome = try Program.run(
            [
                "activations", "--model", name, "--text", "a.txt", "--layers", "0,2", "--output", "o.safetensors",
                "--force",
                "--quiet",
            ], in: directory)
        guard outcome.status == 0 else { return (outcome.status, [], outcome.errors) }
        let bytes = try Data(contentsOf: URL(filePath: directory.file("o.safetensors")))
        let length = bytes.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any])
        let range = try #require((header["token_ids"] as? [String: Any])?["data_offsets"] as? [Int])
        let data = [UInt8](bytes[(8 + length + range[0])..<(8 + length + range[1])])
        let ids = stride(from: 0, to: data.count, by: 8).map { Int(data[$0]) | Int(data[$0 + 1]) << 8 }
        return (0, ids, outcome.errors)
    }

    private func change(_ name: String, _ body: (inout [String: Any]) -> Void) throws {
        let url = URL(filePath: model + "/" + name)
        var object = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [String: Any])
        body(&object)
        try JSONSerialization.data(withJSONObject: object).write(to: url)
    }

    /// What transformers 5.24 gives for "the king" and for the tokens that only tokenizer_config.json has.
    @Test("Tokens equal those of transformers") func tokensAreThoseOfTransformers() throws {
        let king = [85, 260, 222, 76, 273, 72]
        #expect(try tokens().tokens == [0] + king)
        try change("tokenizer_config.json") { $0["add_eos_token"] = false }
        #expect(try tokens().tokens == [0] + king)
        try change("tokenizer_config.json") {
            $0["add_bos_token"] = false
            $0["added_tokens_decoder"] = [
                "330": ["content": "<|im_start|>", "special": true], "331": ["content": "<|im_end|>", "special": true],
            ]
        }
        #expect(try tokens("<|im_start|>the king<|im_end|>").tokens == [0, 330] + king + [331])
    }

    @Test("A token without a row is refused when it occurs") func aTokenWithoutARowIsJudgedWhenItOccurs() throws {
        try change("tokenizer_config.json") {
            $0["added_tokens_decoder"] = Dictionary(
                uniqueKeysWithValues: (330...336).map {
                    ("\($0)", ["content": "<t\($0)>", "special": true] as [String: Any])
                })
        }
        #expect(try tokens().status == 0)
        #expect(try tokens("the <t335> king").tokens.contains(335))
        let beyond = try tokens("the <t336> king")
        #expect(beyond.status == 65 && beyond.line.contains("token 336"), "\(beyond.line)")
    }

    @Test("What a tokenizer asks for beyond what is supported is named") func otherKindsOfTokenizerAreNamed() throws {
        try change("tokenizer.json") { $0["pre_tokenizer"] = ["type": "UnicodeScripts"] }
        let refused = try tokens()
        #expect(refused.status == 65, "\(refused.line)")
        #expect(refused.line.contains("UnicodeScripts") && refused.line.contains("tools/export_activations.py"))
    }

    @Test("A folder that is not a model is named") func whatIsNotAModelIsNamed() throws {
        let hub = try tokens(model: "org/name")
        #expect(hub.status == 66 && hub.line.contains("hf download org/name"), "\(hub.line)")
        let url = try tokens(model: "https://huggingface.co/org/name-1.5B")
        #expect(url.status == 66 && url.line.contains("hf download org/name-1.5B"), "\(url.line)")
        let missing = try tokens(model: "./org/name")
        #expect(missing.status == 66 && !missing.line.contains("hf download"), "\(missing.line)")
        let file = try tokens(model: "model/model.safetensors")
        #expect(file.status == 65 && file.line.contains("is a file; name the folder of the model, such as model"))
        let high = try tokens(model: ".")
        #expect(high.status == 65 && high.line.contains("name ./model"), "\(high.line)")
        try FileManager.default.moveItem(atPath: model + "/model.safetensors", toPath: model + "/pytorch_model.bin")
        let pickle = try tokens()
        #expect(pickle.status == 65 && pickle.line.contains("pytorch_model.bin"), "\(pickle.line)")
        for line in [hub, url, missing, file, high, pickle].map(\.line) {
            #expect(line.split(separator: "\n").count == 1, "\(line)")
        }
    }

    /// All tasks with a model that has no unembedding, except logits.
    @Test func aModelWithoutUnembedding() throws {
        let url = URL(filePath: model + "/model.safetensors")
        var bytes = [UInt8](try Data(contentsOf: url))
        // Renamed, the head is a tensor that nothing reads.
        let name = Array("\"lm_head.weight\"".utf8)
        let place = try #require(
            (0..<bytes.count - name.count).first { bytes[$0..<$0 + name.count].elementsEqual(name) })
        bytes.replaceSubrange(place..<place + name.count, with: Array("\"xx_head.weight\"".utf8))
        try Data(bytes).write(to: url)
        #expect(try tokens().status == 0)
        func run(_ arguments: String...) throws -> Program.Outcome {
            try Program.run(arguments + ["--quiet"], in: directory)
        }

        let text = fixture("cases/a.jsonl")
        let train = try run(
            "train", "c.sqlite", "--model", "model", "--text", text, "--layers", "0-1", "--latents", "32", "--k", "2",
            "--steps", "2", "--batch-tokens", "256")
        #expect(train.status == 0, "\(train.errors)")
        let index = try run("index", "c.sqlite", "--model", "model", "--text", text)
        #expect(index.status == 0, "\(index.errors)")
        for arguments in [
            ["evaluate", "c.sqlite"], ["steer", "c.sqlite", "--feature", "0", "--set", "1", "--prompt", "the"],
        ] {
            let refused = try Program.run(arguments + ["--model", "model"], in: directory)
            #expect(refused.status == 65 && refused.errors.contains("lm_head.weight"), "\(refused.errors)")
        }
    }

    @Test func anotherTokenizerIsRefused() throws {
        let text = fixture("cases/a.jsonl")
        let train = try Program.run(
            [
                "train", "c.sqlite", "--model", "model", "--text", text, "--layers", "0-1", "--latents", "32", "--k",
                "2",
                "--steps", "2", "--batch-tokens", "256", "--quiet",
            ], in: directory)
        #expect(train.status == 0, "\(train.errors)")
        try FileManager.default.removeItem(atPath: model + "/tokenizer.json")
        try FileManager.default.copyItem(
            atPath: fixture("cases/other-tokenizer.json"), toPath: model + "/tokenizer.json")
        let index = try Program.run(["index", "c.sqlite", "--model", "model", "--text", text], in: directory)
        #expect(index.status == 77 && index.errors.contains("token 258 is \"jx\""), "\(index.errors)")
    }
}
