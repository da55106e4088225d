import GRDB
package import Vocabulary

/// Copies the contents of one catalog into another, under new keys: the basis of merging and packing.
///
/// Things that the target already has (by uuid, digest or name) are reused. Rows pass the target's
/// constraints, tensors and documents their decoders; all other rows are checked by the source's digests
/// (``Catalog/refuseChangedRows()``).
package final class CatalogCopy {
    /// What is left out or reduced.
    package struct Selection {
        /// Bands of contexts that are kept.
        package var bands = Set(ContextBand.allCases)
        /// Contexts of each band that are kept, by rank; nil for all.
        package var contextLimit: Int?
        /// How f32 tensors are stored; nil as they are.
        package var tensorType: DictionaryTensor.DataType?
        /// Ranks of promoted and suppressed tokens, nearest and co-firing features that are kept; nil for all.
        package var listLimit: Int?
        /// Whether text that no context shows is left out.
        package var dropsText = false
        /// Indexes that are copied; nil for all.
        package var indexes: Set<IndexingKey>?
        /// Explanations and scores of this and later runs are left out; nil copies all.
        package var resultsBefore: Int64?
        /// Exchanges archived later than this (UTC, ISO 8601) are left out; nil copies all.
        package var exchangesUntil: String?
        /// Corpora of the source whose documents become part of a corpus of the target, from an offset on.
        package var places: [Int64: (corpusID: Int64, offset: Int)] = [:]

        package init() {}

        var dropsContexts: Bool { bands.count < ContextBand.allCases.count || contextLimit != nil }
    }

    package let source: Catalog
    package let target: Catalog
    let selection: Selection
    /// Told what is not copied unchanged, a line each.
    let remark: (String) -> Void

    package internal(set) var runs: [Int64: Int64] = [:]
    var models: [Int64: Int64] = [:]
    package internal(set) var corpora: [Int64: Int64] = [:]
    package internal(set) var documents: [Int64: Int64] = [:]
    package internal(set) var passages: [Int64: Int64] = [:]
    package internal(set) var dictionaries: [Int64: Int64] = [:]
    var explanations: [Int64: Int64] = [:]
    /// Dictionaries added to the target.
    var newDictionaries: [Int64] = []

    package init(
        from source: Catalog, to target: Catalog, selection: Selection = Selection(),
        remark: @escaping (String) -> Void = { _ in }
    ) {
        self.source = source
        self.target = target
        self.selection = selection
        self.remark = remark
    }

    /// Copies everything but indexes and their dependent rows.
    package func copyOrigins() throws {
        try source.read { from in
            try target.write { to in
                try copyRuns(from, to)
                try copyModels(from, to)
                try copyTexts(from, to)
                try copyDictionaries(from, to)
            }
        }
    }

    /// Copies indexes with their explanations and scores.
    ///
    /// - Parameter progress: Told how many of how many features are done.
    package func copyIndexes(progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }) throws {
        try source.read { from in
            try target.write { to in
                let keys = try indexKeys(from, to)
                let total = try keys.reduce(0) { try $0 + source.dictionary($1.from.dictionaryID).latentCount }
                var done = 0
                for key in keys {
                    try copyIndex(key.from, key.to, from, to) { progress(done + $0, total) }
                    done += try source.dictionary(key.from.dictionaryID).latentCount
                }
                try copyResults(keys, from, to)
                try Catalog.analyze(to)
            }
        }
    }

    /// The target's key for a row of the source.
    func mapped(_ key: Int64, _ mapping: [Int64: Int64], _ what: String) throws -> Int64 {
        guard let copy = mapping[key] else {
            throw CatalogError(.damaged, "\(source.path): refers to \(what) \(key), which is not there")
        }
        return copy
    }

    /// A condition on the rows of `feature_context` that are kept.
    var contextFilter: String {
        let bands = selection.bands.map(\.code).sorted().map(String.init).joined(separator: ", ")
        return "band IN (\(bands))" + (selection.contextLimit.map { " AND rank < \($0)" } ?? "")
    }

    /// A condition on the rows of ranked lists that are kept.
    var listFilter: String { selection.listLimit.map { "rank < \($0)" } ?? "TRUE" }

    /// Copies rows, changing only keys.
    ///
    /// - Parameters:
    ///   - key: A column whose value the target chooses.
    ///   - mapping: New values by column; NULLs stay.
    ///   - isWanted: Whether the row with a key is copied, where there is a `key`.
    ///   - note: Told the key of each copied row, if there is a `key`; the target has the new one.
    func copy(
        _ table: String, _ condition: String, _ from: Database, _ to: Database, key: String? = nil,
        mapping: [String: [Int64: Int64]] = [:], where isWanted: (_ key: Int64) -> Bool = { _ in true },
        note: (_ key: Int64) -> Void = { _ in }
    ) throws {
        let all = try Row.fetchAll(
            from, sql: "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", arguments: [table])
        let columns = try all.map { try $0.value(0) as String }.filter { $0 != key }
        let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        let places = columns.map { _ in "?" }.joined(separator: ", ")
        let maps = columns.map { mapping[$0] }
        let insert = try BulkInsert(to, path: target.path, sql: "INSERT INTO \(table) (\(names)) VALUES (\(places))")
        let last = key.map { ", \"\($0)\"" } ?? ""
        let rows = try Row.fetchCursor(from, sql: "SELECT \(names)\(last) FROM \(table) WHERE \(condition)")
        while let row = try rows.next() {
            let old: Int64? = key == nil ? nil : try row.value(columns.count)
            if let old, !isWanted(old) { continue }
            for (index, map) in maps.enumerated() {
                let value = row[index] as DatabaseValue
                if let map, case .int64(let old) = value.storage {
                    insert.bind(Int32(index + 1), try mapped(old, map, "\(table).\(columns[index])"))
                } else {
                    insert.bind(Int32(index + 1), value)
                }
            }
            try insert.run()
            if let old { note(old) }
        }
    }
}
