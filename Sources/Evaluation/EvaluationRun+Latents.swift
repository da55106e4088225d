import ActivationPipeline
import FeatureCatalog
import LanguageModel
import LinearAlgebra
import SparseCoding
import Vocabulary

extension EvaluationRun {
    /// Measures the latents of dictionaries on a text, all on one pass of the model.
    ///
    /// Every second document is fitted on, and the others are measured on.
    ///
    /// - Parameter check: throws once the work is to stop.
    /// - Returns: the figures of each plan.
    func measure(
        _ plans: [LatentPlan], _ text: EvaluationText, _ folder: ModelFolder, _ segmenter: Segmenter,
        in catalog: Catalog, progress: (_ tokens: Int, _ documents: Int) -> Void, check: () throws -> Void
    ) throws -> [[MeasuredFigure]] {
        let model = folder.model.configuration
        let dictionaries = try dictionaries(of: plans, in: catalog, precision: folder.model.precision)
        let covered = settings.includes(.coverage) ? plans.first?.layers ?? [] : []
        if !covered.isEmpty {
            for plan in plans {
                let dictionary = dictionaries[plan.record.dictionaryID]
                dictionary?.coverage = Coverage(
                    latents: plan.record.latentCount, layers: covered.count, width: model.dModel,
                    workers: workers)
            }
        }

        let pass = MeasuringPass(
            dictionaries.values.sorted { $0.record.dictionaryID < $1.record.dictionaryID }, covered: covered,
            model: folder.model, workers: workers)
        var sources: [Int: String] = [:]
        var (tokens, documents) = (0, 0)
        func read(_ half: Int, maximum: Int?) throws {
            let before = (tokens, documents)
            tokens =
                before.0
                + (try text.forEachBatch(
                    segmenter: segmenter, maximum: maximum, batchTokens: EvaluationPass.batchTokens(model),
                    where: { $0 % 2 == half }, source: { sources[$0] = $1 }
                ) { segments, begun in
                    try check()
                    try pass.read(segments) { sources[$0] ?? "" }
                    documents = before.1 + (begun + 1 - half) / 2
                    progress(pass.text.tokenIDs.count, documents)
                })
        }
        try read(0, maximum: settings.maximumTokens.map { $0 - $0 / 2 })
        guard tokens > 0 else { throw WorkflowError.refused("the text holds no tokens") }
        let labels = settings.includes(.probing) ? settings.labels ?? TextLabel.allCases : []
        if labels.contains(.source) { try Probing.checkSources(pass.text) }
        try check()
        pass.endFitting()
        try read(1, maximum: settings.maximumTokens.map { $0 / 2 })
        guard pass.text.fittedTokens < tokens || covered.isEmpty && labels.isEmpty else {
            throw WorkflowError.refused(
                "the text is one document; coverage and probing are fitted on some documents and measured on others")
        }

        let classes = TokenClasses(folder.tokenizer)
        let moments = LazyMoments(dictionaries)
        return try plans.map { plan in
            try check()
            guard let dictionary = dictionaries[plan.record.dictionaryID] else { return [] }
            var figures =
                dictionary.coverage?.figures(layers: covered, resamples: settings.resamples, seed: settings.seed) ?? []
            if let union = plan.union {
                figures += census(of: dictionary, union, plan.layers, moments)
                    .figures(resamples: settings.resamples, seed: settings.seed, workers: workers)
            }
            for label in labels {
                try check()
                figures += try Probing(
                    label == .tokenClass
                        ? ProbeExamples(tokensOf: pass.text, dictionary.rows, classes: classes)
                        : ProbeExamples(stretchesOf: pass.text, dictionary.rows, label: label),
                    tokens: tokens, workers: workers
                ).figures(resamples: settings.resamples, seed: settings.seed)
            }
            if settings.includes(.coherence), dictionary.record.layers.count > 1,
                dictionary.configuration.architecture != .crosscoder
            {
                figures += Coherence(
                    dictionary.rows, layers: dictionary.configuration.layers.count,
                    classes: pass.text.tokenIDs.map(classes.of), seed: settings.seed
                ).figures(resamples: settings.resamples, seed: settings.seed)
            }
            return figures
        }
    }

    /// The dictionaries that are read, by number.
    private func dictionaries(
        of plans: [LatentPlan], in catalog: Catalog, precision: Precision
    ) throws -> [Int64: MeasuredDictionary] {
        var records: [Int64: DictionaryRecord] = [:]
        for record in plans.map(\.record) + plans.flatMap({ $0.union?.members.map(\.record) ?? [] }) {
            records[record.dictionaryID] = record
        }
        if let tokens = settings.maximumTokens {
            // Ten bytes a firing; where no k is known, a share of the latents that few exceed.
            let active = records.values.reduce(0.0) { $0 + Double($1.k ?? max(1, $1.latentCount / 64)) }
            try MemoryBudget.machine.check(
                floats: 2.5 * Double(tokens) * active, for: "measuring latents of \(records.count) dictionaries",
                advice: "read fewer tokens (`maximumTokens`) or fewer dictionaries at a time")
        }
        return try records.mapValues {
            try MeasuredDictionary($0, in: catalog, workers: workers, precision: precision)
        }
    }

    private func census(
        of dictionary: MeasuredDictionary, _ union: CensusUnion, _ layers: [Int], _ moments: LazyMoments
    ) -> Census {
        var counted = Dictionary(uniqueKeysWithValues: layers.map { ($0, Census.Layer(layer: $0)) })
        for member in union.members {
            guard let features = moments.side(of: member.record, at: member.layer) else { continue }
            counted[member.layer]?.append(
                FoundFeatures(
                    of: features, counted: member.explained, in: moments.side(of: dictionary.record, at: member.layer),
                    seed: settings.seed, workers: workers))
        }
        let own = dictionary.record.layers.count == 1 ? dictionary.record.layers[0] : nil
        return Census(
            layers: union.layers.compactMap { counted[$0] }, own: own, tokens: dictionary.rows.count,
            suffix: union.suffix)
    }
}

/// Sums over the latents of dictionaries, each made once.
private final class LazyMoments {
    private let dictionaries: [Int64: MeasuredDictionary]
    private var moments: [Int64: FoundFeatures.Moments] = [:]

    init(_ dictionaries: [Int64: MeasuredDictionary]) {
        self.dictionaries = dictionaries
    }

    /// A dictionary as a census sees it at a layer; nil if it has nothing there.
    func side(of record: DictionaryRecord, at layer: Int) -> FoundFeatures.Side? {
        guard let dictionary = dictionaries[record.dictionaryID], let column = dictionary.column(of: layer) else {
            return nil
        }
        let own = moments[record.dictionaryID] ?? FoundFeatures.Moments(dictionary.rows)
        moments[record.dictionaryID] = own
        return FoundFeatures.Side(decoder: dictionary.decoder, column: column, rows: dictionary.rows, moments: own)
    }
}
