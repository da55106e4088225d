import LanguageModel
import LinearAlgebra
import SparseCoding
import SparseTraining

/// Activations that a language model computes from text as they are needed.
///
/// Segments run through the model in chunks; their tokens wait in a buffer, from which shuffled training draws at
/// random, so that a batch mixes many documents.
package final class ModelActivationStream: ActivationStream {
    let layers: [Int]
    let dModel: Int

    private let folder: ModelFolder
    private var reader: SegmentReader
    private var generator: CounterGenerator?
    /// Whether training includes BOS; only the reference's does.
    private let includesBOS: Bool
    private let buffer: ActivationBatch
    /// The first row of the buffer not delivered yet; used without shuffling.
    private var front = 0
    /// Rows that the buffer is refilled to.
    private let level: Int

    /// Tokens of one run through the model.
    package static let chunk = 8192

    /// Makes a stream.
    ///
    /// - Parameters:
    ///   - shuffleSeed: seed of the order of documents and tokens, or nil for the text's order.
    ///   - level: rows that the buffer is kept filled to; see `level(batchTokens:shuffleBuffer:)`.
    package init(
        folder: ModelFolder, corpus: TextCorpus, context: Int, layers: [Int], level: Int, shuffleSeed: UInt64?,
        includesBOS: Bool
    ) {
        self.folder = folder
        self.layers = layers
        self.includesBOS = includesBOS
        self.level = level
        dModel = folder.model.configuration.dModel
        reader = SegmentReader(
            corpus: corpus, segmenter: Segmenter(tokenizer: folder.tokenizer, context: context),
            shuffleSeed: shuffleSeed)
        generator = shuffleSeed.map { CounterGenerator(seed: $0, stream: "tokens") }
        buffer = ActivationBatch(
            capacity: level + ModelActivationStream.chunk + context, layers: layers, dModel: dModel)
    }

    /// Rows that the buffer is refilled to.
    ///
    /// - Parameter shuffleBuffer: rows asked for; nil where nothing is shuffled.
    package static func level(batchTokens: Int, shuffleBuffer: Int?) -> Int {
        max(batchTokens, shuffleBuffer ?? 0)
    }

    /// The size of a shuffle buffer where none is asked for: two batches, and some documents in any case.
    package static func defaultShuffleBuffer(batchTokens: Int) -> Int { max(2 * batchTokens, 4 * chunk) }

    func fill(_ batch: ActivationBatch) throws {
        for row in 0..<batch.capacity {
            if buffer.count - front == 0 || (row == 0 && buffer.count - front < level) { try refill() }
            if generator != nil {
                let chosen = generator?.index(below: buffer.count) ?? 0
                batch.copyRow(row, from: buffer, row: chosen)
                buffer.count -= 1
                if chosen != buffer.count { buffer.copyRow(chosen, from: buffer, row: buffer.count) }
            } else {
                batch.copyRow(row, from: buffer, row: front)
                front += 1
            }
        }
        batch.count = batch.capacity
    }

    var position: StreamPosition {
        var numbers = reader.numbers
        numbers["draws"] = generator?.count ?? 0
        return StreamPosition(numbers: numbers, buffer: buffer, waiting: front..<buffer.count)
    }

    func resume(at position: StreamPosition) throws {
        try reader.resume(at: position)
        generator = generator?.entered(at: UInt64(try position.number("draws", upTo: .max)))
        guard let waiting = position.buffer, waiting.dModel == dModel, waiting.layers == layers,
            position.waiting.count <= buffer.capacity
        else {
            throw TrainingError.mismatch(
                path: "checkpoint", what: "the tokens that wait in its buffer are not of this model and these layers")
        }
        front = 0
        buffer.count = position.waiting.count
        for (row, source) in position.waiting.enumerated() { buffer.copyRow(row, from: waiting, row: source) }
    }

    /// Runs chunks of segments until the buffer is at its level.
    private func refill() throws {
        if front > 0 {
            for row in front..<buffer.count { buffer.copyRow(row - front, from: buffer, row: row) }
            buffer.count -= front
            front = 0
        }
        while buffer.count < level {
            // If a chunk cannot be read, the stream stays at its beginning.
            var ahead = reader
            var segments: [TokenSegment] = []
            var tokens = 0
            while tokens < ModelActivationStream.chunk {
                let segment = try ahead.next()
                segments.append(segment)
                tokens += segment.tokens.count
            }
            try append(segments)
            reader = ahead
        }
    }

    private func append(_ segments: [TokenSegment]) throws {
        let streams = try folder.model.residualStreams(
            of: TokenBatch(sequences: segments.map(\.tokens)), layers: layers)
        var source = 0
        for segment in segments {
            for (place, token) in segment.tokens.enumerated() {
                if place >= segment.prefix || includesBOS {
                    buffer.values.row(buffer.count).update(
                        from: streams.values.row(source), count: buffer.values.columns)
                    buffer.tokenIDs[buffer.count] = token
                    buffer.documentIDs[buffer.count] = Int64(segment.document)
                    buffer.drawKeys[buffer.count] = ActivationBatch.drawKey(
                        document: segment.document, position: segment.start + place - segment.prefix)
                    buffer.count += 1
                }
                source += 1
            }
        }
    }
}
