import Foundation
import GRDB
import Vocabulary

extension Catalog {
    /// Adds a dictionary with its weights, all in one transaction; the tensors are asked for their rows chunk by chunk.
    ///
    /// - Returns: Its key.
    /// - Throws: ``CatalogError`` `.invalidValue` if the record contradicts itself, its name is taken, or a tensor
    ///   gives another number of values than its shape has; and whatever a tensor's rows throw.
    package func addDictionary(_ dictionary: DictionaryRecord, tensors: [DictionaryTensor]) throws -> Int64 {
        try addDictionaries([(dictionary, tensors)])[0]
    }

    /// Adds several dictionaries: all of them, or none.
    ///
    /// - Parameter written: Told the number of values of every chunk of a weight that is written; may throw, and then
    ///   none is added.
    /// - Returns: Their keys.
    /// - Throws: As ``addDictionary(_:tensors:)``.
    package func addDictionaries(
        _ dictionaries: [(record: DictionaryRecord, tensors: [DictionaryTensor])],
        written: (_ values: Int) throws -> Void = { _ in }
    ) throws -> [Int64] {
        for (record, _) in dictionaries {
            try checkJSON(record.configJSON, "config of dictionary \(record.name)")
        }
        return try writeRethrowing { database in
            // The pages of weights are not read again; kept until the end, they would double the memory.
            let cache = try Int.fetchOne(database, sql: "PRAGMA cache_size") ?? -2000
            try database.execute(sql: "PRAGMA cache_size = -\(Self.tensorCacheByteCount >> 10)")
            defer { try? database.execute(sql: "PRAGMA cache_size = \(cache)") }
            var keys: [Int64] = []
            for (record, tensors) in dictionaries {
                let key = try insert(record, database)
                for tensor in tensors { try add(tensor, to: key, named: record.name, database, written) }
                keys.append(key)
            }
            return keys
        }
    }

    /// SQLite's page cache while weights are written.
    private static let tensorCacheByteCount = 16 << 20

    private func insert(_ dictionary: DictionaryRecord, _ database: Database) throws -> Int64 {
        let taken = try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM dictionary WHERE name = ?)", arguments: [dictionary.name])
        guard taken == false else {
            throw CatalogError(.invalidValue, "\(path): there is a dictionary \"\(dictionary.name)\" already")
        }
        let rules = dictionary.rules
        try database.execute(
            sql: """
                INSERT INTO dictionary (run_id, language_model_id, name, architecture, d_model, n_latents, k,
                    layers, aggregation, routing, fidelity, input_normalization, input_epsilon, input_scale,
                    subtracts_pre_bias, selection, threshold_form, activation_threshold, relative_threshold,
                    n_tokens_trained, config)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                dictionary.runID, dictionary.languageModelID, dictionary.name, dictionary.architecture.rawValue,
                dictionary.dModel, dictionary.latentCount, dictionary.k, Self.json(dictionary.layers),
                dictionary.aggregation?.rawValue, dictionary.routing?.rawValue, dictionary.fidelity.rawValue,
                rules.input.rawValue, rules.inputEpsilon, rules.inputScale, rules.subtractsPreBias,
                rules.selection?.rawValue, rules.thresholdForm?.rawValue, dictionary.activationThreshold,
                dictionary.relativeThreshold, dictionary.trainedTokenCount, dictionary.configJSON,
            ])
        return database.lastInsertedRowID
    }

    /// All dictionaries, in the order in which they were added.
    package func dictionaries() throws(CatalogError) -> [DictionaryRecord] {
        try read { database in
            try Row.fetchAll(database, sql: Self.dictionaryColumns + " ORDER BY dictionary_id").map(dictionaryRecord)
        }
    }

    /// The dictionary of a name.
    ///
    /// - Throws: ``CatalogError`` `.notFound`; the message lists the names there are.
    package func dictionary(named name: String) throws(CatalogError) -> DictionaryRecord {
        try read { database in
            let row = try Row.fetchOne(database, sql: Self.dictionaryColumns + " WHERE name = ?", arguments: [name])
            guard let row else {
                let names = try String.fetchAll(database, sql: "SELECT name FROM dictionary ORDER BY dictionary_id")
                let list = names.isEmpty ? "none yet" : names.prefix(20).joined(separator: ", ")
                throw CatalogError(.notFound, "\(path): no dictionary \"\(name)\" (there are: \(list))")
            }
            return try dictionaryRecord(row)
        }
    }

    /// The dictionary of a key.
    ///
    /// - Throws: ``CatalogError`` `.notFound`.
    package func dictionary(_ dictionaryID: Int64) throws(CatalogError) -> DictionaryRecord {
        try read { database in
            let row = try Row.fetchOne(
                database, sql: Self.dictionaryColumns + " WHERE dictionary_id = ?", arguments: [dictionaryID])
            guard let row else { throw CatalogError(.notFound, "\(path): no dictionary \(dictionaryID)") }
            return try dictionaryRecord(row)
        }
    }

    private static let dictionaryColumns = """
        SELECT dictionary_id, run_id, language_model_id, name, architecture, d_model, n_latents, k, layers, aggregation,
            routing, fidelity, activation_threshold, relative_threshold, config, n_tokens_trained, input_normalization,
            input_epsilon, input_scale, subtracts_pre_bias, selection, threshold_form
        FROM dictionary
        """

    private func dictionaryRecord(_ row: Row) throws -> DictionaryRecord {
        try DictionaryRecord(
            dictionaryID: row.value(0), runID: row.value(1), languageModelID: row.value(2), name: row.value(3),
            architecture: enumeration(row.value(4), "dictionary.architecture"), dModel: row.number(5),
            latentCount: row.number(6), k: row.number(7), layers: integers(row.value(8), "dictionary.layers"),
            aggregation: enumeration(row.value(9), "dictionary.aggregation"),
            routing: enumeration(row.value(10), "dictionary.routing"),
            fidelity: enumeration(row.value(11), "dictionary.fidelity"),
            rules: EncodingRules(
                input: enumeration(row.value(16), "dictionary.input_normalization"), inputEpsilon: row.value(17),
                inputScale: row.value(18), subtractsPreBias: row.value(19),
                selection: enumeration(row.value(20), "dictionary.selection"),
                thresholdForm: enumeration(row.value(21), "dictionary.threshold_form")),
            activationThreshold: row.value(12), relativeThreshold: row.value(13), configJSON: row.value(14),
            trainedTokenCount: row.tally(15))
    }
}
