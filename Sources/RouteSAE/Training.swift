import ActivationPipeline
import FeatureCatalog
import LinearAlgebra
import SparseTraining
import Training
import Vocabulary

/// What a dictionary is and how it learns. What is not set takes the default of `routesae train`.
public struct TrainingConfiguration: Sendable {
    /// The dictionary's name in the catalog; nil makes one from the architecture and its sizes.
    public var name: String?
    /// The system: `route`, `topk`, `batchtopk`, `matryoshka`, `vanilla`, `gated`, `jumprelu`, `crosscoder`, `mlsae` or
    /// `random`.
    public var architecture = "route"
    /// The decoder layers it reads; nil takes all that the activations hold.
    public var layers: [Int]?
    /// Number of latents, m.
    public var latents: Int
    /// Active latents of a token; nil for an architecture that a penalty keeps sparse.
    public var k: Int?
    /// Training tokens; rounded down to whole batches, one at least.
    public var tokens: Int
    /// Tokens of a batch.
    public var batchTokens = 4096
    /// Peak learning rate; nil takes the default of architecture and size.
    public var learningRate: Float?
    /// Seed of the weights.
    public var seed: UInt64 = 0

    /// Describes a dictionary to train.
    public init(latents: Int, k: Int? = nil, tokens: Int) {
        (self.latents, self.k, self.tokens) = (latents, k, tokens)
    }

    var settings: TrainingSettings {
        get throws(RouteSAEError) {
            let shorthand = ArchitectureShorthand(rawValue: architecture)
            guard let known = shorthand == nil ? Architecture(rawValue: architecture) : .topk else {
                let names = Architecture.allCases.map(\.rawValue) + ArchitectureShorthand.allCases.map(\.rawValue)
                throw RouteSAEError(
                    .usage, "`architecture` is \(architecture); allowed: \(names.joined(separator: ", "))")
            }
            var settings = TrainingSettings(
                name: name, architecture: known, layers: layers, latents: latents, k: k,
                batchTokens: batchTokens, tokens: tokens, choices: Hyperparameters { $0.learningRate = learningRate },
                shuffle: false, seed: seed)
            if let shorthand { settings.take(shorthand) }
            return settings
        }
    }
}

extension Catalog {
    /// Trains a dictionary on a stream of activations and writes it into the catalog, with the run that made it.
    ///
    ///     let catalog = try Catalog(creating: "mine.sqlite")
    ///     let dictionary = try catalog.train(TrainingConfiguration(latents: 2048, k: 32, tokens: 1_000_000), on: batches)
    ///
    /// Tokens are learned from in the order of the stream; the same stream, configuration and seed give the same bits.
    ///
    /// - Parameters:
    ///   - stream: activations of the same layers and width, of any number of tokens each. It is iterated more than once,
    ///     each time from its beginning: to look at the first batch, to train, and again where it ends before training
    ///     does.
    ///   - threads: the most threads; nil for one a processor. The result does not depend on it.
    ///   - progress: told after every step how many of how many are done.
    ///   - cancelled: asked before every step; once true, training stops and the run is marked interrupted.
    /// - Throws: ``RouteSAEError`` `.usage` for settings that make no sense, `.badInput` for a stream without tokens, of
    ///   mixed shapes, or on which the loss is not finite, `.cannotWrite` for a catalog opened for reading, `.refused`
    ///   where the name is taken or memory does not suffice, `.interrupted`; training that was stopped starts over.
    public func train(
        _ configuration: TrainingConfiguration, on stream: some Collection<Activations>, threads: Int? = nil,
        progress: (_ step: Int, _ steps: Int) -> Void = { _, _ in }, cancelled: @escaping () -> Bool = { false }
    ) throws(RouteSAEError) -> FeatureDictionary {
        try RouteSAEError.wrapping {
            guard let first = stream.first(where: { $0.tokenCount > 0 }) else {
                throw RouteSAEError(.badInput, "the stream of activations holds no tokens")
            }
            let workers = Workers(threads: threads)
            let given = GivenActivations(name: "the stream of activations", layers: first.layers, dModel: first.dModel)
            {
                SequenceStream(stream, layers: first.layers, dModel: first.dModel)
            }
            let job = try TrainingJob([try configuration.settings], given: given, workers: workers)
            // A stream of somebody else's has no position to resume from.
            let run = TrainingRun(job, workers: workers, checkpoints: nil)
            let outcome = try run.run(into: file, cancelled: cancelled) { step, _ in progress(step, job.steps) }
            guard let trained = outcome.results.first else { throw RouteSAEError(.internal, "nothing was trained") }
            return FeatureDictionary(try StoredDictionary(try file.dictionary(trained.dictionaryID), in: file))
        }
    }
}
