import ActivationPipeline
import CKernels
import Foundation
import LanguageModel
package import LinearAlgebra

/// Measures decoding token by token against reading the weights that a token needs: no program can decode a single
/// sequence faster than it reads them.
package struct DecodeBenchmark: Sendable {
    /// The model's folder.
    package var model: String
    /// Tokens of the prompt.
    package var prompt: Int
    /// Tokens decoded after it.
    package var tokens: Int
    /// How often decoding and reading are timed, alternately; the median counts.
    package var repeats: Int
    /// What the model's products take.
    package var precision: Precision

    /// Describes a benchmark.
    package init(model: String, prompt: Int = 16, tokens: Int = 32, repeats: Int = 5, precision: Precision = .f32) {
        self.precision = precision
        self.model = model
        self.prompt = prompt
        self.tokens = tokens
        self.repeats = repeats
    }

    /// The measurements.
    package struct Result: Sendable, Encodable {
        /// Tokens decoded in a second.
        package let tokensPerSecond: Double
        /// Seconds of a token.
        package let secondsPerToken: Double
        /// Seconds of the prompt, which goes through in one pass.
        package let promptSeconds: Double
        /// Bytes of the weights that a token needs, as they are in memory: all layers, the final norm, the unembedding.
        package let weightBytes: Int
        /// Seconds of reading an array of that size once, all threads together.
        package let readSeconds: Double
        /// The last as bytes in a second.
        package let bytesPerSecond: Double
        /// Seconds of a token over seconds of reading.
        package let ratio: Double
    }

    /// Times decoding of random tokens with weights in memory.
    ///
    /// - Throws: `WorkflowError.usage`, `.refused` where weights and array do not fit in memory, and what opening the
    ///   model throws.
    package func run(workers: Workers, progress: (_ done: Int, _ total: Int) -> Void) throws -> Result {
        try ModelFolder.checkIsFolder(model)
        let layout = try LanguageModel(directory: model, workers: workers, residency: .streamed).configuration
        guard prompt > 0, tokens > 0, prompt + tokens <= layout.maximumPositions else {
            throw WorkflowError.usage(
                "`prompt` and `tokens` have to be from 1 and together at most \(layout.maximumPositions)")
        }
        // Without the embedding, of which a token reads one row; the unembedding, if it is the same, is read whole.
        let embedding = layout.tiesEmbeddings ? 0 : layout.vocabularySize * layout.dModel
        let weights = layout.parameterCount - embedding
        try MemoryBudget.machine.check(
            floats: Double(layout.parameterCount + weights), for: "the benchmark of \(model)",
            advice: "take a smaller model")
        let model = try LanguageModel(
            directory: model, workers: workers, residency: .resident, precision: precision)
        let bytes = model.residentBytesPerToken ?? weights * 4
        let array = Matrix(rows: 1, columns: bytes / 4)
        var generator = CounterGenerator(seed: 0, stream: "benchmark")
        let ids = (0..<prompt + tokens).map { _ in
            Int32(truncatingIfNeeded: generator.index(below: layout.vocabularySize))
        }

        let clock = ContinuousClock()
        var (decoding, prefill, reading): ([Double], [Double], [Double]) = ([], [], [])
        for round in 0...repeats {
            let session = try DecodingSession(model, capacity: ids.count)
            let start = try clock.measure { _ = try session.append(Array(ids[..<prompt])) } / .seconds(1)
            let time = try clock.measure { for id in ids[prompt...] { _ = try session.append([id]) } }
            let read = clock.measure { for _ in 0..<tokens { _ = Self.sum(array, workers) } }
            // The first round touches pages for the first time.
            if round > 0 {
                prefill.append(start)
                decoding.append(time / .seconds(1) / Double(tokens))
                reading.append(read / .seconds(1) / Double(tokens))
            }
            progress(round, repeats)
        }

        let (token, read) = (median(decoding), median(reading))
        return Result(
            tokensPerSecond: 1 / token, secondsPerToken: token, promptSeconds: median(prefill),
            weightBytes: bytes, readSeconds: read, bytesPerSecond: Double(bytes) / read, ratio: token / read)
    }

    /// The sum of all squares, in tiles of 256 KiB: one reading from the beginning to the end.
    private static func sum(_ array: Matrix, _ workers: Workers) -> Float {
        let sums = Matrix(rows: workers.count, columns: 16)
        workers.forEach(array.count, tile: 65_536) { range, worker in
            let tile = array.pointer + range.lowerBound
            sums[worker, 0] += rsae_dot(tile, tile, Int64(range.count))
        }
        return sums.elements.reduce(0, +)
    }
}
