import LanguageModel
import LinearAlgebra
import SparseCoding
import SparseTraining

/// Activations made by a language model from text as they are needed.
///
/// Segments run through the model in chunks; their tokens wait in a buffer, from which shuffled training draws at
/// random, so that a batch mixes many documents.
final class ModelActivationStream: ActivationStream {
    let layers: [Int]
    let dModel: Int

    private let folder: ModelFolder
    private var reader: SegmentReader
    private var generator: CounterGenerator?
    /// Whether BOS counts as a token to learn from; only the reference does so.
    private let includesBOS: Bool
    private let buffer: ActivationBatch
    /// The first row of the buffer not delivered yet; used without shuffling.
    private var front = 0
    /// Rows the buffer is kept filled to.
    private let level: Int

    /// Tokens of one run through the model.
    static let chunk = 8192

    /// Makes a stream.
    ///
    /// - Parameters:
    ///   - shuffleSeed: seed of the order of documents and tokens, or nil for the text's order.
    ///   - batchTokens: rows of the batches that will be asked for; the buffer holds at least twice as many.
    init(
        folder: ModelFolder, corpus: TextCorpus, context: Int, layers: [Int], batchTokens: Int, shuffleSeed: UInt64?,
        includesBOS: Bool
    ) {
        self.folder = folder
        self.layers = layers
        self.includesBOS = includesBOS
        dModel = folder.model.configuration.dModel
        reader = SegmentReader(
            corpus: corpus, segmenter: Segmenter(tokenizer: folder.tokenizer, context: context),
            shuffleSeed: shuffleSeed)
        generator = shuffleSeed.map { CounterGenerator(seed: $0, stream: "tokens") }
        level = ModelActivationStream.level(batchTokens: batchTokens, isShuffled: shuffleSeed != nil)
        buffer = ActivationBatch(
            capacity: level + ModelActivationStream.chunk + context, layers: layers, dModel: dModel)
    }

    /// Rows that a buffer is kept filled to.
    static func level(batchTokens: Int, isShuffled: Bool) -> Int {
        isShuffled ? max(2 * batchTokens, 4 * chunk) : batchTokens
    }

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

    /// Runs chunks of segments until the buffer is at its level.
    private func refill() throws {
        if front > 0 {
            for row in front..<buffer.count { buffer.copyRow(row - front, from: buffer, row: row) }
            buffer.count -= front
            front = 0
        }
        while buffer.count < level {
            var segments: [TokenSegment] = []
            var tokens = 0
            while tokens < ModelActivationStream.chunk {
                let segment = try reader.next()
                segments.append(segment)
                tokens += segment.tokens.count
            }
            try append(segments)
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
                    buffer.count += 1
                }
                source += 1
            }
        }
    }
}

extension ActivationBatch {
    /// Copies one token's activations and ids from a row of a batch of the same shape.
    func copyRow(_ row: Int, from other: ActivationBatch, row source: Int) {
        values.row(row).update(from: other.values.row(source), count: values.columns)
        tokenIDs[row] = other.tokenIDs[source]
        documentIDs[row] = other.documentIDs[source]
    }
}
