import Foundation
import LanguageModel
import LinearAlgebra
import Safetensors
import TestSupport
import Testing

/// Checkpoints that do not fit their configuration.
@Suite struct WeightFileTests {
    private func error(_ scratch: ScratchModel, residency: WeightResidency = .automatic) throws -> LanguageModelError? {
        let directory = try scratch.write()
        do throws(LanguageModelError) {
            _ = try LanguageModel(directory: directory, workers: Workers(threads: 2), residency: residency)
            return nil
        } catch { return error }
    }

    @Test func missingFiles() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: LanguageModelError.missing(path: directory.file("config.json"))) {
            try LanguageModel(directory: directory.path, workers: Workers(threads: 1))
        }

        let scratch = try ScratchModel()
        try scratch.writeConfig()
        #expect(
            throws: LanguageModelError.weights(.missing(path: scratch.directory.file("model.safetensors")))
        ) { try LanguageModel(directory: scratch.directory.path, workers: Workers(threads: 1)) }
    }

    @Test("A missing tensor is named") func everyTensorIsNeeded() throws {
        let names = try ScratchModel(["attention_bias": true, "mlp_bias": true]).tensors.keys.sorted()
        #expect(names.count == 3 * 16 + 3)
        for name in names where name != "lm_head.weight" {
            var scratch = try ScratchModel(["attention_bias": true, "mlp_bias": true])
            scratch.tensors[name] = nil
            let path = scratch.directory.file("model.safetensors")
            #expect(try error(scratch) == .weights(.noSuchTensor(name: name, path: path)))
        }
    }

    @Test("A wrong shape is named") func everyShapeIsChecked() throws {
        for name in try ScratchModel(["model_type": "qwen3", "head_dim": 8]).tensors.keys.sorted() {
            var scratch = try ScratchModel(["model_type": "qwen3", "head_dim": 8])
            let tensor = try #require(scratch.tensors[name])
            var shape = tensor.shape
            shape[0] += 1
            scratch.tensors[name] = (shape, [Float](repeating: 0, count: shape.reduce(1, *)))
            let path = scratch.directory.file("model.safetensors")
            #expect(
                try error(scratch) == .tensorShape(name: name, path: path, expected: tensor.shape, found: shape))
        }
    }

    /// A transposed weight has as many elements as it should.
    @Test func transposedWeightsAreRefused() throws {
        var scratch = try ScratchModel()
        let name = "model.layers.1.mlp.down_proj.weight"
        scratch.tensors[name]?.shape.reverse()
        let path = scratch.directory.file("model.safetensors")
        #expect(
            try error(scratch) == .tensorShape(name: name, path: path, expected: [24, 40], found: [40, 24]))
    }

    @Test func moreLayersThanWeights() throws {
        var scratch = try ScratchModel()
        scratch.config["num_hidden_layers"] = 4
        let path = scratch.directory.file("model.safetensors")
        #expect(
            try error(scratch)
                == .weights(.noSuchTensor(name: "model.layers.3.input_layernorm.weight", path: path)))
    }

    @Test("Integer weights are refused") func integersAreNoWeights() throws {
        let scratch = try ScratchModel()
        let directory = try scratch.write()
        let path = scratch.directory.file("model.safetensors")
        let names = scratch.tensors.keys.sorted()
        let writer = try SafetensorsWriter(
            path: path,
            tensors: names.map { name in
                (name: name, dtype: name == "model.norm.weight" ? .i8 : .f32, shape: scratch.tensors[name]?.shape ?? [])
            }, overwrite: true)
        for name in names {
            let elements = scratch.tensors[name]?.elements ?? []
            if name == "model.norm.weight" {
                try writer.append(name, integers: elements.map { _ in 1 })
            } else {
                try writer.append(name, floats: elements)
            }
        }
        try writer.finish()
        #expect(
            throws: LanguageModelError.weights(
                .wrongDType(name: "model.norm.weight", path: path, expected: "F64, F32, F16 or BF16", found: .i8))
        ) { try LanguageModel(directory: directory, workers: Workers(threads: 1)) }
    }

    @Test func truncatedFilesAreRefused() throws {
        let scratch = try ScratchModel()
        let directory = try scratch.write()
        let path = scratch.directory.file("model.safetensors")
        let whole = try Data(contentsOf: URL(filePath: path))
        for count in [0, 7, 100, whole.count - 1] {
            try whole.prefix(count).write(to: URL(filePath: path))
            #expect {
                try LanguageModel(directory: directory, workers: Workers(threads: 1))
            } throws: { error in
                guard case .weights(.malformed(path: path, _))? = error as? LanguageModelError else { return false }
                return true
            }
        }
    }

    /// Weights are checked by the pass that needs them, so a pass that ends before a damaged layer does not see it.
    @Test(arguments: [WeightResidency.resident, .streamed])
    func nonFiniteWeightsAreNamed(_ residency: WeightResidency) throws {
        var scratch = try ScratchModel()
        let name = "model.layers.2.mlp.up_proj.weight"
        scratch.tensors[name]?.elements[77] = .infinity
        scratch.tensors[name]?.elements[500] = .nan
        let path = scratch.directory.file("model.safetensors")
        let expected = LanguageModelError.nonFiniteWeight(name: name, path: path, element: 77)
        let model = try LanguageModel(
            directory: scratch.write(), workers: Workers(threads: 2), residency: residency)
        let batch = try TokenBatch(sequences: [[1, 2]])
        #expect(try model.residualStreams(of: batch, layers: [0, 1]).values.elements.allSatisfy(\.isFinite))
        #expect(throws: expected) { try model.residualStreams(of: batch, layers: [2]) }
    }

    @Test(arguments: ["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"])
    func nonFiniteEndsOfTheModel(_ name: String) throws {
        var scratch = try ScratchModel()
        scratch.tensors[name]?.elements[23] = .nan
        let path = scratch.directory.file("model.safetensors")
        let directory = try scratch.write()
        for residency in [WeightResidency.resident, .streamed] {
            #expect(throws: LanguageModelError.nonFiniteWeight(name: name, path: path, element: 23)) {
                let model = try LanguageModel(directory: directory, workers: Workers(threads: 2), residency: residency)
                return try model.logits(of: TokenBatch(sequences: [[0, 1]]))
            }
        }
    }
}
