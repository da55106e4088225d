import ActivationPipeline
import Foundation
import LanguageModel
package import LinearAlgebra
import SparseCoding

/// Measures the language model's forward pass: the rate, and the most memory the process ever held.
package struct ForwardBenchmark: Sendable {
    /// The model's folder.
    package var model: String
    /// Tokens of a pass.
    package var tokens: Int
    /// Tokens of a sequence.
    package var context: Int
    /// The last decoder layer run, nil for all.
    package var lastLayer: Int?
    /// How often it is timed; the median counts.
    package var repeats: Int

    /// What the model's products take.
    package var precision: Precision

    /// Describes a benchmark.
    package init(
        model: String, tokens: Int, context: Int, lastLayer: Int? = nil, repeats: Int = 3, precision: Precision = .f32
    ) {
        self.precision = precision
        self.model = model
        self.tokens = tokens
        self.context = context
        self.lastLayer = lastLayer
        self.repeats = repeats
    }

    /// The measurements.
    package struct Result: Sendable, Encodable {
        /// Tokens through the model in a second.
        package let tokensPerSecond: Double
        /// The most resident memory the process ever held, in bytes.
        package let peakResidentBytes: Int
        /// Decoder layers run.
        package let layersRun: Int
        /// Tokens of a pass.
        package let tokens: Int
    }

    /// Times the forward pass on random token ids.
    ///
    /// - Throws: `WorkflowError.usage`, and what opening the model throws.
    package func run(workers: Workers, progress: (_ done: Int, _ total: Int) -> Void) throws -> Result {
        try ModelFolder.checkIsFolder(model)
        let model = try LanguageModel(directory: model, workers: workers, precision: precision)
        let configuration = model.configuration
        let last = lastLayer ?? configuration.layerCount - 1
        try Allowed.within(0...configuration.layerCount - 1).check(last, of: "lastLayer")
        guard (1...configuration.maximumPositions).contains(context), (1...1 << 24).contains(tokens) else {
            throw WorkflowError.usage("`context` has to be 1 … \(configuration.maximumPositions), `tokens` from 1")
        }

        var generator = CounterGenerator(seed: 0, stream: "benchmark")
        let sequences = stride(from: 0, to: tokens, by: context).map { start in
            (start..<min(start + context, tokens)).map { _ in
                Int32(truncatingIfNeeded: generator.index(below: configuration.vocabularySize))
            }
        }

        let batch = try TokenBatch(sequences: sequences)
        let clock = ContinuousClock()
        var seconds: [Double] = []
        for round in 0...repeats {
            let time = try clock.measure { _ = try model.residualStreams(of: batch, layers: [last]) }
            if round > 0 { seconds.append(time / .seconds(1)) }
            progress(round, repeats)
        }
        return Result(
            tokensPerSecond: Double(tokens) / median(seconds), peakResidentBytes: Self.peakResidentBytes(),
            layersRun: last + 1, tokens: tokens)
    }

    /// `VmHWM` of this process from the kernel, in bytes; 0 if unknown.
    static func peakResidentBytes() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
        return (kibibytes ?? 0) * 1024
    }
}
