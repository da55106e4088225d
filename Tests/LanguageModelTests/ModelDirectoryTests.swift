import Foundation
import LanguageModel
import TestSupport
import Testing

/// Common mistakes.
@Suite struct ModelDirectoryTests {
    private static let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4976698672\n"
    private static let config = #"{"model_type":"llama"}"#

    /// Files by their names, and the expected message.
    struct Folder: Sendable {
        let files: [String: String]
        let parts: [String]

        init(_ files: [String: String], _ parts: String...) {
            self.files = files
            self.parts = parts
        }
    }

    static let folders = [
        Folder(["config.json": pointer, "model.safetensors": ""], "config.json: ", "Git LFS pointer", "git lfs pull"),
        Folder(["config.json": config, "model.safetensors": pointer], "model.safetensors: ", "git lfs pull"),
        Folder(
            ["config.json": config, "tokenizer.json": pointer, "model.safetensors": ""], "tokenizer.json: ",
            "git lfs pull"),
        Folder(
            [
                "config.json": config, "model.safetensors.index.json": #"{"weight_map":{}}"#,
                "model-00001-of-00002.safetensors": pointer,
            ], "model-00001-of-00002.safetensors: ", "git lfs pull"),
        Folder(["config.json": config, "pytorch_model.bin": "x"], "\"pytorch_model.bin\"", "save_pretrained"),
        Folder(["config.json": config, "pytorch_model-00001-of-00002.bin": "x"], "pytorch_model-00001", "safetensors"),
        Folder(["config.json": config, "consolidated.00.pth": "x"], "consolidated.00.pth"),
        Folder(["config.json": config, "consolidated.safetensors": "x"], "consolidated.safetensors", "vendor"),
        Folder(["params.json": "{}", "consolidated.00.pth": "x"], "consolidated.00.pth"),
        Folder(["config.json": config, "tf_model.h5": "x"], "tf_model.h5"),
        Folder(["adapter_config.json": "{}", "adapter_model.safetensors": "x"], "adapter", "merge"),
        Folder(
            [
                "config.json": config, "adapter_config.json": #"{"base_model_name_or_path":"org/base"}"#,
                "adapter_model.safetensors": "x",
            ], "adapter", "\"org/base\"", "merge_and_unload"),
        Folder(["model-q4_k_m.gguf": "x"], "GGUF", "llama.cpp"),
        Folder(["config.json": config, "x.gguf": "x"], "GGUF"),
        Folder(
            [
                "config.json": #"{"quantization_config":{"quant_method":"awq","bits":4}}"#, "model.safetensors": "x",
            ], "quantised", "\"awq\"", "bf16"),
        Folder(
            ["config.json": #"{"quantization_config":{"load_in_4bit":true}}"#, "model.safetensors": "x"], "quantised"),
        Folder(
            ["config.json": #"{"quantization":{"bits":4,"group_size":64}}"#, "model.safetensors": "x"], "quantised"),
        Folder(["llama/config.json": config, "README.md": "x"], "/llama", "name"),
        Folder(["a/config.json": config, "b/config.json": config], "/a, ", "/b", "one of them"),
        Folder(["refs/main": "x", "snapshots/abc/config.json": config], "snapshots/abc"),
        Folder(["config.json": config, "model-00001-of-00002.safetensors": "x"], "index"),
        Folder(["config.json": config, "weights.safetensors": "x"], "weights.safetensors", "rename"),
        Folder(["config.json": config, "model.onnx": "x"], "ONNX"),
    ]

    private func write(_ files: [String: String]) throws -> TemporaryDirectory {
        let directory = try TemporaryDirectory()
        for (name, content) in files {
            let url = URL(filePath: directory.file(name))
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(content.utf8).write(to: url)
        }
        return directory
    }

    @Test("A wrong folder is named, with what to do", arguments: folders.indices)
    func isNamedWithWhatToDo(_ index: Int) throws {
        let folder = Self.folders[index]
        let directory = try write(folder.files)
        let error = #expect(throws: LanguageModelError.self) { try ModelDirectory.check(directory.path) }
        let line = error.map { "\($0)" } ?? ""
        guard case .notAModel? = error else {
            Issue.record("expected another thing than a model: \(line)")
            return
        }
        #expect(line.hasPrefix(directory.path) && !line.contains("\n"))
        for part in folder.parts { #expect(line.contains(part), "\(line)") }
    }

    @Test func aModelIsAccepted() throws {
        for extra in [
            [:], ["adapter_config.json": "{}"], ["pytorch_model.bin": "x"], ["consolidated.safetensors": "x"],
            ["config.json": #"{"quantization_config":null}"#],
            ["config.json": #"{"quantization_config":{"load_in_4bit":false,"load_in_8bit":false}}"#],
        ] {
            let files = ["config.json": Self.config, "model.safetensors": "x"].merging(extra) { $1 }
            let directory = try write(files)
            #expect(throws: Never.self) { try ModelDirectory.check(directory.path) }
        }
    }

    @Test func aMissingTokenizerIsNamed() throws {
        let directory = try write(["tokenizer.model": "x"])
        let error = #expect(throws: LanguageModelError.self) { try ModelDirectory.checkTokenizer(directory.path) }
        let line = error.map { "\($0)" } ?? ""
        #expect(line.contains("no tokenizer.json, only tokenizer.model") && line.contains("save_pretrained"), "\(line)")
    }

    @Test("Hostile names are shortened") func hostileNamesAreShort() throws {
        let name = "q" + String(repeating: "x", count: 200) + ".gguf"
        let directory = try write([name: "x"])
        let error = #expect(throws: LanguageModelError.self) { try ModelDirectory.check(directory.path) }
        #expect("\(error.map { "\($0)" } ?? "")".count < directory.path.count + 250)
    }
}
