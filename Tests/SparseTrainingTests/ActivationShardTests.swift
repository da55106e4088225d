import Safetensors
import SparseTraining
import TestSupport
import Testing

@Suite struct ActivationShardTests {
    @Test func opensWhatItDescribes() throws {
        let directory = try TemporaryDirectory()
        var file = ShardFile(tokenIDs: [7, 8, 9, 10, -1], documentIDs: [0, 0, 1, 1, 1 << 40])
        file.metadata["bos_token_id"] = "9"
        for dtype in [TensorDType.f32, .bf16, .f16] {
            file.dtype = dtype
            let shard = try ActivationShard(path: file.write(to: directory.file("\(dtype).safetensors")))
            #expect(shard.layers == [1, 4] && shard.dModel == 3 && shard.model == "m" && shard.bosTokenID == 9)
            #expect(shard.tokenIDs == [7, 8, 9, 10, -1] && shard.namesTokens)
            #expect(shard.documentIDs == [0, 0, 1, 1, 1 << 40])
            var row = Array(repeating: Float(-1), count: 7)
            try shard.read(row: 3, into: &row)
            #expect(row == [3, 3.0625, 3.125, 3.25, 3.3125, 3.375, -1])
        }
    }

    @Test func idsMayBeMissing() throws {
        let directory = try TemporaryDirectory()
        let shard = try ActivationShard(path: ShardFile().write(to: directory.file("a.safetensors")))
        #expect(shard.tokenIDs == [0, 0, 0, 0, 0] && shard.documentIDs == [0, 0, 0, 0, 0])
        #expect(!shard.namesTokens && shard.bosTokenID == nil)
    }

    @Test func layersComeFromTheHeaderOrFromTheCaller() throws {
        let directory = try TemporaryDirectory()
        for (index, text) in ["[1,4]", "1, 4", "1 4", "[1, 4]"].enumerated() {
            var file = ShardFile()
            file.metadata["layers"] = text
            #expect(try ActivationShard(path: file.write(to: directory.file("\(index)"))).layers == [1, 4])
        }
        var file = ShardFile()
        file.metadata["layers"] = nil
        let path = try file.write(to: directory.file("unnamed"))
        #expect(try ActivationShard(path: path, layers: [0, 7]).layers == [0, 7])
        for layers in [nil, [1], [1, 2, 3], [2, 1], [1, 1], [-1, 2]] as [[Int]?] {
            #expect(mismatch { try ActivationShard(path: path, layers: layers) }?.contains("--layers") == true)
        }
    }

    /// What a mismatch says; nil for no error or another.
    private func mismatch(_ open: () throws -> ActivationShard) -> String? {
        do {
            _ = try open()
            return nil
        } catch TrainingError.mismatch(_, let what) {
            return what
        } catch {
            return nil
        }
    }

    @Test(arguments: ["", "[]", "[1]", "[1,2,3]", "[4,1]", "[1,1]", "[-1,4]", "[1,x4y]2", "1-4", "[1.5]", "½,4"])
    func headerLayersThatDoNotFit(text: String) throws {
        let directory = try TemporaryDirectory()
        var file = ShardFile()
        file.metadata["layers"] = text
        let path = try file.write(to: directory.file("a"))
        #expect(mismatch { try ActivationShard(path: path, layers: [1, 4]) }?.contains("'\(text)'") == true)
    }

    @Test(arguments: [[30], [10, 3], [5, 2, 3, 1], [0, 2, 3], [5, 0, 3], [5, 2, 0], [5, 6, 1], []] as [[Int]])
    func malformedShapes(shape: [Int]) throws {
        let directory = try TemporaryDirectory()
        let path = try ShardFile(shape: shape).write(to: directory.file("a"))
        #expect(mismatch { try ActivationShard(path: path) }?.contains("\(shape)") == true)
    }

    @Test func idsThatDoNotFit() throws {
        let directory = try TemporaryDirectory()
        let short = try ShardFile(tokenIDs: [1, 2, 3]).write(to: directory.file("short"))
        #expect(mismatch { try ActivationShard(path: short) }?.contains("token_ids has 3 entries for 5") == true)
        let long = try ShardFile(documentIDs: [1, 2, 3, 4, 5, 6]).write(to: directory.file("long"))
        #expect(mismatch { try ActivationShard(path: long) }?.contains("document_ids has 6 entries") == true)
        let large = try ShardFile(tokenIDs: [1, 2, 3, 4, 1 << 31]).write(to: directory.file("large"))
        #expect(mismatch { try ActivationShard(path: large) }?.contains("2147483648") == true)
    }

    @Test func filesThatAreNoShards() throws {
        let directory = try TemporaryDirectory()
        #expect(throws: SafetensorsError.missing(path: directory.file("none"))) {
            try ActivationShard(path: directory.file("none"))
        }
        let path = directory.file("other")
        let writer = try SafetensorsWriter(path: path, tensors: [(name: "other", dtype: .f32, shape: [1])])
        try writer.append("other", floats: [1])
        try writer.finish()
        #expect(throws: SafetensorsError.noSuchTensor(name: "activations", path: path)) {
            try ActivationShard(path: path)
        }
        let integers = directory.file("integers")
        let second = try SafetensorsWriter(
            path: integers, tensors: [(name: "activations", dtype: .i32, shape: [1, 1, 2])],
            metadata: ["layers": "[1]"])
        try second.append("activations", integers: [1, 2])
        try second.finish()
        // The type shows when rows are read, if not before.
        #expect(throws: SafetensorsError.self) {
            var row: [Float] = [0, 0]
            try ActivationShard(path: integers).read(row: 0, into: &row)
        }
    }
}
