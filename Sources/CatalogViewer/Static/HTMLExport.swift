import ActivationPipeline
import FeatureCatalog
import Foundation
import Interchange
package import LinearAlgebra

/// Writes the pages of a catalog as a folder that opens from a disk and from any static host.
///
/// The pages are the viewer's own answers with their links turned into files. Those of features are kept in scripts, many
/// to one, and shown by `feature.html`; the list filters and sorts an index in the browser. What needs a server or a model
/// is left out: prompts, comparisons, whole passages, other corpora.
package struct HTMLExport {
    /// The dictionary whose features are written, by name or number; nil for all that are indexed.
    package let dictionary: String?
    /// The corpus of the figures, by name or number; nil for the one indexed last.
    package let corpus: String?
    /// The folder to make.
    package let folder: String

    /// Describes an export.
    package init(dictionary: String?, corpus: String?, folder: String) {
        (self.dictionary, self.corpus, self.folder) = (dictionary, corpus, folder)
    }

    /// What was written.
    package struct Result: Sendable {
        /// Dictionaries with pages of their features.
        package let dictionaryCount: Int
        /// Features.
        package let featureCount: Int
        /// Files.
        package let fileCount: Int
        /// Bytes of all files.
        package let byteCount: Int
    }

    /// Writes the folder.
    ///
    /// - Parameters:
    ///   - path: the catalog's file.
    ///   - spelling: turns the name of a setting in backticks into what a person types.
    ///   - progress: told how many of how many features are written, from any thread.
    /// - Throws: `WorkflowError.cannotWrite` for a folder that is there, `.refused` for a catalog without an indexed
    ///   dictionary, `.interrupted`; `CatalogError`, `.busy` where another process has written to the catalog meanwhile.
    ///   Nothing is left behind then.
    package func run(
        on path: String, workers: Workers, spelling: @escaping @Sendable (String) -> String,
        cancelled: @escaping @Sendable () -> Bool = { false },
        progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Result {
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        var site = Site(path: path, prompts: nil, reviews: nil, workers: workers, spelling: spelling, formToken: "")
        // Nobody waits for a page.
        site.seconds = 3600
        return try catalog.snapshot {
            let chosen = try indexes(in: catalog)
            guard !chosen.isEmpty else {
                throw WorkflowError.refused("\(path): holds no indexed dictionary; index one first")
            }
            return try OutputFolder.make(folder) { draft in
                // In WAL mode others may write while this reads, and each thread reads by itself.
                let stamp = FileStamp(path)
                let result = try StaticFolder(
                    site: site, chosen: chosen, corpus: corpus, folder: draft, cancelled: cancelled
                ).write(from: catalog, workers: workers, progress: progress)
                guard FileStamp(path) == stamp else {
                    throw CatalogError(.busy, "\(path): was changed while its pages were written; run again")
                }
                return result
            }
        }
    }

    private func indexes(in catalog: Catalog) throws -> [IndexedDictionary] {
        if let dictionary { return [try IndexedDictionary(named: dictionary, corpus: corpus, in: catalog)] }
        return try catalog.dictionaries().compactMap { record in
            guard try !catalog.indexings(dictionaryID: record.dictionaryID).isEmpty else { return nil }
            return try IndexedDictionary(record, corpus: corpus, in: catalog)
        }
    }
}
