import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing

@Suite struct ShardActivationStreamTests {
    /// Two shards of 5 and 4 rows, numbered 0 … 8 by their activations; token ids 100 …, documents 200 ….
    private func shards(_ directory: TemporaryDirectory) throws -> [ActivationShard] {
        try [(0, 5), (5, 4)].map { first, rows in
            let file = ShardFile(
                rows: rows, firstRow: first, tokenIDs: (first..<first + rows).map { Int64(100 + $0) },
                documentIDs: (first..<first + rows).map { Int64(200 + $0) })
            return try ActivationShard(path: file.write(to: directory.file("\(first).safetensors")))
        }
    }

    /// The rows of the next batch, all of their numbers checked against each other.
    private func rows(_ stream: ShardActivationStream, _ capacity: Int) throws -> [Int] {
        let batch = ActivationBatch(capacity: capacity, layers: stream.layers, dModel: stream.dModel)
        try stream.fill(batch)
        #expect(batch.count == capacity)
        return (0..<capacity).map { place in
            let row = Int(batch.values[place, 0])
            #expect(batch.tokenIDs[place] == Int32(100 + row) && batch.documentIDs[place] == Int64(200 + row))
            for layer in 0..<2 {
                for column in 0..<3 {
                    #expect(
                        batch.values[place, layer * 3 + column] == Float(row) + Float(layer) / 4 + Float(column) / 16)
                }
            }
            return row
        }
    }

    @Test("Rows come in order and start again") func inOrderAndRoundAgain() throws {
        let directory = try TemporaryDirectory()
        let stream = try ShardActivationStream(shards: try shards(directory), shuffleSeed: nil)
        #expect(stream.count == 9 && stream.layers == [1, 4] && stream.dModel == 3)
        #expect(try rows(stream, 4) == [0, 1, 2, 3])
        #expect(try rows(stream, 4) == [4, 5, 6, 7])
        #expect(try rows(stream, 4) == [8, 0, 1, 2])
        // More than a whole pass at once.
        #expect(try rows(stream, 20) == (3..<23).map { $0 % 9 })
    }

    @Test("A seed gives one permutation per pass") func aSeedMakesOnePermutationForEachPass() throws {
        let directory = try TemporaryDirectory()
        let shards = try shards(directory)
        let stream = try ShardActivationStream(shards: shards, shuffleSeed: 5)
        let taken = try (0..<9).flatMap { _ in try rows(stream, 4) }
        let passes = (0..<4).map { Array(taken[$0 * 9..<$0 * 9 + 9]) }
        #expect(passes.allSatisfy { $0.sorted() == Array(0..<9) })
        #expect(Set(passes).count == 4 && passes[0] != Array(0..<9))
        // The same seed again, in batches of another size.
        let again = try ShardActivationStream(shards: shards, shuffleSeed: 5)
        #expect(try (0..<6).flatMap { _ in try rows(again, 6) } == taken)
        let other = try ShardActivationStream(shards: shards, shuffleSeed: 6)
        #expect(try rows(other, 36) != taken)
    }

    @Test("Special tokens in front of the text are left out", arguments: [nil, 3] as [UInt64?])
    func leavesOutWhatWasFedBeforeTheText(seed: UInt64?) throws {
        let directory = try TemporaryDirectory()
        let ids: [Int64] = [1, 50, 51, 1, 52]
        var file = ShardFile(tokenIDs: ids)
        file.metadata["bos_token_id"] = "1"
        let shard = try ActivationShard(path: file.write(to: directory.file("a")))
        let stream = try ShardActivationStream(shards: [shard], shuffleSeed: seed, includesPrefix: false)
        #expect(stream.count == 3)
        let batch = ActivationBatch(capacity: 9, layers: [1, 4], dModel: 3)
        try stream.fill(batch)
        for pass in 0..<3 { #expect(Set(batch.tokenIDs[pass * 3..<pass * 3 + 3]) == [50, 51, 52]) }
        #expect((0..<9).allSatisfy { batch.tokenIDs[$0] == Int32(ids[Int(batch.values[$0, 0])]) })

        file.tokenIDs = [1, 1, 1, 1, 1]
        let all = try file.write(to: directory.file("all"))
        #expect(throws: TrainingError.noTokens(source: all)) {
            try ShardActivationStream(shards: [ActivationShard(path: all)], shuffleSeed: nil, includesPrefix: false)
        }
        // Without ids nothing is known to be the token, not even where its number is 0.
        file.tokenIDs = nil
        file.metadata["bos_token_id"] = "0"
        let unnamed = try ActivationShard(path: file.write(to: directory.file("unnamed")))
        #expect(try ShardActivationStream(shards: [unnamed], shuffleSeed: seed, includesPrefix: false).count == 5)
    }

    /// A BOS that a text contains is text; only the file can say which is which.
    @Test("A BOS within the text takes part", arguments: [nil, 3] as [UInt64?])
    func aBOSOfTheTextTakesPart(seed: UInt64?) throws {
        let directory = try TemporaryDirectory()
        var file = ShardFile(tokenIDs: [1, 50, 1, 51, 1], isPrefix: [1, 0, 0, 0, 1])
        file.metadata["bos_token_id"] = "1"
        let shard = try ActivationShard(path: file.write(to: directory.file("a")))
        #expect(shard.isPrefix == [true, false, false, false, true])
        let stream = try ShardActivationStream(shards: [shard], shuffleSeed: seed, includesPrefix: false)
        let batch = ActivationBatch(capacity: 3, layers: [1, 4], dModel: 3)
        try stream.fill(batch)
        #expect((0..<3).map { batch.values[$0, 0] }.sorted() == [1, 2, 3])
        #expect(try ShardActivationStream(shards: [shard], shuffleSeed: seed).count == 5)
    }

    @Test func shardsThatDiffer() throws {
        let directory = try TemporaryDirectory()
        let first = try ActivationShard(path: ShardFile().write(to: directory.file("first")))
        var others = Array(repeating: ShardFile(), count: 4)
        others[0].metadata["layers"] = "[1,5]"
        others[1].metadata["model"] = "another"
        others[2].metadata["model"] = nil
        others[3].dModel = 4
        for (index, file) in others.enumerated() {
            let path = try file.write(to: directory.file("\(index)"))
            let other = try ActivationShard(path: path)
            #expect {
                try ShardActivationStream(shards: [first, first, other], shuffleSeed: nil)
            } throws: { error in
                guard case .mismatch(path, _) = error as? TrainingError else { return false }
                return true
            }
            #expect(try ShardActivationStream(shards: [other], shuffleSeed: nil).count == 5)
        }
        #expect(throws: TrainingError.self) { try ShardActivationStream(shards: [], shuffleSeed: nil) }
    }

    @Test func errorsAreOneLine() {
        for error in [
            TrainingError.lossNotFinite(step: 3), .noTokens(source: "a.safetensors"),
            .mismatch(path: "a.safetensors", what: "something"),
        ] {
            #expect(!error.description.isEmpty && !error.description.contains("\n"))
        }
        #expect(TrainingError.lossNotFinite(step: 3).description.contains("step 3"))
    }
}
