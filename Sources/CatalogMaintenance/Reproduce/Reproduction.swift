import ActivationPipeline
import Evaluation
package import FeatureCatalog
import Foundation
import Indexing
import Interchange
package import LinearAlgebra
import Scoring
import Training

/// Repeats a run of a catalog in a scratch catalog, from its configuration and inputs, and compares the
/// results: digests of everything it wrote, and its metrics.
package struct Reproduction {
    /// How a run is repeated.
    package struct Settings: Sendable, Equatable {
        /// The run's key.
        package var runID: Int64
        /// The model's current folder, if it has moved.
        package var model: String?
        /// The text's current path.
        package var text: [String]?
        /// The activations' current path.
        package var activations: [String]?
        /// The current path of what an import read.
        package var path: String?
        /// Where the scratch catalog is kept; nil removes it at the end.
        package var scratch: String?

        /// Makes settings.
        package init(
            runID: Int64, model: String? = nil, text: [String]? = nil, activations: [String]? = nil,
            path: String? = nil, scratch: String? = nil
        ) {
            self.runID = runID
            self.model = model
            self.text = text
            self.activations = activations
            self.path = path
            self.scratch = scratch
        }
    }

    /// One thing that was compared.
    package struct Comparison: Sendable, Equatable {
        /// A table, a tensor or a metric.
        package let what: String
        /// The value in the catalog.
        package let recorded: String
        /// The value now.
        package let reproduced: String

        /// Whether they are the same.
        package var isSame: Bool { recorded == reproduced }
    }

    let settings: Settings
    let workers: Workers

    /// Describes a reproduction.
    package init(settings: Settings, workers: Workers) {
        self.settings = settings
        self.workers = workers
    }

    /// Repeats the run and compares.
    ///
    /// - Parameters:
    ///   - remark: told differences in versions or hardware, a line each.
    ///   - progress: told how much of how much is done.
    /// - Throws: `WorkflowError.refused` for a run that did not complete, is of a kind that cannot be done again, or
    ///   whose inputs are not the same files; and whatever the run itself throws.
    package func run(
        on catalog: Catalog, cancelled: @escaping @Sendable () -> Bool = { false }, remark: (String) -> Void = { _ in },
        progress: @escaping (_ done: Int, _ total: Int?) -> Void = { _, _ in }
    ) throws -> [Comparison] {
        let run = try catalog.run(settings.runID)
        guard run.status == .complete else {
            throw WorkflowError.refused(
                "\(catalog.path): run \(run.runID) is \(run.status.rawValue); only what is complete can be compared")
        }
        if run.software.version != Software.identity.version {
            remark("run \(run.runID) was made by version \(run.software.version); this is \(Software.identity.version)")
        }

        let folder =
            settings.scratch == nil
            ? try ScratchFolder(beside: catalog.path, advice: "name a file with `scratch`") : nil
        defer { withExtendedLifetime(folder) {} }
        let path = settings.scratch ?? (folder?.path ?? ".") + "/scratch.sqlite"
        let scratch = try Catalog.create(at: path, replacing: false, software: Software.identity)
        defer { _ = try? scratch.close() }
        let copyID: Int64
        switch run.kind {
        case .train: copyID = try train(run, in: catalog, scratch, cancelled: cancelled, progress: progress)
        case .index: copyID = try index(run, in: catalog, scratch, cancelled: cancelled, progress: progress)
        case .score: copyID = try score(run, in: catalog, scratch, cancelled: cancelled, progress: progress)
        case .evaluate: copyID = try evaluate(run, in: catalog, scratch, cancelled: cancelled, progress: progress)
        case .steer: copyID = try steer(run, in: catalog, scratch, cancelled: cancelled, progress: progress)
        case .import: copyID = try `import`(run, in: catalog, scratch, cancelled: cancelled, progress: progress)
        case .explain, .merge:
            throw WorkflowError.refused(
                "\(catalog.path): run \(run.runID) is of kind \(run.kind.rawValue), which cannot be done again; "
                    + "train, import, index, score, evaluate and steer can")
        }
        return try catalog.snapshot { try compare(run, in: catalog, with: copyID, in: scratch) }
    }

    private func train(
        _ run: RunRecord, in catalog: Catalog, _ scratch: Catalog, cancelled: @escaping @Sendable () -> Bool,
        progress: @escaping (_ done: Int, _ total: Int?) -> Void
    ) throws -> Int64 {
        var training = try decode(TrainingSettings.self, run, catalog)
        if let model = settings.model { training.model = model }
        if let text = settings.text { training.text = text }
        if let activations = settings.activations {
            // Files of the same rows repeat a stream where they are read through the same buffer.
            if training.readsPipe { training.shuffleBuffer = training.windowSize }
            training.activations = activations
        }
        if training.readsPipe {
            throw WorkflowError.refused(
                "\(catalog.path): run \(run.runID) read a stream, which is gone; name files of the same rows with `activations`"
            )
        }
        try checkInputs(
            run, in: catalog, paths: training.text + training.activations, model: training.model)
        let job = try TrainingJob([training], workers: workers)
        let policy = try CheckpointPolicy(path: TrainingCheckpoint.path(besideCatalog: scratch.path))
        let outcome = try TrainingRun(job, workers: workers, checkpoints: policy).run(
            into: scratch, cancelled: cancelled
        ) { step, _ in progress(step, job.steps) }
        guard let result = outcome.results.first else {
            throw WorkflowError.interrupted("the run was stopped before it could be compared")
        }
        return result.runID
    }

    private func `import`(
        _ run: RunRecord, in catalog: Catalog, _ scratch: Catalog, cancelled: @escaping @Sendable () -> Bool,
        progress: @escaping (_ done: Int, _ total: Int?) -> Void
    ) throws -> Int64 {
        var importing = try decode(ImportSettings.self, run, catalog)
        if let model = settings.model { importing.model = model }
        if let path = settings.path { importing.path = path }
        for (path, what, option) in [(importing.path, "file or folder", "`path`")]
            + [importing.model].compactMap(\.self).map({ ($0, "model", "`model`") })
        where !FileManager.default.fileExists(atPath: path) {
            throw WorkflowError.missing(path: path, what: "\(what) (say where it is now with \(option))")
        }
        let again = try ImportRun(importing, workers: workers)
        try refuse(try catalog.runInputs(run.runID), notAmong: Set(again.inputs.map(\.sha256)), of: run)
        let names = try catalog.dictionaries().filter { $0.runID == run.runID }.map(\.name)
        let results = try again.run(
            into: scratch, named: names, cancelled: cancelled, progress: { progress($0, $1) })
        guard let copy = try scratch.dictionaries().first(where: { $0.dictionaryID == results.first?.dictionaryID })
        else { throw missing(catalog) }
        return copy.runID
    }

    private func index(
        _ run: RunRecord, in catalog: Catalog, _ scratch: Catalog, cancelled: @escaping @Sendable () -> Bool,
        progress: @escaping (_ done: Int, _ total: Int?) -> Void
    ) throws -> Int64 {
        var indexing = try decode(IndexingSettings.self, run, catalog)
        indexing.corpus = indexing.corpusName
        indexing.dictionary = try dictionaryName(of: run, in: catalog)
        if let model = settings.model { indexing.model = model }
        if let text = settings.text { indexing.text = text }
        try checkInputs(run, in: catalog, paths: indexing.text, model: indexing.model)
        var selection = CatalogCopy.Selection()
        selection.dropsText = true
        selection.indexes = []
        selection.bands = []
        try catalog.snapshot { try CatalogCopy(from: catalog, to: scratch, selection: selection).copyOrigins() }
        return try IndexingRun(settings: indexing, workers: workers).run(
            on: scratch, cancelled: cancelled,
            progress: { progress($0.documents, $0.totalDocuments) }
        ).runID
    }

    private func score(
        _ run: RunRecord, in catalog: Catalog, _ scratch: Catalog, cancelled: @escaping @Sendable () -> Bool,
        progress: @escaping (_ done: Int, _ total: Int?) -> Void
    ) throws -> Int64 {
        var scoring = try decode(ScoringSettings.self, run, catalog)
        guard let key = try catalog.scoredIndex(runID: run.runID) else {
            throw WorkflowError.refused("\(catalog.path): run \(run.runID) wrote no scores")
        }
        if let model = settings.model { scoring.model = model }
        try checkInputs(run, in: catalog, paths: [], model: scoring.model)
        var selection = CatalogCopy.Selection()
        selection.indexes = [key]
        // Results of later runs on the same features did not exist.
        selection.resultsBefore = run.runID
        selection.exchangesUntil = run.finishedAt
        let copy = CatalogCopy(from: catalog, to: scratch, selection: selection)
        try catalog.snapshot {
            try copy.copyOrigins()
            try copy.copyIndexes()
        }
        // Conditions may have been on scores that are no longer what they were.
        if scoring.judge?.only == nil {
            scoring.features = try catalog.scoredFeatures(runID: run.runID)
        }
        scoring.dictionary = "\(try copy.dictionaries[key.dictionaryID] ?? { throw missing(catalog) }())"
        scoring.corpus = "\(try copy.corpora[key.corpusID] ?? { throw missing(catalog) }())"
        // Replies of a judge come from the archive; no endpoint is asked.
        let recorded = try catalog.scores(dictionaryID: key.dictionaryID, runID: run.runID)
        return try ScoringRun(settings: scoring, workers: workers, repeating: recorded).run(
            on: scratch, progress: { progress($0, $1) }, cancelled: cancelled
        ).runID
    }

    private func evaluate(
        _ run: RunRecord, in catalog: Catalog, _ scratch: Catalog, cancelled: @escaping @Sendable () -> Bool,
        progress: @escaping (_ done: Int, _ total: Int?) -> Void
    ) throws -> Int64 {
        var settings = try decode(EvaluationSettings.self, run, catalog)
        guard let evaluated = try catalog.evaluatedCorpus(runID: run.runID) else {
            throw WorkflowError.refused("\(catalog.path): run \(run.runID) wrote no figures")
        }
        if let model = self.settings.model { settings.model = model }
        if let text = self.settings.text, !settings.text.isEmpty {
            // The name it was given, which may have followed from where the text was.
            settings.corpus = try catalog.corpora().first { $0.corpusID == evaluated.corpusID }?.name
            settings.text = text
        }
        try checkInputs(run, in: catalog, paths: settings.text, model: settings.model)
        var selection = CatalogCopy.Selection()
        selection.dropsText = !settings.text.isEmpty
        selection.indexes = []
        selection.resultsBefore = run.runID
        let copy = CatalogCopy(from: catalog, to: scratch, selection: selection)
        try catalog.snapshot { try copy.copyOrigins() }
        settings.dictionary = "\(try copy.dictionaries[evaluated.dictionaryID] ?? { throw missing(catalog) }())"
        if settings.text.isEmpty {
            settings.corpus = "\(try copy.corpora[evaluated.corpusID] ?? { throw missing(catalog) }())"
        }

        let results = try EvaluationRun(settings: settings, workers: workers).run(on: scratch, cancelled: cancelled) {
            progress($0.documents, $0.totalDocuments)
        }
        guard let result = results.first else { throw missing(catalog) }
        return result.runID
    }

    private func compare(
        _ run: RunRecord, in catalog: Catalog, with copyID: Int64, in scratch: Catalog
    ) throws -> [Comparison] {
        let recorded = try catalog.contentDigests(ofRun: run.runID)
        let reproduced = try scratch.contentDigests(ofRun: copyID)
        var comparisons = zip(recorded, reproduced).filter { one, two in
            // Versions before kept no histograms of equal bins.
            one.rowCount > 0 || two.rowCount > 0 && one.table != "feature_linear_histogram"
        }.map { one, two in
            Comparison(
                what: one.table, recorded: "\(one.sha256.prefix(16)) of \(one.rowCount)",
                reproduced: "\(two.sha256.prefix(16)) of \(two.rowCount)")
        }

        let metrics = try (catalog.runMetrics(run.runID), scratch.runMetrics(copyID))
        for name in Set(metrics.0.map(\.name)).sorted()
        where !name.hasSuffix("_seconds") && !name.hasSuffix("_per_second") {
            func last(_ metrics: [RunMetric]) -> String {
                guard let value = metrics.last(where: { $0.name == name })?.value else { return "none" }
                return "\(value)"
            }
            comparisons.append(
                Comparison(what: "last \(name)", recorded: last(metrics.0), reproduced: last(metrics.1)))
        }
        return comparisons + (try compareInterventions(run, in: catalog, with: copyID, in: scratch))
    }

    /// Refuses files other than those the run read.
    ///
    /// - Parameter inputs: the model's inputs recorded by such a run.
    func checkInputs(
        _ run: RunRecord, in catalog: Catalog, paths: [String], model: String?,
        inputs: (ModelFolder) throws -> [RunInput] = { try $0.inputs() }
    ) throws {
        let recorded = try catalog.runInputs(run.runID)
        for (path, what, option) in paths.map({ ($0, "text or activations", "`text`") })
            + [model].compactMap(\.self).map({ ($0, "model", "`model`") })
        where !FileManager.default.fileExists(atPath: path) {
            throw WorkflowError.missing(path: path, what: "\(what) (say where it is now with \(option))")
        }

        var known: Set<String> = []
        if let model {
            let folder = try ModelFolder(path: model, workers: workers)
            for input in try inputs(folder) + folder.formerInputs().joined() { known.insert(input.sha256) }
        }

        let files = paths.flatMap { path -> [String] in
            // Text as it is found when it is read: through links, too.
            if let text = try? TextFiles([path]) { return text.paths }
            let names = FileManager.default.enumerator(atPath: path)?.allObjects.compactMap { $0 as? String } ?? []
            return names.isEmpty ? [path] : names.map { path + "/" + $0 }
        }
        for file in files {
            if let digest = try? sha256(ofFile: file).digest { known.insert(digest) }
        }
        try refuse(recorded.filter { ["model", "text"].contains($0.role) }, notAmong: known, of: run)
    }

    /// Refuses a recorded input that is not among the files at hand.
    private func refuse(_ recorded: [RunInput], notAmong known: Set<String>, of run: RunRecord) throws(WorkflowError) {
        guard let input = recorded.first(where: { !known.contains($0.sha256) }) else { return }
        throw .refused(
            "\(input.name) (\(input.role)) is not the file that run \(run.runID) read: none has the SHA-256 "
                + "\(input.sha256.prefix(16))…")
    }

    func decode<Value: Decodable>(_ type: Value.Type, _ run: RunRecord, _ catalog: Catalog) throws -> Value {
        do { return try JSONDecoder().decode(type, from: Data(run.configJSON.utf8)) } catch {
            throw WorkflowError.refused(
                "\(catalog.path): the configuration of run \(run.runID) is not one that this version can run again")
        }
    }

    private func dictionaryName(of run: RunRecord, in catalog: Catalog) throws -> String {
        for dictionary in try catalog.dictionaries()
        where try catalog.indexings(dictionaryID: dictionary.dictionaryID).contains(where: { $0.runID == run.runID }) {
            return dictionary.name
        }
        throw WorkflowError.refused(
            "\(catalog.path): the index that run \(run.runID) wrote has been replaced; there is nothing to compare with"
        )
    }

    private func missing(_ catalog: Catalog) -> CatalogError {
        CatalogError(.damaged, "\(catalog.path): scores of an index that is not there")
    }
}
