import Foundation
import TestSupport
import Testing

/// `model` and `models` through the program.
@Suite struct ModelCommandTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func report(_ arguments: [String], status: Int32 = 0) throws -> [String: Any] {
        let outcome = try Program.run(["model"] + arguments + ["--format", "json"], in: directory)
        #expect(outcome.status == status, "\(outcome.errors)")
        return try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
    }

    @Test("A model's folder is described") func describesAFolder() throws {
        let report = try report([repositoryFile("Demo/model")])
        #expect(report["runs"] as? Bool == true && (report["problems"] as? [String])?.isEmpty == true)
        #expect(report["family"] as? String == "llama" && report["n_layers"] as? Int == 16)
        #expect(report["routed_layers"] as? [Int] == Array(3...11))
        #expect(report["d_model"] as? Int == 256 && report["n_positions"] as? Int == 512)
        #expect(report["chat_template"] as? Bool == false && report["has_logits"] as? Bool == true)
        #expect(try #require(report["tokens_per_second_reading"] as? Double) > 0)
        #expect(try #require(report["memory_bytes"] as? Int) > 4 * 12_067_072)
        let table = try Program.run(["model", repositoryFile("Demo/model")], in: directory)
        #expect(table.output.contains("routed_layers") && table.output.contains("3-11"))
    }

    @Test("Everything that would be refused is named, and the status says no") func namesProblems() throws {
        let model = directory.file("m")
        try FileManager.default.copyItem(atPath: fixture("models/gpt2"), toPath: model)
        let missing = try report(["m"], status: 1)
        #expect(missing["runs"] as? Bool == false && missing["family"] as? String == "gpt2")
        #expect((missing["problems"] as? [String])?.count == 1)
        #expect((missing["problems"] as? [String])?.first?.contains("tokenizer.json") == true)

        let path = URL(filePath: model + "/config.json")
        var settings = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: path)) as? [String: Any])
        settings["model_type"] = "mixtral"
        try JSONSerialization.data(withJSONObject: settings).write(to: path)
        let other = try report(["m"], status: 1)
        let problems = try #require(other["problems"] as? [String])
        #expect(problems.count == 2 && problems[0].contains("a mixture of experts"))
        #expect(other["family"] == nil)
    }

    @Test("Token ids are continued, and what was computed is written") func runsOnTokenIDs() throws {
        let model = fixture("models/gpt2")
        let golden = try SafetensorsHeader(path: model + "/golden.safetensors")
        let ids = golden.integers("token_ids")
        let arguments = [model, "--ids", ids.prefix(5).map(String.init).joined(separator: ","), "--tokens", "64"]
        let report = try report(arguments + ["--output", "o.safetensors"])
        let continuation = try #require(report["continuation"] as? [String: Any])
        #expect(continuation["prompt_ids"] as? [Int] == Array(ids.prefix(5)))
        #expect(continuation["ids"] as? [Int] == golden.integers("greedy_ids"))
        let written = try SafetensorsHeader(path: directory.file("o.safetensors"))
        #expect(written.shapes["residual"] == [3, 5, 36] && written.shapes["logits"] == [5, 97])
        #expect(written.integers("token_ids") == Array(ids.prefix(5)))

        let again = try Program.run(["model"] + arguments + ["--output", "o.safetensors"], in: directory)
        #expect(again.status == 73 && again.errors.contains("o.safetensors"))
        let beyond = try Program.run(["model", model, "--ids", "5,97"], in: directory)
        #expect(beyond.status == 65 && beyond.errors.contains("token 97"))
    }

    @Test("A text is continued as the ids of its tokens are, and texts are encoded") func runsOnText() throws {
        try #"["And the king", ""]"#.write(toFile: directory.file("t.json"), atomically: true, encoding: .utf8)
        let demo = repositoryFile("Demo/model")
        let report = try report([demo, "--continue", "And the king", "--tokens", "4", "--encode", "t.json"])
        let continuation = try #require(report["continuation"] as? [String: Any])
        let read = try #require(continuation["prompt_ids"] as? [Int])
        let encodings = try #require(report["encodings"] as? [[String: Any]])
        #expect(encodings.map { $0["ids"] as? [Int] } == [read, [read[0]]])
        #expect(encodings[0]["decoded"] as? String == "<|begin_of_text|>And the king")
        let added = try #require(continuation["ids"] as? [Int])
        #expect(added.count == 4 && (continuation["text"] as? String)?.isEmpty == false)
        let byIDs = try self.report([
            demo, "--ids", read.map(String.init).joined(separator: ","), "--tokens", "4",
        ])
        #expect((byIDs["continuation"] as? [String: Any])?["ids"] as? [Int] == added)
    }

    @Test(
        "Wrong usage has one line and status 64",
        arguments: [
            ["--ids", "1,x"], ["--ids", "-1"], ["--tokens", "-1"], ["--continue", "a", "--ids", "1"],
            ["--output", "o.safetensors"], ["--ids", ""],
        ])
    func wrongUsage(_ arguments: [String]) throws {
        let outcome = try Program.run(["model", repositoryFile("Demo/model")] + arguments, in: directory)
        #expect(outcome.status == 64, "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
    }

    @Test("Every family and form of tokenizer is listed") func listsModels() throws {
        let outcome = try Program.run(["models", "--format", "json"], in: directory)
        let rows = try #require(try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]])
        let families = rows.filter { $0["kind"] as? String == "family" }.compactMap { $0["name"] as? String }
        for family in ["llama", "gpt2", "gpt_neox", "gemma2", "gemma3_text", "olmo2", "phi3", "smollm3", "granite"] {
            #expect(families.contains(family))
        }
        let kinds = Set(rows.compactMap { $0["kind"] as? String })
        #expect(kinds.isSuperset(of: ["activation", "position scaling", "tokenizer model", "decoder", "weights"]))
    }
}

/// The header and the whole numbers of a safetensors file, read without the product.
private struct SafetensorsHeader {
    let shapes: [String: [Int]]
    private let ranges: [String: [Int]]
    private let data: Data

    init(path: String) throws {
        let bytes = try Data(contentsOf: URL(filePath: path))
        let length = bytes.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any] ?? [:]
        let tensors = header.compactMapValues { $0 as? [String: Any] }
        shapes = tensors.compactMapValues { $0["shape"] as? [Int] }
        ranges = tensors.compactMapValues { $0["data_offsets"] as? [Int] }
        data = Data(bytes[(8 + length)...])
    }

    func integers(_ name: String) -> [Int] {
        guard let range = ranges[name] else { return [] }
        let bytes = [UInt8](data[range[0]..<range[1]])
        return stride(from: 0, to: bytes.count, by: 8).map { first in
            (0..<8).reduce(0) { $0 | Int(bytes[first + $1]) << (8 * $1) }
        }
    }
}
