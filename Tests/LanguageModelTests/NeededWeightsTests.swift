import Foundation
import LanguageModel
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

/// A task needs only the tensors it uses.
@Suite struct NeededWeightsTests {
    private static let batch = [[1, 2, 3], [4, 0]] as [[Int32]]

    private func open(_ directory: String, _ residency: WeightResidency) throws -> LanguageModel {
        try LanguageModel(directory: directory, workers: Workers(threads: 2), residency: residency)
    }

    private func streams(_ model: LanguageModel) throws -> [Float] {
        try model.residualStreams(of: TokenBatch(sequences: Self.batch), layers: [0, 1, 2]).values.elements
    }

    private func logits(_ model: LanguageModel) throws -> [Float] {
        try model.logits(of: TokenBatch(sequences: Self.batch)).elements
    }

    @Test("A bare decoder gives the same streams", arguments: [WeightResidency.resident, .streamed], [true, false])
    func aBareDecoderHasTheSameStreams(_ residency: WeightResidency, tied: Bool) throws {
        let whole = try ScratchModel(["tie_word_embeddings": tied])
        let expected = try open(whole.write(), residency)
        var bare = try ScratchModel(["tie_word_embeddings": tied])
        bare.tensors = [:]
        for (name, tensor) in whole.tensors where name != "lm_head.weight" {
            bare.tensors[String(name.trimmingPrefix("model."))] = tensor
        }

        let model = try open(bare.write(), residency)
        #expect(try streams(model) == streams(expected))
        #expect(model.hasUnembedding == tied)
        if tied { #expect(try logits(model) == logits(expected)) }
    }

    @Test(arguments: [WeightResidency.resident, .streamed])
    func logitsNeedAnUnembedding(_ residency: WeightResidency) throws {
        let whole = try ScratchModel()
        var other = whole
        other.tensors["lm_head.weight"] = nil
        let expected = try streams(open(whole.write(), residency))
        // The head of a reward model.
        other.tensors["score.weight"] = ([1, 24], [Float](repeating: .nan, count: 24))
        let model = try open(other.write(), residency)
        #expect(try streams(model) == expected)
        let missing = LanguageModelError.noUnembedding(
            name: "lm_head.weight", path: other.directory.file("model.safetensors"))
        #expect(throws: missing) { try model.checkUnembedding() }
        #expect(throws: missing) { try logits(model) }
        #expect(throws: missing) { try model.unembeddingRow(of: 0) }
        #expect(throws: missing) { try DecodingSession(model).append([1]) }
        #expect("\(missing)".contains("lm_head.weight") && !"\(missing)".contains("\n"))
        // One that is there has to be the right one.
        other.tensors["lm_head.weight"] = ([24, 50], [Float](repeating: 0, count: 24 * 50))
        let directory = try other.write()
        #expect(throws: LanguageModelError.self) { try open(directory, residency) }
    }

    /// Checkpoints hold a matrix that is used twice once, under either name.
    @Test func tiedWeightsMayHaveEitherName() throws {
        var scratch = try ScratchModel(["tie_word_embeddings": true])
        let expected = try logits(open(scratch.write(), .resident))
        scratch.tensors["lm_head.weight"] = scratch.tensors.removeValue(forKey: "model.embed_tokens.weight")
        #expect(try logits(open(scratch.write(), .resident)) == expected)
    }

    @Test("Rows of unused tokens may hold anything", arguments: [WeightResidency.resident, .streamed])
    func aRowThatIsNotUsedMayHoldAnything(_ residency: WeightResidency) throws {
        var scratch = try ScratchModel()
        let expected = try open(scratch.write(), residency)
        let (sound, full) = (try streams(expected), try logits(expected))
        for row in [7, 49] { scratch.tensors["model.embed_tokens.weight"]?.elements[row * 24 + 3] = .nan }
        let model = try open(scratch.write(), residency)
        #expect(try streams(model) == sound)
        #expect(try logits(model) == full)
        let path = scratch.directory.file("model.safetensors")
        #expect(
            throws: LanguageModelError.nonFiniteWeight(name: "model.embed_tokens.weight", path: path, element: 171)
        ) { try model.residualStreams(of: TokenBatch(sequences: [[1, 7]]), layers: [0]) }
        // Logits use every row of the unembedding, a list of some tokens only theirs.
        scratch.tensors["lm_head.weight"]?.elements[49 * 24] = .infinity
        let other = try open(scratch.write(), residency)
        #expect(try streams(other) == sound)
        let bad = LanguageModelError.nonFiniteWeight(name: "lm_head.weight", path: path, element: 49 * 24)
        #expect(throws: bad) { try logits(other) }
        var widened: Matrix?
        #expect(try other.unembedding.withRows(of: 0..<49, scratch: &widened) { $0[0].isFinite })
        #expect(throws: bad) { try other.unembedding.withRows(of: 40..<50, scratch: &widened) { _ in } }
    }

    /// Unused tensors beside the weights: other types, missing shards.
    @Test("Unused files are not checked") func whatNobodyReadsIsNotJudged() throws {
        let scratch = try ScratchModel()
        let expected = try streams(open(scratch.write(), .resident))
        let names = scratch.tensors.keys.sorted()
        var index: [String: String] = ["visual.weight": "model-9.safetensors"]
        for part in 0..<2 {
            let own = names.enumerated().filter { $0.offset % 2 == part }.map(\.element)
            let path = scratch.directory.file("model-\(part).safetensors")
            let writer = try SafetensorsWriter(
                path: path,
                tensors: own.map { (name: $0, dtype: .f32, shape: scratch.tensors[$0]?.shape ?? []) } + [
                    (name: "counter.\(part)", dtype: .i64, shape: [2]),
                    (name: "mask.\(part)", dtype: .bool, shape: [3]),
                ])
            for name in own { try writer.append(name, floats: scratch.tensors[name]?.elements ?? []) }
            try writer.append("counter.\(part)", integers: [1, -1])
            try writer.append("mask.\(part)", integers: [0, 1, 0])
            try writer.finish()
            for name in own + ["counter.\(part)", "nowhere.\(part)"] { index[name] = "model-\(part).safetensors" }
        }
        try FileManager.default.removeItem(atPath: scratch.directory.file("model.safetensors"))
        try JSONSerialization.data(withJSONObject: ["weight_map": index])
            .write(to: URL(filePath: scratch.directory.file("model.safetensors.index.json")))
        let model = try open(scratch.directory.path, .streamed)
        #expect(try streams(model) == expected)
        #expect(model.weightNames.count == names.count && model.weightPaths.count == 2)
    }

    @Test func swishIsSilu() throws {
        let scratch = try ScratchModel()
        let expected = try streams(open(scratch.write(), .resident))
        var other = scratch
        other.config["hidden_act"] = "swish"
        for key in ["attention_dropout", "resid_pdrop", "embd_pdrop"] { other.config[key] = 0.0 }
        #expect(try streams(open(other.write(), .resident)) == expected)
    }
}
