import ActivationPipeline
import Indexing
package import LinearAlgebra
import SparseCoding

extension TrainingBenchmark {
    /// The cost of indexing, residual streams given: routing, encoding, reconstruction errors, statistics and
    /// contexts.
    package struct Indexing: Sendable, Encodable {
        /// Median seconds of a batch.
        package let batchSeconds: Double
        /// Median seconds of the dense product [tokens × D] · [D × latents] alone, same threads, same run.
        package let encodeGemmSeconds: Double
        /// The first over the second.
        package let ratio: Double
        /// Tokens indexed in a second.
        package let tokensPerSecond: Double
    }

    /// Segments of this many tokens, two a document.
    private static let segmentTokens = 512
    /// The classes of the tokens: a vocabulary of usual size.
    private static let tokenClasses: UInt64 = 1 << 15

    /// Indexes batches of standard normal activations; batches and products alternate on the same machine. Every batch
    /// belongs to other documents.
    ///
    /// - Throws: `SparseCodingError.setting` for sizes out of range.
    package func indexing(workers: Workers, progress: (_ done: Int, _ total: Int) -> Void) throws -> Indexing {
        let configuration = try configuration()
        let batch = randomBatch(workers)
        let encoder = DictionaryEncoder(
            configuration: configuration,
            weights: try initialWeights(configuration, on: batch, workers: workers), workers: workers,
            precision: precision, packs: true)
        let statistics = CorpusStatistics(encoder: encoder, options: IndexingOptions(), seed: 0, workers: workers)
        let product = BareProduct(
            of: batch, with: encoder.weights.encoder, precision: precision, workers: workers)
        var generator = CounterGenerator(seed: 0, stream: "classes")
        // Seldom ones and common ones, as in text.
        let classes = (0..<tokens).map { _ in
            let range = max(1, UInt64(Double(generator.uniform()) * Double(Self.tokenClasses)))
            return Int32(generator.next(upperBound: range))
        }

        let clock = ContinuousClock()
        var batches: [Double] = []
        var products: [Double] = []
        // The first rounds fill what is kept of every feature, and do not count.
        let warmup = 6
        for round in 0..<repeats + warmup {
            let multiply = clock.measure { product.multiply(by: workers) }
            let places = places(round: round, classes: classes)
            for row in 0..<tokens {
                batch.drawKeys[row] = ActivationBatch.drawKey(document: round, position: row)
                // Of other texts in every round: a text is held once.
                batch.tokenIDs[row] = classes[row] ^ Int32(truncatingIfNeeded: round)
            }
            let index = try clock.measure {
                let errors = CorpusStatistics.Errors(of: statistics, capacity: tokens)
                let routed = AutoencoderInput(capacity: tokens, configuration: configuration)
                try encoder.read(batch, into: routed)
                let latents = SparseLatents(capacity: tokens, configuration: configuration)
                encoder.encode(routed, count: tokens * configuration.samplesPerToken, into: latents) {
                    errors.measure($0, routed, latents, worker: $1)
                }
                statistics.record(
                    batch, routed, TokenLatents(latents, routed, count: tokens, configuration), errors, at: places)
            }
            if round >= warmup {
                products.append(multiply / .seconds(1))
                batches.append(index / .seconds(1))
            }
            progress(round + 1, repeats + warmup)
        }

        let (index, gemm) = (median(batches), median(products))
        return Indexing(
            batchSeconds: index, encodeGemmSeconds: gemm, ratio: index / gemm, tokensPerSecond: Double(tokens) / index)
    }

    private func places(round: Int, classes: [Int32]) -> CorpusStatistics.Places {
        let segments = stride(from: 0, to: tokens, by: Self.segmentTokens).enumerated().map { number, start in
            let document = round * tokens + number / 2
            return IndexedBatch.Segment(
                document: Int64(document), documentKey: UInt64(document),
                passage: Int64(round * tokens + number), passageKey: UInt64(round * tokens + number),
                start: number % 2 * Self.segmentTokens,
                rows: start..<min(start + Self.segmentTokens, tokens))
        }
        return .init(segments: segments, classes: classes)
    }
}
