import ActivationPipeline
import FeatureCatalog
import Foundation
import JSON
import Training

/// Merges catalogs into a new one: of different dictionaries, of one dictionary on different texts, or, combined, of the
/// parts of one text.
package struct MergeRun {
    /// The catalogs to merge and how.
    package let settings: MergeSettings

    /// Describes a merge.
    package init(settings: MergeSettings) {
        self.settings = settings
    }

    /// The result of a merge.
    package struct Result: Sendable {
        /// Dictionaries of the new catalog.
        package let dictionaryCount: Int
        /// Its indexes.
        package let indexCount: Int
        /// Indexes that were put together into one.
        package let combinedCount: Int
    }

    /// Merges into a file that appears only when it is complete.
    ///
    /// - Parameters:
    ///   - replacing: whether a catalog that is there may be replaced.
    ///   - remark: told what was left out or renamed, a line each.
    ///   - progress: told how many of how many features are done.
    /// - Throws: `WorkflowError`, `CatalogError`; `.damaged` for a catalog whose rows something else has changed.
    package func run(
        to path: String, replacing: Bool = false, remark: @escaping (String) -> Void = { _ in },
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Result {
        guard settings.inputs.count >= 2 || settings.combine != nil else {
            throw WorkflowError.usage("name two catalogs or more to merge")
        }

        let target = URL(filePath: path).standardizedFileURL
        if let same = settings.inputs.first(where: { URL(filePath: $0).standardizedFileURL == target }) {
            throw WorkflowError.refused("\(same): would be merged into itself; name a new file first")
        }

        let sources = try settings.inputs.map { try Catalog.open(at: $0, mode: .readOnly) }
        defer { for source in sources { _ = try? source.close() } }
        var result = Result(dictionaryCount: 0, indexCount: 0, combinedCount: 0)
        try Catalog.build(at: path, replacing: replacing, software: Software.identity) { catalog in
            for source in sources { try source.refuseChangedRows() }
            result = try merge(sources, into: catalog, remark: remark, progress: progress)
            if settings.keepAdditions == true {
                for source in sources { try source.copyAdditions(to: catalog, remark: remark) }
            }
            for source in sources { try source.checkUnchanged() }
        }
        return result
    }

    private func merge(
        _ sources: [Catalog], into catalog: Catalog, remark: @escaping (String) -> Void,
        progress: (_ done: Int, _ total: Int) -> Void
    ) throws -> Result {
        var settings = settings
        let plan = try settings.combine.map { try CombinationPlan(name: $0, sources: sources) }
        settings.options = plan?.options
        settings.seed = plan?.seed
        settings.precision = plan?.precision
        let corpusID = try plan?.addCorpus(to: catalog)
        let inputs = try zip(settings.inputs, sources).map { path, source in
            let (digest, bytes) = try sha256(ofFile: path)
            return RunInput(role: "catalog", name: try source.identity().uuid, sha256: digest, bytes: bytes)
        }

        var copies: [CatalogCopy] = []
        for (index, source) in sources.enumerated() {
            var selection = CatalogCopy.Selection()
            if let plan, let corpusID {
                selection.places = plan.places(inSource: index, corpusID: corpusID)
                selection.indexes = Set(
                    try source.dictionaries().flatMap { try source.indexings(dictionaryID: $0.dictionaryID).map(\.key) }
                        .filter { selection.places[$0.corpusID] == nil })
            }

            let copy = CatalogCopy(from: source, to: catalog, selection: selection, remark: remark)
            try copy.copyOrigins()
            copies.append(copy)
        }
        // After the runs that are merged, so that it comes last in the ledger.
        let combined = try catalog.withRun(
            .merge, settings: settings, seed: settings.seed,
            inputs: Dictionary(inputs.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }).values
                .sorted { $0.name < $1.name }
        ) { run in
            for copy in copies { try copy.copyIndexes(progress: progress) }
            guard let plan, let corpusID else { return 0 }
            return try plan.combine(
                into: catalog, corpusID: corpusID, runID: run.runID, copies: copies, progress: progress)
        }
        let dictionaries = try catalog.dictionaries()
        return Result(
            dictionaryCount: dictionaries.count,
            indexCount: try dictionaries.reduce(0) {
                try $0 + catalog.indexings(dictionaryID: $1.dictionaryID).count
            }, combinedCount: combined)
    }
}
