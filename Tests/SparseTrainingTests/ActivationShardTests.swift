import Foundation
import Safetensors
import SparseTraining
import TestSupport
import Testing

@Suite struct ActivationShardTests {
    @Test("A shard is read as its header describes") func opensWhatItDescribes() throws {
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
            #expect(mismatch { try ActivationShard(path: path, layers: layers) }?.contains("`layers`") == true)
        }
    }

    /// The text of a mismatch; nil for no error or another.
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
        let few = try ShardFile(isPrefix: [1, 0]).write(to: directory.file("few"))
        #expect(mismatch { try ActivationShard(path: few) }?.contains("is_prefix has 2 entries for 5") == true)
        let odd = try ShardFile(isPrefix: [1, 0, 2, 0, 0]).write(to: directory.file("odd"))
        #expect(mismatch { try ActivationShard(path: odd) }?.contains("is_prefix holds 2") == true)
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

    @Test(arguments: [TensorDType.f32, .bf16, .f16]) func readsRowsInAnyOrder(dtype: TensorDType) throws {
        let directory = try TemporaryDirectory()
        let file = ShardFile(rows: 9, dtype: dtype)
        let shard = try ActivationShard(path: file.write(to: directory.file("a")))
        let rows = [8, 0, 3, 3, 5]
        var values = Array(repeating: Float(-1), count: 40)
        try values.withUnsafeMutableBufferPointer { buffer in
            let start = try #require(buffer.baseAddress)
            // From the back, with two elements between them.
            try shard.read(rows.enumerated().map { place, row in (row, start + (4 - place) * 8) })
        }
        for (place, row) in rows.enumerated() {
            let expected = (0..<6).map { Float(row) + Float($0 / 3) / 4 + Float($0 % 3) / 16 }
            #expect(Array(values[(4 - place) * 8..<(4 - place) * 8 + 8]) == expected + [-1, -1])
        }
        try shard.read([])
        #expect(throws: SafetensorsError.self) {
            try values.withUnsafeMutableBufferPointer { try shard.read([(9, $0.baseAddress!)]) }
        }
        #expect(throws: SafetensorsError.self) {
            try values.withUnsafeMutableBufferPointer { try shard.read([(-1, $0.baseAddress!)]) }
        }
    }

    /// The error for a second shard that does not continue the first.
    private func disagreement(_ change: (inout ShardFile) -> Void) throws -> String? {
        let directory = try TemporaryDirectory()
        var file = ShardFile()
        file.metadata["model_sha256"] = "aaaaaaaaaaaaaaaaaaaa"
        file.metadata["bos_token_id"] = "1"
        let first = try ActivationShard(path: file.write(to: directory.file("first")))
        change(&file)
        let path = try file.write(to: directory.file("second"))
        let second = try ActivationShard(path: path)
        #expect(throws: Never.self) { try second.checkAgreement(with: second) }
        do { try second.checkAgreement(with: first) } catch {
            guard case .mismatch(let named, let what) = error else { return nil }
            #expect(named == path && what.hasSuffix("; train on activations of one model and the same layers"))
            return what.replacingOccurrences(of: first.path, with: "first").components(separatedBy: ";")[0]
        }
        return nil
    }

    @Test("Shards of different exports are refused") func shardsOfDifferentExportsAreTold() throws {
        #expect(try disagreement { $0.firstRow = 5 } == nil)
        #expect(
            try disagreement { $0.metadata["model"] = "n" } == "it holds activations of model \"n\", first of \"m\"")
        #expect(
            try disagreement { $0.metadata["model"] = nil } == "it holds activations of model (unnamed), first of \"m\""
        )
        #expect(
            try disagreement { $0.metadata["model_sha256"] = "bbbbbbbbbbbbbbbbbbbb" }
                == "it holds activations of model \"m\" with weights bbbbbbbbbbbb…, first with weights aaaaaaaaaaaa…")
        #expect(
            try disagreement { $0.metadata["layers"] = "[1,5]" } == "it holds layers [1, 5], first [1, 4]")
        #expect(try disagreement { $0.dModel = 4 } == "its residual streams have width 4, first 3")
        #expect(
            try disagreement {
                $0.layers = 3
                $0.metadata["layers"] = "[1,4,5]"
            } == "it holds layers [1, 4, 5], first [1, 4]")
        #expect(try disagreement { $0.metadata["bos_token_id"] = "2" } == "its BOS token is 2, first 1")
        #expect(try disagreement { $0.metadata["bos_token_id"] = nil } == "its BOS token is none, first 1")
        // A digest that one of them lacks says nothing; other words of the header do not matter.
        #expect(try disagreement { $0.metadata["model_sha256"] = nil } == nil)
        #expect(try disagreement { $0.metadata["shard"] = "1" } == nil)
        #expect(try disagreement { $0.dtype = .bf16 } == nil)
    }

    /// What `tools/make_activation_fixtures.py` says of the files that PyTorch made.
    private struct Expected: Decodable {
        struct Export: Decodable {
            let layers: [Int]
            let tokenIDs: [Int32]
            let documentIDs: [Int64]
            let rows: [Row]

            enum CodingKeys: String, CodingKey {
                case layers, rows
                case tokenIDs = "token_ids"
                case documentIDs = "document_ids"
            }
        }

        struct Row: Decodable {
            let row: Int
            let values: [[Float]]

            init(from decoder: any Decoder) throws {
                var pair = try decoder.unkeyedContainer()
                row = try pair.decode(Int.self)
                values = try pair.decode([[Float]].self)
            }
        }

        let decoder: Export
        let encoder: Export
    }

    @Test func readsWhatPyTorchWrote() throws {
        let json = try Data(contentsOf: URL(filePath: fixture("activations/expected.json")))
        let expected = try JSONDecoder().decode(Expected.self, from: json)
        let exports = [
            (
                expected.decoder, 40, ["decoder-00000-of-00002.safetensors", "decoder-00001-of-00002.safetensors"],
                "llama-untied", Int32(1)
            ),
            (expected.encoder, 24, ["encoder.safetensors"], "tiny-bert", nil),
        ]
        for (expected, dModel, files, model, bos) in exports {
            let shards = try files.map { try ActivationShard(path: fixture("activations/" + $0)) }
            for shard in shards {
                try shard.checkAgreement(with: shards[0])
                #expect(shard.layers == expected.layers && shard.dModel == dModel && shard.namesTokens)
                #expect(shard.model == model && shard.bosTokenID == bos && shard.modelSHA256?.count == 64)
            }
            #expect(shards.flatMap(\.tokenIDs) == expected.tokenIDs)
            #expect(shards.flatMap(\.documentIDs) == expected.documentIDs)
            #expect(expected.rows.count > 10)
            for wanted in expected.rows {
                var row = wanted.row
                let shard = try #require(
                    shards.first { shard in
                        if row < shard.tokenIDs.count { return true }
                        row -= shard.tokenIDs.count
                        return false
                    })
                let exact = wanted.values.flatMap { $0 }
                var stored = Array(repeating: Float(0), count: exact.count)
                try shard.read(row: row, into: &stored)
                // Half a unit in the last of bf16's eight bits, and what another order of summation makes of 0.
                for (a, b) in zip(stored, exact) { #expect(abs(a - b) <= abs(b) / 256 + 1e-5) }
            }
        }
    }
}
