import ActivationPipeline
package import FeatureCatalog
import Foundation
import JSON
import SparseCoding
import Training
import Vocabulary

/// What packing leaves out or makes smaller.
package struct PackSettings: Sendable, Codable, Equatable {
    /// Bands of contexts that are left out.
    package var dropBands: [String]
    /// Contexts of each band that are kept; nil for all.
    package var contexts: Int?
    /// Promoted and suppressed tokens, nearest and co-firing features that are kept of each feature; nil for all.
    package var lists: Int?
    /// How weights in f32 are stored: `f16` or `bf16`; nil as they are.
    package var dtype: String?
    /// Whether text that no kept context shows is left out.
    package var dropText: Bool
    /// Whether tables, views and indexes that others added are kept; nil is no.
    package var keepAdditions: Bool?
    /// Whether rows changed by other software are copied as they are; nil is no, and refuses the catalog.
    package var acceptChanges: Bool?

    /// Makes settings; by default everything is kept.
    package init(
        dropBands: [String] = [], contexts: Int? = nil, lists: Int? = nil, dtype: String? = nil, dropText: Bool = false,
        keepAdditions: Bool = false, acceptChanges: Bool = false
    ) {
        self.dropBands = dropBands
        self.contexts = contexts
        self.lists = lists
        self.dtype = dtype
        self.dropText = dropText
        self.keepAdditions = keepAdditions ? true : nil
        self.acceptChanges = acceptChanges ? true : nil
    }

    /// The part of a catalog that is copied.
    ///
    /// - Throws: `WorkflowError.usage` for a band or a dtype that does not exist.
    func selection() throws(WorkflowError) -> CatalogCopy.Selection {
        var selection = CatalogCopy.Selection()
        for name in dropBands {
            guard let band = ContextBand(rawValue: name) else {
                throw .usage("there is no band '\(name)'; there are top, sample and quiet")
            }
            selection.bands.remove(band)
        }
        if let contexts { try Allowed.from(0).check(contexts, of: "contexts") }
        selection.contextLimit = contexts
        if let lists { try Allowed.from(0).check(lists, of: "lists") }
        selection.listLimit = lists
        if let dtype {
            guard let type = DictionaryTensor.DataType(rawValue: dtype) else {
                throw .usage("there is no dtype '\(dtype)'; there are f32, f16 and bf16")
            }
            selection.tensorType = type
        }
        selection.dropsText = dropText
        return selection
    }
}

/// Writes a smaller catalog: chosen bands left out, weights at fewer bits, everything recompressed
/// without gaps.
package struct PackRun {
    /// What to keep.
    package let settings: PackSettings

    /// Describes a job.
    package init(settings: PackSettings) {
        self.settings = settings
    }

    /// Sizes in bytes.
    package struct Result: Sendable, Equatable {
        /// The catalog that was packed.
        package let bytesBefore: Int
        /// The one that was written.
        package let bytesAfter: Int
    }

    /// Packs one catalog into another file, which appears only when it is whole.
    ///
    /// - Parameters:
    ///   - replacing: whether a catalog that is there may be replaced.
    ///   - remark: told what of others' additions is not kept, a line each.
    ///   - progress: told how many of how many features are done.
    /// - Throws: `WorkflowError.usage`, `CatalogError`; `.damaged` for a catalog whose rows something else has changed.
    package func run(
        from source: Catalog, to path: String, replacing: Bool = false, remark: (String) -> Void = { _ in },
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws -> Result {
        let selection = try settings.selection()
        let before = try PackRun.bytes(of: source.path)
        guard URL(filePath: source.path).standardizedFileURL != URL(filePath: path).standardizedFileURL else {
            throw WorkflowError.refused("\(path): is the catalog itself; name another file to pack it into")
        }

        let options = try canonicalJSON(settings)
        try Catalog.build(at: path, replacing: replacing, software: Software.identity) { target in
            if settings.acceptChanges != true { try source.refuseChangedRows() }
            let copy = CatalogCopy(from: source, to: target, selection: selection)
            try copy.copyOrigins()
            try copy.copyIndexes(progress: progress)
            try copy.copyPackings()
            try target.notePacking(options: options, bytesBefore: before)
            if settings.keepAdditions == true { try source.copyAdditions(to: target, remark: remark) }
        }
        return Result(bytesBefore: before, bytesAfter: try PackRun.bytes(of: path))
    }

    private static func bytes(of path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.size] as? NSNumber)?.intValue ?? 0
    }
}
