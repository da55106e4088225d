import ActivationPipeline
import ArgumentParser
import FeatureCatalog
import Foundation
import Indexing

/// The catalog of a command.
struct CatalogArgument: ParsableArguments {
    @Argument(help: "The catalog, a SQLite file.")
    var catalog: String

    /// Opens it for reading and closes it afterwards.
    ///
    /// - Parameter atOnce: whether all reading sees one state of the file. That blocks writers meanwhile,
    ///   so commands that compute for hours between two reads do without.
    func read<Value>(atOnce: Bool = true, _ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: catalog, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let value = atOnce ? try catalog.snapshot { try body(catalog) } : try body(catalog)
        try catalog.checkUnchanged()
        return value
    }

    /// Opens it for writing and closes it afterwards, in any case, to one plain file.
    func write<Value>(_ body: (Catalog) throws -> Value) throws -> Value {
        try CatalogFile.write(CatalogFile.open(catalog), body)
    }
}

/// Opens and closes catalogs for writing.
enum CatalogFile {
    /// How long to wait for readers, when opening and when closing.
    static let patience = Patience(
        seconds: 30, isOver: { Interruption.isRequested }, remark: { StandardStreams.remark($0) })

    /// Opens a catalog for writing.
    static func open(_ path: String) throws -> Catalog {
        try Catalog.open(at: path, mode: .readWrite, patience: patience)
    }

    /// Runs `body` on a catalog and closes it, to one plain file; if that fails, a line says so.
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

/// The index that a command reads: a dictionary, and the corpus of its statistics.
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

/// The dictionary that a command reads.
struct DictionaryOption: ParsableArguments {
    @Option(help: "The dictionary, by name or number; the last one added if not named.")
    var dictionary: String?
}
