import ActivationPipeline
package import LinearAlgebra
package import SparseCoding
package import SparseTraining
import Vocabulary

/// Peak memory of training, from the sizes alone.
///
/// In 32-bit numbers, with d the width of the residual stream, m latents, L layers, D the autoencoder's input width (L·d
/// for a crosscoder, d otherwise), T tokens and n samples of a batch (T·L for an MLSAE, T otherwise), w workers:
///
/// - with k: input, error and related buffers n · (2·D + 8·k + 2·L + 8), router T·d more, tiles w · 131·m, and where
///   AuxK runs 3·D for every dead latent, at worst 3·m·D; where a router learns by the errors at every layer
///   (`RouterGradient`), for the tokens tried, n / 32L or 256 / L, L · (2·D + 2·k + 2·L + 4), and their tiles, w · 131·m,
///   which the allocator keeps; with P prefixes n · (P − 1) · D, and with BatchTopK n · 16·k + w · 131 072 more;
/// - with k and no prefixes, copies of error and input (`SampleBlocks`): n · 2·D where n·D is 2²² or more, or n · D with
///   products of bf16;
/// - the encoder packed, m·D, up to 2²⁶ weights, or with products of bf16 encoder and decoder rounded, together m·D;
/// - with a penalty: activations and gradients n · (2·m + 2·D), or n · (1.5·m + 4·D) where that is more; tiles w · 256·m
///   (gated 512·m) and one more of 256·m, sums 6·m · n/256;
/// - the batch T · L_stream · d, live the buffer and a chunk of the model's streams, and from files 6 for every row: its
///   token, document and place; of files and pipes that are drawn from a buffer, (buffer + T) · L_stream · d, and of a pipe
///   a batch's blocks as they come.
///
/// The language model's own weights are not counted: they stay in the file, and are widened layer by layer.
package struct TrainingMemory {
    private let parts: [(what: String, floats: Double)]

    /// The most 32-bit numbers held at once.
    package var floats: Double { parts.reduce(0) { $0 + $1.floats } }

    init(_ plans: [TrainingPlan], source: TrainingSource, workers: Workers) {
        var parts = plans.map {
            (
                what: $0.name,
                floats: Self.floats(
                    $0.configuration, $0.options, workers, precision: $0.settings.productPrecision)
            )
        }

        let tokens = Double(plans[0].settings.batchTokens)
        let layers = source.streamLayerCount(
            asked: Set(plans.flatMap(\.configuration.layers)).count, settings: plans[0].settings)
        let width = Double(layers) * Double(source.dModel)
        parts.append((what: "the batch", floats: tokens * width))
        if source.isLive {
            // A chunk of the model's own streams beside the buffer, which takes in one chunk more than its level.
            let rows = Double(plans[0].settings.bufferLevel + 2 * ModelActivationStream.chunk)
            parts.append((what: "the shuffle buffer", floats: rows * width))
        } else if plans[0].settings.drawsFromBuffer {
            let rows = Double(plans[0].settings.bufferLevel) + tokens
            parts.append((what: "the shuffle buffer", floats: rows * width))
        }
        if case .piped(let piped) = source {
            let bytes = PipedActivations.memory(piped.header, batchTokens: plans[0].settings.batchTokens)
            parts.append((what: "the stream's blocks", floats: Double(bytes) / 4))
        }
        if let rows = source.rowCount { parts.append((what: "the files' token ids", floats: 6 * Double(rows))) }
        self.parts = parts
    }

    /// The memory of one dictionary.
    ///
    /// - Parameter deadShare: the fraction of dead latents where AuxK revives them; 1 is the worst.
    package static func floats(
        _ configuration: DictionaryConfiguration, _ options: TrainingOptions, _ workers: Workers, deadShare: Double = 1,
        precision: Precision = .f32
    ) -> Double {
        let (d, m, width) = (
            Double(configuration.dModel), Double(configuration.latents), Double(configuration.inputWidth)
        )
        let (tokens, threads) = (Double(options.batchTokens), Double(workers.count))
        let samples = tokens * Double(configuration.samplesPerToken)
        let layers = Double(configuration.layers.count)
        var floats = 3 * (2 * m * width + width + m)
        if precision == .bf16 || m * width <= Double(DictionaryEncoder.mostPacked) { floats += m * width }
        if configuration.routes { floats += 3 * layers * d + tokens * d }
        if let k = (configuration.k ?? options.batchK).map({ Double($0) }) {
            let groups = Double(options.prefixes?.count ?? 1)
            // Pre-activations, and what finding the k largest takes.
            let tile = Double(DictionaryEncoder.tile + 3)
            floats += samples * ((1 + groups) * width + 8 * k + 2 * layers + 8) + threads * tile * m
            if options.prefixes == nil,
                SampleBlocks.isWorthwhile(
                    capacity: Int(samples), width: configuration.inputWidth, part: SampleBlocks.columns,
                    precision: precision)
            {
                floats += samples * width * (precision == .bf16 ? 1 : 2)
            }
            // What is noted of a batch, and counts of bits.
            if options.batchK != nil { floats += samples * 16 * k + threads * 131_072 }
            if options.routerGradient == .layerErrors {
                let tried = Double(
                    TopKTrainer.triedTokens(count: options.batchTokens, layers: configuration.layers.count))
                floats += tried * layers * (2 * width + 2 * k + 2 * layers + 4) + threads * tile * m
            }
            if options.auxiliary != nil { floats += 3 * deadShare * m * width }
        } else {
            let tiles = configuration.architecture == .gated ? 512.0 : 256
            // Of all latents, or of those within reach, which are a quarter at most, with the copies.
            let latents = max(2 * m, 1.5 * m + 2 * width)
            floats += samples * (latents + 2 * width) + (threads * tiles + 256) * m + 6 * m * (samples / 256)
        }
        return floats
    }

    /// Checks that it fits into the machine.
    ///
    /// - Throws: `WorkflowError.refused` saying how much is needed and how much there is.
    func check() throws(WorkflowError) {
        let largest = parts.max { $0.floats < $1.floats }
        try MemoryBudget.machine.check(
            floats: floats, for: "training (most of it for \(largest?.what ?? "it"))",
            advice: "take fewer `latents`, a smaller `batchTokens`, or fewer dictionaries at once")
    }
}
