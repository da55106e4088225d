import ArgumentParser
import FeatureCatalog
import Foundation
import Workflows

/// The catalog that a verb works on.
struct CatalogArgument: ParsableArguments {
    @Argument(help: "The catalog, a SQLite file.")
    var catalog: String

    /// Opens it for reading and closes it afterwards.
    func read<Value>(_ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: catalog, mode: .readOnly)
        defer { _ = try? catalog.close() }
        return try catalog.snapshot { try body(catalog) }
    }

    /// Opens it for writing and closes it afterwards, whatever happens, to one plain file.
    func write<Value>(_ body: (Catalog) throws -> Value) throws -> Value {
        try CatalogFile.write(Catalog.open(at: catalog, mode: .readWrite), body)
    }
}

/// Opening and closing of catalogs that are written to.
enum CatalogFile {
    /// Runs `body` on a catalog and closes it.
    static func write<Value>(_ catalog: Catalog, _ body: (Catalog) throws -> Value) throws -> Value {
        do {
            let value = try body(catalog)
            _ = try catalog.close()
            return value
        } catch {
            _ = try? catalog.close()
            throw error
        }
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
