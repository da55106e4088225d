import LinearAlgebra
import SparseCoding
import SparseTraining
import TestSupport
import Testing

@Suite struct WindowedActivationStreamTests {
    private let seed: UInt64 = 11

    /// Shards of these many rows; row r has token 100 + r, and the prefixes that are asked for.
    private func shards(
        _ counts: [Int], prefix: Set<Int> = [], in directory: TemporaryDirectory
    ) throws -> [ActivationShard] {
        var first = 0
        return try counts.enumerated().map { number, count in
            defer { first += count }
            let rows = first..<first + count
            let path = try ShardFile(
                rows: count, firstRow: first, tokenIDs: rows.map { 100 + Int64($0) },
                documentIDs: rows.map { Int64($0 / 3) }, isPrefix: rows.map { prefix.contains($0) ? 1 : 0 }
            ).write(to: directory.file("\(counts.count)-\(number).safetensors"))
            return try ActivationShard(path: path)
        }
    }

    private func stream(
        _ shards: [ActivationShard], level: Int, batch: Int, shuffles: Bool = true, includesPrefix: Bool = false
    ) throws -> WindowedActivationStream {
        WindowedActivationStream(
            try ShardRows(shards: shards, includesPrefix: includesPrefix), level: level, batchTokens: batch,
            shuffleSeed: shuffles ? seed : nil)
    }

    /// The tokens of some batches, each of which is checked to belong together.
    private func tokens(_ stream: WindowedActivationStream, batches: Int, of size: Int) throws -> [Int] {
        let batch = ActivationBatch(capacity: size, layers: stream.layers, dModel: stream.dModel)
        var tokens: [Int] = []
        for _ in 0..<batches {
            try stream.fill(batch)
            #expect(batch.count == size)
            for place in 0..<size {
                let row = Int(batch.tokenIDs[place]) - 100
                tokens.append(row)
                #expect(batch.values.row(place)[0] == Float(row) && batch.values.row(place)[3] == Float(row) + 0.25)
                #expect(batch.documentIDs[place] == Int64(row / 3))
                #expect(batch.drawKeys[place] == ActivationBatch.drawKey(document: 0, position: row))
            }
        }
        return tokens
    }

    /// The order by its definition: one row after the other, with the rows in an array.
    private func naive(_ rows: [Int], level: Int, count: Int) -> [Int] {
        var generator = CounterGenerator(seed: seed, stream: "window")
        var drawn: [Int] = []
        while drawn.count < count {
            var buffer = Array(rows.prefix(level))
            var rest = Array(rows.dropFirst(level))
            while !buffer.isEmpty, drawn.count < count {
                let chosen = generator.index(below: buffer.count)
                drawn.append(buffer[chosen])
                if rest.isEmpty {
                    buffer[chosen] = buffer[buffer.count - 1]
                    buffer.removeLast()
                } else {
                    buffer[chosen] = rest.removeFirst()
                }
            }
        }
        return drawn
    }

    @Test("Rows are drawn as defined, whatever the batches, the files and the buffer", arguments: [1, 4, 7, 23, 60])
    func drawsAsDefined(level: Int) throws {
        let directory = try TemporaryDirectory()
        let (one, three) = (try shards([23], in: directory), try shards([9, 1, 13], in: directory))
        for batch in [1, 3, 5, 23, 30] {
            let batches = 90 / batch
            let expected = naive(Array(0..<23), level: level, count: batches * batch)
            #expect(try tokens(stream(one, level: level, batch: batch), batches: batches, of: batch) == expected)
            #expect(try tokens(stream(three, level: level, batch: batch), batches: batches, of: batch) == expected)
        }
        // Each pass holds each row once.
        let drawn = naive(Array(0..<23), level: level, count: 46)
        #expect(drawn.prefix(23).sorted() == Array(0..<23) && drawn.suffix(23).sorted() == Array(0..<23))
    }

