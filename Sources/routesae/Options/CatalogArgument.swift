import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import Foundation
import Indexing

/// The catalog that a verb works on.
struct CatalogArgument: ParsableArguments {
    @Argument(help: "The catalog, a SQLite file.")
    var catalog: String

    /// Opens it for reading and closes it afterwards.
    ///
    /// - Parameter atOnce: whether all that is read is of one state of the file. Nobody can begin to write for as long,
    ///   so verbs that work for hours between two looks do without.
    func read<Value>(atOnce: Bool = true, _ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: catalog, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let value = atOnce ? try catalog.snapshot { try body(catalog) } : try body(catalog)
        try catalog.checkUnchanged()
        return value
    }

    /// Opens it for writing and closes it afterwards, whatever happens, to one plain file.
    func write<Value>(_ body: (Catalog) throws -> Value) throws -> Value {
        try CatalogFile.write(CatalogFile.open(catalog), body)
    }
}

/// Opening and closing of catalogs that are written to.
enum CatalogFile {
    /// How long others are waited for: readers of a file that is to be written, and of one that was.
    static let patience = Patience(
        seconds: 30, isOver: { Interruption.isRequested }, remark: { StandardStreams.remark($0) })

    /// Opens a catalog for writing.
    static func open(_ path: String) throws -> Catalog {
        try Catalog.open(at: path, mode: .readWrite, patience: patience)
    }

    /// Runs `body` on a catalog and closes it, to one plain file; where that cannot be, a line says so.
    static func write<Value>(_ catalog: Catalog, _ body: (Catalog) throws -> Value) throws -> Value {
        let value: Value
        do { value = try body(catalog) } catch {
            _ = try? catalog.close(patience: patience)
            throw error
        }
        try catalog.close(patience: patience)
        return value
    }
}

/// The index that a verb looks at: a dictionary, and the text whose statistics are shown.
struct IndexOption: ParsableArguments {
    @Option(help: "The dictionary, by name or number; the last one added if not named.")
    var dictionary: String?
    @Option(help: "The corpus it was indexed on, by name or number; the one indexed last if not named.")
    var corpus: String?

    /// Finds it.
    func find(in catalog: Catalog) throws -> IndexedDictionary {
        try IndexedDictionary(named: dictionary, corpus: corpus, in: catalog)
    }
}

/// The dictionary that a verb looks at.
struct DictionaryOption: ParsableArguments {
    @Option(help: "The dictionary, by name or number; the last one added if not named.")
    var dictionary: String?
}
