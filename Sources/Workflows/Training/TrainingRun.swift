public import FeatureCatalog
import Foundation
public import LinearAlgebra
import Safetensors
public import SparseCoding
public import SparseTraining

/// Trains one dictionary and writes it, with the run's whole history, into a catalog.
public struct TrainingRun {
    /// What to do.
    public let settings: TrainingSettings
    /// Who does it.
    public let workers: Workers

    /// Describes a run.
    public init(settings: TrainingSettings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// What came of it.
    public struct Result: Sendable {
        /// The run's number in the catalog.
        public let runID: Int64
        /// The dictionary's number in the catalog.
        public let dictionaryID: Int64
        /// Its shape and rules.
        public let configuration: DictionaryConfiguration
        /// The report of every step.
        public let reports: [StepReport]
    }

    /// A run whose settings and inputs have been found good.
    public struct Plan {
        /// Steps of the run.
        public let steps: Int
        /// The dictionary's shape and rules.
        public let configuration: DictionaryConfiguration
        let options: TrainingOptions
        let weights: DictionaryWeights
        let dtype: DictionaryTensor.DataType
        let source: TrainingSource
        let weightsOutput: String?
    }

    /// Checks settings and opens inputs; nothing is written.
    ///
    /// - Parameters:
    ///   - weightsOutput: where to write the weights as safetensors besides, or nil.
    ///   - overwritingWeights: whether an existing file there is replaced.
    /// - Throws: `WorkflowError`, `SparseCodingError`, `TrainingError`, `SafetensorsError`, `LanguageModelError` and
    ///   `TokenizerError`.
    public func prepare(weightsOutput: String? = nil, overwritingWeights: Bool = false) throws -> Plan {
        guard let dtype = DictionaryTensor.DataType(rawValue: settings.dtype) else {
            throw WorkflowError.usage("--dtype is \(settings.dtype); allowed: f32, f16, bf16")
        }
        let steps = try settings.stepCount()
        let source = try TrainingSource(settings, workers: workers)
        if let weightsOutput {
            try OutputFile.check(
                weightsOutput, overwriting: overwritingWeights,
                inputs: source.paths + [settings.initialWeights].compactMap { $0 })
        }
        let configuration = try configuration(source)
        let options = try TrainingOptions(
            configuration, batchTokens: settings.batchTokens, steps: steps, choices: settings.choices)
        try checkMemory(configuration, source)
        try source.probe(layers: configuration.layers, settings: settings)
        return Plan(
            steps: steps, configuration: configuration, options: options, weights: try initialWeights(configuration),
            dtype: dtype, source: source, weightsOutput: weightsOutput)
    }

    /// Trains and writes.
    ///
    /// - Parameters:
    ///   - cancelled: asked before every step; once true, the run ends as interrupted.
    ///   - progress: told after every step.
    /// - Throws: `WorkflowError.interrupted`, `SparseCodingError`, `TrainingError`, `CatalogError`, `SafetensorsError`.
    ///   A failed run stays in the ledger, marked so, without a dictionary.
    public func run(
        _ plan: Plan, into catalog: Catalog, cancelled: () -> Bool = { false },
        progress: (_ report: StepReport, _ steps: Int) -> Void = { _, _ in }
    ) throws -> Result {
        if let name = settings.name, try catalog.dictionaries().contains(where: { $0.name == name }) {
            throw WorkflowError.refused("\(catalog.path): has a dictionary \"\(name)\" already; choose another --name")
        }
        let runID = try catalog.beginRun(
            kind: .train, config: try canonicalJSON(settings), seed: settings.seed, inputs: try plan.source.inputs,
            software: Software.identity)
        do {
            let trainer = TopKTrainer(
                configuration: plan.configuration, options: plan.options, weights: plan.weights, workers: workers)
            let stream = try plan.source.stream(layers: plan.configuration.layers, settings: settings)
            let reports = try train(trainer, stream, plan, catalog, runID, cancelled, progress)
            if let path = plan.weightsOutput {
                // Whether the file may be replaced was settled in `prepare`.
                try plan.weights.write(
                    plan.configuration, to: path, metadata: ["architecture": settings.architecture], overwrite: true)
            }
            let dictionaryID = try write(plan, tokens: reports.count * settings.batchTokens, to: catalog, runID)
            try catalog.finishRun(runID, status: .complete, error: nil)
            return Result(
                runID: runID, dictionaryID: dictionaryID, configuration: plan.configuration, reports: reports)
        } catch {
            let stopped = if case WorkflowError.interrupted = error { true } else { false }
            try? catalog.finishRun(runID, status: stopped ? .interrupted : .failed, error: "\(error)")
            throw error
        }
    }

    private func configuration(_ source: TrainingSource) throws -> DictionaryConfiguration {
        let layers = settings.layers ?? source.defaultLayers
        let layerCount = layers.count
        switch settings.architecture {
        case "route":
            break
        case "topk":
            guard layerCount == 1 else {
                throw WorkflowError.usage("topk reads one layer, but \(layerCount) are named; choose one with --layers")
            }
        default:
            throw WorkflowError.usage("--architecture is \(settings.architecture); allowed: route, topk")
        }
        try source.check(layers: layers)
        return try DictionaryConfiguration(
            architecture: Architecture(rawValue: settings.architecture) ?? .route,
            dModel: source.dModel, latents: settings.latents, k: settings.k, layers: layers, routing: settings.routing,
            aggregation: settings.aggregation, fidelity: settings.fidelity)
    }

    /// What training holds at once: weights and two moments, a batch and what is made of it, and live the buffer that
    /// batches are drawn from.
    private func checkMemory(_ configuration: DictionaryConfiguration, _ source: TrainingSource) throws(WorkflowError) {
        let (d, m, k) = (
            Double(configuration.dModel), Double(configuration.latents),
            Double(configuration.k ?? configuration.latents)
        )
        let (routed, tokens) = (Double(configuration.layers.count), Double(settings.batchTokens))
        let weights = 3 * (2 * m * d + routed * d + d + m)
        let width = Double(source.streamLayerCount(routed: configuration.layers.count)) * d
        let batch = tokens * (width + 3 * d + 4 * routed + 6 * k)
        // Pre-activations of a tile of 256 tokens for each worker, and the scratch of the search for the k largest.
        let tiles = Double(workers.count * 259) * m
        // A chunk of the model's own streams beside the buffer, which takes in one chunk more than its level.
        let rows =
            ModelActivationStream.level(batchTokens: settings.batchTokens, isShuffled: settings.shuffle)
            + 2 * ModelActivationStream.chunk
        let buffer = source.isLive ? Double(rows) * width : 0
        try MemoryBudget.machine.check(
            floats: weights + batch + tiles + buffer,
            for: "training \(configuration.latents) latents on batches of \(settings.batchTokens) tokens",
            advice: "take fewer --latents or a smaller --batch-tokens")
    }

    private func initialWeights(_ configuration: DictionaryConfiguration) throws -> DictionaryWeights {
        guard let path = settings.initialWeights else {
            return DictionaryWeights(configuration, seed: settings.seed)
        }
        return try DictionaryWeights(configuration, reading: try SafetensorsFile(path: path))
    }

    private func train(
        _ trainer: TopKTrainer, _ stream: any ActivationStream, _ plan: Plan, _ catalog: Catalog, _ runID: Int64,
        _ cancelled: () -> Bool, _ progress: (StepReport, Int) -> Void
    ) throws -> [StepReport] {
        let batch = ActivationBatch(capacity: settings.batchTokens, layers: stream.layers, dModel: stream.dModel)
        var reports: [StepReport] = []
        var recorded = 0
        func record() throws {
            try catalog.recordMetrics(
                runID: runID, reports[recorded...].flatMap { $0.metrics(trainer.state.configuration) })
            recorded = reports.count
        }
        for _ in 0..<plan.steps {
            if cancelled() {
                try record()
                throw WorkflowError.interrupted("training was stopped after \(reports.count) of \(plan.steps) steps")
            }
            try stream.fill(batch)
            let report: StepReport
            do { report = try trainer.step(batch) } catch {
                try record()
                throw plan.source.damage(in: batch, layers: plan.configuration.layers) ?? error
            }
            reports.append(report)
            // Whole transactions, seldom enough to cost nothing.
            if reports.count - recorded >= 100 { try record() }
            progress(report, plan.steps)
        }
        try record()
        trainer.finish(workers)
        return reports
    }

    private func write(_ plan: Plan, tokens: Int, to catalog: Catalog, _ runID: Int64) throws -> Int64 {
        let configuration = plan.configuration
        let modelID = try plan.source.languageModel.map { try catalog.addLanguageModel($0) }
        let record = DictionaryRecord(
            runID: runID,
            languageModelID: modelID,
            name: try name(configuration, in: catalog),
            architecture: DictionaryRecord.Architecture(rawValue: settings.architecture) ?? .route,
            dModel: configuration.dModel,
            latentCount: configuration.latents,
            k: configuration.k,
            layers: configuration.layers,
            aggregation: DictionaryRecord.Aggregation(rawValue: configuration.aggregation.rawValue),
            routing: DictionaryRecord.Routing(rawValue: configuration.routing.rawValue),
            fidelity: configuration.fidelity == .reference ? .reference : .corrected,
            activationThreshold: CountingThreshold.absolute(dModel: configuration.dModel),
            relativeThreshold: CountingThreshold.relative,
            configJSON: try canonicalJSON(DictionarySettings(configuration: configuration, training: plan.options)),
            trainedTokenCount: tokens)
        return try catalog.addDictionary(record, tensors: plan.weights.tensors(stored: plan.dtype))
    }

    /// The name asked for, or one made of architecture and sizes that is free.
    private func name(_ configuration: DictionaryConfiguration, in catalog: Catalog) throws -> String {
        if let name = settings.name { return name }
        let base = "\(settings.architecture)-m\(configuration.latents)-k\(configuration.k ?? 0)"
        let taken = Set(try catalog.dictionaries().map(\.name))
        guard taken.contains(base) else { return base }
        var number = 2
        while taken.contains("\(base)-\(number)") { number += 1 }
        return "\(base)-\(number)"
    }
}