    @Test func withoutASeedRowsComeInTheirOrder() throws {
        let directory = try TemporaryDirectory()
        let stream = try stream(shards([4, 6], in: directory), level: 5, batch: 4, shuffles: false)
        #expect(try tokens(stream, batches: 6, of: 4) == (0..<24).map { $0 % 10 })
    }

    @Test func tokensBeforeATextAreLeftOutUnlessAskedFor() throws {
        let directory = try TemporaryDirectory()
        let prefix: Set = [0, 3, 4, 9]
        let files = try shards([4, 6], prefix: prefix, in: directory)
        let own = (0..<10).filter { !prefix.contains($0) }
        #expect(try tokens(stream(files, level: 3, batch: 6), batches: 2, of: 6) == naive(own, level: 3, count: 12))
        let all = try stream(files, level: 3, batch: 5, includesPrefix: true)
        #expect(try tokens(all, batches: 4, of: 5) == naive(Array(0..<10), level: 3, count: 20))
        let nothing = try shards([2], prefix: [0, 1], in: directory)
        #expect(throws: TrainingError.noTokens(source: nothing[0].path)) {
            try ShardRows(shards: nothing, includesPrefix: false)
        }
    }

    @Test("A stream resumed after any batch goes on with the same rows", arguments: [true, false])
    func resumesAfterAnyBatch(shuffles: Bool) throws {
        let directory = try TemporaryDirectory()
        let files = try shards([9, 14], prefix: [2], in: directory)
        let whole = try tokens(stream(files, level: 8, batch: 5, shuffles: shuffles), batches: 14, of: 5)
        for done in 0..<14 {
            let first = try stream(files, level: 8, batch: 5, shuffles: shuffles)
            let before = try tokens(first, batches: done, of: 5)
            let second = try stream(files, level: 8, batch: 5, shuffles: shuffles)
            try second.resume(at: first.position)
            #expect(before + (try tokens(second, batches: 14 - done, of: 5)) == whole, "after \(done) batches")
        }
    }

    @Test func someLayersAreThoseOfAllLayers() throws {
        let directory = try TemporaryDirectory()
        let files = try shards([4, 6], in: directory)
        for layers in [[1], [4], [1, 4]] {
            let rows = try ShardRows(shards: files, layers: layers, includesPrefix: true)
            let batch = ActivationBatch(capacity: 12, layers: layers, dModel: 3)
            #expect(try rows.append(12, to: batch) == 10)
            for row in 0..<10 {
                let expected = layers.flatMap { layer in
                    (0..<3).map { Float(row) + (layer == 4 ? 0.25 : 0) + Float($0) / 16 }
                }
                #expect(Array(UnsafeBufferPointer(start: batch.values.row(row), count: expected.count)) == expected)
            }
        }
    }

    @Test func positionsThatDoNotFitAreRefused() throws {
        let directory = try TemporaryDirectory()
        let files = try shards([9], in: directory)
        let stream = try stream(files, level: 4, batch: 2)
        for numbers: [String: UInt64] in [
            ["passes": 0, "row": 10, "draws": 0], ["passes": 0, "draws": 0], ["row": 1, "draws": 0],
            ["passes": 1 << 41, "row": 1, "draws": 0], ["passes": 0, "row": 1],
        ] {
            #expect(throws: TrainingError.self) { try stream.resume(at: StreamPosition(numbers: numbers)) }
        }
        let other = ActivationBatch(capacity: 2, layers: [1], dModel: 3)
        #expect(throws: TrainingError.self) {
            try stream.resume(
                at: StreamPosition(numbers: ["passes": 0, "row": 4, "draws": 0], buffer: other, waiting: 0..<2))
        }
        let large = ActivationBatch(capacity: 5, layers: [1, 4], dModel: 3)
        #expect(throws: TrainingError.self) {
            try stream.resume(
                at: StreamPosition(numbers: ["passes": 0, "row": 5, "draws": 0], buffer: large, waiting: 0..<5))
        }
    }
}
